//! Queues that processes share, while processes are killed or suspended at any instruction, or write
//! random words into the file. A test that a kill makes fail prints its seed.
//!
//! The children are this program again: started anew, so that nothing but the file is shared, or
//! forked, where one is needed for each instruction.
//!
//! `QUEUES_KILLS=n` sets the kills of the storm, `QUEUES_STRIDE=n` every which instruction is tried,
//! `QUEUES_FILES=n` the number of damaged files.

// ThreadSanitizer ends children that have threads; loom and Miri have no processes.
#![cfg(all(target_os = "linux", not(any(loom, miri, queues_portable))))]

mod support;

mod processes {
    mod attaching;
    mod neighbor;
    mod steps;
}

