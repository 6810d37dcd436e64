//! Concurrent queues with a C ABI.
//!
//! The map of the house, in reading order:
//! - [`typed`]: the queues as Rust programs use them;
//! - [`queue`]: the algorithms, non-blocking;
//! - [`payload`]: how an item sits in a cell: typed, pointer, bytes;
//! - [`wait`]: sleeping, deadlines, close; [`stats`]: what is counted;
//! - [`ffi`]: the C ABI, in the order of the header;
//! - `sync`: the only door to atomics, fences and parking; `memory`: arrays that may fail; `plan`:
//!   what a debugger is told.
//!
//! One item's way: `ffi::mpmc::queues_mpmc_put` → [`wait::Blocking::put`] →
//! [`queue::Put::try_put`] → [`payload::Payload::write`].

// A model has no C ABI, which uses what nobody else does.
#![cfg_attr(loom, allow(dead_code, unused_imports))]

pub mod error;
#[cfg(not(loom))]
pub mod ffi;
mod memory;
pub mod payload;
mod plan;
pub mod queue;
pub mod stats;
#[cfg(not(any(queues_sites, loom)))]
mod sync;
#[cfg(any(queues_sites, loom))]
pub mod sync;
pub mod typed;
pub mod wait;

pub use error::{Error, Result};
pub use queue::batch::Limits;
pub use stats::Stats;
pub use typed::{
    Batcher, Consumer, Iter, Mpmc, Priority, Producer, PutError, Stealer, TryIter, Worker, deque,
    growable_deque, spsc,
};
pub use wait::Wait;

/// README's Rust program, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
