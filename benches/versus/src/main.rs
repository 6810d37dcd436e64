//! Throughput of ours, through the shared library, next to that of others, inlined.
//!
//! One round runs every contestant once, one after the other; the rounds are repeated, so that what disturbs
//! the machine disturbs all alike. Before and after each trial a probe measures how long a cache line
//! takes from one core to the other and back: on a virtual machine this changes with the whim of
//! the host, and a trial whose two probes disagree is thrown away.

mod contestants;
mod priority;
mod probe;

use clap::Parser;
use contestants::{Contestant, contestants};
use std::collections::BTreeMap;
use std::time::Duration;

/// Compares queues in one interleaved run.
#[derive(Parser)]
struct Options {
    /// How many rounds
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// Items for each trial, in thousands
    #[arg(long, default_value_t = 1000)]
    items: usize,
    /// Scenarios whose names contain this
    #[arg(long, default_value = "")]
    scenario: String,
}

/// A trial counts if its probes differ by less than this factor.
const AGREE: f64 = 1.4;
/// A round trip below this is between near cores.
const NEAR: Duration = Duration::from_nanos(150);

fn main() {
    let options = Options::parse();
    let all: Vec<Contestant> =
        contestants().into_iter().filter(|c| c.scenario.contains(&options.scenario)).collect();
    if all.is_empty() {
        let mut names: Vec<_> = contestants().iter().map(|c| c.scenario).collect();
        names.dedup();
        eprintln!("no scenario contains {:?}; there are: {}", options.scenario, names.join(", "));
        std::process::exit(2);
    }

    // Million items a second, by (scenario, contestant) and by near or far.
    let mut rates: BTreeMap<(usize, bool), Vec<f64>> = BTreeMap::new();
    let mut discarded = 0;
    for round in 0..options.rounds {
        for (i, contestant) in all.iter().enumerate() {
            eprint!("\rround {}/{}  {:<60}", round + 1, options.rounds, contestant.name);
            let before = probe::round_trip();
            let trial = (contestant.run)(options.items * 1000);
            let after = probe::round_trip();
            let (low, high) = (before.min(after), before.max(after));
            if high.as_secs_f64() > low.as_secs_f64() * AGREE {
                discarded += 1;
                continue;
            }
            let rate = trial.items as f64 / trial.time.as_secs_f64() / 1e6;
            rates.entry((i, high < NEAR)).or_default().push(rate);
        }
    }
    eprintln!("\r{:<80}", "");

    for near in [true, false] {
        let mut best = BTreeMap::new();
        for (&(i, at), rates) in &mut rates {
            rates.sort_by(f64::total_cmp);
            if at == near {
                let top = best.entry(all[i].scenario).or_insert(0.0_f64);
                if !all[i].ours {
                    *top = top.max(median(rates));
                }
            }
        }
        if best.is_empty() {
            continue;
        }
        println!("{} cores: million items a second", if near { "near" } else { "far" });
        println!(
            "{:<16} {:<34} {:>8} {:>17} {:>7} {:>8}",
            "scenario", "queue", "median", "min-max", "trials", "of best"
        );
        for (&(i, at), rates) in &rates {
            if at != near {
                continue;
            }
            let best = best[all[i].scenario];
            println!(
                "{:<16} {:<34} {:>8.1} {:>17} {:>7} {:>8}",
                all[i].scenario,
                all[i].name,
                median(rates),
                format!("{:.1}-{:.1}", rates[0], rates[rates.len() - 1]),
                rates.len(),
                if best > 0.0 { format!("{:.2}", median(rates) / best) } else { "-".into() },
            );
        }
        println!();
    }
    println!("{discarded} trials discarded because the probes before and after disagreed");
}

fn median(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}
