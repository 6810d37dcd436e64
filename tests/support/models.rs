//! Runs models.

use loom::model::Builder;
use loom::thread::JoinHandle;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

pub const UNBOUNDED: Option<usize> = None;

/// Runs a model with at most `bound` preemptions, and prints the number of runs.
pub fn explore(what: &str, bound: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
    let runs = runs_of(what, bound, model);
    assert!(runs > 1, "{what}: a single run");
}

pub fn runs_of(
    what: &str,
    bound: Option<usize>,
    model: impl Fn() + Send + Sync + 'static,
) -> usize {
    let mut builder = Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(bound);
    builder.max_branches = 10_000;
    let runs = Arc::new(AtomicUsize::new(0));
    let counter = runs.clone();
    builder.check(move || {
        counter.fetch_add(1, Relaxed);
        queues::sync::begin_model();
        model();
    });
    let runs = runs.load(Relaxed);
    println!("{what} {bound:?}: {runs} runs");
    runs
}

pub fn join<T>(threads: Vec<JoinHandle<T>>) -> Vec<T> {
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}
