//! The driver as a program: the table and the page of stored results (fixture.jsonl), and the
//! one-line errors for arguments and files that it cannot use.

use std::path::PathBuf;
use std::process::{Command, Output};

fn versus(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_versus")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.into()).unwrap()
}

/// A copy of the fixture, since the driver writes the page beside the results.
fn results(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, include_str!("fixture.jsonl")).unwrap();
    path
}

/// The columns behind `start` in the first row that begins with it.
fn row(table: &str, start: &str) -> Vec<String> {
    let line = table.lines().find(|line| line.starts_with(start));
    let line = line.unwrap_or_else(|| panic!("no {start:?} in\n{table}"));
    line[start.len()..].split_whitespace().map(String::from).collect()
}

#[test]
fn report_has_medians_and_ratios() {
    let path = results("table.jsonl");
    let output = versus(&["report", path.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    // Trials on near cores. The one on far cores has a column of its own, and the one that was moved
    // does not count.
    assert_eq!(row(&table, "* queues spsc "), ["C", "200", "180-220", "3", "2.00", "-"]);
    assert_eq!(row(&table, "  rtrb "), ["Rust", "100", "90.0-110", "3", "1.00", "20.0"]);
    assert!(table.contains("timed out after 10 s"));
    assert!(table.contains("DPDK rte_ring: libdpdk-dev is not installed"));
    let latency = &table[table.find("latency/1P1C").unwrap()..];
    assert_eq!(row(latency, "* queues spsc ")[..5], ["C", "5.00", "5.00-5.00", "1", "2.00"]);
    let memory = &table[table.find("memory/-/-").unwrap()..];
    assert_eq!(row(memory, "* queues spsc ")[1], "16.0");
}

#[test]
fn page_stands_alone() {
    let path = results("page.jsonl");
    assert!(versus(&["report", path.to_str().unwrap()]).status.success());
    let page = std::fs::read_to_string(path.with_extension("html")).unwrap();
    for part in ["<svg", "id=\"growth\"", "A processor &lt;of ours&gt;", "rte_ring", "timed out"] {
        assert!(page.contains(part), "no {part}");
    }
    for part in ["http://", "https://", "<script", "<link", "src=", "NaN"] {
        assert!(!page.contains(part), "{part}");
    }
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    // Four cases, and one plot of growth: spsc has two capacities, memory only one.
    assert_eq!(page.matches("<figure").count(), 4 + 1);
}

/// Checks that the driver ends with exit code 2 and one line that contains `expected`; returns its
/// standard output.
fn refuses(arguments: &[&str], expected: &str) -> String {
    let output = versus(arguments);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    assert!(
        message.starts_with("versus: ") && message.ends_with('\n'),
        "{arguments:?}: {message:?}"
    );
    assert_eq!(message.lines().count(), 1, "{arguments:?}: {message}");
    assert!(message.contains(expected), "{arguments:?}: {expected:?} is not in {message}");
    assert!(!message.trim_end().contains(char::is_control), "{message:?}");
    text(&output.stdout)
}

#[test]
fn invalid_arguments_are_refused_in_one_line() {
    for (arguments, expected) in [
        (&["--case", "spcs"][..], "no case matches \"spcs\"; `versus list` shows them"),
        (&["--case", ""], "no case matches \"\""),
        (&["--case", "\x1b[31m"], "no case matches \"\\u{1b}[31m\""),
        (&["--set", "slow"], "[possible values: quick, full]; try --help"),
        (&["--rounds", "none"], "'none' for '--rounds"),
        (&["--rounds", "0"], "0 is not in 1..=10000; try --help"),
        (&["--rounds", "-1"], "unexpected argument '-1' found; try --help"),
        (&["--items", "63"], "63 is not in 64..="),
        (&["--timeout", "0"], "0 is not in 1..=86400"),
        (&["--fast"], "unexpected argument '--fast'"),
        (&["bench"], "bench"),
        (&["report"], "<RESULTS>"),
        (&["report", "/nonexistent.jsonl"], "/nonexistent.jsonl: No such file or directory\n"),
        (&["report", "/"], "/: Is a directory\n"),
    ] {
        assert_eq!(refuses(arguments, expected), "", "{arguments:?}");
    }
    assert!(text(&versus(&["--help"]).stdout).contains("--rounds"));
}

/// If a file cannot be written, nothing is printed and no file is left behind.
#[test]
fn unwritable_pages_leave_no_files() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("unwritable");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    // A directory has the name of the page.
    let path = folder.join("blocked.jsonl");
    std::fs::write(&path, include_str!("fixture.jsonl")).unwrap();
    std::fs::create_dir(folder.join("blocked.html")).unwrap();
    assert_eq!(refuses(&["report", path.to_str().unwrap()], "blocked.html: Is a directory\n"), "");
    // Results with the name of the page are not overwritten.
    let path = folder.join("results.html");
    std::fs::write(&path, include_str!("fixture.jsonl")).unwrap();
    assert_eq!(refuses(&["report", path.to_str().unwrap()], "results.html: the page"), "");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), include_str!("fixture.jsonl"));
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["blocked.html", "blocked.jsonl", "results.html"]);
}

/// A driver beside a program that lists one contestant and runs none.
#[test]
fn a_run_without_trials_leaves_no_files() {
    // Deep enough that the driver does not find the programs of this build.
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("far/from/programs");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let (driver, program) = (folder.join("versus"), folder.join("versus-c"));
    std::fs::copy(env!("CARGO_BIN_EXE_versus"), &driver).unwrap();
    let refuses = |arguments: &[&str], expected: &str| {
        let output = Command::new(&driver).args(arguments).current_dir(&folder).output().unwrap();
        let message = text(&output.stderr);
        assert_eq!((output.status.code(), message.lines().count()), (Some(2), 1), "{message}");
        assert!(message.contains(expected), "{message}");
        assert!(!folder.join("bench-results").exists());
    };
    refuses(&[], "there are no programs to compare: `make versus` builds them");
    let listing = r#"{"name":"only","language":"C","ours":false,"cases":["spsc"]}"#;
    std::fs::write(&program, format!("#!/bin/sh\necho '{listing}'\n")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, mode).unwrap();
    refuses(
        &["--contestant", "unknown"],
        "no contestant's name contains \"unknown\"; `versus list`",
    );
    refuses(&["--case", "mpmc"], "none of these contestants supports any of these cases");
    refuses(&["--case", "spsc", "--out", "versus-c/results"], "versus-c/results/");
}

#[test]
fn files_that_are_no_results_are_refused() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("broken.jsonl");
    let page = path.with_extension("html");
    let _ = std::fs::remove_file(&page);
    let long = format!("{{\"{}\":5}}\n", "x".repeat(100_000));
    for (content, expected) in [
        (&b"{\"trial\":5}\n"[..], "broken.jsonl: line 1: invalid type"),
        (b"", "no results"),
        (b"garbage", "no results"),
        (b"garbage\n", "line 1: expected value"),
        (b"{\"\\u001b[31m\":5}\n", "line 1: unknown variant `\\u{1b}[31m`"),
        (b"\x7fELF\x00\xff\n", "broken.jsonl: stream did not contain valid UTF-8"),
        (long.as_bytes(), "line 1: unknown variant `xxx"),
    ] {
        std::fs::write(&path, content).unwrap();
        assert_eq!(refuses(&["report", path.to_str().unwrap()], expected), "");
        assert!(!page.exists());
    }
}

/// Control characters in stored names do not reach the terminal.
#[test]
fn names_in_results_are_escaped() {
    let name = r#"a\u001b[31m\nb"#;
    let trial = |seconds: &str| {
        format!(
            r#"{{"trial":{{"round":1,"case":"{name}","program":"","contestant":"{name}","before":null,"after":null,"measured":{{"items":0,"seconds":{seconds}}},"failure":"{name}"}}}}"#
        )
    };
    let lines = [
        format!(r#"{{"contestant":{{"name":"{name}","language":"{name}"}}}}"#),
        format!(r#"{{"missing":{{"name":"{name}","missing":"{name}"}}}}"#),
        trial("0.0"),
        trial("-1e308"),
        trial("1e-300"),
    ];
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("names.jsonl");
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    let output = versus(&["report", path.to_str().unwrap()]);
    let table = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(table.contains("a\\u{1b}[31m\\nb") && !table.contains('\x1b'), "{table:?}");
}

#[test]
fn a_reader_may_close_the_pipe_early() {
    let mut list = Command::new(env!("CARGO_BIN_EXE_versus"));
    list.arg("list").stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut list = list.spawn().unwrap();
    drop(list.stdout.take());
    let output = list.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn picture_has_ours_and_the_best_peer() {
    let path = results("picture.jsonl");
    let output = versus(&["picture", path.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let svg = text(&output.stdout);
    // Bars are relative to the better one: ours has 200, rtrb 100.
    assert!(svg.contains("class=\"ours\" x=\"16\" y=\"60\" width=\"390\""), "{svg}");
    assert!(svg.contains("class=\"peer\" x=\"16\" y=\"77\" width=\"195\""), "{svg}");
    assert!(svg.contains(">100 rtrb<"), "{svg}");
}

/// README's picture is what the driver draws of the results that are stored beside the tests.
#[test]
fn picture_of_the_readme_is_drawn_from_stored_results() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let output = versus(&["picture", &format!("{root}/benches/versus/results/readme.jsonl")]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let stored = std::fs::read_to_string(format!("{root}/docs/images/speed.svg")).unwrap();
    assert!(text(&output.stdout) == stored, "docs/images/speed.svg is not up to date");
}
