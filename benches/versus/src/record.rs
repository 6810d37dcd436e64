//! The results file: JSON lines, each written as soon as it is known, so that an interrupted run
//! keeps what it measured. One `run`, then a line per contestant and per missing contestant, then a
//! line per trial.

use crate::contestant::{Contestant, Measurement, Missing};
use crate::machine::Machine;
use crate::output::about;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Write;
use std::path::Path;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Record {
    Run(Run),
    Contestant(Contestant),
    Missing(Missing),
    Trial(Trial),
}

impl Record {
    /// The record as a line of the file.
    pub fn line(&self) -> String {
        serde_json::to_string(self).expect("plain data") + "\n"
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Run {
    pub set: String,
    pub rounds: usize,
    pub machine: Machine,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trial {
    pub round: usize,
    pub case: String,
    pub program: String,
    pub contestant: String,
    /// The round trip of a cache line in ns before and after the trial ([`crate::probe`]); `None`
    /// on one processor.
    pub before: Option<f64>,
    pub after: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measurement>,
    /// Why there is no measurement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// A results file that is being written.
pub struct Writer(File);

impl Writer {
    /// Creates the file, and the directory that it is in.
    pub fn create(path: &Path) -> Result<Self, String> {
        let file = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        let file = file.and_then(|()| File::create(path));
        file.map(Self).map_err(|e| about(path, &e))
    }
    pub fn write(&mut self, record: &Record) -> Result<(), String> {
        let line = record.line();
        self.0.write_all(line.as_bytes()).map_err(|e| format!("writing results: {e}"))
    }
}

pub fn read(path: &Path) -> Result<Vec<Record>, String> {
    let text = std::fs::read_to_string(path).map_err(|e| about(path, &e))?;
    parse(&text).map_err(|e| format!("{}: {e}", path.display()))
}

/// Parses complete lines; an error names the line.
pub fn parse(text: &str) -> Result<Vec<Record>, String> {
    // A last line without a newline was cut off when the run was killed.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let lines = whole.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let parse = |(i, line)| serde_json::from_str(line).map_err(|e| format!("line {}: {e}", i + 1));
    let records: Vec<_> = lines.map(parse).collect::<Result<_, _>>()?;
    if records.is_empty() { Err("the file has no results".into()) } else { Ok(records) }
}
