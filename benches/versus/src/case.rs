//! The cases: a path names each, and its segments decide the metric, the title and the first number
//! of items. [`catalogue`] lists all; patterns select some, for the command line and for
//! contestants.

use std::fmt;

/// A path of five segments, `family/shape/mode/capacity/payload`; README.md explains each.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Case(String);

impl Case {
    pub fn parse(text: &str) -> Result<Self, String> {
        let case = Self(text.into());
        if catalogue().contains(&case) {
            return Ok(case);
        }
        Err(format!("{text:?} is no case; `versus list` shows them"))
    }
    /// A case that need not be in the catalogue: results may come from another version.
    pub fn unchecked(text: &str) -> Self {
        Self(text.into())
    }
    pub fn path(&self) -> &str {
        &self.0
    }
    fn segment(&self, i: usize) -> &str {
        self.0.split('/').nth(i).unwrap_or("")
    }
    pub fn family(&self) -> &str {
        self.segment(0)
    }
    pub fn shape(&self) -> &str {
        self.segment(1)
    }
    pub fn mode(&self) -> &str {
        self.segment(2)
    }
    pub fn capacity(&self) -> usize {
        self.segment(3).parse().unwrap_or(0)
    }
    pub fn payload(&self) -> &str {
        self.segment(4)
    }

    pub fn metric(&self) -> Metric {
        match (self.family(), self.shape()) {
            ("pingpong" | "process-ping-pong", _) => Metric::RoundTrip,
            ("wake", _) if self.mode() == "pingpong" => Metric::RoundTrip,
            ("wake", _) => Metric::TailLatency,
            ("latency" | "process-kill", _) | ("batch", "lateness") => Metric::TailLatency,
            ("fairness", _) => Metric::MinShare,
            ("memory", _) => Metric::Bytes,
            _ => Metric::Rate,
        }
    }

    /// The items of the first trial of round 0, from which the run finds the number that fills a
    /// trial's time.
    pub fn first_items(&self) -> u64 {
        match (self.family(), self.mode()) {
            ("memory", _) => 1,
            ("process-kill", _) => 30,
            ("batch", _) if self.shape() == "lateness" => 100,
            ("latency", _) => 20_000,
            ("pingpong" | "process-ping-pong" | "wake", _) => 2_000,
            (_, "blocking") => 20_000,
            _ => 50_000,
        }
    }

    /// At least so many items that a trial ends with a full batch. Otherwise its end would be the
    /// 10 ms after which the last batch is due by its age.
    pub fn in_full_batches(&self, items: u64) -> u64 {
        let size = self.mode().strip_prefix("batch").and_then(|size| size.parse().ok());
        let producers =
            self.shape().split_once('P').and_then(|(producers, _)| producers.parse().ok());
        match (size, producers) {
            (Some::<u64>(size), Some::<u64>(producers)) => items.next_multiple_of(size * producers),
            _ => items,
        }
    }

    /// Whether the items are as many as fill a trial's time. Otherwise they are always
    /// [`Self::first_items`].
    pub fn fills_time(&self) -> bool {
        !matches!(self.family(), "memory" | "process-kill")
    }

    /// The factor by which the trials of the case are longer than those of others: items come at a
    /// fixed pace, or what is measured is rare.
    pub fn time_factor(&self) -> f64 {
        match (self.family(), self.shape()) {
            ("latency" | "fairness" | "wake" | "process-kill", _) | ("batch", "lateness") => 4.0,
            _ => 1.0,
        }
    }

    /// The case in words, for headings.
    pub fn title(&self) -> String {
        let processes = self.family().starts_with("process");
        let shape = match self.shape() {
            "1P1C" if self.family() == "process-ping-pong" => "two processes".into(),
            "1P1C" if processes => "a process that puts, a process that gets".into(),
            "4P4C" if processes => "4 processes that put, 4 that get".into(),
            "1P1C" => "one producer, one consumer".into(),
            "2P1C" => "two producers, one consumer".into(),
            "pair" => "two threads that put and get in turn".into(),
            "owner" => "the owner alone".into(),
            "owner+1thief" => "the owner and a thief".into(),
            "owner+2thieves" => "the owner and two thieves".into(),
            "lateness" => "lateness of a batch that is due".into(),
            "-" => "an empty queue (some allocate more as they fill)".into(),
            shape if shape.starts_with('x') => match &shape[1..] {
                "1" => "one thread".into(),
                n => format!("{n} threads"),
            },
            "4P1C" => "4 producers, one consumer".into(),
            "1P4C" => "one producer, 4 consumers".into(),
            shape => match shape.strip_suffix('C').and_then(|shape| shape.split_once('P')) {
                Some((producers, consumers)) => {
                    format!("{producers} producers, {consumers} consumers")
                }
                None => shape.into(),
            },
        };
        let mode = match self.mode() {
            // How a contestant waits is not a matter of the case.
            _ if self.family() == "process-kill" => ", killed at random",
            _ if processes => "",
            "bulk8" => ", 8 items per call",
            "bulk32" => ", 32 items per call",
            "bulk256" => ", 256 items per call",
            "blocking" => ", blocking",
            "spin" => ", spinning",
            "pingpong" => ", a word back and forth",
            "oneway" => ", a thread that sleeps",
            _ => "",
        };
        let items = match self.payload().strip_prefix('b') {
            Some(bytes) => format!(", blobs of {bytes} bytes"),
            None => String::new(),
        };
        let capacity = match (self.family(), self.capacity()) {
            ("priority", n) => format!(", {n} items in the queue"),
            (_, 1024) if self.family() != "memory" => String::new(),
            (_, n) => format!(", capacity {n}"),
        };
        format!("{}: {shape}{mode}{items}{capacity}", self.family())
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The figure by which the contestants of a case are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Million items per second.
    Rate,
    /// Nanoseconds per round trip of a token through two queues.
    RoundTrip,
    /// The 99th percentile of the latency, in microseconds.
    TailLatency,
    /// The items of the thread that moved the fewest, in percent of a fair share.
    MinShare,
    /// Bytes of memory per item of the capacity.
    Bytes,
}

impl Metric {
    pub fn unit(self) -> &'static str {
        match self {
            Self::Rate => "million items/s",
            Self::RoundTrip => "ns per round trip",
            Self::TailLatency => "µs, 99th percentile",
            Self::MinShare => "% of a fair share, worst thread",
            Self::Bytes => "bytes per slot",
        }
    }
    pub fn more_is_better(self) -> bool {
        matches!(self, Self::Rate | Self::MinShare)
    }
    /// How much better `value` is than `other`: above 1 is better, whichever direction the metric
    /// has.
    pub fn ratio(self, value: f64, other: f64) -> f64 {
        if self.more_is_better() { value / other } else { other / value }
    }
}

/// All cases, in the order of the table and of the page.
pub fn catalogue() -> Vec<Case> {
    let mut all = Vec::new();
    let mut add = |path: String| all.push(Case(path));
    for capacity in [1024, 64, 65536, 1048576] {
        add(format!("spsc/1P1C/single/{capacity}/ptr"));
    }
    for bytes in [8, 16, 64, 256, 1024] {
        add(format!("spsc/1P1C/single/1024/b{bytes}"));
    }
    for mode in ["bulk8", "bulk32", "bulk256", "blocking"] {
        add(format!("spsc/1P1C/{mode}/1024/ptr"));
    }
    for shape in ["1P1C", "pair", "2P2C", "4P4C", "8P8C"] {
        add(format!("mpmc/{shape}/single/1024/ptr"));
    }
    for capacity in [64, 65536, 1048576] {
        add(format!("mpmc/1P1C/single/{capacity}/ptr"));
    }
    for mode in ["bulk32", "blocking"] {
        for shape in ["1P1C", "pair", "2P2C", "4P4C", "8P8C"] {
            if (shape, mode) != ("pair", "bulk32") {
                add(format!("mpmc/{shape}/{mode}/1024/ptr"));
            }
        }
    }
    for shape in ["4P1C", "1P4C"] {
        for mode in ["single", "blocking"] {
            add(format!("mpmc/{shape}/{mode}/1024/ptr"));
        }
    }
    for mode in ["spin", "blocking"] {
        add(format!("pingpong/1P1C/{mode}/1024/ptr"));
    }
    for shape in ["1P1C", "2P2C"] {
        add(format!("latency/{shape}/blocking/1024/ptr"));
    }
    for mode in ["pingpong", "oneway"] {
        add(format!("wake/1P1C/{mode}/1024/ptr"));
    }
    for shape in ["1P1C", "4P4C"] {
        for bytes in [8, 64, 1024] {
            add(format!("process/{shape}/blocking/1024/b{bytes}"));
        }
    }
    for bytes in [8, 64, 1024] {
        add(format!("process-ping-pong/1P1C/blocking/1024/b{bytes}"));
    }
    add("process-kill/4P4C/blocking/1024/b64".into());
    add("fairness/4P4C/single/1024/ptr".into());
    for capacity in [1000, 100000] {
        for threads in [1, 2, 4, 8] {
            add(format!("priority/x{threads}/single/{capacity}/ptr"));
        }
    }
    for shape in ["owner", "owner+1thief", "owner+2thieves"] {
        add(format!("deque/{shape}/single/1024/ptr"));
    }
    for shape in ["2P1C", "4P1C", "4P2C", "lateness"] {
        add(format!("batch/{shape}/batch32/1024/ptr"));
    }
    for capacity in [1024, 65536] {
        add(format!("memory/-/-/{capacity}/ptr"));
    }
    all
}

/// The cases of the quick set: those that show the most in about a minute.
pub fn headlines() -> Vec<Case> {
    [
        "spsc/1P1C/single/1024/ptr",
        "spsc/1P1C/bulk32/1024/ptr",
        "spsc/1P1C/single/1024/b64",
        "mpmc/1P1C/single/1024/ptr",
        "mpmc/pair/single/1024/ptr",
        "mpmc/4P4C/blocking/1024/ptr",
        "pingpong/1P1C/blocking/1024/ptr",
        "priority/x2/single/1000/ptr",
        "deque/owner+1thief/single/1024/ptr",
        "batch/2P1C/batch32/1024/ptr",
    ]
    .map(Case::unchecked)
    .into()
}

/// Whether `text` matches `pattern`, in which `*` stands for any characters, slashes included.
pub fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            (0..=text.len()).any(|at| text.is_char_boundary(at) && glob(rest, &text[at..]))
        }),
    }
}

/// The cases that a pattern of the command line selects: it matches the whole path, or its first
/// segments.
pub fn select(cases: &[Case], pattern: &str) -> Result<Vec<Case>, String> {
    let longer = format!("{pattern}/*");
    let matches = |case: &&Case| glob(pattern, &case.0) || glob(&longer, &case.0);
    let found: Vec<_> = cases.iter().filter(matches).cloned().collect();
    if found.is_empty() {
        return Err(format!("no case matches {pattern:?}; `versus list` shows them"));
    }
    Ok(found)
}

/// Whether a pattern of a contestant's listing covers `case`: each segment is a word or `*`, and
/// segments left out match everything.
pub fn supports(pattern: &str, case: &Case) -> bool {
    let mut segments = case.0.split('/');
    pattern.split('/').all(|p| segments.next().is_some_and(|segment| p == "*" || p == segment))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_a_path_of_segments() {
        let case = Case::parse("spsc/1P1C/bulk32/1024/ptr").unwrap();
        assert_eq!((case.family(), case.shape(), case.mode()), ("spsc", "1P1C", "bulk32"));
        assert_eq!((case.capacity(), case.payload()), (1024, "ptr"));
        assert_eq!(case.title(), "spsc: one producer, one consumer, 32 items per call");
    }

    #[test]
    fn cases_between_processes_have_the_figures_of_their_kind() {
        let cases = select(&catalogue(), "process*").unwrap();
        assert_eq!(cases.len(), 10);
        let (stream, bounce, kill) = (&cases[1], &cases[7], &cases[9]);
        assert_eq!(stream.path(), "process/1P1C/blocking/1024/b64");
        assert_eq!(stream.metric(), Metric::Rate);
        let title = "process: a process that puts, a process that gets, blobs of 64 bytes";
        assert_eq!(stream.title(), title);
        assert_eq!(bounce.path(), "process-ping-pong/1P1C/blocking/1024/b64");
        assert_eq!(bounce.metric(), Metric::RoundTrip);
        let title = "process-ping-pong: two processes, blobs of 64 bytes";
        assert_eq!(bounce.title(), title);
        assert_eq!(kill.path(), "process-kill/4P4C/blocking/1024/b64");
        assert_eq!((kill.metric(), kill.fills_time()), (Metric::TailLatency, false));
        let title = "process-kill: 4 processes that put, 4 that get, killed at random, blobs of 64 \
                     bytes";
        assert_eq!(kill.title(), title);
    }

    #[test]
    fn trials_end_with_a_full_batch() {
        let items_of = |case| Case::parse(case).unwrap().in_full_batches(1000);
        assert_eq!(items_of("batch/2P1C/batch32/1024/ptr"), 1024);
        assert_eq!(items_of("batch/lateness/batch32/1024/ptr"), 1000);
        assert_eq!(items_of("spsc/1P1C/bulk32/1024/ptr"), 1000);
    }

    #[test]
    fn cases_are_unique_and_headlines_are_among_them() {
        let mut all = catalogue();
        assert!(headlines().iter().all(|case| all.contains(case)));
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn an_unknown_case_is_refused_with_a_hint_to_the_list() {
        let error = Case::parse("spsc/3P1C/single/1024/ptr").unwrap_err();
        assert_eq!(error, "\"spsc/3P1C/single/1024/ptr\" is no case; `versus list` shows them");
        let error = select(&catalogue(), "spcs\n").unwrap_err();
        assert_eq!(error, "no case matches \"spcs\\n\"; `versus list` shows them");
    }

    #[test]
    fn patterns_select_cases() {
        let all = catalogue();
        assert_eq!(select(&all, "deque").unwrap().len(), 3);
        assert_eq!(select(&all, "mpmc/pair").unwrap().len(), 2);
        assert_eq!(select(&all, "*/bulk32/*").unwrap().len(), 5);
        assert_eq!(select(&all, "spsc/1P1C/single/1024/ptr").unwrap().len(), 1);
        assert!(glob("*", "") && glob("a*c", "abc") && !glob("a*c", "abd"));

        let case = Case::unchecked("mpmc/pair/single/1024/ptr");
        assert!(supports("mpmc", &case) && supports("mpmc/*/single", &case));
        assert!(!supports("mpmc/1P1C", &case) && !supports("mpmc/*/single/*/ptr/x", &case));
    }
}
