//! On what was measured, and what by.

use serde::{Deserialize, Serialize};
use std::process::Command;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    pub processor: String,
    pub processors: usize,
    pub virtual_machine: bool,
    pub kernel: String,
    /// Of rustc, cc, c++ and go, as far as they are there.
    pub compilers: Vec<String>,
    pub commit: String,
    pub date: String,
    /// Processors that others kept busy in the minute before the run.
    pub load: f64,
}

impl Machine {
    pub fn here() -> Self {
        let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let field = |name| {
            let line = info.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.split_once(": ")).map_or("", |(_, value)| value)
        };
        let processor = match field("model name") {
            "" => std::env::consts::ARCH.into(),
            model => model.into(),
        };
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let compilers =
            [("rustc", "--version"), ("cc", "--version"), ("c++", "--version"), ("go", "version")];
        Self {
            processor,
            processors: std::thread::available_parallelism().map_or(1, |n| n.get()),
            virtual_machine: field("flags").split(' ').any(|flag| flag == "hypervisor"),
            kernel: say("uname", &["-sr"]),
            compilers: compilers
                .iter()
                .map(|(command, argument)| say(command, &[argument]))
                .filter(|version| !version.is_empty())
                .collect(),
            commit: say(
                "git",
                &["-C", env!("CARGO_MANIFEST_DIR"), "describe", "--always", "--dirty"],
            ),
            date: say("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
            load: load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0),
        }
    }

    pub fn describe(&self) -> String {
        let kind = if self.virtual_machine { ", virtual" } else { "" };
        let plural = if self.processors == 1 { "" } else { "s" };
        format!("{}, {} processor{plural}{kind}, {}", self.processor, self.processors, self.kernel)
    }
}

/// The first line of what a command prints; nothing if it cannot.
pub fn say(command: &str, arguments: &[&str]) -> String {
    let output = Command::new(command).args(arguments).stderr(std::process::Stdio::null()).output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().next().unwrap_or("").trim().into()
}
