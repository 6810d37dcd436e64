//! The driver as a program: the table and the page of stored results (fixture.jsonl), and the
//! one-line errors for arguments and files that it cannot use.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use versus::record::read;
use versus::store::file_name;
use versus::summary::{Comparison, Summary};

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
    // Neither is written by this process: a program that is open for writing does not start, and
    // another test's child may hold the descriptor.
    std::fs::hard_link(env!("CARGO_BIN_EXE_versus"), &driver).unwrap();
    let refuses = |arguments: &[&str], expected: &str| {
        let output = Command::new(&driver).args(arguments).current_dir(&folder).output().unwrap();
        let message = text(&output.stderr);
        assert_eq!((output.status.code(), message.lines().count()), (Some(2), 1), "{message}");
        assert!(message.contains(expected), "{message}");
        assert!(!folder.join("bench-results").exists());
    };
    refuses(&[], "there are no programs to compare: `make versus` builds them");
    let listing = r#"{"name":"only","language":"C","ours":false,"cases":["spsc"]}"#;
    let script = format!("#!/bin/sh\necho '{listing}'\n");
    let write = "printf %s \"$1\" > \"$2\" && chmod +x \"$2\"";
    let arguments = ["-c", write, "sh", &script, program.to_str().unwrap()];
    assert!(Command::new("sh").args(arguments).status().unwrap().success());
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

/// README's picture is what the driver draws of a stored run.
#[test]
fn picture_of_the_readme_is_drawn_from_a_stored_run() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let picture = std::fs::read_to_string(format!("{root}/docs/images/speed.svg")).unwrap();
    let is_drawn_from =
        |run: &PathBuf| text(&versus(&["picture", run.to_str().unwrap()]).stdout) == picture;
    assert!(stored_runs().iter().any(is_drawn_from), "docs/images/speed.svg is not up to date");
}

/// The runs in the source tree.
fn stored_runs() -> Vec<PathBuf> {
    let dir = versus::store::default_dir();
    std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn stored_runs_are_named_after_processor_date_and_commit() {
    let runs = stored_runs();
    assert!(!runs.is_empty());
    for path in runs {
        let summary = Summary::of(&read(&path).unwrap());
        let machine = &summary.run.machine;
        assert_eq!(path.file_name().unwrap().to_str().unwrap(), file_name(machine));
        assert!(!machine.commit.is_empty() && !machine.commit.ends_with("-dirty"), "{path:?}");
        let compared = |case: &&Comparison| case.best(true).is_some() && case.best(false).is_some();
        assert!(summary.comparisons.iter().find(compared).is_some(), "{path:?}");
    }
}

/// A new directory for a store.
fn empty_store(name: &str) -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

/// A run of one case with these trials of ours and of each peer, in million items per second.
struct TestRun<'a> {
    processor: &'a str,
    commit: &'a str,
    date: &'a str,
    load: f64,
    round_trip: f64,
    case: &'a str,
    rates: &'a [(&'a str, bool, &'a [f64])],
}

const CASE: &str = "spsc/1P1C/single/1024/ptr";
const STEADY: [f64; 5] = [100.0; 5];

/// The run that the tests change in one point each.
fn test_run() -> TestRun<'static> {
    TestRun {
        processor: "Model A (family 1, model 2)",
        commit: "abc1234",
        date: "2026-01-01 00:00 UTC",
        load: 0.1,
        round_trip: 60.0,
        case: CASE,
        rates: &[("ours", true, &[200.0; 5]), ("rtrb", false, &STEADY)],
    }
}

impl TestRun<'_> {
    fn write(&self, path: &Path) {
        let Self { processor, commit, date, load, round_trip, case, .. } = self;
        let mut lines = format!(
            r#"{{"run":{{"set":"quick","rounds":5,"machine":{{"processor":"{processor}","processors":2,"commit":"{commit}","date":"{date}","load":{load}}}}}}}"#
        );
        lines += "\n";
        for (name, ours, _) in self.rates {
            lines += &format!(
                "{{\"contestant\":{{\"name\":\"{name}\",\"language\":\"C\",\"ours\":{ours},\"program\":\"p\"}}}}\n"
            );
        }
        for (name, _, rates) in self.rates {
            for rate in *rates {
                let trial = match rate {
                    0.0 => r#""failure":"lost an item""#.into(),
                    _ => format!(r#""measured":{{"items":1000000,"seconds":{}}}"#, 1.0 / rate),
                };
                lines += &format!(
                    "{{\"trial\":{{\"round\":1,\"case\":\"{case}\",\"program\":\"p\",\"contestant\":\"{name}\",\"before\":{round_trip},\"after\":{round_trip},{trial}}}}}\n"
                );
            }
        }
        std::fs::write(path, lines).unwrap();
    }

    /// The file of the run, not in the store `dir` but beside it.
    fn beside(&self, dir: &Path) -> String {
        let path = dir.with_extension("jsonl");
        self.write(&path);
        path.to_str().unwrap().into()
    }
}

#[test]
fn a_run_is_stored_under_the_name_of_its_processor() {
    let dir = empty_store("stored");
    let rates: &[_] = &[
        ("ours", true, &[200.0; 5][..]),
        ("rtrb", false, &STEADY),
        ("without trials", false, &[]),
    ];
    let run = TestRun { rates, ..test_run() }.beside(&dir);
    let store = ["store", &run, "--store", dir.to_str().unwrap()];
    let output = versus(&store);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let path = dir.join("model-a-family-1-model-2-2026-01-01-abc1234.jsonl");
    assert_eq!(text(&output.stdout), format!("stored: {}\n", path.display()));
    let stored = std::fs::read_to_string(&path).unwrap();
    // Every trial is kept as it was, and contestants without trials are left out.
    let original = std::fs::read_to_string(&run).unwrap();
    let trials = |text: &str| text.matches("\"seconds\":0.01").count();
    assert_eq!((trials(&stored), trials(&original)), (5, 5));
    assert!(original.contains("without trials") && !stored.contains("without trials"));
    // Not twice.
    assert_eq!(refuses(&store, "abc1234.jsonl exists"), "");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), stored);
}

#[test]
fn a_run_that_cannot_serve_as_a_reference_is_not_stored() {
    let dir = empty_store("refused");
    let few: &[_] = &[("ours", true, &[200.0; 5][..]), ("rtrb", false, &STEADY[..4])];
    let few_of_ours: &[_] = &[("ours", true, &[200.0; 4][..]), ("rtrb", false, &STEADY)];
    let failed: &[_] =
        &[("ours", true, &[200.0, 200.0, 200.0, 200.0, 200.0, 0.0][..]), ("rtrb", false, &STEADY)];
    let alone: &[_] = &[("ours", true, &[200.0; 5][..])];
    for (run, expected) in [
        (TestRun { load: 0.6, ..test_run() }, "other programs kept 0.6 processors busy"),
        (TestRun { commit: "abc1234-dirty", ..test_run() }, "commit abc1234-dirty had changes"),
        (TestRun { commit: "", ..test_run() }, "the run has no commit"),
        (TestRun { processor: "", ..test_run() }, "the run has no processor"),
        (TestRun { rates: few, ..test_run() }, "rtrb has 4 near trials in spsc/1P1C"),
        (TestRun { rates: few_of_ours, ..test_run() }, "ours has 4 near trials in spsc/1P1C"),
        (TestRun { round_trip: 300.0, ..test_run() }, "ours has 0 near trials in spsc/1P1C"),
        (TestRun { rates: failed, ..test_run() }, "ours failed in spsc/1P1C"),
        (TestRun { rates: alone, ..test_run() }, "no case has both ours and a peer"),
    ] {
        let file = run.beside(&dir);
        let arguments = ["store", &file, "--store", dir.to_str().unwrap()];
        assert_eq!(refuses(&arguments, expected), "");
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 0, "{expected}");
    }
}

/// What `versus report` prints of `run` with the store `dir`, from the section of stored runs on.
fn section(run: &TestRun, dir: &Path) -> String {
    let file = run.beside(dir);
    let output = versus(&["report", &file, "--store", dir.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    table.split_once("\nBeside other processors\n").map_or("", |(_, section)| section).into()
}

#[test]
fn a_run_is_shown_beside_stored_ones_of_any_processor() {
    let dir = empty_store("beside");
    // Without stored runs there is no section.
    assert_eq!(section(&test_run(), &dir), "");
    let other = "Model B (family 3, model 4)";
    let fast: &[_] = &[("ours", true, &[400.0; 5][..]), ("rtrb", false, &STEADY)];
    let equal: &[_] = &[("ours", true, &[220.0; 5][..]), ("rtrb", false, &STEADY)];
    let older = TestRun { commit: "0000001", rates: equal, ..test_run() };
    TestRun { date: "2025-01-01 00:00 UTC", ..older }.write(&dir.join("a.jsonl"));
    TestRun { processor: other, commit: "0000002", load: 1.5, rates: fast, ..test_run() }
        .write(&dir.join("b.jsonl"));
    // Of the same processor, and newer than the first.
    TestRun { commit: "0000003", date: "2025-06-01 00:00 UTC", ..test_run() }
        .write(&dir.join("c.jsonl"));
    // Neither another case nor the same run is shown.
    TestRun { commit: "0000004", case: "spsc/1P1C/single/64/ptr", ..test_run() }
        .write(&dir.join("d.jsonl"));
    test_run().write(&dir.join("e.jsonl"));
    // Nor figures of far cores.
    TestRun { commit: "0000005", round_trip: 300.0, ..test_run() }.write(&dir.join("f.jsonl"));

    let section = section(&test_run(), &dir);
    let heads: Vec<_> = section.lines().filter(|line| line.contains("commit")).collect();
    assert_eq!(
        heads,
        [
            "the same processor: Model A (family 1, model 2), 2025-06-01 00:00 UTC, commit 0000003",
            "the same processor: Model A (family 1, model 2), 2025-01-01 00:00 UTC, commit 0000001",
            "Model B (family 3, model 4), 2026-01-01 00:00 UTC, commit 0000002, while other programs kept \
             1.5 processors busy",
        ]
    );
    let rows: Vec<_> = section.lines().filter(|line| line.contains(CASE)).collect();
    let cells = |n: usize| rows[n].split_whitespace().skip(1).collect::<Vec<_>>().join(" ");
    assert_eq!(cells(0), "2.00 2.00 1.00 ours (C) / rtrb (C)");
    // 2.00 of 2.20 is above 0.9, 2.00 of 4.00 is not.
    assert_eq!(cells(1), "2.00 2.20 0.91 ours (C) / rtrb (C)");
    assert_eq!(cells(2), "2.00 4.00 0.50 fell ours (C) / rtrb (C)");

    let page = std::fs::read_to_string(dir.with_extension("html")).unwrap();
    assert_eq!(page.matches("<h3>the same processor: ").count(), 2);
    assert_eq!(page.matches("<td class=\"n warning\">0.50").count(), 1);
    assert_eq!(page.matches("\"n warning\"").count(), 1);
}

/// A peer that is missing in one of two runs does not change the ratio in the other.
#[test]
fn runs_are_compared_by_the_contestants_that_both_have() {
    let dir = empty_store("common");
    let rates: &[_] = &[
        ("ours", true, &[200.0; 5][..]),
        ("rtrb", false, &STEADY),
        ("only stored", false, &[1000.0; 5]),
    ];
    TestRun { commit: "0000001", rates, ..test_run() }.write(&dir.join("a.jsonl"));
    let rates: &[_] = &[
        ("ours", true, &[200.0; 5][..]),
        ("ours, new", true, &[800.0; 5]),
        ("rtrb", false, &STEADY),
    ];
    let section = section(&TestRun { rates, ..test_run() }, &dir);
    let row = section.lines().find(|line| line.contains(CASE)).unwrap();
    assert!(row.contains("2.00     2.00     1.00"), "{section}");
}

#[test]
fn the_contestants_of_both_ratios_are_named() {
    let dir = empty_store("names");
    let rates: &[_] = &[("ours", true, &[200.0; 5][..]), ("rtrb", false, &STEADY)];
    let with_another = |rate: &'static [f64]| [rates[0], rates[1], ("other", false, rate)];
    let before = with_another(&[150.0; 5]);
    TestRun { commit: "0000001", rates: &before, ..test_run() }.write(&dir.join("a.jsonl"));
    let section = section(&TestRun { rates: &with_another(&[50.0; 5]), ..test_run() }, &dir);
    let row = section.lines().find(|line| line.contains(CASE)).unwrap();
    let expected = "ours (C) / rtrb (C); stored: ours (C) / other (C)";
    assert!(row.contains("2.00     1.33     1.50") && row.ends_with(expected), "{section}");
}

#[test]
fn a_store_that_cannot_be_read_is_reported() {
    let dir = empty_store("unreadable");
    std::fs::write(dir.join("a.jsonl"), "garbage\n").unwrap();
    let run = test_run().beside(&dir);
    let store = dir.to_str().unwrap();
    assert_eq!(refuses(&["report", &run, "--store", store], "a.jsonl: line 1: expected"), "");
    assert_eq!(
        refuses(&["report", &run, "--store", &run], "unreadable.jsonl: Not a directory"),
        ""
    );
}
