//! A run beside the stored ones, of other processors and of earlier commits on the same one. Compared
//! are ratios to the best peer, since the figures of two machines differ for many reasons that do
//! not concern the queues.

use crate::case::Case;
use crate::contestant::Contestant;
use crate::record::Run;
use crate::summary::{Comparison, Placement, Row, Summary};

/// A ratio below this part of the stored one is marked: good on one processor, and not on the
/// other, or not any more. Medians of few trials differ by some percent from run to run.
pub const FALL: f64 = 0.9;

/// A run beside a stored one.
#[derive(Debug)]
pub struct Beside<'a> {
    /// The stored run.
    pub stored: &'a Run,
    /// Whether it is of the processor of this run.
    pub same_processor: bool,
    /// The cases that both have, with near trials.
    pub cases: Vec<Pair<'a>>,
}

/// Ours against the best peer in one case, in two runs.
#[derive(Debug)]
pub struct Pair<'a> {
    pub case: &'a Case,
    pub here: Ratio<'a>,
    pub stored: Ratio<'a>,
}

impl Pair<'_> {
    /// How the ratio changed from the stored run to this one; below 1 is a loss.
    pub fn change(&self) -> f64 {
        self.here.ratio / self.stored.ratio
    }

    pub fn fell(&self) -> bool {
        self.change() < FALL
    }

    /// The two contestants of the ratio here, and those of the stored one if they are others.
    pub fn contestants(&self) -> String {
        let [here, stored] = [&self.here, &self.stored].map(|ratio| {
            let [ours, peer] =
                [ratio.ours, ratio.peer].map(|c| format!("{} ({})", c.name, c.language));
            format!("{ours} / {peer}")
        });
        if here == stored { here } else { format!("{here}; stored: {stored}") }
    }
}

/// The best of ours, the best peer, and the ratio of their medians; above 1 is better.
#[derive(Debug)]
pub struct Ratio<'a> {
    pub ours: &'a Contestant,
    pub peer: &'a Contestant,
    pub ratio: f64,
}

impl<'a> Ratio<'a> {
    /// Among the rows of `comparison` that `other` has, too: a peer that is missing in one of two
    /// runs must not change the ratio of the other.
    fn of(comparison: &'a Comparison, other: &Comparison) -> Option<Self> {
        let best = |ours| {
            let mut rows = comparison.rows.iter();
            rows.find(|row| {
                let median = comparison.median(row);
                row.contestant.ours == ours && median.is_some() && has(other, row)
            })
        };
        let (ours, peer) = (best(true)?, best(false)?);
        let ratio = comparison.metric.ratio(comparison.median(ours)?, comparison.median(peer)?);
        ratio.is_finite().then_some(Self { ours: &ours.contestant, peer: &peer.contestant, ratio })
    }
}

/// Whether `comparison` has a figure of the contestant of `row`.
fn has(comparison: &Comparison, row: &Row) -> bool {
    let is_same = |other: &&Row| {
        (&other.contestant.program, &other.contestant.name)
            == (&row.contestant.program, &row.contestant.name)
    };
    comparison.rows.iter().find(is_same).is_some_and(|row| comparison.median(row).is_some())
}

/// `summary` beside each stored run that has near trials of a case of it; first those of the same
/// processor, and of one processor the newest first. A stored run is not put beside itself.
pub fn beside<'a>(summary: &'a Summary, stored: &'a [Summary]) -> Vec<Beside<'a>> {
    let here = &summary.run.machine;
    let mut all: Vec<_> = stored
        .iter()
        .filter(|other| other.run.machine != *here)
        .map(|other| Beside {
            stored: &other.run,
            same_processor: other.run.machine.processor == here.processor,
            cases: summary.comparisons.iter().filter_map(|case| pair(case, other)).collect(),
        })
        .filter(|beside| !beside.cases.is_empty())
        .collect();
    let key = |beside: &Beside| {
        let machine = &beside.stored.machine;
        (!beside.same_processor, machine.processor.clone(), std::cmp::Reverse(machine.date.clone()))
    };
    all.sort_by_key(key);
    all
}

fn pair<'a>(here: &'a Comparison, other: &'a Summary) -> Option<Pair<'a>> {
    let stored = other.comparisons.iter().find(|comparison| comparison.case == here.case)?;
    if here.placement != Placement::Near || stored.placement != Placement::Near {
        return None;
    }
    Some(Pair {
        case: &here.case,
        here: Ratio::of(here, stored)?,
        stored: Ratio::of(stored, here)?,
    })
}

impl Beside<'_> {
    /// The stored run in one line: processor, date and commit, and what is special about it.
    pub fn title(&self) -> String {
        let machine = &self.stored.machine;
        let same = if self.same_processor { "the same processor: " } else { "" };
        let load = match machine.is_loaded() {
            true => {
                format!(", while other programs kept {:.1} processors busy", machine.load)
            }
            false => String::new(),
        };
        format!("{same}{}, {}, commit {}{load}", machine.processor, machine.date, machine.commit)
    }
}

/// How to read the section.
pub fn note() -> String {
    format!(
        "Each figure is the median of the best of ours divided by that of the best peer, on near cores, among \
         the contestants that both runs have; above 1 is better. A change below {FALL} is marked. Of few \
         trials it may be noise: compare again with --case and more --rounds."
    )
}
