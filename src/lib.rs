//! Bounded concurrent queues: first in, first out ([`Mpmc`], [`spsc`]), by priority ([`Priority`]), work
//! stealing ([`deque`]) and in batches ([`Batcher`]). The same queues have a C ABI.
//!
//! The modules, in reading order:
//! - [`typed`]: the queues that Rust programs use;
//! - [`queue`]: the algorithms, none of which waits for an item or for room;
//! - [`payload`]: how an item is stored in a cell: a Rust value, a pointer, a blob;
//! - [`wait`]: calls that sleep until they succeed, a deadline passes or the queue is closed;
//! - [`stats`]: statistics; [`error`]: errors;
//! - [`ffi`]: the C ABI, in the order of the header;
//! - `sync`: the only door to atomics, fences and the kernel; `memory`: memory whose allocation may fail;
//!   `plan`: tables for debuggers.
//!
//! ARCHITECTURE.md follows one item through them.

// A model has no C ABI, so some items have no user there.
#![cfg_attr(loom, allow(dead_code, unused_imports))]

#[cfg(not(unix))]
compile_error!("queues needs a Unix system, for POSIX clocks and threads: see docs/platforms.md");
#[cfg(not(target_pointer_width = "64"))]
compile_error!(
    "queues needs a 64-bit target, which loads and stores 64-bit positions by single instructions: \
     see docs/platforms.md"
);

pub mod error;
#[cfg(not(loom))]
pub mod ffi;
#[cfg(queues_shared)]
#[doc(hidden)]
pub mod inspect;
mod memory;
pub mod payload;
mod plan;
pub mod queue;
#[cfg(queues_shared)]
mod shared;
pub mod stats;
#[cfg(not(any(queues_sites, loom)))]
mod sync;
#[cfg(any(queues_sites, loom))]
pub mod sync;
pub mod typed;
pub mod wait;

pub use error::{Error, PutError, Result};
#[cfg(not(loom))]
pub use ffi::{
    BytesConsumer, BytesProducer, BytesQueue, FrontBlob, Lease, MpmcBytes, Reservation,
    SlotReservation, spsc_bytes,
};
pub use queue::SharedOptions;
pub use queue::batch::Limits;
pub use stats::Stats;
pub use typed::{
    Batcher, Consumer, Event, Iter, Mpmc, Priority, Producer, Stealer, TryIter, Worker, deque,
    growable_deque, spsc,
};
pub use wait::{Polled, Wait, poll};

/// README's Rust program, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
