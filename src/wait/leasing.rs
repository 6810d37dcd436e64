use super::{Blocking, Wait};
use crate::error::{Error, Result};
use crate::payload::Bytes;
use crate::queue::mpmc::Indirect;
use core::ffi::c_void;

/// Reading and writing in place; see [`Indirect::reserve`] and its neighbours.
impl Blocking<Indirect<Bytes>> {
    /// Reserves a cell, waiting for room.
    pub fn reserve(&self, wait: Wait) -> Result<*mut c_void> {
        match self.queue().reserve() {
            Err(Error::Full) => self.reserve_later(wait),
            done => done,
        }
    }

    #[cold]
    fn reserve_later(&self, wait: Wait) -> Result<*mut c_void> {
        let mut data = core::ptr::null_mut();
        self.room_with(wait, || self.queue().reserve().map(|at| data = at))?;
        // This call may have used up a wake-up; the room is still there for another.
        self.waiting.not_full.notify(1);
        Ok(data)
    }

    /// Puts a reservation, without waiting.
    pub fn commit(&self, data: *mut c_void, len: usize) -> Result {
        self.put_with(Wait::No, || self.queue().commit(data, len))
    }

    /// Ends a reservation without a put.
    pub fn cancel(&self, data: *mut c_void) -> Result {
        self.after_free(self.queue().cancel(data))
    }

    /// Takes the front item out, waiting for one, and leaves it in its cell.
    pub fn lease(&self, wait: Wait) -> Result<(*mut c_void, usize)> {
        self.get_with(wait, || self.queue().lease())
    }

    /// Ends a lease.
    pub fn settle(&self, data: *mut c_void) -> Result {
        self.after_free(self.queue().settle(data))
    }

    /// Puts a leased item at the end, without waiting.
    pub fn put_back(&self, data: *mut c_void) -> Result {
        self.put_with(Wait::No, || self.queue().put_back(data))
    }

    /// A put may have found room but no cell.
    fn after_free(&self, done: Result) -> Result {
        if done.is_ok() {
            self.waiting.not_full.notify(1);
        }
        done
    }
}
