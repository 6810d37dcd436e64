//! A run of the serving demo, as the demo writes it with --json:
//!
//! ```json
//! {
//!   "format": 2,
//!   "program": "Serving demo, in C", "queues": "libqueues", "library": "0.1.0",
//!   "machine": {"processor": "AMD EPYC", "processors": 2, "kernel": "Linux 6.18.0"},
//!   "date": "2026-11-26 17:36 UTC", "trace": "trace.csv",
//!   "parameters": {"speed": 4, "frontends": 2, "workers": 2, "capacity": 256,
//!                  "batch_size": 8, "batch_tokens": 8192, "linger_ms": 20},
//!   "requests": 450, "served": 450, "seconds": 13.08,
//!   "cost": {"cpu_ns": 6900000000, "switches": 5200},
//!   "stages": [
//!     {"name": "frontends", "kind": "threads", "in": 450, "out": 450, "wait": {}},
//!     {"name": "intake", "kind": "mpmc", "in": 450, "out": 450, "wait": {},
//!      "queue": {"queues": 1, "capacity": 256, "peak": 2, "failed_enqueue": 0,
//!                "failed_dequeue": 0, "stolen": 0, "room_ns": 0, "items_ns": 12900000000}}],
//!   "total": {"mean_ns": 20100, "p50_ns": 11500, "p99_ns": 380000, "max_ns": 900000, "histogram": [[13454, 450]]},
//!   "depth": {"t_ms": [0.1, 1.1], "stages": [{"name": "intake", "items": [0, 2]}]},
//!   "batches": {"sizes": [[1, 90], [8, 45]], "tokens": [[1448, 135]]},
//!   "workers": [{"served": 300, "stolen": 20}, {"served": 150, "stolen": 16}]
//! }
//! ```
//!
//! Every `wait` has the fields of `total`. A histogram is a list of pairs: an upper bound and the
//! number of values up to it and above the bound before. A bucket is a fourth of an octave wide;
//! empty buckets are omitted. Unknown fields are ignored. A change that an older tool would misread
//! has a new `format`.

use serde::Deserialize;

const FORMAT: u64 = 2;

#[derive(Deserialize)]
struct Versioned {
    format: Option<u64>,
}

#[derive(Deserialize)]
pub struct Run {
    pub program: String,
    /// Whose queues the run used: libqueues or mutex.
    pub queues: String,
    /// The version of libqueues.
    pub library: String,
    pub machine: Machine,
    pub date: String,
    pub trace: String,
    pub parameters: Parameters,
    pub requests: u64,
    /// Requests that the collector got.
    pub served: u64,
    pub seconds: f64,
    pub cost: Cost,
    /// In the order in which a request passes them.
    pub stages: Vec<Stage>,
    /// The time from when a request was due until it was collected.
    pub total: Times,
    pub depth: Depth,
    pub batches: Batches,
    pub workers: Vec<Worker>,
}

#[derive(Deserialize, PartialEq)]
pub struct Machine {
    pub processor: String,
    pub processors: u64,
    pub kernel: String,
}

#[derive(Deserialize)]
pub struct Cost {
    /// Of all threads, in the program and in the kernel.
    pub cpu_ns: u64,
    /// How often a thread gave up its processor to wait.
    pub switches: u64,
}

#[derive(Deserialize, PartialEq)]
pub struct Parameters {
    pub speed: f64,
    pub frontends: u64,
    pub workers: u64,
    pub capacity: u64,
    pub batch_size: u64,
    pub batch_tokens: u64,
    pub linger_ms: u64,
}

#[derive(Deserialize)]
pub struct Stage {
    pub name: String,
    pub kind: String,
    #[serde(rename = "in")]
    pub incoming: u64,
    pub out: u64,
    /// `None`: threads hold the requests of this stage.
    pub queue: Option<Queue>,
    /// The time from when a request was offered to the stage until it left the stage.
    pub wait: Times,
}

/// The queues of a stage, which have the same family and capacity.
#[derive(Deserialize)]
pub struct Queue {
    pub queues: u64,
    /// Of each queue.
    pub capacity: u64,
    /// The most items that were in one queue at once.
    pub peak: u64,
    pub failed_enqueue: u64,
    pub failed_dequeue: u64,
    pub stolen: u64,
    /// How long puts waited for room, summed over all threads.
    pub room_ns: u64,
    /// How long gets waited for items, summed over all threads.
    pub items_ns: u64,
}

#[derive(Deserialize)]
pub struct Times {
    pub mean_ns: u64,
    pub p50_ns: u64,
    pub p99_ns: u64,
    pub max_ns: u64,
    pub histogram: Vec<(u64, u64)>,
}

/// Samples of the number of items in all queues of a stage.
#[derive(Deserialize)]
pub struct Depth {
    pub t_ms: Vec<f64>,
    pub stages: Vec<Line>,
}

#[derive(Deserialize)]
pub struct Line {
    pub name: String,
    pub items: Vec<u64>,
}

#[derive(Deserialize)]
pub struct Batches {
    /// Pairs of a number of requests in a batch and the number of such batches.
    pub sizes: Vec<(u64, u64)>,
    /// A histogram of the tokens in a batch.
    pub tokens: Vec<(u64, u64)>,
}

#[derive(Deserialize)]
pub struct Worker {
    pub served: u64,
    /// The served requests that it stole from another worker.
    pub stolen: u64,
}

impl Run {
    /// An error names the field of the JSON.
    pub fn read(text: &str) -> Result<Self, String> {
        check_format(text)?;
        let run: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        run.check()?;
        Ok(run)
    }

    fn check(&self) -> Result<(), String> {
        let holds =
            |condition: bool, otherwise: String| if condition { Ok(()) } else { Err(otherwise) };
        holds(self.seconds > 0.0 && self.seconds < 1e9, "seconds: not a duration".into())?;
        let speed = self.parameters.speed;
        holds(speed > 0.0 && speed.is_finite(), "parameters.speed: not above 0".into())?;
        holds(!self.stages.is_empty(), "stages: there are none".into())?;
        holds(self.parameters.frontends > 0, "parameters.frontends: there are none".into())?;
        holds(!self.workers.is_empty(), "workers: there are none".into())?;
        holds(self.workers.len() <= 10_000, "workers: more than 10000".into())?;

        let times = &self.depth.t_ms;
        holds(!times.is_empty(), "depth: there are no samples".into())?;
        let ordered = times.is_sorted() && times[0] >= 0.0 && times[times.len() - 1] < 1e12;
        holds(ordered, "depth.t_ms: not times in order".into())?;
        for Line { name, items } in &self.depth.stages {
            let (found, wanted) = (items.len(), times.len());
            holds(
                found == wanted,
                format!("depth.stages: {name} has {found} samples, there are {wanted} times"),
            )?;
        }
        for stage in self.stages.iter().filter(|stage| stage.queue.is_some()) {
            let sampled = self.depth.stages.iter().any(|line| line.name == stage.name);
            holds(sampled, format!("depth.stages: {} is missing", stage.name))?;
        }

        for Stage { name, wait, .. } in &self.stages {
            check_histogram(&wait.histogram).map_err(|error| format!("stages: {name}: {error}"))?;
        }
        check_histogram(&self.total.histogram).map_err(|error| format!("total: {error}"))?;
        check_histogram(&self.batches.tokens)
            .map_err(|error| format!("batches.tokens: {error}"))?;
        check_histogram(&self.batches.sizes).map_err(|error| format!("batches.sizes: {error}"))
    }

    /// The share of the run in which a worker worked, on average.
    pub fn busy(&self) -> f64 {
        let work = self.stages.iter().find(|stage| stage.name == "work");
        let worked = work.map_or(0.0, |stage| stage.wait.mean_ns as f64 * stage.out as f64);
        (worked / 1e9 / self.seconds / self.workers.len() as f64).min(1.0)
    }

    pub fn depth_of(&self, stage: &Stage) -> &[u64] {
        let line = self.depth.stages.iter().find(|line| line.name == stage.name);
        &line.expect("check() requires samples of every queue").items
    }
}

/// The format of a record is the one that this tool reads.
pub fn check_format(text: &str) -> Result<(), String> {
    let found: Versioned = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if found.format != Some(FORMAT) {
        let found = found.format.map_or("none".into(), |format| format.to_string());
        return Err(format!(
            "format {FORMAT} of the record expected, found {found}: run the demo again, with \
             --json"
        ));
    }
    Ok(())
}

pub fn check_histogram(pairs: &[(u64, u64)]) -> Result<(), String> {
    if pairs.first().is_some_and(|pair| pair.0 == 0) || !pairs.is_sorted_by(|a, b| a.0 < b.0) {
        return Err("bounds are not above 0 and ascending".into());
    }
    Ok(())
}
