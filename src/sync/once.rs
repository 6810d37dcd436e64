//! Facts about the system that are asked for once in a process.

use super::unmodeled::{AtomicBool, AtomicUsize};
use super::{Acquire, Relaxed, Release};

/// Two words of the system, read once in a process.
///
/// Threads that are first at the same time all ask, and get the same words. No thread waits for
/// another, as it would with a lock: after a fork the other one may not exist.
pub(crate) struct Asked {
    known: AtomicBool,
    words: [AtomicUsize; 2],
}

impl Asked {
    pub(crate) const fn new() -> Self {
        let words = [AtomicUsize::new(0), AtomicUsize::new(0)];
        Self { known: AtomicBool::new(false), words }
    }

    pub(crate) fn get(&self, ask: impl FnOnce() -> [usize; 2]) -> [usize; 2] {
        // Ordering: Acquire and Release: a thread that reads `known` as true sees both words.
        if !self.known.load(Acquire) {
            for (word, value) in self.words.iter().zip(ask()) {
                word.store(value, Relaxed);
            }
            self.known.store(true, Release);
        }
        [0, 1].map(|i: usize| self.words[i].load(Relaxed))
    }
}

/// Whether the machine has more than one processor, so that a spin can pay. Threads may be pinned: this
/// one spins for a thread on any processor.
///
/// The first call makes the C library read a file. The creation of a queue makes that call.
pub(crate) fn has_many_processors() -> bool {
    static COUNT: Asked = Asked::new();
    // SAFETY: sysconf only returns a number.
    let count = || unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
    !cfg!(loom) && COUNT.get(|| [count().max(1) as usize, 0])[0] > 1
}
