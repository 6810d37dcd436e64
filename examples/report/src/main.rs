//! Draws a run of the serving demo as one HTML page: `report run.json out.html`.

mod page;
mod plot;
mod run;

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::process::ExitCode;

const USAGE: &str = "usage: report RUN.json PAGE.html
Draws a run of the serving demo, as its --json wrote it (-: from standard input), as one HTML page.";

/// The exit code for what the user can mend.
const BAD_INPUT: u8 = 2;

fn main() -> ExitCode {
    let done = arguments().and_then(|paths| match paths {
        Some((from, to)) => report(&from, &to),
        None => {
            println!("{USAGE}");
            Ok(())
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("report: {message}");
            ExitCode::from(BAD_INPUT)
        }
    }
}

/// The two paths, or nothing when only help is asked for.
fn arguments() -> Result<Option<(OsString, OsString)>, String> {
    let mut paths = Vec::new();
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        match argument {
            lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => return Ok(None),
            lexopt::Arg::Value(path) => paths.push(path),
            other => return Err(format!("{}; try --help", other.unexpected())),
        }
    }
    match <[OsString; 2]>::try_from(paths) {
        Ok([from, to]) => Ok(Some((from, to))),
        Err(paths) => Err(format!("expected two files, found {}; try --help", paths.len())),
    }
}

fn report(from: &OsString, to: &OsString) -> Result<(), String> {
    let (name, bytes) = if from == "-" {
        let mut bytes = Vec::new();
        ("standard input".into(), io::stdin().read_to_end(&mut bytes).map(|_| bytes))
    } else {
        (from.to_string_lossy(), fs::read(from))
    };
    let bytes = bytes.map_err(|error| format!("{name}: {error}"))?;
    // A path in it may be anything.
    let text = String::from_utf8_lossy(&bytes);
    let run = run::Run::read(&text).map_err(|error| format!("{name}: {error}"))?;
    fs::write(to, page::page(&run)).map_err(|error| format!("{}: {error}", to.to_string_lossy()))
}
