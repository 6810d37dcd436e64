//! Blobs that fill their cells, without room for a length, which the queue keeps.

use super::bytes::{Bytes, Received, WORD};
use super::{Exclusive, Stored};
use core::alloc::Layout;

/// Bytes from which on memcpy of the C library is as fast as an inline copy, or faster.
const LONG: usize = 512;

/// Blobs of up to a fixed number of bytes, in cells of that number, rounded up to words. So a blob of
/// 2^k bytes lies in as few cache lines as can be.
#[derive(Debug)]
#[repr(transparent)] // its limit lies where that of `Bytes` does, for debuggers
pub struct Dense(Bytes);

impl Dense {
    /// Blobs with the limit and the drop callback of `bytes`.
    pub const fn new(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// The length of the longest blob in bytes.
    #[inline(always)]
    pub fn limit(&self) -> usize {
        self.0.limit()
    }
}

/// Hides from the compiler that a loop is a copy, which it would replace by a call of memcpy.
#[inline(always)]
fn hide_copy_loop(at: usize) -> usize {
    #[allow(unused_mut)]
    let mut at = at;
    #[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
    // SAFETY: no instruction.
    unsafe {
        core::arch::asm!("/* {0} */", inout(reg) at, options(pure, nomem, nostack, preserves_flags));
    }
    at
}

/// Copies a blob. Short blobs inline, since a call costs more than their copy; under a race detector all
/// blobs, since ThreadSanitizer sees the copies of the C library but not what orders them.
///
/// # Safety
/// `len` bytes may be read at `from` and written at `to`; they do not overlap.
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
            at = hide_copy_loop(at + 4 * WORD);
        }
        while at + WORD <= len {
            step(at, WORD);
            at = hide_copy_loop(at + WORD);
        }
        if at < len && len >= WORD {
            step(len - WORD, WORD);
        } else {
            while at < len {
                step(at, 1);
                at = hide_copy_loop(at + 1);
            }
        }
    }
}

// SAFETY: every access stays in the cell.
unsafe impl Stored for Dense {
    type Item = [u8];
    type Out = Received;

    #[inline(always)]
    fn cell(&self) -> Layout {
        let size = self.0.limit.next_multiple_of(WORD).max(WORD);
        // SAFETY: smaller than the layout that `Bytes::try_new` has checked.
        unsafe { Layout::from_size_align_unchecked(size, WORD) }
    }
    fn take_panic(&self) -> bool {
        self.0.take_panic()
    }
}

// SAFETY: every access stays in the cell.
unsafe impl Exclusive for Dense {
    const HAS_LENGTH: bool = true;

    #[inline(always)]
    fn longest(&self) -> usize {
        self.0.limit
    }

    #[inline(always)]
    fn len_of(item: &[u8]) -> usize {
        item.len()
    }

    #[inline(always)]
    unsafe fn write_exclusive(&self, cell: *mut u8, item: &[u8]) {
        debug_assert!(item.len() <= self.0.limit);
        // SAFETY: the item fits the cell by contract.
        unsafe { copy(item.as_ptr(), cell, item.len()) }
    }

    #[inline(always)]
    unsafe fn read_exclusive(
        &self,
        cell: *const u8,
        len: usize,
        out: &mut Received,
    ) -> Result<(), usize> {
        if len > out.room {
            return Err(len);
        }
        out.len = len;
        // SAFETY: within the cell by contract, and within the buffer.
        unsafe { copy(cell, out.buffer, len) };
        Ok(())
    }

    unsafe fn discard_exclusive(&self, cell: *mut u8, len: usize) {
        self.0.dispose(cell, len);
    }
}
