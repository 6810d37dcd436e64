//! The machine, compilers and commit of a run. A record of them stands at the head of the results,
//! since figures of two machines cannot be compared.

use serde::{Deserialize, Serialize};
use std::process::Command;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    pub processor: String,
    pub processors: usize,
    pub virtual_machine: bool,
    pub kernel: String,
    /// The first line of each version text: rustc, cc, c++ and go, as far as they are installed.
    pub compilers: Vec<String>,
    pub commit: String,
    pub date: String,
    /// The load average of the minute before the run: how many processors other programs kept busy.
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
            // Marketing names cover several designs: family and model tell them apart.
            name => match (field("cpu family"), field("model\t")) {
                ("", _) | (_, "") => name.into(),
                (family, model) => format!("{name} (family {family}, model {model})"),
            },
        };
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let compilers =
            [("rustc", "--version"), ("cc", "--version"), ("c++", "--version"), ("go", "version")];
        Self {
            processor,
            processors: std::thread::available_parallelism().map_or(1, |n| n.get()),
            virtual_machine: field("flags").split(' ').any(|flag| flag == "hypervisor"),
            kernel: first_line_of("uname", &["-sr"]),
            compilers: compilers
                .iter()
                .map(|(command, argument)| first_line_of(command, &[argument]))
                .filter(|version| !version.is_empty())
                .collect(),
            commit: first_line_of(
                "git",
                &["-C", env!("CARGO_MANIFEST_DIR"), "describe", "--always", "--dirty"],
            ),
            date: first_line_of("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
            load: load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0),
        }
    }

    /// One line for the head of the page and of the run.
    pub fn describe(&self) -> String {
        let kind = if self.virtual_machine { ", virtual" } else { "" };
        let plural = if self.processors == 1 { "" } else { "s" };
        format!("{}, {} processor{plural}{kind}, {}", self.processor, self.processors, self.kernel)
    }
}

/// The first line that a command prints; empty if it does not run or prints nothing.
pub fn first_line_of(command: &str, arguments: &[&str]) -> String {
    let output = Command::new(command).args(arguments).stderr(std::process::Stdio::null()).output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().next().unwrap_or("").trim().into()
}
