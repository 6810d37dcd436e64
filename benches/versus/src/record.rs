//! What a run writes down: JSON lines, each as soon as it is known, so that what is interrupted is kept.

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
    /// A cache line's round trip in ns before and after, where there are two processors.
    pub before: Option<f64>,
    pub after: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measurement>,
    /// Why nothing was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// Appends to a file.
pub struct Writer(File);

impl Writer {
    pub fn create(path: &Path) -> Result<Self, String> {
        let file = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        let file = file.and_then(|()| File::create(path));
        file.map(Self).map_err(|e| about(path, &e))
    }
    pub fn write(&mut self, record: &Record) -> Result<(), String> {
        let mut line = serde_json::to_string(record).expect("plain data");
        line.push('\n');
        self.0.write_all(line.as_bytes()).map_err(|e| format!("writing results: {e}"))
    }
}

pub fn read(path: &Path) -> Result<Vec<Record>, String> {
    let text = std::fs::read_to_string(path).map_err(|e| about(path, &e))?;
    parse(&text).map_err(|e| format!("{}: {e}", path.display()))
}

pub fn parse(text: &str) -> Result<Vec<Record>, String> {
    // A last line that was not written to its end belongs to a run that was killed.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let lines = whole.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let parse = |(i, line)| serde_json::from_str(line).map_err(|e| format!("line {}: {e}", i + 1));
    let records: Vec<_> = lines.map(parse).collect::<Result<_, _>>()?;
    if records.is_empty() { Err("no results in it".into()) } else { Ok(records) }
}
