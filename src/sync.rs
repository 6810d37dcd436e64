//! The only door to atomics, fences, cells and parking: `std` normally, loom under `cfg(loom)`.
//!
//! Every access names its *site*, `load(site("ring.push.slot", SeqCst))`. A site costs nothing in
//! an ordinary build. Under `cfg(queues_sites)` it is where a test parks a thread in mid-call and
//! where a mutation run weakens one ordering to see whether a test notices ([`sites`]).

mod cancel;
#[cfg(not(loom))]
mod fence;
#[cfg(loom)]
pub mod fence;
#[cfg(not(loom))]
mod lock;
#[cfg(loom)]
pub mod lock;
mod pair;
mod park;
#[cfg(queues_sites)]
pub mod sites;

pub(crate) use cancel::hold_off_cancellation;
pub(crate) use core::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};
pub(crate) use fence::{Fences, fence};
#[cfg(any(target_arch = "x86_64", loom, miri))]
pub(crate) use pair::Pair;
pub(crate) use park::{Clock, Deadline, Parking};

#[cfg(not(loom))]
use core::sync::atomic as imp;
#[cfg(loom)]
use loom::sync::atomic as imp;

/// Names an atomic access and returns the ordering that it is to use.
#[cfg(not(any(queues_sites, loom)))]
#[inline(always)]
pub(crate) const fn site(_name: &'static str, ordering: Ordering) -> Ordering {
    ordering
}

/// Names an atomic access: runs the thread's hook, then returns the ordering, weakened if this
/// site is the mutant of the run.
#[cfg(any(queues_sites, loom))]
pub(crate) fn site(_name: &'static str, ordering: Ordering) -> Ordering {
    #[cfg(loom)]
    if ordering != Relaxed {
        take_turn();
    }
    #[cfg(queues_sites)]
    return sites::visit(_name, ordering);
    #[cfg(not(queues_sites))]
    ordering
}

/// Conflicts with every other thread's steps. loom remembers only the last access of each atomic
/// when it looks for what to reorder, so that a thread's own load hides an earlier load of another
/// from the store that follows (loom's issues 166 and 392), and it does not reorder fences at all.
/// A relaxed store to one place before each step leaves it nothing to overlook, and orders nothing
/// itself.
#[cfg(loom)]
fn take_turn() {
    TURN.store(0, Relaxed);
}

#[cfg(loom)]
loom::lazy_static! {
    static ref TURN: imp::AtomicU32 = imp::AtomicU32::new(0);
}

/// Begins a model: what its threads share in here is there before they are. loom takes the first use
/// of such a thing for something that orders threads.
#[cfg(loom)]
pub fn begin_model() {
    take_turn();
    Clock::now();
    fence::withdrawal::begin_model();
}

/// loom takes SeqCst accesses as AcqRel but honours fences, so a model gets one before each.
#[inline(always)]
fn before(_ordering: Ordering) {
    #[cfg(loom)]
    if _ordering == SeqCst {
        imp::fence(SeqCst);
    }
}

/// The strongest ordering that a failed compare-and-swap of this one may have; a loop that failed
/// looks again through a load of its own, so nothing stronger is ever needed.
const FAILED: Ordering = Relaxed;

macro_rules! atomic {
    ($name:ident, $value:ty) => {
        /// An atomic integer whose every access is named by a [`site`].
        #[derive(Debug)]
        #[cfg_attr(not(loom), repr(transparent))]
        pub(crate) struct $name {
            value: imp::$name,
            /// What was written last, in the order of a model's steps.
            #[cfg(loom)]
            last: core::sync::atomic::$name,
        }

        #[allow(dead_code)] // each width uses its own subset
        impl $name {
            pub(crate) fn new(value: $value) -> Self {
                Self {
                    value: imp::$name::new(value),
                    #[cfg(loom)]
                    last: core::sync::atomic::$name::new(value),
                }
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
            /// A load behind a free fence, which in a model of its withdrawal is never outdated.
            #[inline(always)]
            pub(crate) fn load_after_light_fence(&self, at: Ordering) -> $value {
                #[cfg(loom)]
                if fence::withdrawal::is_modelled() {
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
            pub(crate) fn fetch_max(&self, value: $value, at: Ordering) -> $value {
                before(at);
                let old = self.value.fetch_max(value, at);
                self.note(old.max(value));
                old
            }
            /// True if `old` was there and `new` is now.
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
}

/// Exponential back-off after a lost race: 32 pauses, doubling to 256.
///
/// A pause is 26 ns on Zen 4. Without it two threads that put and get in turn spend their time
/// moving the line between them; see `docs/decisions/003-mpmc-under-contention.md`.
pub(crate) struct Backoff(u32);

impl Backoff {
    #[inline(always)]
    pub(crate) const fn new() -> Self {
        Self(32)
    }
    #[cold]
    pub(crate) fn pause(&mut self) {
        pause(self.0);
        self.0 = (self.0 * 2).min(256);
    }
}

/// Asks for a cache line, for writing. A hint: no effect on what the program means.
#[inline(always)]
pub(crate) fn prefetch_for_write<T>(_at: *const T) {
    #[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
    // SAFETY: a prefetch touches nothing; where the processor does not know it, it is a no-op.
    unsafe {
        core::arch::asm!("prefetchw [{at}]", at = in(reg) _at, options(readonly, nostack, preserves_flags));
    }
}

/// Asks for a cache line, for reading. A hint: no effect on what the program means.
#[inline(always)]
pub(crate) fn prefetch_for_read<T>(_at: *const T) {
    #[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
    // SAFETY: a prefetch touches nothing.
    unsafe {
        core::arch::asm!("prefetcht0 [{at}]", at = in(reg) _at, options(readonly, nostack, preserves_flags));
    }
}

/// Lets `times` pause instructions pass; a model yields instead, so that others may run.
#[inline(never)]
pub(crate) fn pause(_times: u32) {
    #[cfg(loom)]
    loom::thread::yield_now();
    #[cfg(not(loom))]
    for _ in 0..if cfg!(miri) { 1 } else { _times } {
        core::hint::spin_loop();
    }
}

/// Offers the processor to another thread.
pub(crate) fn yield_now() {
    #[cfg(loom)]
    loom::thread::yield_now();
    #[cfg(not(loom))]
    std::thread::yield_now();
}

/// Two words that the system is asked for, once in a process.
///
/// Threads that are first together all ask, and get the same words. None waits for another, as with
/// a lock: after a fork that one may be gone.
pub(crate) struct Asked {
    known: core::sync::atomic::AtomicBool,
    words: [core::sync::atomic::AtomicUsize; 2],
}

impl Asked {
    pub(crate) const fn new() -> Self {
        use core::sync::atomic::{AtomicBool, AtomicUsize};
        let words = [AtomicUsize::new(0), AtomicUsize::new(0)];
        Self { known: AtomicBool::new(false), words }
    }

    pub(crate) fn get(&self, ask: impl FnOnce() -> [usize; 2]) -> [usize; 2] {
        // Ordering: Acquire and Release, so that who finds them known sees both words.
        if !self.known.load(Acquire) {
            for (word, answer) in self.words.iter().zip(ask()) {
                word.store(answer, Relaxed);
            }
            self.known.store(true, Release);
        }
        [0, 1].map(|i: usize| self.words[i].load(Relaxed))
    }
}

/// Whether there is another processor that could end a wait. Not that this thread may run on it: a
/// pinned thread waits for others.
///
/// The first call makes the C library read a file: a queue's creation is that call.
pub(crate) fn has_many_processors() -> bool {
    static COUNT: Asked = Asked::new();
    // SAFETY: sysconf only answers.
    let count = || unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
    !cfg!(loom) && COUNT.get(|| [count().max(1) as usize, 0])[0] > 1
}

/// A short lock, for what cannot do without. In the models of queues it is loom's own, which takes
/// fewer steps; ours has a model of its own.
#[cfg(not(loom))]
pub(crate) use lock::Lock as Mutex;

/// See above.
#[cfg(loom)]
#[derive(Debug)]
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

#[cfg(loom)]
impl<T> Mutex<T> {
    // No debugger looks into a model.
    pub(crate) const WORD: usize = 0;
    pub(crate) const VALUE: usize = 0;
    pub(crate) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }
    pub(crate) fn lock(&self) -> impl core::ops::DerefMut<Target = T> {
        self.0.lock().unwrap()
    }
}

/// A mark for memory that one thread at a time owns, by a rule the owner can state; loom checks it.
#[cfg(loom)]
#[derive(Debug)]
pub(crate) struct Owned(loom::cell::UnsafeCell<()>);

// SAFETY: loom itself watches that no two threads are in it at once.
#[cfg(loom)]
unsafe impl Sync for Owned {}

#[cfg(loom)]
impl Owned {
    pub(crate) fn new() -> Self {
        Self(loom::cell::UnsafeCell::new(()))
    }
    /// Runs `f`, which touches the memory that this stands for.
    pub(crate) fn change<R>(&self, f: impl FnOnce() -> R) -> R {
        self.0.with_mut(|_| f())
    }
}
