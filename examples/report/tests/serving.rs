//! The serving demo in C, C++ and Go: the numbers in its JSON agree, no request is lost, bad input
//! is refused before the run, and `report` draws its page.
//!
//! QUEUES_SERVING names the programs, separated by spaces; `make test-report` builds them. One of them
//! is the demo in C over mutex queues.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const TRACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/trace.csv");

fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn programs() -> Vec<String> {
    let names = std::env::var("QUEUES_SERVING").unwrap_or_default();
    if names.is_empty() {
        eprintln!("skipped: QUEUES_SERVING names no program");
    }
    names.split_whitespace().map(Into::into).collect()
}

fn serve(program: &str, tool: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.env("QUEUES_REPORT", tool).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is not a number"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value} is not a list"))
}

/// The sum of the counts in pairs of a value and its count.
fn counts(pairs: &Value) -> u64 {
    list(pairs).iter().map(|pair| number(&pair[1])).sum()
}

fn check_times(times: &Value, requests: u64) {
    assert_eq!(counts(&times["histogram"]), requests, "{times}");
    let [mean, p50, p99, max] =
        ["mean_ns", "p50_ns", "p99_ns", "max_ns"].map(|name| number(&times[name]));
    assert!(p50 <= p99 && p99 <= max && mean <= max, "{times}");
    let last = list(&times["histogram"]).last().unwrap();
    assert!(number(&last[0]) >= max, "{times}");
}

/// Numbers that appear twice in the JSON agree.
fn check(run: &Value) {
    let requests = number(&run["requests"]);
    assert_eq!(number(&run["served"]), requests);
    assert_eq!(number(&run["format"]), 2);
    let machine = &run["machine"];
    for text in [&machine["processor"], &machine["kernel"], &run["library"], &run["queues"]] {
        assert!(!text.as_str().unwrap().is_empty(), "{run}");
    }
    assert!(number(&machine["processors"]) > 0 && number(&run["cost"]["cpu_ns"]) > 0, "{run}");
    let date = run["date"].as_str().unwrap();
    assert!(date.len() == "2026-11-26 17:36 UTC".len() && date.ends_with(" UTC"), "{date}");
    let mut stolen = 0;
    for stage in list(&run["stages"]) {
        assert_eq!([&stage["in"], &stage["out"]].map(number), [requests; 2], "{stage}");
        check_times(&stage["wait"], requests);
        let Some(queue) = stage.get("queue") else { continue };
        let [queues, capacity, peak] =
            ["queues", "capacity", "peak"].map(|name| number(&queue[name]));
        assert!((1..=capacity).contains(&peak), "{stage}");
        stolen += number(&queue["stolen"]);
        // A put waits only if it found the queue full.
        let waited = number(&queue["room_ns"]) > 0;
        assert_eq!(waited, number(&queue["failed_enqueue"]) > 0, "{stage}");
        let depth = list(&run["depth"]["stages"]);
        let depth = depth.iter().find(|line| line["name"] == stage["name"]).unwrap();
        for items in list(&depth["items"]) {
            assert!(number(items) <= queues * capacity, "{stage}: {items} items at once");
        }
    }
    check_times(&run["total"], requests);
    assert!(list(&run["depth"]["t_ms"]).len() <= 2048);

    let (sizes, parameters) = (list(&run["batches"]["sizes"]), &run["parameters"]);
    let batched = sizes.iter().map(|pair| number(&pair[0]) * number(&pair[1]));
    assert_eq!(batched.sum::<u64>(), requests);
    assert_eq!(counts(&run["batches"]["sizes"]), counts(&run["batches"]["tokens"]));
    assert!(sizes.iter().all(|pair| number(&pair[0]) <= number(&parameters["batch_size"])));

    let workers = list(&run["workers"]);
    let sum = |name: &str| workers.iter().map(|worker| number(&worker[name])).sum::<u64>();
    assert_eq!(workers.len() as u64, number(&parameters["workers"]));
    assert_eq!((sum("served"), sum("stolen")), (requests, stolen));
}

/// Runs the demo, which must succeed, and returns its JSON and its page.
fn run(program: &str, name: &str, arguments: &[&str], trace: &str) -> (Value, String) {
    let (json, page) = (scratch(&format!("{name}.json")), scratch(&format!("{name}.html")));
    let mut all = vec!["--json", json.to_str().unwrap(), "--report", page.to_str().unwrap()];
    all.extend_from_slice(arguments);
    all.push(trace);
    let output = serve(program, env!("CARGO_BIN_EXE_report"), &all);
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    let run = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    (run, fs::read_to_string(page).unwrap())
}

#[test]
fn figures_agree() {
    let lines = fs::read_to_string(TRACE).unwrap().lines().count() as u64;
    for program in programs() {
        // Longer than the samples have room for, so that some are dropped.
        let (figures, page) = run(&program, "agree", &["--speed", "20", "--workers", "3"], TRACE);
        check(&figures);
        assert_eq!(number(&figures["requests"]), lines - 1);
        let times = list(&figures["depth"]["t_ms"]);
        assert!(times.len() > 200, "{} samples", times.len());
        assert!(page.contains(figures["program"].as_str().unwrap()), "{page}");
        assert!(page.contains("All 450 requests came out, each once"), "{page}");
        let machine = figures["machine"]["processor"].as_str().unwrap();
        assert!(page.contains(&format!("<dt>machine</dt><dd>{machine}, ")), "{page}");
    }
}

/// More requests than one worker can serve, and queues with room for one: the frontends wait as
/// long as the work takes, and no request is lost.
#[test]
fn overload_is_back_pressure() {
    const REQUESTS: u64 = 60;
    const WORK_MS: u64 = 5;
    let trace = scratch("overload.csv");
    let row = format!("2024-01-01 09:00:00.0,0,{}\n", 2 * WORK_MS);
    let rows = row.repeat(REQUESTS as usize);
    fs::write(&trace, format!("TIMESTAMP,ContextTokens,GeneratedTokens\n{rows}")).unwrap();
    let tight = ["--speed", "1", "--capacity", "1", "--batch-size", "1", "--workers", "1"];
    for program in programs() {
        let (figures, _) = run(&program, "overload", &tight, trace.to_str().unwrap());
        check(&figures);
        // At most ten requests are in the pipeline at once; the others had to wait for room.
        let waited = (REQUESTS - 10) * WORK_MS * 1_000_000;
        let stages = list(&figures["stages"]);
        assert_eq!(
            (&stages[0]["name"], &stages[1]["name"]),
            (&"frontends".into(), &"intake".into())
        );
        assert!(number(&stages[0]["wait"]["max_ns"]) >= waited, "{figures:#}");
        assert!(number(&stages[1]["queue"]["room_ns"]) >= waited, "{figures:#}");
    }
}

const HEADER: &str = "TIMESTAMP,ContextTokens,GeneratedTokens";

const ROW: &str = "2024-02-29 23:59:59.1234567,1,2";

/// Writes a trace for one test and returns its path.
fn trace_of(name: &str, text: impl AsRef<[u8]>) -> String {
    let path = scratch(&format!("{name}.csv"));
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Every program ends before the run, with exit code 2 and the one line `message`.
fn refuses_with(tool: &str, arguments: &[&str], message: &str) {
    for program in programs() {
        let output = serve(&program, tool, arguments);
        let (stdout, stderr) = (&output.stdout[..], String::from_utf8_lossy(&output.stderr));
        assert_eq!(stderr, format!("{message}\n"), "{program} {arguments:?}");
        assert_eq!((output.status.code(), stdout), (Some(2), &b""[..]), "{program} {arguments:?}");
    }
}

fn refuses(arguments: &[&str], message: &str) {
    refuses_with("no/such/tool", arguments, &format!("serving: {message}"));
}

#[test]
fn refuses_options() {
    refuses(&[], "expected one trace file, found 0; try --help");
    refuses(&[TRACE, TRACE], "expected one trace file, found 2; try --help");
    refuses(&["--fast", TRACE], "unknown option, found: --fast; try --help");
    refuses(&["-s", "4", TRACE], "unknown option, found: -s; try --help");
    refuses(&["--spee=4", TRACE], "unknown option, found: --spee; try --help");
    refuses(&["--speeds", "4", TRACE], "unknown option, found: --speeds; try --help");
    refuses(&["--\x1b[31m\u{7f}", TRACE], "unknown option, found: --\\x1b[31m\\x7f; try --help");

    let speed = |found: &str| format!("--speed: expected a number above 0, {found}");
    for text in
        ["0", "-1", "fast", "1e400", "1e-400", "0x10", "inf", "nan", " 1", "1 ", "1_000", "1e", "."]
    {
        refuses(&["--speed", text, TRACE], &speed(&format!("found: {text}")));
    }
    refuses(&["--speed=", TRACE], &speed("found nothing"));
    refuses(&["--speed", "", TRACE], &speed("found nothing"));
    refuses(&[TRACE, "--speed"], &speed("found nothing"));
    let long = "9".repeat(61) + "x";
    refuses(&["--speed", &long, TRACE], &speed(&format!("found: {}...", "9".repeat(60))));

    for (option, most) in [
        ("--frontends", 1000),
        ("--workers", 1000),
        ("--capacity", 1_000_000),
        ("--batch-size", 1000),
        ("--batch-tokens", 1_000_000_000),
        ("--linger-ms", 60_000),
    ] {
        let more = (most + 1).to_string();
        for text in ["0", "-1", "+1", " 1", "1k", "0.5", "99999999999999999999", &more] {
            let expected = format!("{option}: expected a number from 1 to {most}, found: {text}");
            refuses(&[option, text, TRACE], &expected);
        }
        let nothing = format!("{option}: expected a number from 1 to {most}, found nothing");
        refuses(&[TRACE, option], &nothing);
    }
}

#[test]
fn refuses_traces() {
    refuses(&["no such file"], "no such file: No such file or directory");
    refuses(&["/"], "/:1: Is a directory");
    refuses(&["--", "--help"], "--help: No such file or directory");

    let refuses_text = |text: &[u8], line: u64, message: &str| {
        let path = trace_of("refused", text);
        refuses(&[&path], &format!("{path}:{line}: {message}"));
    };
    let header = |found: &str| format!("expected {HEADER}, {found}");
    refuses_text(b"", 1, &header("found the end of the file"));
    refuses_text(b"\n", 1, &header("found nothing"));
    refuses_text(b"a,b,c\n", 1, &header("found: a,b,c"));
    let more = format!("{HEADER},More");
    refuses_text(more.as_bytes(), 1, &header(&format!("found: {more}")));
    refuses_text(HEADER.as_bytes(), 2, "expected a request, found the end of the file");
    refuses_text(
        format!("{HEADER}\r\n").as_bytes(),
        2,
        "expected a request, found the end of the file",
    );
    // A binary file, whose bytes must not reach a terminal.
    let binary: Vec<u8> = b"\x7fELF\x02\x01\x00\x1b[2J".iter().copied().chain(128..=255).collect();
    let shown = "found: \\x7fELF\\x02\\x01\\x00\\x1b[2J";
    let rest: String = (128..128 + 60 - 11).map(|byte| format!("\\x{byte:02x}")).collect();
    refuses_text(&binary, 1, &header(&format!("{shown}{rest}...")));
    // A file that never ends.
    refuses(
        &["/dev/zero"],
        &format!("/dev/zero:1: {}", header(&format!("found: {}...", "\\x00".repeat(60)))),
    );

    let digits = "1".repeat(200);
    let long = format!("2024-03-01 00:00:00.{digits},1,2");
    for bad in [
        "",
        "x",
        "2024-03-01 00:00:00.1",
        "2024-03-01 00:00:00.1,1",
        "2024-03-01 00:00:00.1,1,",
        "2024-03-01 00:00:00.1,1,2,3",
        "2024-03-01 00:00:00.1,1,2 ",
        " 2024-03-01 00:00:00.1,1,2",
        "2024-03-01 00:00:00.,1,2",
        "2024-03-01 00:00:00,1,,2",
        "2024-03-01 00:00:00.1,-1,2",
        "2024-03-01 00:00:00.1,+1,2",
        "2024-03-01 00:00:00.1,1,-2",
        "2024-03-01 00:00:00.1,1,1234567890",
        "2024-03-01 00:00:00.1,1.5,2",
        "2024-3-01 00:00:00.1,1,2",
        "2024-03-01T00:00:00.1,1,2",
        "2024-03-01 24:00:00.1,1,2",
        "2024-03-01 00:60:00.1,1,2",
        "2024-03-01 00:00:60.1,1,2",
        "2024-02-30 00:00:00.1,1,2",
        "2024-00-01 00:00:00.1,1,2",
        "2024-13-01 00:00:00.1,1,2",
        "1969-03-01 00:00:00.1,1,2",
        "2101-03-01 00:00:00.1,1,2",
        "2024-03-01 00:00:00.1,1,2\0",
        "2024-03-01 00:00:00.1,1,2\r",
        "2024-03-01 00:00:00.1,1,\r2",
        &long,
    ] {
        let found = match bad {
            "" => "found nothing".to_owned(),
            _ if bad.len() > 60 => format!("found: {}...", &bad[..60]),
            _ => format!("found: {}", bad.replace('\0', "\\x00").replace('\r', "\\x0d")),
        };
        let message = format!("expected YYYY-MM-DD hh:mm:ss.fraction,tokens,tokens, {found}");
        refuses_text(format!("{HEADER}\n{ROW}\n{bad}\r\n{ROW}\n").as_bytes(), 3, &message);
    }
    let earlier = "2024-02-29 23:59:59.1234566,1,2";
    let text = format!("{HEADER}\n{ROW}\n{earlier}\n");
    refuses_text(text.as_bytes(), 3, &format!("earlier than the line before, found: {earlier}"));
}

/// A file that cannot be written is reported before the run, and an old file stays.
#[test]
fn refuses_files_before_the_run() {
    let tool = env!("CARGO_BIN_EXE_report");
    let folder = scratch("a folder");
    fs::create_dir_all(&folder).unwrap();
    let folder = folder.to_str().unwrap();
    for (path, reason) in [
        ("no/such/folder.html", "No such file or directory"),
        (folder, "Is a directory"),
        ("/dev/null/page.html", "Not a directory"),
        ("/proc/page.html", "No such file or directory"),
    ] {
        refuses_with(tool, &["--report", path, TRACE], &format!("report: {path}: {reason}"));
        // That nothing can be created in /proc shows only when it is tried.
        if !path.starts_with("/proc") {
            refuses(&["--json", path, TRACE], &format!("{path}: {reason}"));
        }
    }
    refuses(&["--json", "", TRACE], "--json: expected a file, found nothing");
    refuses(&[TRACE, "--report"], "--report: expected a file, found nothing");

    let where_is_it = "`make report` builds the tool, and QUEUES_REPORT says where it is";
    let page = scratch("without.html");
    fs::write(&page, "as it was").unwrap();
    let arguments = ["--report", page.to_str().unwrap(), TRACE];
    let missing = format!("no page: no/such/tool: No such file or directory; {where_is_it}");
    refuses(&arguments, &missing);
    let missing = format!("no page: no-such-tool: No such file or directory; {where_is_it}");
    refuses_with("no-such-tool", &arguments, &format!("serving: {missing}"));
    refuses_with("false", &arguments, "serving: no page: false failed");
    assert_eq!(fs::read_to_string(page).unwrap(), "as it was");
}

#[test]
fn any_speed_above_zero() {
    let second = "2024-01-01 09:00:00.0,1,1\n2024-01-01 09:00:00.01,1,1\n";
    let trace = trace_of("speeds", format!("{HEADER}\n{second}"));
    for program in programs() {
        for (speed, number) in
            [("0.5", 0.5), (".5", 0.5), ("5e-1", 0.5), ("1e3", 1e3), ("4", 4.0), ("1e300", 1e300)]
        {
            let (figures, page) = run(&program, "speeds", &["--speed", speed], &trace);
            check(&figures);
            assert_eq!(figures["parameters"]["speed"].as_f64(), Some(number), "{program} {speed}");
            assert!(page.contains(&format!("at {number} times its speed")), "{program}: {page}");
            if number == 0.5 {
                assert!(figures["seconds"].as_f64().unwrap() >= 0.02, "{program} {speed}");
            }
        }
    }
}

/// Files with spaces in their names, options with =, files that exist already, and a pipe.
#[test]
fn writes_what_is_asked_for() {
    let trace = trace_of("a trace", format!("{HEADER}\r\n{ROW}\r\n{ROW}"));
    let (json, page) = (scratch("some figures.json"), scratch("a page.html"));
    for program in programs() {
        for path in [&json, &page] {
            fs::write(path, "longer than what comes ".repeat(100_000)).unwrap();
        }
        let json_is = format!("--json={}", json.display());
        let page_is = format!("--report={}", page.display());
        let arguments = ["--speed=1000", &json_is, &page_is, "--", &trace];
        let output = serve(&program, env!("CARGO_BIN_EXE_report"), &arguments);
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        check(&serde_json::from_slice(&fs::read(&json).unwrap()).unwrap());
        assert!(fs::read_to_string(&page).unwrap().ends_with("</html>\n"));
        for path in [&json, &page] {
            assert!(!Path::new(&format!("{}.new", path.display())).exists());
        }

        let output = serve(&program, "no tool", &["--json", "/dev/stdout", &trace]);
        let text = String::from_utf8(output.stdout).unwrap();
        check(&serde_json::from_str(&text[text.find("\n{").unwrap()..]).unwrap());
    }
}

/// A full disk under standard output: the figures are written nevertheless.
#[test]
fn reports_that_the_table_is_lost() {
    let trace = trace_of("lost", format!("{HEADER}\n{ROW}\n"));
    let json = scratch("lost.json");
    for program in programs() {
        let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        _ = fs::remove_file(&json);
        for arguments in [&["--json", json.to_str().unwrap(), &*trace][..], &["--help"]] {
            let output = Command::new(&program).args(arguments).stdout(full()).output().unwrap();
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(stderr, "serving: standard output cannot be written\n", "{program}");
            assert_eq!(output.status.code(), Some(2), "{program} {arguments:?}");
        }
        check(&serde_json::from_slice(&fs::read(&json).unwrap()).unwrap());
    }
}

/// Runs the script of `make demo` with these variables and the demo in C; `None` without that.
fn make_demo(name: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Option<Output> {
    let program = programs().into_iter().find(|program| program.ends_with("/demo/serving"))?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new(root.join("scripts/demo.sh"));
    command.current_dir(root);
    for variable in ["TRACE", "SPEED", "REPORT", "COMPARE", "REPEAT"] {
        command.env_remove(variable);
    }
    let records = scratch(name);
    fs::create_dir_all(&records).unwrap();
    command.args(arguments).env("SERVING", program).env("RECORDS", records);
    command.env("QUEUES_REPORT", env!("CARGO_BIN_EXE_report")).envs(variables.iter().copied());
    Some(command.stdin(Stdio::null()).output().unwrap())
}

fn files(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(scratch(folder)).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn make_demo_compares() {
    let folder = "a comparison";
    _ = fs::remove_dir_all(scratch(folder));
    let trace = trace_of("compared", format!("{HEADER}\n{ROW}\n{ROW}\n"));
    let variables = [("COMPARE", "mutex"), ("REPEAT", "2"), ("TRACE", &*trace)];
    let Some(output) = make_demo(folder, &[], &variables) else { return };
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(output.status.success(), "{stderr}");
    for line in ["run 1 of 2 with libqueues: 2 in, 2 out, ", "run 2 of 2 with mutex: 2 in, 2 out, "]
    {
        assert!(stdout.contains(line), "{stdout}");
    }
    assert!(stdout.contains("\nWith mutex the run took "), "{stdout}");
    let records = ["libqueues-1.json", "libqueues-2.json", "mutex-1.json", "mutex-2.json"];
    assert_eq!(files(folder), [&["compare.html"], &records[..]].concat());
    for record in records {
        let figures: Value =
            serde_json::from_slice(&fs::read(scratch(folder).join(record)).unwrap()).unwrap();
        check(&figures);
        assert!(record.starts_with(figures["queues"].as_str().unwrap()), "{figures}");
    }
    let page = fs::read_to_string(scratch(folder).join("compare.html")).unwrap();
    assert!(page.contains("<h2>libqueues "), "{page}");

    // One run of each: the records of the second runs do not stay.
    let variables = [("COMPARE", "mutex"), ("REPEAT", "1"), ("TRACE", &*trace)];
    assert!(make_demo(folder, &[], &variables).unwrap().status.success());
    assert_eq!(files(folder), ["compare.html", "libqueues-1.json", "mutex-1.json"]);
}

/// Bad input is one line and exit code 2, and old files stay.
#[test]
fn make_demo_refuses() {
    let folder = "refused comparison";
    fs::create_dir_all(scratch(folder)).unwrap();
    for file in ["compare.html", "mutex-1.json"] {
        fs::write(scratch(folder).join(file), "as it was").unwrap();
    }
    let bad = trace_of("bad for make", "a,b,c\n");
    let compare = ("COMPARE", "mutex");
    let header = format!("serving: {bad}:1: expected {HEADER}, found: a,b,c");
    let found_long = format!("demo: COMPARE: expected mutex, found: {}", "x".repeat(60));
    let long = "x".repeat(100);
    for (variables, message) in [
        (&[("COMPARE", "nonsense")][..], "demo: COMPARE: expected mutex, found: nonsense"),
        (&[("COMPARE", "\x1b[31m")], "demo: COMPARE: expected mutex, found: $'\\E[31m'"),
        (&[("COMPARE", &*long)], &*found_long),
        (&[("REPEAT", "3")], "demo: REPEAT is for comparisons: add COMPARE=mutex"),
        (&[compare, ("REPEAT", "0")], "demo: REPEAT: expected a number from 1 to 99, found: 0"),
        (
            &[compare, ("REPEAT", "a b")],
            "demo: REPEAT: expected a number from 1 to 99, found: a\\ b",
        ),
        (
            &[compare, ("SERVING", "/cpp/serving")],
            "demo: only the demo in C has mutex queues: make demo COMPARE=mutex",
        ),
        (&[compare, ("SPEED", "0")], "serving: --speed: expected a number above 0, found: 0"),
        (&[("SPEED", "x")], "serving: --speed: expected a number above 0, found: x"),
        (&[compare, ("TRACE", "none")], "serving: none: No such file or directory"),
        (&[compare, ("TRACE", &*bad)], &*header),
        (&[compare, ("REPORT", "no/page.html")], "report: no/page.html: No such file or directory"),
        (&[("REPORT", "no/page.html")], "report: no/page.html: No such file or directory"),
    ] {
        let Some(output) = make_demo(folder, &[], variables) else { return };
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(stderr, format!("{message}\n"), "{variables:?}");
        assert_eq!((output.status.code(), &*output.stdout), (Some(2), &b""[..]), "{variables:?}");
        assert_eq!(files(folder), ["compare.html", "mutex-1.json"], "{variables:?}");
        for file in files(folder) {
            assert_eq!(fs::read_to_string(scratch(folder).join(file)).unwrap(), "as it was");
        }
    }
    // `make demo` checks before it builds.
    let output = make_demo(folder, &["--check"], &[("COMPARE", "nonsense")]).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(make_demo(folder, &["--check"], &[compare]).unwrap().status.success());
}

#[test]
fn help_is_the_same_in_every_language() {
    let helps = programs().into_iter().map(|program| {
        let output = serve(&program, "", &["--help"]);
        assert!(output.status.success(), "{program}");
        String::from_utf8(output.stdout).unwrap()
    });
    let helps: Vec<_> = helps.collect();
    for help in &helps {
        assert!(help.starts_with("usage: serving ") && help.contains("--linger-ms"), "{help}");
        assert_eq!(help, &helps[0]);
    }
}
