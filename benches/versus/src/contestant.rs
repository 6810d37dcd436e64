//! Finds the programs, reads which contestants they list, and runs one trial of one contestant. A
//! trial is a process of its own with a time limit, so that a peer that hangs or crashes ends its
//! trial and nothing else.

use crate::case::{Case, supports};
use crate::output::one_line;
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The programs to look for.
pub const PROGRAMS: [&str; 7] = [
    "versus-rust",
    "versus-c",
    "versus-c-static",
    "versus-c-inline",
    "versus-c++",
    "versus-go",
    "versus-ipc",
];

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Contestant {
    /// Unique within a program.
    pub name: String,
    pub language: String,
    #[serde(default)]
    pub version: String,
    #[serde(default)]
    pub ours: bool,
    /// Patterns of the cases that it supports.
    #[serde(default)]
    pub cases: Vec<String>,
    /// The program that listed it; not part of the listing.
    #[serde(default)]
    pub program: String,
}

impl Contestant {
    pub fn supports(&self, case: &Case) -> bool {
        self.cases.iter().any(|pattern| supports(pattern, case))
    }
}

/// A contestant or a program that is not compared, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Missing {
    pub name: String,
    #[serde(rename = "missing")]
    pub reason: String,
}

/// What a trial prints; README.md says which case has which field.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    pub items: u64,
    pub seconds: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ns: Option<Percentiles>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shares: Option<Vec<u64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_starvation_ns: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    pub p50: f64,
    pub p99: f64,
    #[serde(rename = "p99.9", default)]
    pub p999: f64,
    pub max: f64,
}

/// The contestants of all programs. Programs are looked for in the directory of the driver and in
/// the two above it: cargo puts them there, one level deeper if it builds for a named target.
pub struct Contestants {
    pub present: Vec<Contestant>,
    pub missing: Vec<Missing>,
    directories: Vec<PathBuf>,
}

impl Contestants {
    pub fn discover() -> Self {
        let here = std::env::current_exe().unwrap_or_default();
        let directories = here.ancestors().skip(1).take(3).map(Path::to_path_buf).collect();
        let mut all = Self { present: Vec::new(), missing: Vec::new(), directories };
        for program in PROGRAMS {
            if let Err(reason) = all.list(program) {
                all.missing.push(Missing { name: program.into(), reason });
            }
        }
        all
    }

    /// Where `program` is.
    pub fn path(&self, program: &str) -> Option<PathBuf> {
        self.directories.iter().map(|dir| dir.join(program)).find(|path| path.is_file())
    }

    fn list(&mut self, program: &str) -> Result<(), String> {
        let path = self.path(program).ok_or("the program is not built")?;
        let output = Command::new(path).arg("list").output().map_err(|e| e.to_string())?;
        if !output.status.success() {
            return Err(format!("`list` failed: {}", last_line(&output.stderr)));
        }
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            match parse_listing(line)? {
                Ok(contestant) => {
                    self.present.push(Contestant { program: program.into(), ..contestant });
                }
                Err(missing) => self.missing.push(missing),
            }
        }
        Ok(())
    }

    /// Keeps the contestants whose name contains one of `words`, ignoring case; all if there are no
    /// words. A word that matches no contestant is an error.
    pub fn select(&mut self, words: &[String]) -> Result<(), String> {
        if self.present.is_empty() {
            return Err("there are no programs to compare: `make versus` builds them".into());
        }
        for word in words {
            if !self.present.iter().any(|contestant| contains(&contestant.name, word)) {
                return Err(format!(
                    "no contestant's name contains {word:?}; `versus list` shows them"
                ));
            }
        }
        if !words.is_empty() {
            self.present.retain(|c| words.iter().any(|word| contains(&c.name, word)));
        }
        Ok(())
    }
}

fn contains(name: &str, word: &str) -> bool {
    name.to_lowercase().contains(&word.to_lowercase())
}

fn parse_listing(line: &str) -> Result<Result<Contestant, Missing>, String> {
    let wrong = |e| format!("`list` printed {line:?}: {e}");
    if let Ok(missing) = serde_json::from_str::<Missing>(line) {
        return Ok(Err(missing));
    }
    serde_json::from_str(line).map(Ok).map_err(wrong)
}

/// Kills a running trial when the driver gives up on it.
struct Guard(Child);
impl Drop for Guard {
    fn drop(&mut self) {
        // The whole group, since the program may have started others. A trial that ended is not
        // killed.
        // SAFETY: no pointers. The child was not reaped, so its number still names its group.
        if let Ok(None) = self.0.try_wait() {
            unsafe { libc::kill(-(self.0.id() as i32), libc::SIGKILL) };
            let _ = self.0.wait();
        }
    }
}

/// Why a trial has no measurement.
#[derive(Debug, PartialEq)]
pub enum Failure {
    Interrupted,
    Other(String),
}

/// Runs one trial for `limit` at most. Its process group is its own, so that Ctrl-C reaches only
/// the driver.
pub fn trial(
    program: &Path,
    contestant: &str,
    case: &Case,
    items: u64,
    limit: Duration,
    interrupted: &AtomicBool,
) -> Result<Measurement, Failure> {
    // The text comes from other programs and may contain anything.
    let other = |text: String| Failure::Other(one_line(&text));
    let mut command = Command::new(program);
    command
        .args(["run", "--contestant", contestant, "--case", case.path()])
        .args(["--items", &items.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    // A trial that hangs must not outlive a driver that is killed.
    // SAFETY: between fork and exec: a system call, which allocates nothing.
    unsafe {
        command.pre_exec(|| {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            Ok(())
        });
    }
    let child = command.spawn().map_err(|e| other(format!("does not start: {e}")))?;
    let mut child = Guard(child);
    let start = Instant::now();
    // Every 5 ms, so that the driver takes no processor time from the trial. The trial measures its
    // own time.
    let status = loop {
        match child.0.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if interrupted.load(Ordering::Relaxed) => return Err(Failure::Interrupted),
            Ok(None) if start.elapsed() > limit => {
                let used = processor_time(child.0.id());
                let limit = limit.as_secs();
                return Err(other(format!(
                    "timed out after {limit} s ({used:.1} s of processor time)"
                )));
            }
            Ok(None) => std::thread::sleep(Duration::from_millis(5)),
            Err(e) => return Err(other(e.to_string())),
        }
    };
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    // A program prints one line, which fits into the pipe, so it never had to wait for a reader.
    let _ = child.0.stdout.take().unwrap().read_to_end(&mut stdout);
    let _ = child.0.stderr.take().unwrap().read_to_end(&mut stderr);
    match status.code() {
        Some(0) => serde_json::from_slice(&stdout).map_err(|e| {
            other(format!("printed {:?}: {e}", String::from_utf8_lossy(&stdout).trim()))
        }),
        Some(3) => Err(other(format!("WRONG: {}", last_line(&stderr)))),
        _ => Err(other(format!("failed ({status}): {}", last_line(&stderr)))),
    }
}

/// Seconds of processor time that a process used: near 0 for one that sleeps forever.
fn processor_time(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // Fields 12 and 13 after the name, which may contain spaces: ticks in user and in kernel mode.
    let fields = stat.rsplit(") ").next().unwrap_or("").split(' ').skip(11).take(2);
    let ticks: f64 = fields.filter_map(|field| field.parse::<f64>().ok()).sum();
    // SAFETY: no pointers.
    ticks / unsafe { libc::sysconf(libc::_SC_CLK_TCK) } as f64
}

fn last_line(text: &[u8]) -> String {
    String::from_utf8_lossy(text).trim().lines().last().unwrap_or("no message").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_line_is_a_contestant_or_a_missing_one() {
        let line =
            r#"{"name":"a","language":"C++","version":"1","ours":false,"cases":["mpmc/*/single"]}"#;
        let contestant = parse_listing(line).unwrap().unwrap();
        assert!(contestant.supports(&Case::unchecked("mpmc/4P4C/single/1024/ptr")));
        assert!(!contestant.supports(&Case::unchecked("mpmc/4P4C/blocking/1024/ptr")));
        let missing = parse_listing(r#"{"name":"b","missing":"no headers"}"#).unwrap().unwrap_err();
        assert_eq!(missing.reason, "no headers");
        assert!(parse_listing("b").unwrap_err().contains("\"b\""));
    }

    #[test]
    fn an_unknown_contestant_is_refused_with_a_hint_to_the_list() {
        let contestant = parse_listing(r#"{"name":"Rtrb","language":"Rust"}"#).unwrap().unwrap();
        let mut contestants =
            Contestants { present: vec![contestant], missing: vec![], directories: vec![] };
        let error = contestants.select(&["rtrp".into()]).unwrap_err();
        assert!(error.contains("\"rtrp\"") && error.contains("`versus list`"), "{error}");
        contestants.select(&["RTR".into()]).unwrap();
        assert_eq!(contestants.present.len(), 1);
    }

    fn sh(script: &str, limit: Duration) -> Result<Measurement, Failure> {
        static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let name =
            format!("versus-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, mode).unwrap();
        let case = Case::unchecked("spsc");
        let result = trial(&path, "x", &case, 1, limit, &AtomicBool::new(false));
        std::fs::remove_file(&path).unwrap();
        result
    }

    #[test]
    fn a_trial_ends_with_a_measurement_or_a_reason() {
        let long = Duration::from_secs(20);
        let measured = sh(r#"echo '{"items":5,"seconds":0.5}'"#, long).unwrap();
        assert_eq!((measured.items, measured.seconds), (5, 0.5));
        let Failure::Other(wrong) = sh("echo 3 items lost >&2; exit 3", long).unwrap_err() else {
            panic!()
        };
        assert_eq!(wrong, "WRONG: 3 items lost");
        let Failure::Other(binary) =
            sh("printf 'a\\033[31mb%0999d' 1 >&2; exit 1", long).unwrap_err()
        else {
            panic!()
        };
        assert!(binary.contains("a\\u{1b}[31mb000") && binary.ends_with("..."), "{binary}");
        let Failure::Other(late) = sh("sleep 60", Duration::from_millis(1)).unwrap_err() else {
            panic!()
        };
        assert!(late.contains("timed out"));
        assert!(matches!(sh("echo nonsense", long), Err(Failure::Other(_))));
    }
}
