//! Which queue, how fast, compared with others: `versus`, `versus list`, `versus report results.jsonl`.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::fmt::Write as _;
use std::io::{ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use versus::case::{catalogue, headlines, select};
use versus::contestant::Contestants;
use versus::output::{Output, about, one_line};
use versus::record;
use versus::run::{Plan, run};
use versus::summary::Summary;
use versus::{page, table};

/// Compares queues in one interleaved run: a table here, a page with plots, raw results as JSON lines
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Other>,
    #[command(flatten)]
    options: Options,
}

#[derive(Subcommand)]
enum Other {
    /// Cases, and the contestants with what they support
    List,
    /// Table and page of an earlier run
    Report {
        /// Its results.jsonl
        results: PathBuf,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Set {
    /// The headlines, a minute
    Quick,
    /// Everything
    Full,
}

#[derive(Args)]
struct Options {
    /// Which cases, and how long
    #[arg(long, value_enum, default_value = "full")]
    set: Set,
    /// Only cases like this, of all: mpmc, mpmc/pair, 'spsc/*/b64'; may be repeated
    #[arg(long, value_name = "GLOB")]
    case: Vec<String>,
    /// Only contestants whose names contain this; may be repeated
    #[arg(long, value_name = "SUBSTRING")]
    contestant: Vec<String>,
    /// Trials of each contestant in each case [default: quick 3, full 11]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: Option<u32>,
    /// Items of a trial [default: what takes 40 ms, full 150 ms]
    #[arg(long, value_parser = clap::value_parser!(u64).range(64..=100_000_000_000))]
    items: Option<u64>,
    /// Ends trials that take so many seconds
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// Where results and page go
    #[arg(long, value_name = "DIR", default_value = "bench-results")]
    out: PathBuf,
}

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    let result = Cli::try_parse().map_err(usage).and_then(|cli| match cli.command {
        Some(Other::List) => list(),
        Some(Other::Report { results }) => report(&results),
        None => measure(&cli.options),
    });
    result.unwrap_or_else(|message| {
        eprintln!("versus: {}", one_line(&message));
        ExitCode::from(2)
    })
}

/// What is wrong with the arguments, in one line; help is shown here, and ends the program.
fn usage(error: clap::Error) -> String {
    if !error.use_stderr() {
        error.exit();
    }
    let text = error.to_string();
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let paragraph = paragraph.strip_prefix("error: ").unwrap_or(paragraph);
    let lines: Vec<_> = paragraph.lines().map(str::trim).collect();
    format!("{}; try --help", lines.join(" "))
}

/// To standard output, of which somebody may want only the beginning: `versus list | head`.
fn say(text: &str) -> Result<(), String> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        result => result.map_err(|error| about(Path::new("standard output"), &error)),
    }
}

fn list() -> Result<ExitCode, String> {
    let contestants = Contestants::discover();
    let mut text = String::from("cases:\n");
    for case in catalogue() {
        let count = contestants.present.iter().filter(|c| c.supports(&case)).count();
        _ = writeln!(text, "  {:<36} {count:>3} contestants; {}", case.path(), case.title());
    }
    text += "contestants:\n";
    for contestant in &contestants.present {
        let mark = if contestant.ours { '*' } else { ' ' };
        let (name, language) = (&contestant.name, &contestant.language);
        let cases = contestant.cases.join(" ");
        _ = writeln!(text, "{mark} {name} ({language} {}): {cases}", contestant.version);
    }
    for missing in &contestants.missing {
        _ = writeln!(text, "  left out: {}: {}", missing.name, missing.reason);
    }
    say(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn measure(options: &Options) -> Result<ExitCode, String> {
    let (set, rounds, trial, mut cases) = match options.set {
        Set::Quick => ("quick", 3, Duration::from_millis(40), headlines()),
        Set::Full => ("full", 11, Duration::from_millis(150), catalogue()),
    };
    if !options.case.is_empty() {
        let all = catalogue();
        let mut wanted = Vec::new();
        for pattern in &options.case {
            wanted.extend(select(&all, pattern)?);
        }
        cases = all.into_iter().filter(|case| wanted.contains(case)).collect();
    }
    let mut contestants = Contestants::discover();
    contestants.select(&options.contestant)?;
    let plan = Plan {
        set,
        cases,
        rounds: options.rounds.unwrap_or(rounds) as usize,
        items: options.items,
        trial,
        limit: Duration::from_secs(options.timeout),
    };

    // Once: ends the run, and what was measured is shown. Twice: ends the program.
    let handler = || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    ctrlc::set_handler(handler).map_err(|e| e.to_string())?;

    let results = unused(&options.out, set);
    let (records, ours_failed) = run(&plan, &contestants, &results, &INTERRUPTED)?;
    show(&records, &results)?;
    say(&format!("results: {}\n", results.display()))?;
    Ok(ExitCode::from(ours_failed as u8))
}

/// A file for results by the time of day, so that no run overwrites another.
fn unused(dir: &Path, set: &str) -> PathBuf {
    let date = versus::machine::say("date", &["+%Y-%m-%d-%H%M%S"]);
    dir.join(format!("{date}-{set}.jsonl"))
}

fn report(results: &Path) -> Result<ExitCode, String> {
    show(&record::read(results)?, results)?;
    Ok(ExitCode::SUCCESS)
}

fn show(records: &[record::Record], results: &Path) -> Result<(), String> {
    let page = results.with_extension("html");
    if page == results {
        return Err(format!(
            "{}: the page of it would be written there; rename it",
            page.display()
        ));
    }
    let output = Output::to(&page)?;
    let summary = Summary::of(records);
    say(&table::render(&summary, std::io::stdout().is_terminal()))?;
    output.write(&page::render(&summary))?;
    say(&format!("page: {}\n", page.display()))
}
