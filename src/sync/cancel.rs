//! Disables POSIX thread cancellation while a thread sleeps or calls back inside the library.
//!
//! A canceled thread unwinds from the next cancellation point that it reaches, such as `close` or
//! `pthread_cond_wait`. The unwinding ends the process when it meets a frame that stops every
//! unwinding, as the frames of the library do. So no thread is canceled inside the library: a request
//! stays pending until the thread's next cancellation point outside it.

use core::ffi::c_int;
use core::marker::PhantomData;

/// While this exists its thread is not canceled. Its drop restores the state from before, even if a
/// callback changed it. Costs a call of the C library, no system call.
#[must_use]
pub(crate) struct CancellationDisabled {
    before: c_int,
    /// The state belongs to the thread.
    thread: PhantomData<*mut ()>,
}

/// Disables cancellation until the result is dropped.
pub(crate) fn disable_cancellation() -> CancellationDisabled {
    CancellationDisabled { before: set_state(DISABLE), thread: PhantomData }
}

impl Drop for CancellationDisabled {
    fn drop(&mut self) {
        set_state(self.before);
    }
}

const DISABLE: c_int = if cfg!(any(target_vendor = "apple", target_os = "hurd")) { 0 } else { 1 };

/// Sets whether this thread can be canceled; returns the former state.
#[cfg(all(unix, not(any(target_os = "android", miri, loom))))]
fn set_state(state: c_int) -> c_int {
    // The libc crate does not declare it. It may unwind in a thread that is canceled asynchronously.
    unsafe extern "C-unwind" {
        fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
    }
    let mut before = state;
    // SAFETY: the system knows the state; `before` is a valid output.
    unsafe { pthread_setcancelstate(state, &mut before) };
    before
}

/// Android, models and interpreters have no cancellation.
#[cfg(not(all(unix, not(any(target_os = "android", miri, loom)))))]
fn set_state(state: c_int) -> c_int {
    state
}
