//! The C ABI: plain functions, one file per family, in the order of the header.
//!
//! An exported function checks its arguments (`arguments`), borrows the queue of its handle
//! (`handle`), calls [`crate::wait::Blocking`] or the deque, and returns a status (`status`). Its text
//! is the text of the header, which `build/header.rs` generates with the help of
//! `ffi/queues.h.in`.

#![allow(non_camel_case_types)] // the names are C's
#![allow(clippy::missing_safety_doc)] // the text of the header is the contract

mod arguments;
pub mod batch;
mod callbacks;
mod common;
pub mod deque;
mod handle;
pub mod mpmc;
mod options;
pub mod priority;
mod race_detector;
pub mod spsc;
pub mod stats;
pub mod status;
mod version;

pub use callbacks::{queues_drop_bytes_t, queues_drop_t};
pub use version::{queues_version, queues_version_number};
