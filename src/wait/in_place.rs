//! Blobs that are written and read where they lie.

#![allow(private_bounds)] // nobody else implements `CellOwnership` or `RoleOwnership`

use super::{Blocking, WRITABLE, Wait};
use crate::error::{Error, Result};
use crate::payload::{Bytes, Dense};
use crate::queue::mpmc::{self, Indirect};
use crate::queue::spsc::{self, Spsc};
use core::ffi::c_void;

/// See [`Indirect::reserve`] and the methods beside it.
impl<K: mpmc::CellOwnership> Blocking<Indirect<Bytes, K>> {
    /// Reserves a cell, waiting for room.
    pub fn reserve(&self, wait: Wait) -> Result<*mut c_void> {
        match self.queue().reserve() {
            Err(Error::Full) => self.wait_to_reserve(wait),
            done => done,
        }
    }

    #[cold]
    fn wait_to_reserve(&self, wait: Wait) -> Result<*mut c_void> {
        let mut data = core::ptr::null_mut();
        self.find_room(wait, || self.queue().reserve().map(|at| data = at))?;
        // This call may have used up a wake-up, and has left the room for another.
        self.notify(WRITABLE, 1);
        Ok(data)
    }

    /// Puts a reservation, without waiting.
    pub fn commit(&self, data: *mut c_void, len: usize) -> Result {
        self.put_by(Wait::No, || self.queue().commit(data, len))
    }

    /// Ends a reservation without a put.
    pub fn cancel(&self, data: *mut c_void) -> Result {
        self.after_free(self.queue().cancel(data))
    }

    /// Takes the front item out, waiting for one, and leaves it in its cell.
    pub fn lease(&self, wait: Wait) -> Result<(*mut c_void, usize)> {
        self.get_by(wait, || self.queue().lease())
    }

    /// Ends a lease.
    pub fn settle(&self, data: *mut c_void) -> Result {
        self.after_free(self.queue().settle(data))
    }

    /// Puts a leased item at the end, without waiting.
    pub fn put_back(&self, data: *mut c_void) -> Result {
        self.put_by(Wait::No, || self.queue().put_back(data))
    }

    /// A put may have found room but no cell.
    fn after_free(&self, done: Result) -> Result {
        if done.is_ok() {
            self.notify(WRITABLE, 1);
        }
        done
    }
}

/// See [`Spsc::reserve`] and the methods beside it. Each tries once inline. Only if the queue was full
/// or empty it calls a function, which counts the failure or waits.
impl<K: spsc::RoleOwnership> Blocking<Spsc<Dense, K>> {
    /// Reserves a slot, waiting for room.
    ///
    /// # Safety
    /// As [`Spsc::reserve`].
    #[inline(always)]
    pub unsafe fn reserve(&self, wait: Wait) -> Result<*mut u8> {
        // SAFETY: the same contract.
        match unsafe { self.queue().reserve() } {
            // SAFETY: the same contract.
            Err(Error::Full) => unsafe { self.reserve_slow(wait) },
            done => done,
        }
    }

    /// # Safety
    /// As [`Spsc::reserve`].
    #[cold]
    #[inline(never)]
    unsafe fn reserve_slow(&self, wait: Wait) -> Result<*mut u8> {
        let mut data = core::ptr::null_mut();
        // SAFETY: the same contract.
        let reserve = || unsafe { self.queue().reserve() }.map(|at| data = at);
        self.wait_for_room(wait.deadline(), reserve)?;
        Ok(data)
    }

    /// Puts the first `len` bytes of the reservation, without waiting.
    ///
    /// # Safety
    /// As [`Spsc::commit`].
    #[inline(always)]
    pub unsafe fn commit(&self, len: usize) -> Result {
        // SAFETY: the same contract.
        self.after_put(unsafe { self.queue().commit(len) })
    }

    /// Returns the front blob where it lies, waiting for one.
    ///
    /// # Safety
    /// As [`Spsc::front`].
    #[inline(always)]
    pub unsafe fn front(&self, wait: Wait) -> Result<(*const u8, usize)> {
        // SAFETY: the same contract.
        match unsafe { self.queue().front() } {
            // SAFETY: the same contract.
            Err(Error::Empty) => unsafe { self.front_slow(wait) },
            done => done,
        }
    }

    /// # Safety
    /// As [`Spsc::front`].
    #[cold]
    #[inline(never)]
    unsafe fn front_slow(&self, wait: Wait) -> Result<(*const u8, usize)> {
        // SAFETY: the same contract.
        self.wait_for_item(wait, || unsafe { self.queue().front() })
    }

    /// Removes the front blob without copying it, and without waiting.
    ///
    /// # Safety
    /// As [`Spsc::consume`].
    #[inline(always)]
    pub unsafe fn consume(&self) -> Result {
        // SAFETY: the same contract.
        match unsafe { self.queue().consume() } {
            // SAFETY: the same contract.
            Err(Error::Empty) => unsafe { self.consume_slow() },
            Ok(()) => {
                self.notify(WRITABLE, 1);
                Ok(())
            }
            failed => failed,
        }
    }

    /// # Safety
    /// As [`Spsc::consume`].
    #[cold]
    #[inline(never)]
    unsafe fn consume_slow(&self) -> Result {
        // SAFETY: the same contract.
        self.wait_for_item(Wait::No, || unsafe { self.queue().consume() })?;
        self.notify(WRITABLE, 1);
        Ok(())
    }
}
