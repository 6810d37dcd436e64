use super::super::handle::{Role, on_blobs};
use super::super::race_detector::InPlace;
use super::super::spsc::{SPSC, open_handle, queues_spsc_t};
use super::{BytesQueue, blobs_of, bytes_at, check_len, receive};
use crate::error::Result;
use crate::payload::Dense;
use crate::queue::SharedOptions;
use crate::queue::spsc::Spsc;
use crate::wait::{Blocking, Wait};
use core::ffi::c_void;
use core::fmt;
use core::ops::{Deref, DerefMut};
use std::os::fd::{AsFd, AsRawFd};

/// The producer of a queue of blobs from one thread to another, which other languages can share:
/// `queues_spsc_t` of C with an item size. See [`BytesQueue`] for the other calls.
///
/// A drop does not close the queue, so that code in another language can become the producer.
pub struct BytesProducer(BytesQueue);

/// The consumer of a queue of blobs from one thread to another, as [`BytesProducer`].
pub struct BytesConsumer(BytesQueue);

/// Creates a bounded queue from one thread to another, of exactly this capacity, for blobs of up to
/// `item_size` bytes: first in, first out. Each end can be passed to another language.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) for a capacity or item size of 0, or if their product
/// overflows; [`Error::NoMemory`](crate::Error::NoMemory).
///
/// ```
/// use queues::{Error, Wait};
/// use queues::ffi::spsc::{queues_spsc_close, queues_spsc_put_bytes, queues_spsc_release};
///
/// let (producer, mut consumer) = queues::spsc_bytes(8, 64)?;
/// let handle = producer.into_raw(); // from now on the producer is C
/// unsafe {
///     queues_spsc_put_bytes(handle, c"hello".as_ptr().cast(), 5, -1);
///     queues_spsc_close(handle);
///     queues_spsc_release(handle);
/// }
/// let mut buffer = [0; 64];
/// assert_eq!(consumer.get(&mut buffer, Wait::Forever), Ok(5));
/// assert_eq!(consumer.get(&mut buffer, Wait::Forever), Err(Error::Closed));
/// # Ok::<(), Error>(())
/// ```
pub fn spsc_bytes(capacity: usize, item_size: usize) -> Result<(BytesProducer, BytesConsumer)> {
    let queue = Spsc::try_new(capacity, Dense::new(blobs_of(item_size)?))?;
    let handle = SPSC.bytes.create(Blocking::new(queue), false)?;
    // SAFETY: it has one reference.
    let queue = unsafe { queue_of(handle.cast())? };
    Ok((BytesProducer(queue.retain()), BytesConsumer(queue)))
}

/// Takes over a reference.
///
/// # Safety
/// As [`BytesProducer::from_raw`].
unsafe fn queue_of(queue: *mut queues_spsc_t) -> Result<BytesQueue> {
    // SAFETY: by contract.
    unsafe {
        let item_size = SPSC.item_size(queue)?;
        Ok(BytesQueue { any: SPSC.any(queue)?, item_size })
    }
}

/// Opens a shared queue; returns a reference.
fn open_shared(file: impl AsFd, options: &SharedOptions) -> Result<BytesQueue> {
    let handle = open_handle(file.as_fd().as_raw_fd(), options, false)?;
    // SAFETY: it has one reference.
    unsafe { queue_of(handle.cast()) }
}

impl BytesQueue {
    fn handle(&self) -> *const queues_spsc_t {
        self.as_raw::<queues_spsc_t>()
    }
}

impl BytesProducer {
    /// Opens the shared queue in a file as its producer, or creates it there if the file is empty:
    /// see [`MpmcBytes::open_shared`](crate::MpmcBytes::open_shared). The first put or reservation
    /// takes the role of the producer. Another handle can take the role after this object is
    /// dropped, or its process is dead.
    ///
    /// # Errors
    /// As [`MpmcBytes::open_shared`](crate::MpmcBytes::open_shared); also
    /// [`Error::Invalid`](crate::Error::Invalid) if `spare` or `redelivers` is set. Puts fail with
    /// [`Error::Misuse`](crate::Error::Misuse) while another handle has the role.
    pub fn open_shared(file: impl AsFd, options: &SharedOptions) -> Result<Self> {
        open_shared(file, options).map(Self)
    }

    /// Takes over a reference to a queue of C, and the role of its producer: from
    /// `queues_spsc_create`, from `queues_spsc_retain` or from [`BytesProducer::into_raw`].
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) if `queue` is null, or a queue of pointers or of
    /// another family. Then the caller keeps the reference.
    ///
    /// # Safety
    /// `queue` is null or a handle of this library, and the caller gives up a reference to it. As
    /// long as this object lives, no call of the producer is made in another way.
    pub unsafe fn from_raw(queue: *mut queues_spsc_t) -> Result<Self> {
        // SAFETY: the same contract.
        unsafe { queue_of(queue).map(Self) }
    }

    /// Returns the queue for C, with the reference of this object. The caller releases it by
    /// `queues_spsc_release`, or takes it over again by [`BytesProducer::from_raw`]. C is the
    /// producer from then on.
    #[must_use = "the queue would never be freed"]
    pub fn into_raw(self) -> *mut queues_spsc_t {
        self.0.into_raw()
    }

    /// Puts a copy of `blob` without waiting; wait-free.
    ///
    /// # Errors
    /// [`Error::Full`](crate::Error::Full), [`Error::Closed`](crate::Error::Closed),
    /// [`Error::Invalid`](crate::Error::Invalid) if `blob` is longer than the item size; in a
    /// checked or shared queue also [`Error::Misuse`](crate::Error::Misuse).
    pub fn try_put(&mut self, blob: &[u8]) -> Result {
        self.put(blob, Wait::No)
    }

    /// Puts a copy of `blob`, waiting for room.
    ///
    /// # Errors
    /// As [`BytesProducer::try_put`]; [`Error::Timeout`](crate::Error::Timeout).
    pub fn put(&mut self, blob: &[u8], wait: Wait) -> Result {
        check_len(blob, self.item_size())?;
        // SAFETY: `&mut self` is the only producer; the blob fits.
        unsafe { on_blobs!(SPSC, self.handle(), Role::PUT, |queue| queue.put(blob, (), wait)) }
    }

    /// Reserves room to write a blob in place, waiting for room.
    ///
    /// # Errors
    /// [`Error::Full`](crate::Error::Full), [`Error::Closed`](crate::Error::Closed),
    /// [`Error::Timeout`](crate::Error::Timeout); in a checked or shared queue also
    /// [`Error::Misuse`](crate::Error::Misuse).
    ///
    /// ```
    /// use queues::Wait;
    ///
    /// let (mut producer, mut consumer) = queues::spsc_bytes(8, 64)?;
    /// let mut room = producer.reserve(Wait::Forever)?;
    /// room[..5].copy_from_slice(b"hello");
    /// room.commit(5)?;
    /// let blob = consumer.front(Wait::Forever)?;
    /// assert_eq!(&blob[..], b"hello");
    /// blob.consume();
    /// assert!(consumer.is_empty());
    /// # Ok::<(), queues::Error>(())
    /// ```
    pub fn reserve(&mut self, wait: Wait) -> Result<SlotReservation<'_>> {
        let len = self.item_size();
        // SAFETY: `&mut self` is the only producer.
        let room = unsafe {
            on_blobs!(SPSC, self.handle(), Role::PUT, |queue| {
                queue.reserve(wait).map(|data| InPlace { data: data.cast(), len })
            })?
        };
        Ok(SlotReservation { producer: self, data: room.data })
    }
}

impl BytesConsumer {
    /// Opens the shared queue in a file as its consumer: as [`BytesProducer::open_shared`].
    ///
    /// # Errors
    /// As [`BytesProducer::open_shared`].
    pub fn open_shared(file: impl AsFd, options: &SharedOptions) -> Result<Self> {
        open_shared(file, options).map(Self)
    }

    /// Takes over a reference to a queue of C, and the role of its consumer, as
    /// [`BytesProducer::from_raw`] does.
    ///
    /// # Errors
    /// As [`BytesProducer::from_raw`].
    ///
    /// # Safety
    /// `queue` is null or a handle of this library, and the caller gives up a reference to it. As
    /// long as this object lives, no call of the consumer is made in another way.
    pub unsafe fn from_raw(queue: *mut queues_spsc_t) -> Result<Self> {
        // SAFETY: the same contract.
        unsafe { queue_of(queue).map(Self) }
    }

    /// Returns the queue for C, with the reference of this object. The caller releases it by
    /// `queues_spsc_release`, or takes it over again by [`BytesConsumer::from_raw`]. C is the
    /// consumer from then on.
    #[must_use = "the queue would never be freed"]
    pub fn into_raw(self) -> *mut queues_spsc_t {
        self.0.into_raw()
    }

    /// Gets the blob in front into `buffer` without waiting; wait-free. Returns its length.
    ///
    /// # Errors
    /// [`Error::Empty`](crate::Error::Empty), [`Error::Closed`](crate::Error::Closed) (and
    /// drained), [`Error::TooSmall`](crate::Error::TooSmall), and the blob stays in front; in a
    /// checked or shared queue also [`Error::Misuse`](crate::Error::Misuse).
    pub fn try_get(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.get(buffer, Wait::No)
    }

    /// Gets the blob in front into `buffer`, waiting for one. Returns its length.
    ///
    /// # Errors
    /// As [`BytesConsumer::try_get`]; [`Error::Timeout`](crate::Error::Timeout).
    pub fn get(&mut self, buffer: &mut [u8], wait: Wait) -> Result<usize> {
        // SAFETY: `&mut self` is the only consumer.
        receive(buffer, |to| unsafe {
            on_blobs!(SPSC, self.handle(), Role::GET, |queue| queue.get(to, wait))
        })
    }

    /// Returns the blob in front without copying it, waiting for one. The blob stays in the queue
    /// until [`FrontBlob::consume`].
    ///
    /// # Errors
    /// [`Error::Empty`](crate::Error::Empty), [`Error::Closed`](crate::Error::Closed) (and
    /// drained), [`Error::Timeout`](crate::Error::Timeout); in a checked or shared queue also
    /// [`Error::Misuse`](crate::Error::Misuse).
    ///
    /// While the blob is in use, the consumer can make no other call:
    /// ```compile_fail,E0499
    /// let (_producer, mut consumer) = queues::spsc_bytes(2, 8).unwrap();
    /// let front = consumer.front(queues::Wait::No).unwrap();
    /// consumer.try_get(&mut []);
    /// front.consume();
    /// ```
    pub fn front(&mut self, wait: Wait) -> Result<FrontBlob<'_>> {
        // SAFETY: `&mut self` is the only consumer.
        let front = unsafe {
            on_blobs!(SPSC, self.handle(), Role::GET, |queue| {
                let (data, len) = queue.front(wait)?;
                Ok(InPlace { data: data.cast_mut().cast(), len })
            })?
        };
        Ok(FrontBlob { consumer: self, data: front.data, len: front.len })
    }

    /// Removes every blob that was in the queue when the call began; returns their number.
    ///
    /// # Errors
    /// [`Error::Panic`](crate::Error::Panic) if a drop callback panicked (only a queue that another
    /// language created has one); in a checked or shared queue also
    /// [`Error::Misuse`](crate::Error::Misuse).
    pub fn clear(&mut self) -> Result<usize> {
        // SAFETY: `&mut self` is the only consumer.
        unsafe { self.0.clear() }
    }
}

impl Deref for BytesProducer {
    type Target = BytesQueue;
    #[inline(always)]
    fn deref(&self) -> &BytesQueue {
        &self.0
    }
}

impl Deref for BytesConsumer {
    type Target = BytesQueue;
    #[inline(always)]
    fn deref(&self) -> &BytesQueue {
        &self.0
    }
}

impl fmt::Debug for BytesProducer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.show(f, "BytesProducer")
    }
}

impl fmt::Debug for BytesConsumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.show(f, "BytesConsumer")
    }
}

/// Room for one blob at the back of the queue, as many bytes as the item size, from
/// [`BytesProducer::reserve`]. Dropping it leaves the queue as it was.
#[derive(Debug)]
pub struct SlotReservation<'a> {
    producer: &'a mut BytesProducer,
    data: *mut c_void,
}

// SAFETY: it borrows the producer, which any thread may be.
unsafe impl Send for SlotReservation<'_> {}
// SAFETY: a shared reservation can only be read.
unsafe impl Sync for SlotReservation<'_> {}

impl SlotReservation<'_> {
    /// Puts the first `len` bytes, without waiting. The reservation ends in any case.
    ///
    /// # Errors
    /// [`Error::Closed`](crate::Error::Closed), [`Error::Invalid`](crate::Error::Invalid) if `len`
    /// is above the item size.
    pub fn commit(self, len: usize) -> Result {
        // SAFETY: this object has the only producer.
        unsafe { on_blobs!(SPSC, self.producer.handle(), Role::COMMIT, |queue| queue.commit(len)) }
    }
}

impl Deref for SlotReservation<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        // SAFETY: the producer has the room until its next call, which needs this object.
        unsafe { bytes_at(self.data, self.producer.item_size()) }
    }
}

impl DerefMut for SlotReservation<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `deref`.
        unsafe { bytes_at(self.data, self.producer.item_size()) }
    }
}

/// The blob in front, from [`BytesConsumer::front`]. Dropping it leaves the blob in front.
#[derive(Debug)]
pub struct FrontBlob<'a> {
    consumer: &'a mut BytesConsumer,
    data: *mut c_void,
    len: usize,
}

// SAFETY: it borrows the consumer, which any thread may be.
unsafe impl Send for FrontBlob<'_> {}
// SAFETY: it can only be read.
unsafe impl Sync for FrontBlob<'_> {}

impl FrontBlob<'_> {
    /// Removes the blob from the queue without copying it.
    pub fn consume(self) {
        // SAFETY: this object has the only consumer.
        // There is a blob, and no other thread is the consumer, so this does not fail.
        let _ = unsafe {
            on_blobs!(SPSC, self.consumer.handle(), Role::CONSUME, |queue| queue.consume())
        };
    }
}

impl Deref for FrontBlob<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        // SAFETY: the consumer has the blob until its next call, which needs this object.
        unsafe { bytes_at(self.data, self.len) }
    }
}
