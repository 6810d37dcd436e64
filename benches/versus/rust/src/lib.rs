//! The contestants in Rust and the protocol of `../README.md`: a contestant is a list of case
//! patterns, each with the workload that measures it. The words are those of the driver
//! (`../../src/lib.rs`).
//!
//! A *workload* is what is done to a queue in a case. [`workloads`] has the traits that queues
//! implement and the workloads of first-in-first-out queues; [`priority`], [`deque`] and [`batch`]
//! have those of their families. The other modules adapt queues to the traits.

pub mod batch;
pub mod channels;
pub mod deque;
pub mod ours;
pub mod priority;
pub mod rings;
pub mod workloads;

use serde_json::json;
use std::fmt;
use std::process::exit;
use workloads::{Blocking, Bulk, Item, NonBlocking, TrialResult};

/// The contestants of all modules.
pub fn contestants() -> Vec<Contestant> {
    let mut all = ours::contestants();
    all.extend(rings::contestants());
    all.extend(channels::contestants());
    all.extend(priority::contestants());
    all.extend(deque::contestants());
    all.extend(batch::contestants());
    all
}

/// A case by its segments: `family/shape/mode/capacity/payload`.
pub struct Case {
    pub family: String,
    pub shape: String,
    pub mode: String,
    pub capacity: usize,
    pub payload: String,
}

impl Case {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no case: family/shape/mode/capacity/payload");
        let [family, shape, mode, capacity, payload] = text
            .split('/')
            .map(String::from)
            .collect::<Vec<_>>()
            .try_into()
            .map_err(|_| wrong())?;
        let capacity = capacity.parse().map_err(|_| wrong())?;
        Ok(Self { family, shape, mode, capacity, payload })
    }

    /// The number in a segment: 32 of `bulk32`, 4 of `4P4C`; 1 if there is none.
    pub fn number(segment: &str) -> usize {
        let digits = segment.trim_start_matches(|c: char| !c.is_ascii_digit());
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        digits[..end].parse().unwrap_or(1)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { family, shape, mode, capacity, payload } = self;
        write!(f, "{family}/{shape}/{mode}/{capacity}/{payload}")
    }
}

/// Whether `pattern` covers `case`: each segment is a word or `*`, and segments left out match
/// everything.
fn matches(pattern: &str, case: &str) -> bool {
    let mut case = case.split('/');
    pattern.split('/').all(|p| case.next().is_some_and(|segment| p == "*" || p == segment))
}

type Workload = fn(&Case, usize) -> TrialResult;

/// A queue, with a workload for each pattern of cases that it supports.
pub struct Contestant {
    name: String,
    version: String,
    ours: bool,
    cases: Vec<(String, Workload)>,
}

impl Contestant {
    pub fn new(name: &str) -> Self {
        let cases = Vec::new();
        Self { name: name.into(), version: String::new(), ours: false, cases }
    }

    pub fn ours(family: &str) -> Self {
        let manifest = include_str!("../../../../Cargo.toml");
        let version = manifest.split("\nversion = \"").nth(1).unwrap_or("?");
        let version = version.split('"').next().unwrap().into();
        Self { ours: true, version, ..Self::new(&format!("queues {family}")) }
    }

    /// Sets the version to that of a crate in Cargo.lock.
    pub fn version_of(mut self, name: &str) -> Self {
        let lock = include_str!("../../Cargo.lock");
        let entry = lock.rsplit(&format!("name = \"{name}\"\nversion = \"")).next().unwrap();
        self.version = entry.split('"').next().unwrap().into();
        self
    }

    /// Adds the cases that match `pattern`.
    pub fn runs(mut self, pattern: impl Into<String>, run: Workload) -> Self {
        self.cases.push((pattern.into(), run));
        self
    }

    /// Adds the non-blocking cases of a queue for one producer and one consumer.
    pub fn spsc<Q: NonBlocking<usize>>(self) -> Self {
        self.runs("spsc/1P1C/single/*/ptr", workloads::single::<Q, usize>)
            .runs("pingpong/1P1C/spin", workloads::pingpong_spin::<Q>)
            .runs("memory", workloads::memory::<Q>)
    }

    /// Adds the cases with blobs of the size of `T`.
    pub fn blob<Q: NonBlocking<T>, T: Item>(self) -> Self {
        self.runs(format!("spsc/1P1C/single/*/b{}", size_of::<T>()), workloads::single::<Q, T>)
    }

    /// Adds the non-blocking cases of a queue for any number of threads.
    pub fn mpmc<Q: NonBlocking<usize>>(self) -> Self {
        self.runs("mpmc/*/single/*/ptr", workloads::single::<Q, usize>)
            .runs("pingpong/1P1C/spin", workloads::pingpong_spin::<Q>)
            .runs("fairness", workloads::fairness::<Q>)
            .runs("memory", workloads::memory::<Q>)
    }

    pub fn spsc_bulk<Q: Bulk>(self) -> Self {
        ["bulk8", "bulk32", "bulk256"].iter().fold(self, |entry, mode| {
            entry.runs(format!("spsc/1P1C/{mode}/*/ptr"), workloads::bulk::<Q>)
        })
    }

    pub fn mpmc_bulk<Q: Bulk>(self) -> Self {
        ["1P1C", "2P2C", "4P4C", "8P8C"].iter().fold(self, |entry, shape| {
            entry.runs(format!("mpmc/{shape}/bulk32/*/ptr"), workloads::bulk::<Q>)
        })
    }

    pub fn spsc_blocking<Q: Blocking>(self) -> Self {
        self.runs("spsc/1P1C/blocking/*/ptr", workloads::blocking::<Q>)
            .runs("pingpong/1P1C/blocking", workloads::pingpong_blocking::<Q>)
            .runs("latency/1P1C", workloads::latency::<Q>)
    }

    pub fn mpmc_blocking<Q: Blocking>(self) -> Self {
        self.runs("mpmc/*/blocking/*/ptr", workloads::blocking::<Q>)
            .runs("pingpong/1P1C/blocking", workloads::pingpong_blocking::<Q>)
            .runs("latency", workloads::latency::<Q>)
    }
}

/// [`Contestant::blob`] for every size of the catalogue.
#[macro_export]
macro_rules! blobs {
    ($contestant:expr, $queue:ident) => {
        $contestant
            .blob::<$queue<[u64; 1]>, [u64; 1]>()
            .blob::<$queue<[u64; 2]>, [u64; 2]>()
            .blob::<$queue<[u64; 8]>, [u64; 8]>()
            .blob::<$queue<[u64; 32]>, [u64; 32]>()
            .blob::<$queue<[u64; 128]>, [u64; 128]>()
    };
}

fn fail(code: i32, message: impl fmt::Display) -> ! {
    eprintln!("{message}");
    exit(code)
}

/// The command line: `list`, or `run --contestant NAME --case CASE --items N`.
pub fn main(contestants: impl IntoIterator<Item = Contestant>) {
    let contestants: Vec<_> = contestants.into_iter().collect();
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let value = |name| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1))
            .unwrap_or_else(|| fail(2, format!("{name} is missing, or its value")))
    };
    match arguments.first().map(String::as_str) {
        Some("list") => {
            for Contestant { name, version, ours, cases } in contestants {
                let cases: Vec<_> = cases.into_iter().map(|(pattern, _)| pattern).collect();
                println!(
                    "{}",
                    json!({ "name": name, "language": "Rust", "version": version, "ours": ours, "cases": cases })
                );
            }
        }
        Some("run") => {
            let case = Case::parse(value("--case")).unwrap_or_else(|e| fail(2, e));
            let items = value("--items");
            let items: usize = match items.parse() {
                Ok(number @ 1..1_000_000_000_000) => number,
                _ => {
                    let expected = "expected a number from 1 to 999999999999";
                    fail(2, format!("--items: {expected}, found {items:?}"))
                }
            };
            let name = value("--contestant");
            let Some(contestant) = contestants.iter().find(|c| c.name == *name) else {
                fail(2, format!("no contestant {name:?}; `list` shows them"))
            };
            let text = case.to_string();
            let Some((_, run)) = contestant.cases.iter().find(|(p, _)| matches(p, &text)) else {
                fail(2, format!("this contestant does not run {text:?}; `list` shows its cases"))
            };
            match run(&case, items) {
                Ok(line) => println!("{line}"),
                Err(lost) => fail(3, lost),
            }
        }
        _ => fail(2, "usage: list, or run --contestant NAME --case CASE --items N"),
    }
}
