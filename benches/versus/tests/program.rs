//! The driver as a program: reports of results that lie beside this, and answers to what it does not know.

use std::path::PathBuf;
use std::process::{Command, Output};

fn versus(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_versus")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.into()).unwrap()
}

/// A copy, for the page is put beside it.
fn results(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, include_str!("fixture.jsonl")).unwrap();
    path
}

/// The columns of the first row that begins so.
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
    // Near trials, of which the one that moved is none; the far one stands beside them.
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
    // Three cases, and one thing that grows: of memory there is one capacity only.
    assert_eq!(page.matches("<figure").count(), 4 + 1);
}

#[test]
fn what_is_unknown_is_answered_with_what_is_known() {
    for (arguments, known) in [
        (&["--case", "spcs"][..], "spsc/1P1C/single/1024/ptr"),
        (&["--set", "slow"], "quick, full"),
        (&["--rounds", "none"], "--rounds"),
        (&["--rounds", "0"], "1..=10000"),
        (&["--contestant", "nobody"], "no contestant's name contains \"nobody\""),
        (&["report", "/nonexistent.jsonl"], "/nonexistent.jsonl"),
        (&["bench"], "bench"),
    ] {
        let output = versus(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let message = text(&output.stderr);
        assert!(message.contains(known), "{arguments:?}: {message}");
    }
}

#[test]
fn results_that_are_none() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("broken.jsonl");
    for (content, told) in [("{\"trial\":5}\n", "line 1"), ("", "no results")] {
        std::fs::write(&path, content).unwrap();
        let output = versus(&["report", path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(told), "{}", text(&output.stderr));
    }
}
