//! include/queues.h as programs and tools read it. It compiles alone, in every standard of C and C++
//! that it supports, without a warning; its tables and the texts of its functions agree; Doxygen finds
//! everything documented.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Output, Stdio};

const HEADER: &str = include_str!("../include/queues.h");

/// Starts a program that reads its input from here.
fn run(program: &str, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Compiles a program that begins with the header, twice for the include guard; warnings are errors.
fn compile(compiler: &str, language: &str, standard: &str, options: &[&str], code: &str) -> Output {
    let include = concat!("-I", env!("CARGO_MANIFEST_DIR"), "/include");
    let standard = format!("-std={standard}");
    // -S, because gcc warns about unused results only when it makes code.
    let always = ["-x", language, &standard, include, "-Werror", "-S", "-o", "/dev/null", "-"];
    let program = format!("#include <queues.h>\n#include <queues.h>\n{code}\n");
    run(compiler, &[&always[..], options].concat(), &program)
}

/// Compiles for each standard with each of the compilers that are installed; one must be.
fn compiles(language: &str, standards: &[&str], compilers: &[&str]) {
    let is_installed = |compiler: &&&str| Command::new(compiler).arg("--version").output().is_ok();
    let installed: Vec<_> = compilers.iter().filter(is_installed).collect();
    assert!(!installed.is_empty(), "none of {compilers:?} is installed");
    for compiler in installed {
        // gcc does not read documentation.
        let documentation = compiler.starts_with("clang").then_some("-Wdocumentation");
        let options: Vec<_> = ["-Wall", "-Wextra", "-Wpedantic", "-Wundef"]
            .into_iter()
            .chain(documentation)
            .collect();
        for (standard, inlined) in
            standards.iter().flat_map(|s| [(s, "-UQUEUES_INLINE"), (s, "-DQUEUES_INLINE")])
        {
            let options = [&options[..], &[inlined]].concat();
            let result = compile(compiler, language, standard, &options, "");
            let text = String::from_utf8_lossy(&result.stderr);
            assert!(result.status.success(), "{compiler} -std={standard}: {text}");
        }
    }
}

#[test]
fn compiles_as_c() {
    compiles("c", &["c99", "c11", "c17", "c2x"], &["gcc", "clang"]);
}

#[test]
fn compiles_as_cpp() {
    let standards = ["c++11", "c++14", "c++17", "c++20", "c++2b"];
    compiles("c++", &standards, &["g++", "clang++"]);
}

/// Whether a compiler warns about a program, by this warning only.
fn warns(compiler: &str, warning: &str, code: &str) -> bool {
    let compiles =
        |option: &str| compile(compiler, "c", "c11", &["-Wall", option], code).status.success();
    assert!(compiles(&format!("-Wno-{warning}")), "{compiler}: {code}");
    !compiles(&format!("-W{warning}"))
}

#[test]
fn compilers_know_the_statuses() {
    let switch = "int f(queues_status_t s) { switch (s) { case QUEUES_OK: return 1; } return 0; }";
    for compiler in ["gcc", "clang"] {
        assert!(warns(compiler, "switch", switch), "{compiler}");
    }
}

/// An ignored put may leak its item, an ignored get loses one; close has nothing to lose, and get_many
/// writes the number of items.
#[test]
fn compilers_warn_where_an_ignored_result_loses_something() {
    for (call, loses) in [
        ("queues_mpmc_create(0, 0)", true),
        ("queues_spsc_put(0, 0, -1)", true),
        ("queues_priority_try_get(0, 0, 0)", true),
        ("queues_deque_steal(0, 0)", true),
        ("queues_batch_get_due(0, 0, 0, 0)", true),
        ("queues_mpmc_commit(0, 0, 0)", true),
        ("queues_mpmc_close(0)", false),
        ("queues_mpmc_get_many(0, 0, 0, -1, 0)", false),
        ("queues_mpmc_settle(0, 0)", false),
        ("queues_spsc_consume(0)", false),
    ] {
        for compiler in ["gcc", "clang"] {
            let code = format!("void f(void) {{ {call}; }}");
            assert_eq!(warns(compiler, "unused-result", &code), loses, "{compiler}: {call}");
        }
    }
}

/// The comment of each function, as one line.
fn comments() -> BTreeMap<&'static str, String> {
    let mut comments = BTreeMap::new();
    let mut comment = String::new();
    for line in HEADER.lines() {
        if let Some(text) = line.strip_prefix("///") {
            comment += text;
            continue;
        }
        let is_function = !line.starts_with(['#', ' ', '/']) && !line.starts_with("typedef");
        let before_arguments = line.split_once('(').map(|(before, _)| before);
        let name = before_arguments.and_then(|text| text.rfind("queues_").map(|at| &text[at..]));
        if let Some(name) = name.filter(|_| is_function) {
            comments.insert(name, std::mem::take(&mut comment));
        } else if line.is_empty() {
            comment.clear();
        }
    }
    comments
}

/// A phrase as it begins a sentence.
fn capitalized(phrase: &str) -> String {
    let (first, rest) = phrase.split_at(1);
    first.to_uppercase() + rest
}

/// Every function is in one row of its family's table, and its own text states the same progress and
/// threads, in the same words.
#[test]
fn tables_and_texts_agree() {
    let comments = comments();
    let mut in_tables = BTreeMap::new();
    let mut rows = Vec::new();
    for line in HEADER.lines() {
        if let Some(row) = line.strip_prefix("/// | ") {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            rows.push(cells);
        } else if let Some((family, _)) =
            line.strip_prefix("typedef struct queues_").and_then(|name| name.split_once("_t "))
        {
            for cells in rows.drain(..).skip(1) {
                for verb in cells[0].split(", ") {
                    let name = format!("queues_{family}_{verb}");
                    let comment =
                        comments.get(&*name).unwrap_or_else(|| panic!("{name}: no such function"));
                    let states = format!("{}. {}", capitalized(cells[2]), capitalized(cells[1]));
                    assert!(comment.contains(&states), "{name} should state: {states}");
                    assert!(in_tables.insert(name, ()).is_none(), "two rows of {verb}");
                }
            }
        }
    }
    for family in ["mpmc", "spsc", "priority", "deque", "batch", "event"] {
        let prefix = format!("queues_{family}_");
        for name in comments.keys().filter(|name| name.starts_with(&prefix)) {
            assert!(in_tables.contains_key(*name), "{name} is in no table");
        }
    }
}

/// The table of contents lists the sections, in their order.
#[test]
fn the_contents_are_the_sections() {
    let listed = HEADER.lines().filter_map(|line| line.strip_prefix(" * | ")).filter_map(|row| {
        let name = row.split('|').next()?.trim();
        name.starts_with(|digit: char| digit.is_ascii_digit()).then_some(name)
    });
    let groups = HEADER.lines().filter_map(|line| line.strip_prefix("/// @defgroup "));
    let sections = groups.filter_map(|group| group.split_once(' ')?.1.split(':').next());
    assert_eq!(listed.collect::<Vec<_>>(), sections.collect::<Vec<_>>());
}

/// Each function states what it returns.
#[test]
fn texts_list_the_results() {
    for (name, comment) in comments() {
        let returns_nothing = !comment.contains("@return");
        let expected = name.ends_with("_release")
            || ["queues_version", "queues_version_number", "queues_status_string"].contains(&name);
        assert_eq!(returns_nothing, expected, "{name}");
    }
}

/// Older versions of Doxygen do not look at the values of an enum.
#[test]
fn statuses_are_documented() {
    let lines: Vec<_> = HEADER.lines().collect();
    let statuses = lines.windows(2).filter(|pair| pair[1].starts_with("    QUEUES_"));
    assert!(statuses.clone().count() > 10);
    for pair in statuses {
        assert!(pair[0].starts_with("    /// "), "{}", pair[1]);
    }
}

#[test]
fn doxygen_finds_everything_documented() {
    let output = std::env::temp_dir().join(format!("queues-doxygen-{}", std::process::id()));
    let configuration = format!(
        "INPUT = {}\nOUTPUT_DIRECTORY = {}\nGENERATE_LATEX = NO\nGENERATE_HTML = NO\n\
         GENERATE_XML = YES\nOPTIMIZE_OUTPUT_FOR_C = YES\nQUIET = YES\nWARN_IF_UNDOCUMENTED = YES\n\
         WARN_AS_ERROR = FAIL_ON_WARNINGS\nMACRO_EXPANSION = YES\nEXPAND_ONLY_PREDEF = YES\n\
         PREDEFINED = QUEUES_WARN_UNUSED=\n",
        concat!(env!("CARGO_MANIFEST_DIR"), "/include/queues.h"),
        output.display()
    );
    let result = run("doxygen", &["-"], &configuration);
    std::fs::remove_dir_all(output).unwrap();
    assert!(result.status.success(), "{}", String::from_utf8_lossy(&result.stderr));
}
