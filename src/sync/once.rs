//! Facts about the system that are asked for once in a process.

use super::unmodeled::{AtomicBool, AtomicUsize};
use super::{Acquire, Relaxed, Release};

/// Two words that the system is asked for, once in a process.
///
/// Threads that are first together all ask, and get the same words. None waits for another, as with
/// a lock: after a fork that one may be gone.
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
