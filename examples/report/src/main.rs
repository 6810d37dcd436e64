//! Draws a run of a demo as one HTML page, or compares runs of two kinds of the serving demo:
//! `report run.json... out.html`.

mod compare;
mod output;
mod page;
mod pipeline;
mod plot;
mod processes;
mod run;
mod text;

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use output::{Output, about, one_line};

const USAGE: &str = "usage: report RUN.json... PAGE.html
       report --check PAGE.html
Draws a run of the serving demo as one HTML page. RUN.json is what the demo writes with --json;
- reads it from standard input. Of several runs of one kind the page shows the one with the median
time of a request, and the spread of all. Runs of a second kind, as with mutex queues, are compared
with those of the first.
--check only checks that the page could be written.";

/// The exit code for errors that the user can fix.
const BAD_INPUT: u8 = 2;

enum Task {
    Help,
    Check(OsString),
    Draw(Vec<OsString>, OsString),
}

fn main() -> ExitCode {
    let done = arguments().and_then(|task| match task {
        Task::Draw(from, to) => report(&from, Path::new(&to)),
        Task::Check(to) => Output::to(Path::new(&to)).map(|_| ()),
        Task::Help => print(USAGE),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("report: {}", one_line(&message));
            ExitCode::from(BAD_INPUT)
        }
    }
}

fn arguments() -> Result<Task, String> {
    let (mut paths, mut check) = (Vec::new(), false);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        match argument {
            lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => return Ok(Task::Help),
            lexopt::Arg::Long("check") => check = true,
            lexopt::Arg::Value(path) => paths.push(path),
            other => return Err(format!("{}; try --help", other.unexpected())),
        }
    }
    let found = paths.len();
    match (check, paths.pop()) {
        (true, Some(to)) if paths.is_empty() => Ok(Task::Check(to)),
        (false, Some(to)) if !paths.is_empty() => Ok(Task::Draw(paths, to)),
        (true, _) => Err(format!("expected one file, found {found}; try --help")),
        (false, _) => Err(format!("expected a run and a page, found {found}; try --help")),
    }
}

fn report(from: &[OsString], to: &Path) -> Result<(), String> {
    let to = Output::to(to)?;
    let records = from.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let (page, summary) = match &*records {
        [(name, text)] if processes::is_one(text) => {
            let run = processes::Run::read(text).map_err(|error| format!("{name}: {error}"))?;
            (processes::page(&run), processes::summary(&run))
        }
        _ => {
            let runs = records.into_iter().map(|(name, text)| match run::Run::read(&text) {
                Ok(run) => Ok((name, run)),
                Err(error) => Err(format!("{name}: {error}")),
            });
            let kinds = compare::Kinds::of(runs.collect::<Result<_, _>>()?)?;
            (page::page(&kinds), page::summary(&kinds))
        }
    };
    let is_file = to.is_file();
    to.write(&page)?;
    // The page itself may go to standard output, as /dev/stdout.
    if is_file {
        print(&summary)?;
    }
    Ok(())
}

fn print(text: &str) -> Result<(), String> {
    let printed = writeln!(io::stdout(), "{text}");
    printed.map_err(|_| "standard output cannot be written".into())
}

/// Reads a record. Its name is used in messages.
fn read(from: &OsString) -> Result<(String, String), String> {
    let (name, bytes) = if from == "-" {
        let mut bytes = Vec::new();
        ("standard input".into(), io::stdin().read_to_end(&mut bytes).map(|_| bytes))
    } else {
        (from.to_string_lossy(), fs::read(from))
    };
    let bytes = bytes.map_err(|error| about(Path::new(&*name), &error))?;
    // The path of the trace may not be UTF-8.
    Ok((name.into_owned(), String::from_utf8_lossy(&bytes).into_owned()))
}
