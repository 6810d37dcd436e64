//! Blobs in cells.

use super::{Atomic, Disposer, Payload, Stored};
use crate::error::{Error, Result};
use crate::sync::{Relaxed, unmodeled::AtomicU64};
use core::alloc::Layout;

pub(super) const WORD: usize = size_of::<u64>();

/// Blobs of up to a fixed number of bytes, each with a length of its own.
///
/// A cell is the length and then the bytes, in 64-bit words that `write`, `fits` and `read` access
/// atomically: a peek may read a cell that another thread is already reusing, and discards the torn
/// copy. Where no other thread reads, copies are plain.
#[derive(Debug)]
#[repr(C)] // part of the layout of inlined calls
pub struct Bytes {
    pub(super) limit: usize,
    pub(super) disposer: Disposer,
}

/// A buffer that receives a blob, and then the length of the blob.
#[derive(Debug)]
pub struct Received {
    pub(super) buffer: *mut u8,
    pub(super) room: usize,
    pub(super) len: usize,
}

impl Received {
    /// # Safety
    /// `room` bytes may be written at `buffer` while this is in use. With `room` 0 the address may be
    /// any, even null.
    #[inline(always)]
    pub const unsafe fn new(buffer: *mut u8, room: usize) -> Self {
        Self { buffer, room, len: 0 }
    }

    /// The length of the blob in bytes.
    #[inline(always)]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether the blob is empty.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Bytes {
    /// Offset of the limit.
    pub(crate) const LIMIT: usize = core::mem::offset_of!(Self, limit);

    /// Blobs of up to `limit` bytes. Fails with [`Error::Invalid`] if a cell would be larger than memory.
    pub fn try_new(limit: usize, disposer: Disposer) -> Result<Self> {
        let bytes = Self { limit, disposer };
        Layout::from_size_align(bytes.size().ok_or(Error::Invalid)?, WORD)
            .map_err(|_| Error::Invalid)?;
        Ok(bytes)
    }

    /// [`Bytes::try_new`] without a drop callback.
    pub(crate) fn without_callback(limit: usize) -> Result<Self> {
        // SAFETY: there is no callback.
        Self::try_new(limit, unsafe { Disposer::new(None, core::ptr::null_mut()) })
    }

    /// The length of the longest blob in bytes.
    #[inline(always)]
    pub fn limit(&self) -> usize {
        self.limit
    }

    fn size(&self) -> Option<usize> {
        self.limit.checked_next_multiple_of(WORD)?.checked_add(WORD)
    }

    /// # Safety
    /// Word `i` lies in the cell.
    #[inline(always)]
    unsafe fn word<'a>(cell: *const u8, i: usize) -> &'a AtomicU64 {
        // SAFETY: aligned, in bounds by contract, and only accessed atomically while shared.
        unsafe { AtomicU64::from_ptr(cell.cast_mut().cast::<u64>().add(i)) }
    }

    /// The address of the bytes of a cell.
    ///
    /// # Safety
    /// The caller owns the cell while it uses the address.
    #[inline(always)]
    pub(crate) unsafe fn data(&self, cell: *mut u8) -> *mut u8 {
        // SAFETY: every cell begins with its length.
        unsafe { cell.add(WORD) }
    }

    /// Writes the length of the blob.
    ///
    /// # Safety
    /// As for `data`.
    #[inline(always)]
    pub(crate) unsafe fn set_len(&self, cell: *mut u8, len: usize) {
        // SAFETY: the first word of a cell.
        unsafe { Self::word(cell, 0) }.store(len as u64, Relaxed);
    }

    /// Passes a blob to the drop callback.
    pub(super) fn dispose(&self, data: *mut u8, len: usize) {
        let data = data.cast();
        if let Some(watcher) = super::watcher() {
            (watcher.before_callback)(data, len);
        }
        self.disposer.dispose(data, len);
    }

    /// The length of the blob. It is above the limit while the cell is reserved or leased; `read` bounds
    /// it, and other callers use it only after the queue has confirmed that the cell is in the queue.
    ///
    /// # Safety
    /// The cell belongs to this payload.
    #[inline(always)]
    pub(crate) unsafe fn len(&self, cell: *const u8) -> usize {
        // SAFETY: the first word of a cell.
        unsafe { Self::word(cell, 0) }.load(Relaxed) as usize
    }
}

// SAFETY: accesses single words, and stays within the limit whatever the length word holds.
unsafe impl Atomic for Bytes {}

// SAFETY: every access stays in the cell.
unsafe impl Stored for Bytes {
    type Item = [u8];
    type Out = Received;

    #[inline(always)]
    fn cell(&self) -> Layout {
        let size = self.limit.next_multiple_of(WORD) + WORD;
        // SAFETY: `try_new` has checked it.
        unsafe { Layout::from_size_align_unchecked(size, WORD) }
    }
    fn take_panic(&self) -> bool {
        self.disposer.take_panic()
    }
}

// SAFETY: every access stays in the cell.
unsafe impl Payload for Bytes {
    const HAS_LENGTH: bool = true;

    #[inline(always)]
    unsafe fn write(&self, cell: *mut u8, item: &[u8]) {
        debug_assert!(item.len() <= self.limit);
        // SAFETY: the item fits the cell by contract.
        unsafe {
            self.set_len(cell, item.len());
            let mut words = item.chunks_exact(WORD);
            let mut i = 1;
            for word in &mut words {
                let word = u64::from_ne_bytes(word.try_into().unwrap_unchecked());
                Self::word(cell, i).store(word, Relaxed);
                i += 1;
            }
            let rest = words.remainder();
            if !rest.is_empty() {
                let mut word = [0; WORD];
                word[..rest.len()].copy_from_slice(rest);
                Self::word(cell, i).store(u64::from_ne_bytes(word), Relaxed);
            }
        }
    }

    #[inline(always)]
    unsafe fn fits(&self, cell: *const u8, out: &Received) -> core::result::Result<(), usize> {
        // SAFETY: a cell of this payload.
        let len = unsafe { self.len(cell) };
        if len <= out.room { Ok(()) } else { Err(len) }
    }

    fn may_need(&self, needed: usize) -> bool {
        needed <= self.limit
    }

    #[inline(always)]
    unsafe fn read(&self, cell: *const u8, out: &mut Received) {
        // SAFETY: reads only words of the cell, whatever the length word holds, and writes at most
        // `room` bytes.
        unsafe {
            let len = self.len(cell).min(self.limit).min(out.room);
            let whole = len / WORD;
            for i in 0..whole {
                let word = Self::word(cell, i + 1).load(Relaxed);
                out.buffer.cast::<u64>().add(i).write_unaligned(word);
            }
            if len % WORD != 0 {
                let word = Self::word(cell, whole + 1).load(Relaxed).to_ne_bytes();
                let rest = out.buffer.add(whole * WORD);
                rest.copy_from_nonoverlapping(word.as_ptr(), len % WORD);
            }
            out.len = len;
        }
    }

    unsafe fn discard(&self, cell: *mut u8) {
        // SAFETY: the caller owns the cell.
        unsafe { self.dispose(self.data(cell), self.len(cell)) };
    }
}
