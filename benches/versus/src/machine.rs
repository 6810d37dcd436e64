//! The machine, compilers and commit of a run. A record of them stands at the head of the results,
//! since figures of two machines cannot be compared.

use serde::{Deserialize, Serialize};
use std::process::Command;

/// The most processors that other programs may keep busy: a trial takes two, and a share of one
/// already shows in the medians.
pub const MAX_LOAD: f64 = 0.5;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let compilers =
            [("rustc", "--version"), ("cc", "--version"), ("c++", "--version"), ("go", "version")];
        Self {
            processor: processor(&info),
            processors: std::thread::available_parallelism().map_or(1, |n| n.get()),
            virtual_machine: field(&info, "flags").split(' ').any(|flag| flag == "hypervisor"),
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

    /// Whether other programs took so much of the processors that the figures are noisy.
    pub fn is_loaded(&self) -> bool {
        self.load > MAX_LOAD
    }

    /// One line for the head of the page and of the run.
    pub fn describe(&self) -> String {
        let kind = if self.virtual_machine { ", virtual" } else { "" };
        let plural = if self.processors == 1 { "" } else { "s" };
        format!("{}, {} processor{plural}{kind}, {}", self.processor, self.processors, self.kernel)
    }
}

/// The value of the first line of `/proc/cpuinfo` that begins with `name`; empty if there is none.
fn field<'a>(info: &'a str, name: &str) -> &'a str {
    let line = info.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_once(": ")).map_or("", |(_, value)| value)
}

/// The processor that `/proc/cpuinfo` describes. Marketing names cover several designs, and Arm's
/// kernels have none, so the numbers of the design are part of it.
fn processor(info: &str) -> String {
    let field = |name| field(info, name);
    let name = match field("model name") {
        "" => std::env::consts::ARCH,
        name => name,
    };
    let numbers = |a, b| Some((field(a), field(b))).filter(|(a, b)| !a.is_empty() && !b.is_empty());
    if let Some((family, model)) = numbers("cpu family", "model\t") {
        format!("{name} (family {family}, model {model})")
    } else if let Some((implementer, part)) = numbers("CPU implementer", "CPU part") {
        format!("{name} (implementer {implementer}, part {part})")
    } else {
        name.into()
    }
}

/// The first line that a command prints; empty if it does not run or prints nothing.
pub fn first_line_of(command: &str, arguments: &[&str]) -> String {
    let output = Command::new(command).args(arguments).stderr(std::process::Stdio::null()).output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().next().unwrap_or("").trim().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_has_the_numbers_of_its_design() {
        let x86 =
            "vendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC\n";
        assert_eq!(processor(x86), "AMD EPYC (family 25, model 17)");
        let arm = "CPU implementer\t: 0x41\nCPU part\t: 0xd40\n";
        let expected = format!("{} (implementer 0x41, part 0xd40)", std::env::consts::ARCH);
        assert_eq!(processor(arm), expected);
        assert_eq!(processor("model name\t: Virtual\n"), "Virtual");
        assert_eq!(processor(""), std::env::consts::ARCH);
    }
}
