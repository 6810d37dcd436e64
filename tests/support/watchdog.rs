//! Ends a test program that hangs, and prints which test it was. A test that waits for other
//! threads runs under [`watched`].

use std::io::Write;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// How long a test may take: enough for a sanitizer on a busy machine.
const LIMIT: Duration = Duration::from_secs(300);

/// Runs a test that waits for other threads.
pub fn watched<R>(name: &str, test: impl FnOnce() -> R) -> R {
    let (alive, over) = channel::<()>();
    let name = name.to_owned();
    let watchdog = std::thread::spawn(move || {
        if over.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
            // Not eprintln, which a test harness keeps until the test is over.
            let _ = writeln!(std::io::stderr(), "{name}: hangs, or needs more than {LIMIT:?}");
            std::process::exit(101);
        }
    });
    let result = test();
    drop(alive);
    watchdog.join().expect("the watchdog panics on nothing");
    result
}
