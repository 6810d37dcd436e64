//! Ownership of memory, which loom checks.

/// A mark for memory that one thread at a time owns, by a rule the owner can state; loom checks it.
#[derive(Debug)]
pub(crate) struct Owned(loom::cell::UnsafeCell<()>);

// SAFETY: loom itself watches that no two threads are in it at once.
unsafe impl Sync for Owned {}

impl Owned {
    pub(crate) fn new() -> Self {
        Self(loom::cell::UnsafeCell::new(()))
    }
    /// Runs `f`, which touches the memory that this stands for.
    pub(crate) fn change<R>(&self, f: impl FnOnce() -> R) -> R {
        self.0.with_mut(|_| f())
    }
}
