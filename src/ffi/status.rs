//! The one place where errors become statuses.

use crate::error::{Error, Result};
use crate::queue::Progress;
use core::any::Any;
use core::ffi::{c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a call returns: one of the constants QUEUES_OK to QUEUES_PANIC. Their values never change.
pub type queues_status_t = i32;

/// Done.
pub const QUEUES_OK: i32 = 0;
/// Nothing to get at some moment of the call.
pub const QUEUES_EMPTY: i32 = 1;
/// No room at some moment of the call.
pub const QUEUES_FULL: i32 = 2;
/// The queue is closed; for a get: and drained.
pub const QUEUES_CLOSED: i32 = 3;
/// The time was over first.
pub const QUEUES_TIMEOUT: i32 = 4;
/// A race was lost; try again.
pub const QUEUES_RETRY: i32 = 5;
/// The buffer is too small; the length that is needed was written, the item stayed.
pub const QUEUES_TOO_SMALL: i32 = 6;
/// An argument is invalid; nothing has changed.
pub const QUEUES_INVALID: i32 = -1;
/// Out of memory; nothing has changed but statistics.
pub const QUEUES_NOMEM: i32 = -2;
/// The rules about which threads may call at once, or in which order, were broken.
pub const QUEUES_MISUSE: i32 = -3;
/// A callback panicked; the call did all the rest of its work.
pub const QUEUES_PANIC: i32 = -4;

fn code(error: Error) -> queues_status_t {
    match error {
        Error::Empty => QUEUES_EMPTY,
        Error::Full => QUEUES_FULL,
        Error::Closed => QUEUES_CLOSED,
        Error::Timeout => QUEUES_TIMEOUT,
        Error::Retry => QUEUES_RETRY,
        Error::TooSmall { .. } => QUEUES_TOO_SMALL,
        Error::Invalid => QUEUES_INVALID,
        Error::NoMemory => QUEUES_NOMEM,
        Error::Misuse => QUEUES_MISUSE,
        Error::Panic => QUEUES_PANIC,
    }
}

/// Runs the body of a function and answers its status; no panic gets past it.
#[inline(always)]
pub(super) fn status_of(body: impl FnOnce() -> Result) -> queues_status_t {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => QUEUES_OK,
        Ok(Err(error)) => code(error),
        Err(panic) => panicked(panic),
    }
}

/// Out of the way, so that what does not panic saves no registers for it.
#[cold]
#[inline(never)]
fn panicked(panic: Box<dyn Any + Send>) -> queues_status_t {
    drop(panic);
    QUEUES_PANIC
}

/// As [`status_of`], where the function answers something else than a status.
pub(super) fn value_or<T>(otherwise: T, body: impl FnOnce() -> Result<T>) -> T {
    catch_unwind(AssertUnwindSafe(body)).ok().and_then(Result::ok).unwrap_or(otherwise)
}

/// A short text for a status, as in "the queue is full"; for any other number "unknown status".
/// Does not wait. Any thread. Never NULL, static.
/// Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn queues_status_string(status: i32) -> *const c_char {
    let text = match status {
        QUEUES_OK => c"done",
        QUEUES_EMPTY => c"the queue is empty",
        QUEUES_FULL => c"the queue is full",
        QUEUES_CLOSED => c"the queue is closed",
        QUEUES_TIMEOUT => c"the time is over",
        QUEUES_RETRY => c"a race was lost, try again",
        QUEUES_TOO_SMALL => c"the buffer is too small",
        QUEUES_INVALID => c"an argument is invalid",
        QUEUES_NOMEM => c"out of memory",
        QUEUES_MISUSE => c"the queue was used against its rules",
        QUEUES_PANIC => c"a callback panicked",
        _ => c"unknown status",
    };
    text.as_ptr()
}

/// Writes an output; its address was checked with the other arguments.
///
/// # Safety
/// `place` is a C caller's output for a `T`.
#[inline(always)]
pub(super) unsafe fn write_out<T>(place: *mut T, value: T) {
    // SAFETY: by contract; C promises no alignment that we could rely on.
    unsafe { place.write_unaligned(value) }
}

/// Ends a call on many: writes how far it came. On the spot, since two results that go through
/// memory together are read before their stores, behind those of the items, have left the processor.
///
/// # Safety
/// As for [`write_out`].
#[inline(always)]
pub(super) unsafe fn write_progress(place: *mut usize, (done, result): Progress) -> Result {
    // SAFETY: by contract.
    unsafe { write_out(place, done) };
    result
}

/// [`Error::Invalid`] for a null output.
#[inline(always)]
pub(super) fn non_null<T>(place: *mut T) -> Result<*mut T> {
    if place.is_null() { Err(Error::Invalid) } else { Ok(place) }
}

/// Keeps `c_void` outputs apart from typed ones in signatures.
pub(super) type Item = *mut c_void;
