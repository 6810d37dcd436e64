//! The only door to atomics, fences, the 16-byte compare-and-swap, the lock, the clock and the
//! kernel's wait calls: `std` and Linux normally, loom under `cfg(loom)`.
//!
//! Every access to these atomics names its *site*: `load(site("ring.slot.load", SeqCst))`. The atomics
//! of `unmodeled`, and flags inside this module, have none. A site costs nothing in an ordinary build.
//! Under `cfg(queues_sites)` a test can stop a thread there, and a mutation run can weaken its ordering
//! to see whether a test fails ([`sites`]).

mod atomic;
mod cancel;
#[cfg(not(loom))]
mod descriptor;
#[cfg(loom)]
pub mod descriptor;
#[cfg(not(loom))]
mod fence;
#[cfg(loom)]
pub mod fence;
mod hint;
#[cfg(not(loom))]
mod lock;
#[cfg(loom)]
pub mod lock;
mod once;
#[cfg(loom)]
mod owned;
mod pair;
mod park;
mod site;
#[cfg(queues_sites)]
pub mod sites;
mod words;

pub(crate) use atomic::{AtomicPtr, AtomicU32, AtomicU64, unmodeled};
pub(crate) use cancel::disable_cancellation;
pub(crate) use core::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};
pub(crate) use descriptor::Descriptor;
pub(crate) use fence::{Fences, fence};
pub(crate) use hint::{
    Backoff, pause, pause_for, pause_rate, prefetch_for_read, prefetch_for_write, yield_now,
};
pub(crate) use lock::{Lock, Mutex};
pub(crate) use once::{Asked, has_many_processors};
#[cfg(loom)]
pub(crate) use owned::Owned;
#[cfg(any(target_arch = "x86_64", loom, miri))]
pub(crate) use pair::Pair;
pub(crate) use park::{Clock, Deadline, Parking, process_parking};
pub(crate) use site::site;
#[cfg(loom)]
use site::take_turn;
pub(crate) use words::Words;

#[cfg(not(loom))]
use core::sync::atomic as imp;
#[cfg(loom)]
use loom::sync::atomic as imp;

/// Begins a model: creates what its threads share in these modules. Otherwise loom would take the
/// first use of a lazy static for an ordering between threads.
#[cfg(loom)]
pub fn begin_model() {
    take_turn();
    Clock::now();
    process_parking();
    fence::withdrawal::begin_model();
}
