//! The command line of the driver: `versus` measures, `versus list` shows cases and contestants,
//! `versus report results.jsonl` shows an earlier run again, and `versus store results.jsonl` keeps it
//! to compare others with. An error of the arguments or of a
//! file is one line and exit code 2; exit code 1 means that a trial of ours failed.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::fmt::Write as _;
use std::io::{ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use versus::beside::beside;
use versus::case::{catalogue, headlines, select};
use versus::contestant::Contestants;
use versus::output::{Output, about, one_line};
use versus::record;
use versus::run::{Plan, run};
use versus::summary::Summary;
use versus::{page, store, table};

/// Compares queues in interleaved rounds; prints a table, writes a page with plots and the results
/// as JSON lines
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Subcommands>,
    #[command(flatten)]
    options: Options,
    /// Directory of the stored runs, beside which a run is shown [default: results/ beside the
    /// sources]
    #[arg(long, value_name = "DIR", global = true)]
    store: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Subcommands {
    /// List the cases, and the contestants with the cases that they support
    List,
    /// Print the table and write the page of an earlier run
    Report {
        /// The results file that the run wrote (.jsonl)
        results: PathBuf,
    },
    /// Keep a run, to show later ones beside it; refuses what cannot serve as a reference
    Store {
        /// The results file that the run wrote (.jsonl)
        results: PathBuf,
    },
    /// Print an SVG with a bar for ours and one for the best peer in each case of an earlier run
    Picture {
        /// The results file that the run wrote (.jsonl)
        results: PathBuf,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Set {
    /// Ten cases of the main families, about a minute
    Quick,
    /// All cases
    Full,
}

#[derive(Args)]
struct Options {
    /// Which cases to run, and how long
    #[arg(long, value_enum, default_value = "full")]
    set: Set,
    /// Run the matching cases instead of the set's: mpmc, mpmc/pair, 'spsc/*/b64'; may be repeated
    #[arg(long, value_name = "GLOB")]
    case: Vec<String>,
    /// Run only contestants whose name contains this, ignoring case; may be repeated
    #[arg(long, value_name = "SUBSTRING")]
    contestant: Vec<String>,
    /// Trials per contestant and case [default: quick 3, full 11]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: Option<u32>,
    /// Items per trial [default: as many as take 40 ms with quick, 150 ms with full]
    #[arg(long, value_parser = clap::value_parser!(u64).range(64..=100_000_000_000))]
    items: Option<u64>,
    /// Seconds after which a trial is killed and counts as failed
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// Directory for the results and the page
    #[arg(long, value_name = "DIR", default_value = "bench-results")]
    out: PathBuf,
}

/// Set by Ctrl-C; the run ends after the current trial.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    let result = Cli::try_parse().map_err(usage).and_then(|cli| {
        let dir = cli.store.unwrap_or_else(store::default_dir);
        match cli.command {
            Some(Subcommands::List) => list(),
            Some(Subcommands::Report { results }) => report(&results, &dir),
            Some(Subcommands::Store { results }) => keep(&results, &dir),
            Some(Subcommands::Picture { results }) => picture(&results),
            None => measure(&cli.options, &dir),
        }
    });
    result.unwrap_or_else(|message| {
        eprintln!("versus: {}", one_line(&message));
        ExitCode::from(2)
    })
}

/// The message of `error` in one line. Help and version are no errors: they are printed, and the
/// program exits.
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

/// Prints `text`. A reader that closes the pipe early, as in `versus list | head`, is not an error.
fn print(text: &str) -> Result<(), String> {
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
        _ = writeln!(text, "  missing: {}: {}", missing.name, missing.reason);
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn measure(options: &Options, dir: &Path) -> Result<ExitCode, String> {
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

    // The first Ctrl-C ends the run and shows what was measured; the second ends the program.
    let handler = || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    ctrlc::set_handler(handler).map_err(|e| e.to_string())?;

    // Read before the run, so that an error does not hide results.
    let stored = store::load(dir)?;
    let results = results_path(&options.out, set);
    let (records, ours_failed) = run(&plan, &contestants, &results, &INTERRUPTED)?;
    show(&records, &results, &stored)?;
    print(&format!("results: {}\n", results.display()))?;
    Ok(ExitCode::from(ours_failed as u8))
}

/// A file name with the date and the time, so that no run overwrites the results of another.
fn results_path(dir: &Path, set: &str) -> PathBuf {
    let date = versus::machine::first_line_of("date", &["+%Y-%m-%d-%H%M%S"]);
    dir.join(format!("{date}-{set}.jsonl"))
}

fn report(results: &Path, dir: &Path) -> Result<ExitCode, String> {
    show(&record::read(results)?, results, &store::load(dir)?)?;
    Ok(ExitCode::SUCCESS)
}

fn keep(results: &Path, dir: &Path) -> Result<ExitCode, String> {
    let path = store::add(results, dir)?;
    print(&format!("stored: {}\n", path.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn picture(results: &Path) -> Result<ExitCode, String> {
    let summary = Summary::of(&record::read(results)?);
    if !summary
        .comparisons
        .iter()
        .any(|case| case.best(true).is_some() && case.best(false).is_some())
    {
        return Err(format!("{}: no case has both ours and a peer", results.display()));
    }
    print(&versus::picture::draw(&summary))?;
    Ok(ExitCode::SUCCESS)
}

fn show(records: &[record::Record], results: &Path, stored: &[Summary]) -> Result<(), String> {
    let page = results.with_extension("html");
    if page == results {
        return Err(format!(
            "{}: the page would overwrite these results; rename the file",
            page.display()
        ));
    }
    let output = Output::to(&page)?;
    let summary = Summary::of(records);
    let beside = beside(&summary, stored);
    print(&table::render(&summary, &beside, std::io::stdout().is_terminal()))?;
    output.write(&page::render(&summary, &beside))?;
    print(&format!("page: {}\n", page.display()))
}
