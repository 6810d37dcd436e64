//! Holding off POSIX thread cancellation.
//!
//! A thread that was cancelled unwinds from the first cancellation point that it reaches, such as
//! `close` or `pthread_cond_wait`. That unwinding must not be stopped, and ends the process where it
//! meets a frame that stops every unwinding, as the library's frames do. So nobody is cancelled within
//! the library: a request stays pending, and is acted on at the thread's next cancellation point.

use core::ffi::c_int;
use core::marker::PhantomData;

/// While this lives its thread is not cancelled; afterwards its state is the one from before, whatever
/// a callback made of it. A library call, not one of the system.
#[must_use]
pub(crate) struct HeldOff {
    before: c_int,
    /// The state is the thread's.
    thread: PhantomData<*mut ()>,
}

/// Begins to hold cancellation off.
pub(crate) fn hold_off_cancellation() -> HeldOff {
    HeldOff { before: set_state(DISABLE), thread: PhantomData }
}

impl Drop for HeldOff {
    fn drop(&mut self) {
        set_state(self.before);
    }
}

const DISABLE: c_int = if cfg!(any(target_vendor = "apple", target_os = "hurd")) { 0 } else { 1 };

/// Sets whether this thread can be cancelled; how it was.
#[cfg(all(unix, not(any(target_os = "android", miri, loom))))]
fn set_state(state: c_int) -> c_int {
    // The libc crate does not have it. It may unwind where a thread is cancelled asynchronously.
    unsafe extern "C-unwind" {
        fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
    }
    let mut before = state;
    // SAFETY: the state is one that the system knows, and `before` is a place for the other.
    unsafe { pthread_setcancelstate(state, &mut before) };
    before
}

/// There is no cancellation in Android, nor in models and interpreters.
#[cfg(not(all(unix, not(any(target_os = "android", miri, loom)))))]
fn set_state(state: c_int) -> c_int {
    state
}
