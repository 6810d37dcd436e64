//! Drop callbacks: how the items that no call gets come back to the program.

use core::ffi::c_void;

/// Disposes of an item that no call gets: one that is still in the queue at the last release, or
/// that clear removed. It is called once for each, with drop_ctx of the options. item is the
/// pointer, or the address of the blob: aligned to 8, valid during the callback.
///
/// It runs on the thread that calls clear or release. It may call the library, except on a queue
/// that is being freed. It must not throw a C++ exception, longjmp out or end its thread; that
/// thread is not canceled during the callback. A Rust panic becomes QUEUES_PANIC if the library is
/// linked as a crate into a Rust program; otherwise it ends the process.
pub type queues_drop_t = Option<unsafe extern "C-unwind" fn(ctx: *mut c_void, item: *mut c_void)>;

/// Disposes of a blob as queues_drop_t does: data is its address, len its length in bytes.
pub type queues_drop_bytes_t =
    Option<unsafe extern "C-unwind" fn(ctx: *mut c_void, data: *mut c_void, len: usize)>;
