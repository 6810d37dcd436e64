//! Stored runs: `results/` has one file for each run that is worth comparing with, of any
//! processor. A run is added only if it can serve as a reference.

use crate::machine::Machine;
use crate::output::{Output, about};
use crate::record::{self, Record};
use crate::summary::{Comparison, Placement, Summary};
use std::path::{Path, PathBuf};

/// The fewest near trials of ours and of the best peer in each case of a stored run: with five, two
/// disturbed trials do not move the median to a disturbed one.
pub const LEAST_TRIALS: usize = 5;

/// The store in the source tree.
pub fn default_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("results")
}

/// The summaries of all runs in the store `dir`, in the order of their file names. A driver that was
/// moved away from its sources has no store, which is not an error.
pub fn load(dir: &Path) -> Result<Vec<Summary>, String> {
    let entries = match std::fs::read_dir(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| about(dir, &error))?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| about(dir, &error))?.path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            paths.push(path);
        }
    }
    paths.sort();
    paths.iter().map(|path| Ok(Summary::of(&record::read(path)?))).collect()
}

/// Adds the run `results` to the store `dir`; returns the new file.
pub fn add(results: &Path, dir: &Path) -> Result<PathBuf, String> {
    let refused = |reason| format!("{}: not stored: {reason}", results.display());
    let records = record::read(results)?;
    let summary = Summary::of(&records);
    check(&summary).map_err(refused)?;
    let path = dir.join(file_name(&summary.run.machine));
    if path.exists() {
        return Err(refused(format!("{} exists", path.display())));
    }
    std::fs::create_dir_all(dir).map_err(|error| about(dir, &error))?;
    Output::to(&path)?.write(&text(&records))?;
    Ok(path)
}

/// Why a run cannot serve as a reference.
fn check(summary: &Summary) -> Result<(), String> {
    let machine = &summary.run.machine;
    if machine.processor.is_empty() || machine.date.is_empty() {
        return Err("the run has no processor or no date".into());
    }
    if machine.commit.is_empty() {
        return Err("the run has no commit".into());
    }
    if machine.commit.ends_with("-dirty") {
        return Err(format!(
            "commit {} had changes that were not committed; commit them and run again",
            machine.commit
        ));
    }
    if machine.is_loaded() {
        return Err(format!(
            "other programs kept {:.1} processors busy before the run; run again on an idle machine",
            machine.load
        ));
    }
    let mut compared = 0;
    for comparison in &summary.comparisons {
        let failed = comparison.rows.iter().find(|r| r.contestant.ours && r.failure.is_some());
        if let Some(row) = failed {
            let (name, case) = (&row.contestant.name, comparison.case.path());
            return Err(format!("{name} failed in {case}"));
        }
        let (Some(ours), Some(peer)) = (comparison.best(true), comparison.best(false)) else {
            continue;
        };
        compared += 1;
        for row in [ours, peer] {
            let trials = match (comparison.placement, &row.main) {
                (Placement::Near, Some(spread)) => spread.trials,
                _ => 0,
            };
            if trials < least_trials(comparison) {
                return Err(format!(
                    "{} has {trials} near trials in {}, and at least {LEAST_TRIALS} are needed; run more rounds",
                    row.contestant.name,
                    comparison.case.path()
                ));
            }
        }
    }
    if compared == 0 { Err("no case has both ours and a peer".into()) } else { Ok(()) }
}

/// Memory is the same in every trial.
fn least_trials(comparison: &Comparison) -> usize {
    if comparison.case.family() == "memory" { 1 } else { LEAST_TRIALS }
}

/// The name of a stored run: processor, date and commit in lower-case letters, digits and dashes.
pub fn file_name(machine: &Machine) -> String {
    let date = machine.date.split_whitespace().next().unwrap_or_default();
    let words = format!("{} {date} {}", machine.processor, machine.commit).to_lowercase();
    let words = words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-") + ".jsonl"
}

/// The records as the driver wrote them, without the contestants that had no trial.
fn text(records: &[Record]) -> String {
    let has_trial = |name: &str, program: &str| {
        records.iter().any(|record| {
            matches!(record, Record::Trial(t) if t.contestant == name && t.program == program)
        })
    };
    let kept = records.iter().filter(|record| match record {
        Record::Contestant(contestant) => has_trial(&contestant.name, &contestant.program),
        _ => true,
    });
    kept.map(Record::line).collect()
}
