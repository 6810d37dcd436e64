//! Runs sorted into kinds, and the figures in which two kinds differ. All runs of a page have the
//! same machine, trace and parameters, so that only the queues or the language can make a difference.

use crate::run::{Run, Stage};
use crate::text::{digits, duration};

/// The runs of one program with the same queues, in the order of the mean time of their requests.
pub struct Kind {
    runs: Vec<Run>,
}

impl Kind {
    /// The run in the middle.
    pub fn middle(&self) -> &Run {
        &self.runs[(self.runs.len() - 1) / 2]
    }

    pub fn len(&self) -> usize {
        self.runs.len()
    }
}

/// One or two kinds of runs.
pub struct Kinds {
    pub first: Kind,
    pub second: Option<Kind>,
}

/// The name of the queues of a run.
pub fn queues_of(run: &Run) -> String {
    match &*run.queues {
        "libqueues" => format!("libqueues {}", run.library),
        "mutex" => "mutex + condition variables".into(),
        other => other.into(),
    }
}

impl Kinds {
    /// At least one run, each with the name of its file.
    pub fn of(runs: Vec<(String, Run)>) -> Result<Self, String> {
        let mut kinds: Vec<(String, Kind)> = Vec::new();
        for (name, run) in runs {
            let differs = kinds.first().and_then(|(first_name, first)| {
                Some((first_name, difference(&first.runs[0], &run)?))
            });
            if let Some((first_name, difference)) = differs {
                return Err(format!(
                    "{name} is not comparable with {first_name}, which has {difference}: compare runs \
                     of one machine, trace and set of options"
                ));
            }
            let key = |run: &Run| (run.program.clone(), run.queues.clone(), run.library.clone());
            match kinds.iter().position(|(_, kind)| key(&kind.runs[0]) == key(&run)) {
                Some(i) => kinds[i].1.runs.push(run),
                None if kinds.len() == 2 => {
                    return Err(format!(
                        "{name} is of a third kind, {} over {}: a page compares two",
                        run.program,
                        queues_of(&run)
                    ));
                }
                None => kinds.push((name, Kind { runs: vec![run] })),
            }
        }
        for (_, kind) in &mut kinds {
            kind.runs.sort_by_key(|run| run.total.mean_ns);
        }
        let mut kinds = kinds.into_iter().map(|(_, kind)| kind);
        Ok(Self { first: kinds.next().expect("there is a run"), second: kinds.next() })
    }

    /// Short names of the first and the second kind: what differs.
    pub fn names(&self) -> [String; 2] {
        let first = self.first.middle();
        let second = self.second.as_ref().map_or(first, |kind| kind.middle());
        [first, second].map(|run| match () {
            () if first.queues != second.queues => run.queues.clone(),
            () if first.program != second.program => {
                // "Serving demo, in Go"
                let language = run.program.rsplit(", in ").next();
                language.unwrap_or_default().to_owned()
            }
            () => queues_of(run),
        })
    }
}

fn difference(a: &Run, b: &Run) -> Option<&'static str> {
    let stages = |run: &Run| run.stages.iter().map(|stage| stage.name.clone()).collect::<Vec<_>>();
    [
        (a.machine != b.machine, "another machine"),
        (a.trace != b.trace || a.requests != b.requests, "another trace"),
        (a.parameters.speed != b.parameters.speed, "another speed"),
        (a.parameters != b.parameters, "other options"),
        (stages(a) != stages(b), "other stages"),
    ]
    .into_iter()
    .find_map(|(differs, name)| differs.then_some(name))
}

/// The median of a figure over the runs of a kind, and its range.
#[derive(Clone, Copy)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Spread {
    fn of(kind: &Kind, figure: impl Fn(&Run) -> f64) -> Self {
        let mut values: Vec<f64> = kind.runs.iter().map(figure).collect();
        values.sort_by(f64::total_cmp);
        let last = values.len() - 1;
        let median = (values[last / 2] + values[last.div_ceil(2)]) / 2.0;
        Self { median, least: values[0], most: values[last] }
    }

    fn overlaps(self, other: Self) -> bool {
        self.least <= other.most && other.least <= self.most
    }
}

/// With this many runs of each kind, ranges that do not overlap are rarely chance: once in 35 times.
pub const ENOUGH: usize = 4;

/// A figure of both kinds, which is better the lower it is.
pub struct Difference {
    /// The runs of the kind that has fewer.
    runs: usize,
    pub name: String,
    pub first: Spread,
    pub second: Spread,
    pub show: fn(f64) -> String,
}

impl Difference {
    /// The second kind's median by the first kind's, unless that is 0.
    pub fn ratio(&self) -> Option<f64> {
        (self.first.median > 0.0).then(|| self.second.median / self.first.median)
    }

    /// Whether every run of one kind is below every run of the other, and there are enough.
    pub fn is_clear(&self) -> bool {
        self.runs >= ENOUGH && !self.first.overlaps(self.second)
    }
}

/// All figures of the comparison; the first is the duration of the run.
pub fn differences(first: &Kind, second: &Kind) -> Vec<Difference> {
    let time: fn(f64) -> String = |nanoseconds| duration(nanoseconds.round() as u64);
    let runs = first.len().min(second.len());
    let mut all = Vec::new();
    let mut add = |name: String, show, figure: &dyn Fn(&Run) -> f64| {
        let [first, second] = [first, second].map(|kind| Spread::of(kind, figure));
        all.push(Difference { runs, name, first, second, show });
    };
    add("the whole run".into(), time, &|run| run.seconds * 1e9);
    add("a request, on average".into(), time, &|run| run.total.mean_ns as f64);
    add("99 % of the requests within".into(), time, &|run| run.total.p99_ns as f64);
    let queues = || first.middle().stages.iter().enumerate().filter(|(_, s)| s.queue.is_some());
    for (i, Stage { name, .. }) in queues() {
        add(format!("in {name}, on average"), time, &move |run| run.stages[i].wait.mean_ns as f64);
    }
    let room = |run: &Run| {
        let queues = run.stages.iter().filter_map(|stage| stage.queue.as_ref());
        queues.map(|queue| queue.room_ns as f64).sum()
    };
    add("all waits for room".into(), time, &room);
    let per_request = |run: &Run| run.requests.max(1) as f64;
    let cpu = |run: &Run| run.cost.cpu_ns as f64 / per_request(run);
    add("processor time a request".into(), time, &cpu);
    let switches = |run: &Run| run.cost.switches as f64 / per_request(run);
    add("context switches a request".into(), digits, &switches);
    all
}
