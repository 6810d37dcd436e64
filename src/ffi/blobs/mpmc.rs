use super::super::handle::{Role, on_blobs};
use super::super::mpmc::{MPMC, open_handle, queues_mpmc_t};
use super::super::race_detector::InPlace;
use super::{BytesQueue, blobs_of, bytes_at, check_len, receive};
use crate::error::{PutError, Result};
use crate::queue::SharedOptions;
use crate::queue::mpmc::Indirect;
use crate::wait::{Blocking, Wait};
use core::ffi::c_void;
use core::fmt;
use core::ops::{Deref, DerefMut};
use std::os::fd::{AsFd, AsRawFd};

/// A reference to a bounded queue of blobs for any number of threads at both ends, which other
/// languages can share: `queues_mpmc_t` of C with an item size. First in, first out.
///
/// A clone is another reference to the same queue. A drop does not close the queue. See
/// [`BytesQueue`] for the other calls.
///
/// ```
/// use queues::{Error, MpmcBytes, Wait};
/// use queues::ffi::mpmc::{queues_mpmc_put_bytes, queues_mpmc_release};
///
/// let queue = MpmcBytes::with_capacity(100, 64)?;
/// let handle = queue.clone().into_raw(); // for C, which releases it
/// unsafe {
///     queues_mpmc_put_bytes(handle, c"hello".as_ptr().cast(), 5, -1);
///     queues_mpmc_release(handle);
/// }
/// let mut buffer = [0; 64];
/// let len = queue.get(&mut buffer, Wait::Forever)?;
/// assert_eq!(&buffer[..len], b"hello");
/// # Ok::<(), Error>(())
/// ```
pub struct MpmcBytes(BytesQueue);

impl MpmcBytes {
    /// Creates an empty queue of exactly this capacity, for blobs of up to `item_size` bytes.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a capacity or item size of 0, or if their
    /// product overflows; [`Error::NoMemory`](crate::Error::NoMemory).
    pub fn with_capacity(capacity: usize, item_size: usize) -> Result<Self> {
        let queue = Indirect::try_new(capacity, blobs_of(item_size)?)?;
        let handle = MPMC.bytes.create(Blocking::new(queue), false)?;
        // SAFETY: it has one reference.
        unsafe { Self::from_raw(handle.cast()) }
    }

    /// Opens the shared queue in a file, or creates it there if the file is empty. Every process
    /// that opens the file uses the same queue, and a process that is killed makes no other process
    /// wait. `docs/guide/processes.md` has the details. The caller keeps the file and may close it.
    /// Allocates. Linux only.
    ///
    /// A forked child opens the file itself: calls with this object fail with
    /// [`Error::Invalid`](crate::Error::Invalid) there. Any call fails with
    /// [`Error::Corrupt`](crate::Error::Corrupt) if it finds that another process has damaged the
    /// file. A process that breaks the rules can change the bytes of a lease or reservation at any
    /// time, so copy them before you check them.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) if the file is not such a queue, has other sizes
    /// or flags than `options`, or is not open for reading and writing;
    /// [`Error::NoMemory`](crate::Error::NoMemory) if memory, file system, descriptors or
    /// attachments are used up; [`Error::Corrupt`](crate::Error::Corrupt) if another process keeps
    /// changing the file.
    pub fn open_shared(file: impl AsFd, options: &SharedOptions) -> Result<Self> {
        let handle = open_handle(file.as_fd().as_raw_fd(), options)?;
        // SAFETY: it has one reference.
        unsafe { Self::from_raw(handle.cast()) }
    }

    /// Takes over a reference to a queue of C: from `queues_mpmc_create`, from `queues_mpmc_retain`
    /// or from [`MpmcBytes::into_raw`].
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) if `queue` is null, or a queue of pointers or of
    /// another family. Then the caller keeps the reference.
    ///
    /// # Safety
    /// `queue` is null or a handle of this library, and the caller gives up a reference to it.
    pub unsafe fn from_raw(queue: *mut queues_mpmc_t) -> Result<Self> {
        // SAFETY: by contract.
        unsafe {
            let item_size = MPMC.item_size(queue)?;
            Ok(Self(BytesQueue { any: MPMC.any(queue)?, item_size }))
        }
    }

    /// Returns the queue for C, with the reference of this object. The caller releases it by
    /// `queues_mpmc_release`, or takes it over again by [`MpmcBytes::from_raw`].
    #[must_use = "the queue would never be freed"]
    pub fn into_raw(self) -> *mut queues_mpmc_t {
        self.0.into_raw()
    }

    /// Returns the queue for C, without a reference. It is valid while this object lives, or until
    /// C releases a reference that it added by `queues_mpmc_retain`.
    pub fn as_raw(&self) -> *mut queues_mpmc_t {
        self.0.as_raw()
    }

    /// Puts a copy of `blob` without waiting; lock-free.
    ///
    /// # Errors
    /// [`Error::Full`](crate::Error::Full), [`Error::Closed`](crate::Error::Closed),
    /// [`Error::Invalid`](crate::Error::Invalid) if `blob` is longer than the item size.
    pub fn try_put(&self, blob: &[u8]) -> Result {
        self.put(blob, Wait::No)
    }

    /// Puts a copy of `blob`, waiting for room.
    ///
    /// # Errors
    /// As [`MpmcBytes::try_put`]; [`Error::Timeout`](crate::Error::Timeout).
    pub fn put(&self, blob: &[u8], wait: Wait) -> Result {
        check_len(blob, self.item_size())?;
        // SAFETY: any thread may put; the blob fits.
        unsafe { on_blobs!(MPMC, self.as_raw(), Role::PUT, |queue| queue.put(blob, (), wait)) }
    }

    /// Gets the blob in front into `buffer` without waiting; lock-free. Returns its length.
    ///
    /// # Errors
    /// [`Error::Empty`](crate::Error::Empty), [`Error::Closed`](crate::Error::Closed) (and
    /// drained), [`Error::TooSmall`](crate::Error::TooSmall), and the blob stays in front.
    pub fn try_get(&self, buffer: &mut [u8]) -> Result<usize> {
        self.get(buffer, Wait::No)
    }

    /// Gets the blob in front into `buffer`, waiting for one. Returns its length.
    ///
    /// # Errors
    /// As [`MpmcBytes::try_get`]; [`Error::Timeout`](crate::Error::Timeout).
    pub fn get(&self, buffer: &mut [u8], wait: Wait) -> Result<usize> {
        // SAFETY: any thread may get.
        receive(buffer, |to| unsafe {
            on_blobs!(MPMC, self.as_raw(), Role::GET, |queue| queue.get(to, wait))
        })
    }

    /// Copies the blob in front into `buffer` and leaves it in the queue; lock-free. Returns its
    /// length.
    ///
    /// # Errors
    /// As [`MpmcBytes::try_get`].
    pub fn peek(&self, buffer: &mut [u8]) -> Result<usize> {
        // SAFETY: any thread may peek.
        receive(buffer, |to| unsafe {
            on_blobs!(MPMC, self.as_raw(), Role::GET, |queue| queue.peek(to))
        })
    }

    /// Removes every blob that was in the queue when the call began; returns their number.
    ///
    /// # Errors
    /// [`Error::Panic`](crate::Error::Panic) if a drop callback panicked. Only a queue that another
    /// language created has a callback.
    pub fn clear(&self) -> Result<usize> {
        // SAFETY: any thread may clear.
        unsafe { self.0.clear() }
    }

    /// Reserves a cell to write a blob in place, waiting for room.
    ///
    /// A reservation takes no place in the queue; [`Reservation::commit`] does. A queue has 64
    /// cells beyond its capacity for reservations and leases, or as many as its creator chose.
    ///
    /// # Errors
    /// [`Error::Full`](crate::Error::Full) (no room or no free cell),
    /// [`Error::Closed`](crate::Error::Closed), [`Error::Timeout`](crate::Error::Timeout).
    ///
    /// ```
    /// use queues::{MpmcBytes, Wait};
    ///
    /// let queue = MpmcBytes::with_capacity(100, 64)?;
    /// let mut cell = queue.reserve(Wait::Forever)?;
    /// cell[..5].copy_from_slice(b"hello");
    /// cell.commit(5).map_err(|refused| refused.error)?;
    /// let blob = queue.lease(Wait::Forever)?;
    /// assert_eq!(&blob[..], b"hello");
    /// blob.settle();
    /// # Ok::<(), queues::Error>(())
    /// ```
    pub fn reserve(&self, wait: Wait) -> Result<Reservation<'_>> {
        let len = self.item_size();
        // SAFETY: any thread may call.
        let cell = unsafe {
            on_blobs!(MPMC, self.as_raw(), Role::PUT, |queue| {
                queue.reserve(wait).map(|data| InPlace { data, len })
            })?
        };
        Ok(Reservation { queue: self, data: cell.data })
    }

    /// Removes the blob in front and leaves it in its cell, to be read or written in place; waits
    /// for one.
    ///
    /// # Errors
    /// [`Error::Empty`](crate::Error::Empty), [`Error::Closed`](crate::Error::Closed) (and
    /// drained), [`Error::Timeout`](crate::Error::Timeout).
    pub fn lease(&self, wait: Wait) -> Result<Lease<'_>> {
        // SAFETY: any thread may call.
        let (cell, len) = unsafe {
            on_blobs!(MPMC, self.as_raw(), Role::GET, |queue| {
                let (data, len) = queue.lease(wait)?;
                Ok((InPlace { data, len: self.item_size() }, len))
            })?
        };
        Ok(Lease { queue: self, data: cell.data, len })
    }
}

impl Deref for MpmcBytes {
    type Target = BytesQueue;
    #[inline(always)]
    fn deref(&self) -> &BytesQueue {
        &self.0
    }
}

/// Another reference to the same queue.
impl Clone for MpmcBytes {
    fn clone(&self) -> Self {
        Self(self.0.retain())
    }
}

impl fmt::Debug for MpmcBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.show(f, "MpmcBytes")
    }
}

/// A cell of an [`MpmcBytes`] for one blob: as many bytes as the item size, from
/// [`MpmcBytes::reserve`]. Dropping it cancels the reservation.
pub struct Reservation<'a> {
    queue: &'a MpmcBytes,
    data: *mut c_void,
}

// SAFETY: any thread may write the cell, and end the reservation.
unsafe impl Send for Reservation<'_> {}
// SAFETY: a shared reservation can only be read.
unsafe impl Sync for Reservation<'_> {}

impl Reservation<'_> {
    /// Puts the first `len` bytes of the cell at the back of the queue, without waiting.
    ///
    /// # Errors
    /// [`Error::Full`](crate::Error::Full), [`Error::Closed`](crate::Error::Closed), and
    /// [`Error::Invalid`](crate::Error::Invalid) if `len` is above the item size; with the
    /// reservation, whose bytes are unchanged.
    pub fn commit(self, len: usize) -> core::result::Result<(), PutError<Self>> {
        // SAFETY: any thread may call.
        match unsafe {
            on_blobs!(MPMC, self.queue.as_raw(), Role::COMMIT, |queue| queue.commit(self.data, len))
        } {
            Ok(()) => {
                core::mem::forget(self);
                Ok(())
            }
            Err(error) => Err(PutError { error, item: self }),
        }
    }
}

impl Deref for Reservation<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        // SAFETY: the cell is this object's.
        unsafe { bytes_at(self.data, self.queue.item_size()) }
    }
}

impl DerefMut for Reservation<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: the cell is this object's.
        unsafe { bytes_at(self.data, self.queue.item_size()) }
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        // The reservation is this object's alone, so this does not fail.
        // SAFETY: any thread may call.
        let _ = unsafe {
            on_blobs!(MPMC, self.queue.as_raw(), Role::CONSUME, |queue| queue.cancel(self.data))
        };
    }
}

impl fmt::Debug for Reservation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// A blob that [`MpmcBytes::lease`] removed from its queue, in its cell.
///
/// [`Lease::settle`] ends the lease. Dropping a lease puts the blob back at the end of the queue,
/// or loses it if the queue is full or closed.
pub struct Lease<'a> {
    queue: &'a MpmcBytes,
    data: *mut c_void,
    len: usize,
}

// SAFETY: any thread may access the cell, and end the lease.
unsafe impl Send for Lease<'_> {}
// SAFETY: a shared lease can only be read.
unsafe impl Sync for Lease<'_> {}

impl Lease<'_> {
    /// Ends the lease and frees the cell: the blob has been used.
    pub fn settle(self) {
        core::mem::ManuallyDrop::new(self).end();
    }

    /// Puts the blob, with its current bytes, at the back of the queue, without waiting.
    ///
    /// # Errors
    /// [`Error::Full`](crate::Error::Full), [`Error::Closed`](crate::Error::Closed); with the
    /// lease, which goes on.
    pub fn put_back(self) -> core::result::Result<(), PutError<Self>> {
        match self.try_return() {
            Ok(()) => {
                core::mem::forget(self);
                Ok(())
            }
            Err(error) => Err(PutError { error, item: self }),
        }
    }

    fn try_return(&self) -> Result {
        // SAFETY: any thread may call.
        unsafe {
            on_blobs!(MPMC, self.queue.as_raw(), Role::COMMIT, |queue| queue.put_back(self.data))
        }
    }

    fn end(&self) {
        // The lease is this object's alone, so this does not fail.
        // SAFETY: any thread may call.
        let _ = unsafe {
            on_blobs!(MPMC, self.queue.as_raw(), Role::CONSUME, |queue| queue.settle(self.data))
        };
    }
}

impl Deref for Lease<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        // SAFETY: the cell is this object's.
        unsafe { bytes_at(self.data, self.len) }
    }
}

impl DerefMut for Lease<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: the cell is this object's.
        unsafe { bytes_at(self.data, self.len) }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if self.try_return().is_err() {
            self.end();
        }
    }
}

impl fmt::Debug for Lease<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("len", &self.len).finish_non_exhaustive()
    }
}
