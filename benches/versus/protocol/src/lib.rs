//! The protocol of `../../README.md` for programs in Rust: a contestant is a list of case patterns,
//! each with the workload that measures it.

use serde_json::{Value, json};
use std::fmt;
use std::process::exit;

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

/// The line that a trial prints; or an error if items were lost, duplicated or torn.
pub type TrialResult = Result<Value, String>;

/// Measures a case with a number of items.
pub type Workload = fn(&Case, usize) -> TrialResult;

/// A queue, with a workload for each pattern of cases that it supports.
pub struct Contestant {
    pub name: String,
    pub version: String,
    pub ours: bool,
    pub cases: Vec<(String, Workload)>,
}

impl Contestant {
    pub fn new(name: &str) -> Self {
        let cases = Vec::new();
        Self { name: name.into(), version: String::new(), ours: false, cases }
    }

    /// Sets the version to that of the crate `name` in the text of a Cargo.lock.
    pub fn version_in(mut self, lock: &str, name: &str) -> Self {
        let entry = lock.rsplit(&format!("name = \"{name}\"\nversion = \"")).next().unwrap();
        self.version = entry.split('"').next().unwrap().into();
        self
    }

    /// Adds the cases that match `pattern`.
    pub fn runs(mut self, pattern: impl Into<String>, run: Workload) -> Self {
        self.cases.push((pattern.into(), run));
        self
    }
}

/// Prints `message` and ends the process with exit code `code`.
pub fn fail(code: i32, message: impl fmt::Display) -> ! {
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
