//! The C ABI: plain functions, one file per family, in the order of the header.
//!
//! Every function borrows its handle, delegates to [`crate::wait::Blocking`] (the deque's to the deque
//! itself) and translates the result; `handle` and `status` say how.

#![allow(non_camel_case_types)] // the names are C's
#![allow(clippy::missing_safety_doc)] // the text of the header is the contract

mod arguments;
pub mod batch;
pub mod deque;
mod handle;
pub mod mpmc;
pub mod priority;
mod race_detector;
pub mod spsc;
pub mod stats;
pub mod status;

use core::ffi::{c_char, c_void};

/// What becomes of an item that nobody gets: called once for each that `clear` takes or that is
/// left at the last release, with the context of the options. Pointer queues pass the pointer,
/// byte queues the address of the bytes (valid during the call, aligned to 8).
///
/// It runs on the thread that called `clear` or `release`, may call the library (but not use a
/// queue that is being freed), and must not throw a C++ exception, jump out or end its thread, which
/// is not cancelled meanwhile. A Rust panic becomes QUEUES_PANIC if the library is part of that Rust
/// program; one of a program that links the library as C does ends the process.
pub type queues_drop_t = Option<unsafe extern "C-unwind" fn(ctx: *mut c_void, item: *mut c_void)>;

/// As queues_drop_t, for queues of blobs only: data points at the len bytes of the blob.
pub type queues_drop_bytes_t =
    Option<unsafe extern "C-unwind" fn(ctx: *mut c_void, data: *mut c_void, len: usize)>;

/// The version of the library that runs, as in "1.2.3"; QUEUES_VERSION is that of the header.
/// Does not wait. Any thread. Never NULL, static.
/// Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn queues_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
