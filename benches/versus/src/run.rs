//! The run: rounds in which every contestant has one trial in every case that it supports. The
//! trials of a case follow each other directly, so that a disturbance of the machine reaches all
//! contestants of the case alike.
//!
//! Before and after each trial a probe measures the round trip of a cache line, which gives the
//! trial's placement.

use crate::case::Case;
use crate::contestant::{Contestants, Failure, Measurement, trial};
use crate::machine::Machine;
use crate::probe;
use crate::record::{Record, Run, Trial, Writer};
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What to run, and how long.
pub struct Plan {
    pub set: &'static str,
    pub cases: Vec<Case>,
    pub rounds: usize,
    /// Items per trial; if `None`, round 0 finds how many take [`Plan::trial`].
    pub items: Option<u64>,
    /// How long a trial should take.
    pub trial: Duration,
    /// A trial that takes longer is killed.
    pub limit: Duration,
}

/// A contestant in a case, and how its trials went so far.
struct Entry<'a> {
    case: &'a Case,
    contestant: usize,
    program: PathBuf,
    items: u64,
    failures: u32,
}

/// Failed trials after which a contestant is not run in the case again. One failure may be the
/// machine's fault.
const MAX_FAILURES: u32 = 2;

/// The time of a trial that is not measured: two probes, starting the process, noticing its end. An
/// estimate, only for the duration that is announced.
const OVERHEAD: Duration = Duration::from_millis(25);

/// How long a trial takes with its overhead, as an estimate.
fn expected(plan: &Plan, case: &Case) -> Duration {
    // The warm-up is a tenth of the items.
    OVERHEAD + plan.trial.mul_f64(1.1 * case.time_factor())
}

/// Every contestant in every case of the plan that it supports, case by case.
fn entries<'a>(plan: &'a Plan, contestants: &Contestants) -> Result<Vec<Entry<'a>>, String> {
    let mut entries = Vec::new();
    for case in &plan.cases {
        for (i, contestant) in contestants.present.iter().enumerate() {
            if contestant.supports(case) {
                let program =
                    contestants.path(&contestant.program).ok_or("a program has disappeared")?;
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

/// Runs the plan and writes each record to the new file `results` at once. Returns the records, and
/// whether a trial of ours failed.
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
    if machine.is_loaded() {
        eprintln!(
            "other programs keep {:.1} processors busy: the figures will be noisy",
            machine.load
        );
    }
    eprintln!(
        "{} cases, {} contestants, {} rounds of {} trials: about {}; Ctrl-C ends the run early and keeps its results",
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
            if entry.failures == MAX_FAILURES {
                continue;
            }
            let contestant = &contestants.present[entry.contestant];
            let phase = if round == 0 { "sizing".into() } else { format!("round {round}") };
            bar.set_message(format!("{phase}: {}, {}", entry.case, contestant.name));
            let run = |items| {
                let items = entry.case.in_full_batches(items);
                trial(&entry.program, &contestant.name, entry.case, items, plan.limit, interrupted)
            };
            let mut probes = [None, None];
            let result = if round == 0 && !entry.case.fills_time() {
                Ok((entry.items, None))
            } else if round == 0 {
                let wanted = plan.trial.mul_f64(entry.case.time_factor());
                items_for(wanted, entry.items, run).map(|items| (items, None))
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
                if entry.failures == MAX_FAILURES {
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
        // Without a terminal there is no bar.
        if bar.is_hidden() {
            let left = start.elapsed() / (round + 1 - first) as u32 * (plan.rounds - round) as u32;
            eprintln!("round {round} of {}, about {} left", plan.rounds, HumanDuration(left));
        }
    }
    bar.finish_and_clear();
    if interrupted.load(Ordering::Relaxed) {
        eprintln!("interrupted; the results so far follow");
    }
    Ok((records, ours_failed))
}

/// The number of items with which a trial takes about `wanted`, from up to three trials of `run`.
fn items_for(
    wanted: Duration,
    mut items: u64,
    run: impl Fn(u64) -> Result<Measurement, Failure>,
) -> Result<u64, Failure> {
    for _ in 0..3 {
        let measured = run(items)?;
        let factor = wanted.as_secs_f64() / measured.seconds.max(1e-6);
        items = ((measured.items as f64 * factor.min(50.0)) as u64).clamp(64, 1 << 32);
        // Within a factor of 4 caches and waiting behave as they will with the final number.
        if factor < 4.0 {
            break;
        }
    }
    Ok(items)
}
