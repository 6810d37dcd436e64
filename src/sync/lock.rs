//! A short lock of one word.
//!
//! The word is free, held, or held while others may sleep on it; only the last makes an unlock
//! wake somebody (the second mutex of Ulrich Drepper, "Futexes are tricky", 2004). It allocates
//! nothing, keeps no table of threads and does not poison: see `docs/decisions/011-a-lock-of-ours.md`.

use super::{Acquire, Backoff, Deadline, Parking, Relaxed, Release, site};
use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

const FREE: u32 = 0;
const HELD: u32 = 1;
const CONTENDED: u32 = 2;

/// See the module.
#[derive(Debug)]
pub struct Lock<T> {
    parking: Parking,
    value: UnsafeCell<T>,
    #[cfg(loom)]
    owned: super::Owned,
}

// SAFETY: one thread at a time gets at the value, through the guard.
unsafe impl<T: Send> Sync for Lock<T> {}

/// The lock, held until this is dropped.
#[derive(Debug)]
pub struct Guard<'a, T> {
    lock: &'a Lock<T>,
    /// Shared between threads only if the value may be.
    value: PhantomData<&'a mut T>,
}

impl<T> Lock<T> {
    /// Where the word lies, and what it guards.
    pub(crate) const WORD: usize = core::mem::offset_of!(Self, parking);
    pub(crate) const VALUE: usize = core::mem::offset_of!(Self, value);

    /// A free lock.
    pub fn new(value: T) -> Self {
        Self {
            parking: Parking::new(),
            value: UnsafeCell::new(value),
            #[cfg(loom)]
            owned: super::Owned::new(),
        }
    }

    /// Waits until the lock is free, and takes it. Not twice in one thread.
    #[inline(always)]
    pub fn lock(&self) -> Guard<'_, T> {
        if !self.try_take() {
            self.take_later();
        }
        Guard { lock: self, value: PhantomData }
    }

    #[inline(always)]
    fn try_take(&self) -> bool {
        // Ordering: Acquire, pairs with the Release in `Guard::drop`.
        self.parking.word().replace(FREE, HELD, site("lock.take", Acquire))
    }

    /// Backs off for a while before it sleeps: so the holder can come back for the lock a few times,
    /// with what it guards still in its cache.
    #[cold]
    #[inline(never)]
    fn take_later(&self) {
        let word = self.parking.word();
        let mut backoff = Backoff::new();
        for _ in 0..if cfg!(loom) { 0 } else { 4 } {
            backoff.pause();
            // Ordering: Relaxed; what is seen is only worth a try.
            if word.load(site("lock.look", Relaxed)) == FREE && self.try_take() {
                return;
            }
        }
        // Whoever has slept cannot know whether others still do, so its own unlock wakes, too.
        // Ordering: Acquire, as in `try_take`.
        while word.swap(CONTENDED, site("lock.contend", Acquire)) != FREE {
            self.parking.sleep(CONTENDED, Deadline::NEVER);
        }
    }

    /// Runs `f` with the lock held, while loom watches that nobody else does.
    #[cfg(loom)]
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        let mut guard = self.lock();
        self.owned.change(|| f(&mut guard))
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        let parking = &self.lock.parking;
        // Ordering: Release, pairs with the Acquires above. From here on the lock may be gone:
        // waking uses its address only.
        if parking.word().swap(FREE, site("lock.release", Release)) == CONTENDED {
            wake(parking);
        }
    }
}

#[cold]
#[inline(never)]
fn wake(parking: &Parking) {
    parking.wake(1);
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: the lock is held.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the lock is held, and this is its only guard.
        unsafe { &mut *self.lock.value.get() }
    }
}

/// The lock that queues use. In their models it is loom's own, which takes fewer steps; [`Lock`] has a
/// model of its own.
#[cfg(not(loom))]
pub(crate) type Mutex<T> = Lock<T>;

/// loom's own.
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
