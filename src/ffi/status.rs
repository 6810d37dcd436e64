//! Statuses: the results of exported functions. One function turns the library's errors into them,
//! and keeps panics from crossing the ABI.

use crate::error::{Error, Result};
use core::any::Any;
use core::ffi::c_char;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub use queues_status_t::*;

/// The result of a call: 0 for success, above 0 an ordinary outcome, below 0 misuse or failure.
///
/// Values never change and are never reused. A later library may return others: treat an unknown
/// positive status as an ordinary outcome, and an unknown negative one as a failure.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum queues_status_t {
    /// Success.
    QUEUES_OK = 0,
    /// There was no item, no due batch or nothing ready at some moment of the call.
    QUEUES_EMPTY = 1,
    /// There was no room at some moment of the call.
    QUEUES_FULL = 2,
    /// The queue is closed; from a get: closed and empty.
    QUEUES_CLOSED = 3,
    /// timeout_ns passed before the call could succeed.
    QUEUES_TIMEOUT = 4,
    /// Another thread took the item; try again.
    QUEUES_RETRY = 5,
    /// The buffer is too small. The needed length was written; the item is still in the queue.
    QUEUES_TOO_SMALL = 6,
    /// An argument is invalid. Nothing has changed.
    QUEUES_INVALID = -1,
    /// Out of memory or of file descriptors. Nothing has changed except statistics.
    QUEUES_NOMEM = -2,
    /// A rule about which threads may call at the same time, or about the order of calls, was
    /// broken.
    QUEUES_MISUSE = -3,
    /// A drop callback panicked. The call did the rest of its work.
    QUEUES_PANIC = -4,
    /// The file of a shared queue has contents that no queue writes: another process has damaged
    /// it. Any call on a shared queue may return this. Items may be lost.
    QUEUES_CORRUPT = -5,
}

// As the header asserts.
const _: () = assert!(size_of::<queues_status_t>() == size_of::<i32>());

/// The status of an error. Their numbers are equal, so the compiler makes this a copy; as a match
/// from enum to enum it would become a table.
fn code(error: Error) -> i32 {
    match error {
        Error::Empty => QUEUES_EMPTY as i32,
        Error::Full => QUEUES_FULL as i32,
        Error::Closed => QUEUES_CLOSED as i32,
        Error::Timeout => QUEUES_TIMEOUT as i32,
        Error::Retry => QUEUES_RETRY as i32,
        Error::TooSmall { .. } => QUEUES_TOO_SMALL as i32,
        Error::Invalid => QUEUES_INVALID as i32,
        Error::NoMemory => QUEUES_NOMEM as i32,
        Error::Misuse => QUEUES_MISUSE as i32,
        Error::Panic => QUEUES_PANIC as i32,
        Error::Corrupt => QUEUES_CORRUPT as i32,
    }
}

/// Runs the body of an exported function and returns its status.
#[inline(always)]
pub(super) fn status_of(body: impl FnOnce() -> Result) -> queues_status_t {
    let status = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => QUEUES_OK as i32,
        Ok(Err(error)) => code(error),
        Err(panic) => panicked(panic) as i32,
    };
    // SAFETY: each of the three is the number of a status.
    unsafe { core::mem::transmute::<i32, queues_status_t>(status) }
}

/// A function of its own, so that calls without a panic save no registers.
#[cold]
#[inline(never)]
fn panicked(panic: Box<dyn Any + Send>) -> queues_status_t {
    drop(panic);
    QUEUES_PANIC
}

/// Runs the body of an exported function that returns a value; returns `default` if it fails.
pub(super) fn value_or<T>(default: T, body: impl FnOnce() -> Result<T>) -> T {
    catch_unwind(AssertUnwindSafe(body)).ok().and_then(Result::ok).unwrap_or(default)
}

/// Returns a short text for a status, such as "the queue is full"; "unknown status" for any other
/// number.
///
/// Wait-free. Any thread. The text is static.
#[unsafe(no_mangle)]
pub extern "C" fn queues_status_string(status: i32) -> *const c_char {
    const TEXTS: [(queues_status_t, &core::ffi::CStr); 12] = [
        (QUEUES_OK, c"success"),
        (QUEUES_EMPTY, c"the queue is empty"),
        (QUEUES_FULL, c"the queue is full"),
        (QUEUES_CLOSED, c"the queue is closed"),
        (QUEUES_TIMEOUT, c"the timeout passed"),
        (QUEUES_RETRY, c"another thread was first; try again"),
        (QUEUES_TOO_SMALL, c"the buffer is too small"),
        (QUEUES_INVALID, c"an argument is invalid"),
        (QUEUES_NOMEM, c"out of memory"),
        (QUEUES_MISUSE, c"a rule about threads or the order of calls was broken"),
        (QUEUES_PANIC, c"a drop callback panicked"),
        (QUEUES_CORRUPT, c"another process has damaged the shared queue"),
    ];
    let found = TEXTS.iter().find(|(known, _)| *known as i32 == status);
    found.map_or(c"unknown status", |(_, text)| text).as_ptr()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use core::ffi::CStr;

    #[test]
    fn a_status_and_its_error_have_the_same_number_and_text() {
        use Error::*;
        let needed = 1;
        for error in [
            Empty,
            Full,
            Closed,
            Timeout,
            Retry,
            TooSmall { needed },
            Invalid,
            NoMemory,
            Misuse,
            Panic,
            Corrupt,
        ] {
            let status = status_of(|| Err(error));
            assert_eq!(status as i32, code(error));
            // SAFETY: a static text.
            let text = unsafe { CStr::from_ptr(queues_status_string(status as i32)) };
            assert!(error.to_string().starts_with(text.to_str().unwrap()), "{error}: {text:?}");
        }
        assert_eq!(status_of(|| panic!("a panic of a drop callback")), QUEUES_PANIC);
    }
}
