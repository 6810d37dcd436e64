//! A lock of one word, for short critical sections.
//!
//! The word is free, held, or held while other threads may sleep on it; only an unlock from the last
//! state wakes a thread (the second mutex of Ulrich Drepper, "Futexes are tricky", 2004). The lock does
//! not allocate, keeps no table of threads and does not poison: see
//! `docs/decisions/011-a-lock-of-ours.md`.

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

// SAFETY: one thread at a time accesses the value, through the guard.
unsafe impl<T: Send> Sync for Lock<T> {}

/// Holds the lock until it is dropped.
#[derive(Debug)]
pub struct Guard<'a, T> {
    lock: &'a Lock<T>,
    /// Makes the guard `Sync` only if the value is.
    value: PhantomData<&'a mut T>,
}

impl<T> Lock<T> {
    /// Offset of the word.
    pub(crate) const WORD: usize = core::mem::offset_of!(Self, parking);
    /// Offset of the value that the lock guards.
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

    /// Waits until the lock is free, and takes it. A thread that holds it already would wait for ever.
    #[inline(always)]
    pub fn lock(&self) -> Guard<'_, T> {
        if !self.try_take() {
            self.take_slow();
        }
        Guard { lock: self, value: PhantomData }
    }

    /// Takes the lock if it is free.
    pub(crate) fn try_lock(&self) -> Option<Guard<'_, T>> {
        self.try_take().then(|| Guard { lock: self, value: PhantomData })
    }

    #[inline(always)]
    fn try_take(&self) -> bool {
        // Ordering: Acquire, pairs with the Release in `Guard::drop`.
        self.parking.word().replace(FREE, HELD, site("lock.take", Acquire))
    }

    /// Backs off before it sleeps, so that the holder can take the lock again a few times while the
    /// value is still in its cache.
    #[cold]
    #[inline(never)]
    fn take_slow(&self) {
        let word = self.parking.word();
        let mut backoff = Backoff::new();
        for _ in 0..if cfg!(loom) { 0 } else { 4 } {
            backoff.pause();
            // Ordering: Relaxed; only decides whether to try.
            if word.load(site("lock.look", Relaxed)) == FREE && self.try_take() {
                return;
            }
        }
        // A thread that has slept does not know whether others still sleep, so its unlock wakes, too.
        // Ordering: Acquire, as in `try_take`.
        while word.swap(CONTENDED, site("lock.contend", Acquire)) != FREE {
            self.parking.sleep(CONTENDED, Deadline::NEVER);
        }
    }

    /// Runs `f` with the lock held, while loom checks that no other thread holds it.
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
        // Ordering: Release, pairs with the Acquires above. From here on another thread may free the
        // lock: the wake uses only its address.
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
