//! The records of a run, summed up: for each case every contestant's median, minimum and maximum,
//! and its ratio to the best peer. Trials on near and on far cores are kept apart, since their
//! figures differ by factors.

use crate::case::{Case, Metric, catalogue};
use crate::contestant::{Contestant, Measurement, Missing};
use crate::record::{Record, Run, Trial};
use std::collections::BTreeMap;

/// The factor by which the two round trips of a trial may differ. A larger change is taken for a
/// move of the processors by the host, and the trial does not count.
pub const MAX_CHANGE: f64 = 1.4;
/// In ns: cores with a shorter round trip are near, others far. On virtual machines of AMD EPYC (Zen 4
/// and Zen 5) near round trips took 46 to 75 ns and far ones 300 to 420 ns (decisions 003 and 007), as
/// between cores with one L3 cache and with two.
pub const NEAR_BELOW: f64 = 150.0;

/// Where the first two processors were during a trial, by the round trip of a cache line between
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// On near cores; also without a probe, on one processor.
    Near,
    /// On far cores.
    Far,
    /// The round trip changed by more than [`MAX_CHANGE`] during the trial.
    Moved,
}

pub fn placement(trial: &Trial) -> Placement {
    let (Some(before), Some(after)) = (trial.before, trial.after) else { return Placement::Near };
    let (low, high) = (before.min(after), before.max(after));
    match () {
        () if high > low * MAX_CHANGE => Placement::Moved,
        () if high < NEAR_BELOW => Placement::Near,
        () => Placement::Far,
    }
}

/// The figures of some trials.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
    pub trials: usize,
}

impl Spread {
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (n, middle) = (values.len(), values.len() / 2);
        let (min, max) = (*values.first()?, *values.last()?);
        let median =
            if n % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 };
        Some(Self { median, min, max, trials: n })
    }
}

/// The results of a contestant in a case.
#[derive(Debug)]
pub struct Row {
    pub contestant: Contestant,
    /// Of the trials with the placement of the comparison.
    pub main: Option<Spread>,
    /// Of the trials with the other placement.
    pub other: Option<Spread>,
    /// How many trials do not count because their round trip changed.
    pub moved: usize,
    /// Ratio to the best peer; above 1 is better.
    pub ratio: Option<f64>,
    /// Medians of the further figures that [`Comparison::extras`] names.
    pub extras: Vec<Option<f64>>,
    /// Why its last failed trial failed.
    pub failure: Option<String>,
}

/// A case with the results of all contestants.
#[derive(Debug)]
pub struct Comparison {
    pub case: Case,
    pub metric: Metric,
    /// The placement of the trials that are compared: near, unless the case has no such trial.
    pub placement: Placement,
    /// Names of the further figures that the case measures.
    pub extras: &'static [&'static str],
    /// Best first; those without a measurement last.
    pub rows: Vec<Row>,
}

impl Comparison {
    /// The best row of ours, or of the peers.
    pub fn best(&self, ours: bool) -> Option<&Row> {
        self.rows.iter().find(|row| row.contestant.ours == ours && self.median(row).is_some())
    }

    /// The figure by which a contestant is compared. `None` also for less than a word of memory per
    /// slot: such a queue allocates its slots later.
    pub fn median(&self, row: &Row) -> Option<f64> {
        let least = if self.metric == Metric::Bytes { size_of::<usize>() as f64 } else { 0.0 };
        row.main.as_ref().map(|spread| spread.median).filter(|median| *median >= least)
    }
}

#[derive(Debug)]
pub struct Summary {
    pub run: Run,
    pub missing: Vec<Missing>,
    /// Median round trips in ns, of the trials on near and on far cores.
    pub round_trips: [Option<f64>; 2],
    /// How many trials had each placement.
    pub near: usize,
    pub far: usize,
    pub moved: usize,
    pub comparisons: Vec<Comparison>,
}

impl Summary {
    pub fn has_both_placements(&self) -> bool {
        self.near > 0 && self.far > 0
    }
}

/// The figure of one measurement.
pub fn value(metric: Metric, case: &Case, measured: &Measurement) -> Option<f64> {
    let value = match metric {
        Metric::Rate => measured.items as f64 / measured.seconds / 1e6,
        Metric::RoundTrip => measured.seconds / measured.items as f64 * 1e9,
        Metric::TailLatency => measured.latency_ns.as_ref()?.p99 / 1e3,
        Metric::MinShare => {
            let shares = measured.shares.as_ref()?;
            // Producers together move as many items as consumers do, so one mean serves both.
            let fair = shares.iter().sum::<u64>() as f64 / shares.len() as f64;
            *shares.iter().min()? as f64 / fair * 100.0
        }
        Metric::Bytes => measured.bytes? / case.capacity().max(1) as f64,
    };
    value.is_finite().then_some(value)
}

fn extras(metric: Metric) -> &'static [&'static str] {
    match metric {
        Metric::TailLatency => &["p50 µs", "p99.9 µs", "max µs"],
        Metric::MinShare => &["million items/s", "starvation ms"],
        Metric::Bytes => &["bytes"],
        _ => &[],
    }
}

fn extra(name: &str, measured: &Measurement) -> Option<f64> {
    let latency = || measured.latency_ns.as_ref();
    match name {
        "p50 µs" => Some(latency()?.p50 / 1e3),
        "p99.9 µs" => Some(latency()?.p999 / 1e3),
        "max µs" => Some(latency()?.max / 1e3),
        "million items/s" => Some(measured.items as f64 / measured.seconds / 1e6),
        "starvation ms" => Some(measured.longest_starvation_ns? / 1e6),
        "bytes" => measured.bytes,
        _ => None,
    }
}

impl Summary {
    pub fn of(records: &[Record]) -> Self {
        let mut run = Run::default();
        let (mut contestants, mut missing, mut trials) = (Vec::new(), Vec::new(), Vec::new());
        for record in records {
            match record {
                Record::Run(r) => run = r.clone(),
                Record::Contestant(contestant) => contestants.push(contestant),
                Record::Missing(m) => missing.push(m.clone()),
                Record::Trial(trial) => trials.push(trial),
            }
        }
        let count = |wanted| {
            trials.iter().filter(|t| t.measured.is_some() && placement(t) == wanted).count()
        };
        let [near, far, moved] = [Placement::Near, Placement::Far, Placement::Moved].map(count);
        let round_trip = |wanted| {
            let probes = trials.iter().filter(|t| placement(t) == wanted).filter_map(|t| t.before);
            Spread::of(probes.collect()).map(|spread| spread.median)
        };
        let round_trips = [Placement::Near, Placement::Far].map(round_trip);

        let order: BTreeMap<Case, usize> =
            catalogue().into_iter().enumerate().map(|(i, case)| (case, i)).collect();
        let mut by_case: BTreeMap<(usize, Case), Vec<&Trial>> = BTreeMap::new();
        for trial in trials {
            let case = Case::unchecked(&trial.case);
            let at = order.get(&case).copied().unwrap_or(usize::MAX);
            by_case.entry((at, case)).or_default().push(trial);
        }
        let comparisons = by_case
            .into_iter()
            .map(|((_, case), trials)| comparison(case, &contestants, &trials))
            .collect();
        Self { run, missing, round_trips, near, far, moved, comparisons }
    }
}

fn comparison(case: Case, contestants: &[&Contestant], trials: &[&Trial]) -> Comparison {
    let metric = case.metric();
    // Memory does not depend on the placement.
    let placement =
        |trial: &Trial| if metric == Metric::Bytes { Placement::Near } else { placement(trial) };
    let is_at = |at| trials.iter().any(|t| t.measured.is_some() && placement(t) == at);
    let main = if is_at(Placement::Far) && !is_at(Placement::Near) {
        Placement::Far
    } else {
        Placement::Near
    };
    let extras = extras(metric);
    let mut rows = Vec::new();
    for &contestant in contestants {
        let mine = |t: &&&Trial| t.contestant == contestant.name && t.program == contestant.program;
        let trials: Vec<_> = trials.iter().filter(mine).collect();
        if trials.is_empty() {
            continue;
        }
        let measured = |at: Placement| {
            trials.iter().filter(move |t| placement(t) == at).filter_map(|t| t.measured.as_ref())
        };
        let spread =
            |at| Spread::of(measured(at).filter_map(|m| value(metric, &case, m)).collect());
        let other = if main == Placement::Near { Placement::Far } else { Placement::Near };
        let extra = |name: &&str| {
            Spread::of(measured(main).filter_map(|m| extra(name, m)).collect()).map(|s| s.median)
        };
        rows.push(Row {
            contestant: contestant.clone(),
            main: spread(main),
            other: spread(other),
            moved: measured(Placement::Moved).count(),
            ratio: None,
            extras: extras.iter().map(extra).collect(),
            failure: trials.iter().rev().find_map(|trial| trial.failure.clone()),
        });
    }
    let sign = if metric.more_is_better() { -1.0 } else { 1.0 };
    let key = |row: &Row| row.main.as_ref().map_or(f64::INFINITY, |spread| sign * spread.median);
    rows.sort_by(|a, b| key(a).total_cmp(&key(b)));
    let mut comparison = Comparison { case, metric, placement: main, extras, rows };
    let best = comparison.best(false).and_then(|row| comparison.median(row));
    let ratio = |row| Some(metric.ratio(comparison.median(row)?, best?)).filter(|r| r.is_finite());
    let ratios: Vec<_> = comparison.rows.iter().map(ratio).collect();
    for (row, ratio) in comparison.rows.iter_mut().zip(ratios) {
        row.ratio = ratio;
    }
    comparison
}

/// `value` with three significant digits.
pub fn number(value: f64) -> String {
    match value.abs() {
        v if v >= 1e6 => format!("{:.2}M", value / 1e6),
        v if v >= 10_000.0 => format!("{:.1}k", value / 1e3),
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_has_the_median_of_an_odd_and_of_an_even_number() {
        assert_eq!(Spread::of(vec![]), None);
        let spread = Spread::of(vec![3.0, 1.0, 2.0]).unwrap();
        assert_eq!((spread.median, spread.min, spread.max, spread.trials), (2.0, 1.0, 3.0, 3));
        assert_eq!(Spread::of(vec![4.0, 1.0, 2.0, 3.0]).unwrap().median, 2.5);
    }

    #[test]
    fn probes_decide_the_placement() {
        let trial = |before, after| Trial {
            round: 1,
            case: String::new(),
            program: String::new(),
            contestant: String::new(),
            before,
            after,
            measured: None,
            failure: None,
        };
        assert_eq!(placement(&trial(Some(60.0), Some(62.0))), Placement::Near);
        assert_eq!(placement(&trial(Some(320.0), Some(300.0))), Placement::Far);
        assert_eq!(placement(&trial(Some(60.0), Some(320.0))), Placement::Moved);
        assert_eq!(placement(&trial(None, None)), Placement::Near);
    }

    #[test]
    fn ratios_above_one_are_better() {
        assert_eq!(Metric::Rate.ratio(200.0, 100.0), 2.0);
        assert_eq!(Metric::RoundTrip.ratio(50.0, 100.0), 2.0);
    }

    #[test]
    fn numbers_have_three_significant_digits() {
        let shown = [1234567.0, 12345.0, 1234.0, 12.34, 1.234].map(number);
        assert_eq!(shown, ["1.23M", "12.3k", "1234", "12.3", "1.23"]);
    }
}
