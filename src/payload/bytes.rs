use super::{Atomic, Disposer, Payload};
use crate::error::{Error, Result};
use crate::sync::{Relaxed, unmodeled::AtomicU64};
use core::alloc::Layout;

const WORD: usize = size_of::<u64>();
/// From so many bytes on the C library's copy is as fast as one without a call, or faster.
const LONG: usize = 512;

/// Blobs of up to a fixed number of bytes, each with its own length.
///
/// A cell is the length and then the bytes, all of it 64-bit words that `write`, `fits` and `read`
/// touch atomically: a peek may read a cell that another thread has already begun to reuse, and
/// throws the torn copy away. Where nobody looks meanwhile, copies are plain.
#[derive(Debug)]
pub struct Bytes {
    limit: usize,
    disposer: Disposer,
}

/// Where a blob is received, and then its length.
#[derive(Debug)]
pub struct Received {
    buffer: *mut u8,
    room: usize,
    len: usize,
}

impl Received {
    /// # Safety
    /// `room` bytes may be written at `buffer` while this is in use (0 with any address, null too).
    #[inline(always)]
    pub const unsafe fn new(buffer: *mut u8, room: usize) -> Self {
        Self { buffer, room, len: 0 }
    }

    /// How many bytes the blob took.
    #[inline(always)]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether no byte was received.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Bytes {
    /// Where the limit lies.
    pub(crate) const LIMIT: usize = core::mem::offset_of!(Self, limit);

    /// Blobs of at most `limit` bytes; [`Error::Invalid`] if a cell would be larger than memory.
    pub fn try_new(limit: usize, disposer: Disposer) -> Result<Self> {
        let bytes = Self { limit, disposer };
        Layout::from_size_align(bytes.size().ok_or(Error::Invalid)?, WORD)
            .map_err(|_| Error::Invalid)?;
        Ok(bytes)
    }

    /// The longest blob.
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
        // SAFETY: aligned, in bounds by contract, and never touched but atomically while shared.
        unsafe { AtomicU64::from_ptr(cell.cast_mut().cast::<u64>().add(i)) }
    }

    /// The bytes of a cell that the caller owns.
    ///
    /// # Safety
    /// The cell is this thread's own while it uses the address.
    #[inline(always)]
    pub(crate) unsafe fn data(&self, cell: *mut u8) -> *mut u8 {
        // SAFETY: every cell has its length in front.
        unsafe { cell.add(WORD) }
    }

    /// # Safety
    /// As for `data`.
    #[inline(always)]
    pub(crate) unsafe fn set_len(&self, cell: *mut u8, len: usize) {
        // SAFETY: the first word of a cell.
        unsafe { Self::word(cell, 0) }.store(len as u64, Relaxed);
    }

    /// The length of the blob. Above the limit if the cell is not in the queue, but reserved or
    /// leased; `read` bounds it, and no other length counts that the queue does not confirm.
    ///
    /// # Safety
    /// The cell belongs to this payload.
    #[inline(always)]
    pub(crate) unsafe fn len(&self, cell: *const u8) -> usize {
        // SAFETY: the first word of a cell.
        unsafe { Self::word(cell, 0) }.load(Relaxed) as usize
    }
}

/// Keeps the compiler from seeing that a loop is a copy, and from calling the C library's after all.
#[inline(always)]
fn no_loop_of_copies(at: usize) -> usize {
    #[allow(unused_mut)]
    let mut at = at;
    #[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
    // SAFETY: no instruction at all.
    unsafe {
        core::arch::asm!("/* {0} */", inout(reg) at, options(pure, nomem, nostack, preserves_flags));
    }
    at
}

/// Copies a blob. Short ones by itself, for which a call costs more than the copy; and all of them if
/// somebody watches: a thread sanitizer sees copies that the C library makes, but not what orders
/// them.
///
/// # Safety
/// As for a copy of so many bytes between places that do not overlap.
#[inline(always)]
unsafe fn copy(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: by contract; each step lies within the length.
    unsafe {
        if len >= LONG && super::watcher().is_none() {
            return to.copy_from_nonoverlapping(from, len);
        }
        let step = |at: usize, size| to.add(at).copy_from_nonoverlapping(from.add(at), size);
        let mut at = 0;
        while at + 4 * WORD <= len {
            step(at, 4 * WORD);
            at = no_loop_of_copies(at + 4 * WORD);
        }
        while at + WORD <= len {
            step(at, WORD);
            at = no_loop_of_copies(at + WORD);
        }
        if at < len && len >= WORD {
            step(len - WORD, WORD);
        } else {
            while at < len {
                step(at, 1);
                at = no_loop_of_copies(at + 1);
            }
        }
    }
}

// SAFETY: word by word, within the limit whatever length is found.
unsafe impl Atomic for Bytes {}

// SAFETY: every access keeps to the cell.
unsafe impl Payload for Bytes {
    type Item = [u8];
    type Out = Received;

    const HAS_LENGTH: bool = true;

    #[inline(always)]
    fn cell(&self) -> Layout {
        let size = self.limit.next_multiple_of(WORD) + WORD;
        // SAFETY: `try_new` has checked it.
        unsafe { Layout::from_size_align_unchecked(size, WORD) }
    }

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

    #[inline(always)]
    unsafe fn read(&self, cell: *const u8, out: &mut Received) {
        // SAFETY: only words of the cell are read, whatever length was found, and only `room` bytes
        // written.
        unsafe {
            let len = self.len(cell).min(self.limit).min(out.room);
            let whole = len / WORD;
            for i in 0..whole {
                let word = Self::word(cell, i + 1).load(Relaxed);
                out.buffer.cast::<u64>().add(i).write_unaligned(word);
            }
            if !len.is_multiple_of(WORD) {
                let word = Self::word(cell, whole + 1).load(Relaxed).to_ne_bytes();
                let rest = out.buffer.add(whole * WORD);
                rest.copy_from_nonoverlapping(word.as_ptr(), len % WORD);
            }
            out.len = len;
        }
    }

    #[inline(always)]
    unsafe fn write_alone(&self, cell: *mut u8, item: &[u8]) {
        debug_assert!(item.len() <= self.limit);
        // SAFETY: the item fits the cell by contract.
        unsafe {
            self.set_len(cell, item.len());
            copy(item.as_ptr(), self.data(cell), item.len());
        }
    }

    #[inline(always)]
    unsafe fn read_alone(&self, cell: *const u8, out: &mut Received) {
        // SAFETY: the length is that of the blob that was written, and it fits by contract.
        unsafe {
            out.len = self.len(cell);
            copy(cell.add(WORD), out.buffer, out.len);
        }
    }

    unsafe fn discard(&self, cell: *mut u8) {
        // SAFETY: the cell is ours.
        let (data, len) = unsafe { (self.data(cell).cast(), self.len(cell)) };
        if let Some(watcher) = super::watcher() {
            (watcher.before_callback)(data, len);
        }
        self.disposer.dispose(data, len);
    }
    fn take_panic(&self) -> bool {
        self.disposer.take_panic()
    }
}
