//! Atomics whose every access names its site.

use super::{Ordering, Relaxed, imp};
#[cfg(loom)]
use super::{SeqCst, fence, take_turn};

/// What models do not see: words in cells, whose ownership models check by other means; flags of the
/// whole process; and the lock around the panics of drops.
pub(crate) mod unmodeled {
    pub(crate) use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize};
    pub(crate) use std::sync::{Mutex, MutexGuard, PoisonError};
}

/// loom treats SeqCst accesses as AcqRel but models SeqCst fences, so a model gets a fence before each.
#[inline(always)]
fn before(_ordering: Ordering) {
    #[cfg(loom)]
    if _ordering == SeqCst {
        imp::fence(SeqCst);
    }
}

/// The ordering of a compare-and-swap that fails. Callers load the value again before they use it, so
/// they need no stronger one.
const FAILED: Ordering = Relaxed;

macro_rules! atomic {
    ($name:ident, $value:ty) => {
        /// An atomic integer whose every access is named by a [`site`].
        #[derive(Debug)]
        #[cfg_attr(not(loom), repr(transparent))]
        pub(crate) struct $name {
            value: imp::$name,
            /// The value that was written last, in the order of the model's steps.
            #[cfg(loom)]
            last: core::sync::atomic::$name,
        }

        #[allow(dead_code)] // each width uses its own subset
        impl $name {
            #[cfg(not(loom))]
            pub(crate) const fn new(value: $value) -> Self {
                Self { value: imp::$name::new(value) }
            }
            #[cfg(loom)]
            pub(crate) fn new(value: $value) -> Self {
                let last = core::sync::atomic::$name::new(value);
                Self { value: imp::$name::new(value), last }
            }
            #[inline(always)]
            fn note(&self, _value: $value) {
                #[cfg(loom)]
                self.last.store(_value, Relaxed);
            }
            #[inline(always)]
            pub(crate) fn load(&self, at: Ordering) -> $value {
                before(at);
                self.value.load(at)
            }
            /// A load after a light fence. In a model where membarrier is withdrawn it never reads an
            /// old value: see `fence::withdrawal`.
            #[inline(always)]
            pub(crate) fn load_after_light_fence(&self, at: Ordering) -> $value {
                #[cfg(loom)]
                if fence::withdrawal::is_modeled() {
                    take_turn();
                    return self.last.load(Relaxed);
                }
                self.load(at)
            }
            #[inline(always)]
            pub(crate) fn store(&self, value: $value, at: Ordering) {
                before(at);
                self.value.store(value, at);
                self.note(value);
            }
            #[inline(always)]
            pub(crate) fn swap(&self, value: $value, at: Ordering) -> $value {
                before(at);
                let old = self.value.swap(value, at);
                self.note(value);
                old
            }
            #[inline(always)]
            pub(crate) fn fetch_add(&self, value: $value, at: Ordering) -> $value {
                before(at);
                let old = self.value.fetch_add(value, at);
                self.note(old.wrapping_add(value));
                old
            }
            #[inline(always)]
            pub(crate) fn fetch_sub(&self, value: $value, at: Ordering) -> $value {
                before(at);
                let old = self.value.fetch_sub(value, at);
                self.note(old.wrapping_sub(value));
                old
            }
            #[inline(always)]
            pub(crate) fn fetch_or(&self, value: $value, at: Ordering) -> $value {
                before(at);
                let old = self.value.fetch_or(value, at);
                self.note(old | value);
                old
            }
            #[inline(always)]
            pub(crate) fn fetch_and(&self, value: $value, at: Ordering) -> $value {
                before(at);
                let old = self.value.fetch_and(value, at);
                self.note(old & value);
                old
            }
            #[inline(always)]
            pub(crate) fn fetch_max(&self, value: $value, at: Ordering) -> $value {
                before(at);
                let old = self.value.fetch_max(value, at);
                self.note(old.max(value));
                old
            }
            /// Compare-and-swap; returns whether it replaced `old` by `new`.
            #[inline(always)]
            pub(crate) fn replace(&self, old: $value, new: $value, at: Ordering) -> bool {
                before(at);
                let done = self.value.compare_exchange(old, new, at, FAILED).is_ok();
                if done {
                    self.note(new);
                }
                done
            }
        }
    };
}
atomic!(AtomicU32, u32);
atomic!(AtomicU64, u64);

/// An atomic address whose every access is named by a [`site`].
#[derive(Debug)]
pub(crate) struct AtomicPtr<T>(imp::AtomicPtr<T>);

impl<T> AtomicPtr<T> {
    pub(crate) fn new(address: *mut T) -> Self {
        Self(imp::AtomicPtr::new(address))
    }
    #[inline(always)]
    pub(crate) fn load(&self, at: Ordering) -> *mut T {
        before(at);
        self.0.load(at)
    }
    #[inline(always)]
    pub(crate) fn store(&self, address: *mut T, at: Ordering) {
        before(at);
        self.0.store(address, at)
    }
    /// Compare-and-swap; returns whether it replaced `old` by `new`.
    pub(crate) fn replace(&self, old: *mut T, new: *mut T, at: Ordering) -> bool {
        before(at);
        self.0.compare_exchange(old, new, at, FAILED).is_ok()
    }
}
