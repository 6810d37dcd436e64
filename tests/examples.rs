//! The programs of examples/rust run to their end and print what their comments promise. They use
//! the library in the profile of the tests, so that it is not built once more.

#![cfg(not(any(loom, miri)))]

mod support;

use std::process::Command;
use support::watchdog::watched;

/// Runs an example and compares its output.
fn prints(example: &str, expected: &str) {
    watched(example, || {
        let mut run = Command::new(env!("CARGO"));
        run.current_dir(env!("CARGO_MANIFEST_DIR"));
        run.args(["run", "--quiet", "--locked", "--profile", "test", "--example", example]);
        let output = run.output().unwrap();
        let (stdout, stderr) =
            (std::str::from_utf8(&output.stdout), std::str::from_utf8(&output.stderr));
        assert!(output.status.success(), "{example}: {}\n{}", output.status, stderr.unwrap());
        assert_eq!(stdout.unwrap(), expected, "{example}");
    });
}

#[test]
fn quickstart() {
    prints("quickstart", "hello\n");
}

#[test]
fn spsc() {
    prints("spsc", "0\n0.5\n2.5\n6.5\n12.5\n20.5\n30.5\n42.5\n56.5\n72.5\n");
}

#[test]
fn priority() {
    let expected = "4: Why?\n5: Hello\n6: Thanks\n21: Translate this letter\n\
                    26: Write a poem about the sea\n";
    prints("priority", expected);
}

#[test]
fn deque() {
    prints("deque", "92 solutions\n");
}

#[test]
fn batch() {
    let expected = "batch of 2: 528 tokens\nbatch of 1: 2048 tokens\nbatch of 2: 80 tokens\n\
                    batch of 1: 1024 tokens\nbatch of 3: 224 tokens\n";
    prints("batch", expected);
}

#[test]
fn tokio_server() {
    let expected = "[100, 121, 144, 169]\n[400, 441, 484, 529]\n[900, 961, 1024, 1089]\n";
    prints("tokio_server", expected);
}
