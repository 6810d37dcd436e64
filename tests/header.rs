//! include/queues.h compiles alone, in every language that it is for, without a warning.

use std::io::Write;
use std::process::{Command, Stdio};

/// Twice, for the include guard.
const PROGRAM: &str = "#include <queues.h>\n#include <queues.h>\n";

fn compile(compiler: &str, language: &str, standard: &str) {
    let mut child = Command::new(compiler)
        .args(["-x", language, &format!("-std={standard}"), "-fsyntax-only", "-"])
        .args(["-Wall", "-Wextra", "-Werror", "-Wpedantic", "-Wundef"])
        .args(["-I", concat!(env!("CARGO_MANIFEST_DIR"), "/include")])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(PROGRAM.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{compiler} -std={standard}");
}

/// Compiles for each standard with each of the compilers that are installed; one must be.
fn compiles(language: &str, standards: &[&str], compilers: &[&str]) {
    let is_installed = |compiler: &&&str| Command::new(compiler).arg("--version").output().is_ok();
    let installed: Vec<_> = compilers.iter().filter(is_installed).collect();
    assert!(!installed.is_empty(), "none of {compilers:?} is installed");
    for compiler in installed {
        for standard in standards {
            compile(compiler, language, standard);
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
