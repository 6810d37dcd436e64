//! A run of the demo whose workers are killed, as `examples/go/processes` passes it on:
//!
//! ```json
//! {
//!   "format": 2, "kind": "processes", "library": "0.1.0",
//!   "machine": {"processor": "AMD EPYC", "processors": 2, "kernel": "Linux 6.18.0"},
//!   "date": "2026-11-26 17:36 UTC", "trace": "trace.csv",
//!   "parameters": {"speed": 4, "workers": 3, "capacity": 256, "kill_every_ms": 50, "seed": 1},
//!   "requests": 450, "served": 450, "answered_twice": 1, "redelivered": 78, "killed": 234,
//!   "recovered": 100, "seconds": 13.06,
//!   "total": {"mean_ns": 20100, "p50_ns": 11500, "p99_ns": 380000, "max_ns": 900000, "histogram": [[13454, 450]]},
//!   "workers": [{"place": 0, "start_ns": 0, "end_ns": 120000000, "killed": true}],
//!   "answers": [[30000000, 25000000, 2]]
//! }
//! ```
//!
//! `total` is as in `run.rs`. An answer has the time at which it came, how long after the request
//! was due that was, and how many workers had leased the request.

use crate::page::{self, Facts};
use crate::plot::{FIRST, LIMIT, SECOND, timeline};
use crate::run::{Machine, Times, check_format, check_histogram};
use crate::text::{count, duration, escape};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Run {
    pub library: String,
    pub machine: Machine,
    pub date: String,
    pub trace: String,
    pub parameters: Parameters,
    pub requests: u64,
    /// Requests that have an answer.
    pub served: u64,
    /// Second answers, which were ignored.
    pub answered_twice: u64,
    /// Requests that another worker answered after the one that had leased them died.
    pub redelivered: u64,
    pub killed: u64,
    /// Cells of both queues that were recovered from dead workers.
    pub recovered: u64,
    pub seconds: f64,
    /// The time from when a request was due until it was answered.
    pub total: Times,
    pub workers: Vec<Life>,
    pub answers: Vec<Answer>,
}

#[derive(Deserialize)]
pub struct Parameters {
    pub speed: f64,
    pub workers: u64,
    pub capacity: u64,
    pub kill_every_ms: u64,
    pub seed: i64,
}

/// The time of a worker process.
#[derive(Deserialize)]
pub struct Life {
    /// A worker that is killed leaves its place to the next.
    pub place: u32,
    pub start_ns: u64,
    pub end_ns: u64,
    pub killed: bool,
}

#[derive(Deserialize)]
#[serde(from = "(u64, u64, u64)")]
pub struct Answer {
    pub at_ns: u64,
    pub took_ns: u64,
    leases: u64,
}

impl From<(u64, u64, u64)> for Answer {
    fn from((at_ns, took_ns, leases): (u64, u64, u64)) -> Self {
        Self { at_ns, took_ns, leases }
    }
}

impl Answer {
    pub fn redelivered(&self) -> bool {
        self.leases > 1
    }
}

/// Whether a record is one of processes.
pub fn is_one(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Kind {
        kind: String,
    }
    serde_json::from_str(text).is_ok_and(|found: Kind| found.kind == "processes")
}

impl Run {
    /// An error names the field of the JSON.
    pub fn read(text: &str) -> Result<Self, String> {
        check_format(text)?;
        let run: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if !(run.seconds > 0.0 && run.seconds < 1e9) {
            return Err("seconds: not a duration".into());
        }
        if run.workers.iter().any(|life| life.place >= 10_000) {
            return Err("workers: a place above 9999".into());
        }
        check_histogram(&run.total.histogram).map_err(|error| format!("total: {error}"))?;
        Ok(run)
    }
}

pub fn page(run: &Run) -> String {
    let trace = page::file_name(&run.trace);
    let title =
        format!("Workers that are killed: {trace} at {} times its speed", run.parameters.speed);
    let body = format!(
        "<p class=\"lead{}\">{}</p>\n{}<h2>The run over time</h2>\n{}<h2>Figures</h2>\n{}{}",
        if run.served == run.requests { "" } else { " lost" },
        escape(&summary(run)),
        facts(run),
        plots(run),
        table(run),
        page::footer(&run.trace)
    );
    page::document(&escape(&title), &body)
}

/// What the page states first.
pub fn summary(run: &Run) -> String {
    let verdict = match run.requests - run.served.min(run.requests) {
        0 => format!(
            "all {} were served, and none twice",
            count(run.requests, "request", "requests")
        ),
        n => format!("{} had no answer", count(n, "request", "requests")),
    };
    format!(
        "In {:.1} s, {} by SIGKILL. Others got {} that they had held; {verdict}.",
        run.seconds,
        count(run.killed, "worker process was killed", "worker processes were killed"),
        count(run.redelivered, "request", "requests"),
    )
}

fn facts(run: &Run) -> String {
    let p = &run.parameters;
    let mut facts = Facts::of(&run.machine, &run.library, &run.date);
    facts.add(
        "trace",
        &format!("{}, {}", page::file_name(&run.trace), count(run.requests, "request", "requests")),
    );
    facts.add("speed", &format!("{} times as recorded", p.speed));
    facts.add(
        "processes",
        &format!("a frontend in Go, {} at a time in C++", count(p.workers, "worker", "workers")),
    );
    facts.add("queues", &format!("2 shared mpmc, capacity {}", p.capacity));
    facts.add("a kill every", &format!("{} ms on average, seed {}", p.kill_every_ms, p.seed));
    facts.list()
}

fn plots(run: &Run) -> String {
    let figures = [
        page::figure(
            "worker processes",
            &[page::legend(&FIRST, "alive"), page::legend(&LIMIT, "killed")],
            &timeline::workers(run),
        ),
        page::figure(
            "time from due to answered",
            &[
                page::legend(&FIRST, "from the shortest to the longest"),
                page::legend(&SECOND, "redelivered, because the worker that had it died"),
            ],
            &timeline::times(run),
        ),
        page::figure(
            "requests due and not answered",
            &[page::legend(&FIRST, "requests")],
            &timeline::waiting(run),
        ),
    ];
    format!("<div class=\"timeline\">\n{}</div>\n", figures.concat())
}

fn table(run: &Run) -> String {
    let t = &run.total;
    let rows = [
        ("requests", run.requests.to_string()),
        ("answered", run.served.to_string()),
        ("redelivered, because the worker that had them died", run.redelivered.to_string()),
        ("answered once more, which the frontend ignored", run.answered_twice.to_string()),
        ("workers killed", run.killed.to_string()),
        ("cells of the queues that were recovered from dead workers", run.recovered.to_string()),
        ("half within", duration(t.p50_ns)),
        ("99 % within", duration(t.p99_ns)),
        ("longest", duration(t.max_ns)),
    ];
    let rows = rows.map(|(name, value)| vec![name.to_owned(), value]);
    page::table(&["", ""], &rows)
}
