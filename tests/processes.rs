//! Queues that processes share, while processes are killed or suspended at any instruction, or
//! write random words into the file. A test that a kill makes fail prints its seed.
//!
//! The children are this program again. They are started anew, so that only the file is shared, or
//! forked, where a child is needed for each instruction.
//!
//! With `QUEUES_STRIDE=n` each n-th instruction is tried. Other variables set numbers:
//! `QUEUES_KILLS` the kills of the storm, `QUEUES_PAIRS` the pairs of suspended processes of a
//! call, `QUEUES_FILES` the damaged files, `QUEUES_WORDS` the values of each word, and
//! `QUEUES_ROUNDS` the rounds of a scribbler.

// ThreadSanitizer ends children that have threads; loom and Miri have no processes.
#![cfg(all(target_os = "linux", not(any(loom, miri, queues_portable))))]

mod support;

mod processes {
    mod attaching;
    mod layout;
    mod peer;
    mod steps;
    pub mod storm;
}

/// Before `main`: a child of a storm is a worker, not a test program.
#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = {
    extern "C" fn before_main() {
        if let Ok(worker) = std::env::var(processes::storm::WORKER) {
            processes::storm::work(&worker);
        }
    }
    before_main
};
