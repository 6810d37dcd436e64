//! The run: rounds in which every contestant has one trial in every case.
//!
//! What disturbs the machine for a while disturbs all alike, since those of a case follow one another
//! at once. Before and after each trial a probe tells how far apart the processors are.

use crate::case::Case;
use crate::contestant::{Contestants, Failure, trial};
use crate::machine::Machine;
use crate::probe;
use crate::record::{Record, Run, Trial, Writer};
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What to run, and for how long.
pub struct Plan {
    pub set: &'static str,
    pub cases: Vec<Case>,
    pub rounds: usize,
    /// A trial's items; without it as many as take [`Plan::trial`].
    pub items: Option<u64>,
    pub trial: Duration,
    /// A trial that takes longer is ended.
    pub limit: Duration,
}

/// A contestant in a case.
struct Entry<'a> {
    case: &'a Case,
    contestant: usize,
    program: PathBuf,
    items: u64,
    failures: u32,
}

/// After so many a contestant is out of the case: one may be the machine's fault.
const FAILURES: u32 = 2;

/// Probes, a process, noticing its end.
const OVERHEAD: Duration = Duration::from_millis(25);

/// How long a trial takes, with all that belongs to it.
fn expected(plan: &Plan, case: &Case) -> Duration {
    // A tenth more to warm up.
    OVERHEAD + plan.trial.mul_f64(1.1 * case.time_factor())
}

/// What is to be run, each contestant in each case that it supports.
fn entries<'a>(plan: &'a Plan, contestants: &Contestants) -> Result<Vec<Entry<'a>>, String> {
    let mut entries = Vec::new();
    for case in &plan.cases {
        for (i, contestant) in contestants.present.iter().enumerate() {
            if contestant.supports(case) {
                let program = contestants.path(&contestant.program).ok_or("a program vanished")?;
                let items = plan.items.unwrap_or_else(|| case.first_items());
                entries.push(Entry { case, contestant: i, program, items, failures: 0 });
            }
        }
    }
    if entries.is_empty() {
        return Err(
            "none of these contestants supports any of these cases; see `versus list`".into()
        );
    }
    Ok(entries)
}

/// Runs, writing results as they come into a file that it creates; the records, and whether one of ours
/// failed.
pub fn run(
    plan: &Plan,
    contestants: &Contestants,
    results: &Path,
    interrupted: &AtomicBool,
) -> Result<(Vec<Record>, bool), String> {
    let mut entries = entries(plan, contestants)?;
    let mut writer = Writer::create(results)?;

    let machine = Machine::here();
    let first = if plan.items.is_some() { 1 } else { 0 };
    let round: Duration = entries.iter().map(|entry| expected(plan, entry.case)).sum();
    let total = round * (plan.rounds + 1 - first) as u32;
    eprintln!("{}", machine.describe());
    if machine.load > 0.5 {
        eprintln!("other programs keep {:.1} processors busy: expect noise", machine.load);
    }
    eprintln!(
        "{} cases, {} contestants, {} rounds of {} trials: about {}; Ctrl-C ends it early and keeps what is there",
        plan.cases.len(),
        contestants.present.len(),
        plan.rounds,
        entries.len(),
        HumanDuration(total)
    );

    let mut records = vec![Record::Run(Run { set: plan.set.into(), rounds: plan.rounds, machine })];
    records.extend(contestants.present.iter().cloned().map(Record::Contestant));
    records.extend(contestants.missing.iter().cloned().map(Record::Missing));
    for record in &records {
        writer.write(record)?;
    }

    let bar = ProgressBar::new((entries.len() * (plan.rounds + 1 - first)) as u64);
    let style = "{bar:20} {percent}% {msg:<60!} {eta} left";
    bar.set_style(ProgressStyle::with_template(style).expect("a constant"));
    let start = Instant::now();
    let mut ours_failed = false;
    'rounds: for round in first..=plan.rounds {
        for entry in &mut entries {
            if entry.failures == FAILURES {
                continue;
            }
            let contestant = &contestants.present[entry.contestant];
            let phase = if round == 0 { "sizing".into() } else { format!("round {round}") };
            bar.set_message(format!("{phase}: {}, {}", entry.case, contestant.name));
            let run = |items| {
                trial(&entry.program, &contestant.name, entry.case, items, plan.limit, interrupted)
            };
            let mut probes = [None, None];
            let result = if round == 0 {
                size(entry.items, plan.trial.mul_f64(entry.case.time_factor()), run)
            } else {
                probes[0] = probe::round_trip();
                let result = run(entry.items);
                probes[1] = probe::round_trip();
                result.map(|measured| (entry.items, Some(measured)))
            };
            let (measured, failure) = match result {
                Err(Failure::Interrupted) => break 'rounds,
                Err(Failure::Other(text)) => (None, Some(text)),
                Ok((items, measured)) => {
                    entry.items = items;
                    (measured, None)
                }
            };
            if let Some(text) = &failure {
                entry.failures += 1;
                ours_failed |= contestant.ours;
                bar.println(format!("{}, {}: {text}", entry.case, contestant.name));
                if entry.failures == FAILURES {
                    bar.set_length(bar.length().unwrap_or(0) - (plan.rounds - round) as u64);
                }
            }
            if measured.is_some() || failure.is_some() {
                let record = Record::Trial(Trial {
                    round,
                    case: entry.case.path().into(),
                    program: contestant.program.clone(),
                    contestant: contestant.name.clone(),
                    before: probes[0],
                    after: probes[1],
                    measured,
                    failure,
                });
                writer.write(&record)?;
                records.push(record);
            }
            bar.inc(1);
            if interrupted.load(Ordering::Relaxed) {
                break 'rounds;
            }
        }
        // Where there is no bar, as in a log.
        if bar.is_hidden() {
            let left = start.elapsed() / (round + 1 - first) as u32 * (plan.rounds - round) as u32;
            eprintln!("round {round} of {}, about {} left", plan.rounds, HumanDuration(left));
        }
    }
    bar.finish_and_clear();
    if interrupted.load(Ordering::Relaxed) {
        eprintln!("interrupted; this is what was measured until then");
    }
    Ok((records, ours_failed))
}

/// How many items take about so long.
fn size(
    mut items: u64,
    wanted: Duration,
    run: impl Fn(u64) -> Result<crate::contestant::Measurement, Failure>,
) -> Result<(u64, Option<crate::contestant::Measurement>), Failure> {
    // What takes no time, an empty queue's memory, is not repeated.
    if items <= 1 {
        return Ok((items, None));
    }
    for _ in 0..3 {
        let measured = run(items)?;
        let factor = wanted.as_secs_f64() / measured.seconds.max(1e-6);
        items = ((measured.items as f64 * factor.min(50.0)) as u64).clamp(64, 1 << 32);
        // Close enough that it is no other regime.
        if factor < 4.0 {
            break;
        }
    }
    Ok((items, None))
}
