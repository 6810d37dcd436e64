//! Blobs that callers write and read in their cells. A caller may hold a cell for any time, because
//! a cell whose index is in neither ring is not part of the queue.
//!
//! # Idea
//! A reservation is a free cell that is not put yet; a lease is a filled cell that is not freed yet.
//! Commit puts a reserved cell, settle frees a leased one, and return puts a leased one. Callers name
//! a cell by its address. The two top bits of its length word mark it as reserved or leased. Every
//! call first clears the mark by one compare-and-swap: of two calls with one address, one owns the
//! cell and the other fails with [`Error::Misuse`]. A plain put writes the whole word, so the marks
//! cost it nothing.
//!
//! # Places
//! A reservation holds a cell but no place in the queue. Commit needs the place, and may find the
//! queue full or closed; then the cell stays reserved (reasons: `docs/decisions/013-leases.md`). A
//! lease gives up its place when it begins.
//!
//! # Linearization
//! Reserve where it finds room. Commit and return at their push to the ring of filled cells, lease at
//! its pop from it. Errors are linearized where the ring's are.
//!
//! # Progress
//! Lock-free in the strict sense. A thread that is suspended in one of the calls keeps its cell, as
//! in a put.

use super::Indirect;
use super::ownership::{CellOwnership, Ring};
use crate::error::{Error, Result};
use crate::payload::{Bytes, Payload};
use crate::queue::OfBlobs;
use crate::sync::{AtomicU64, Relaxed, site};
use core::ffi::c_void;

/// Mark in a length word: a producer may write in the cell.
const RESERVED: u64 = 1 << 62;
/// Mark in a length word: a consumer has the item and has not settled it.
const LEASED: u64 = 1 << 63;
const MARKS: u64 = RESERVED | LEASED;

impl<K: CellOwnership> OfBlobs for Indirect<Bytes, K> {
    fn item_size(&self) -> usize {
        self.payload().limit()
    }
}

impl<K: CellOwnership> Indirect<Bytes, K> {
    /// Reserves a cell for a blob of up to the payload's limit. Fails with [`Error::Full`] and
    /// [`Error::Closed`] as a put does.
    pub fn reserve(&self) -> Result<*mut c_void> {
        self.filled.check_room_exactly()?;
        let seat = &self.ownership.take_seat();
        let cell = self.take_free_cell(seat)?;
        self.hold(cell, Ring::Free, RESERVED);
        Ok(self.address(cell))
    }

    /// Puts the first `len` bytes of a reservation. After [`Error::Full`], [`Error::Closed`] and, for
    /// a length above the limit, [`Error::Invalid`] the cell stays reserved. Fails with
    /// [`Error::Misuse`] if `data` is no reservation.
    pub fn commit(&self, data: *mut c_void, len: usize) -> Result {
        if len > self.payload().limit() {
            return Err(Error::Invalid);
        }
        let (cell, _) = self.claim(data, RESERVED)?;
        // SAFETY: the claim made the cell ours.
        unsafe { self.cells.own(cell as usize, |bytes, at| bytes.set_len(at, len)) };
        self.append(cell, Ring::Free, RESERVED)
    }

    /// Ends a reservation without a put. Fails with [`Error::Misuse`] if `data` is no reservation.
    pub fn cancel(&self, data: *mut c_void) -> Result {
        let (cell, _) = self.claim(data, RESERVED)?;
        self.free_cell(&self.ownership.take_seat(), cell);
        Ok(())
    }

    /// Removes the front item from the queue but leaves it in its cell; returns its address and
    /// length.
    pub fn lease(&self) -> Result<(*mut c_void, usize)> {
        let seat = &self.ownership.take_seat();
        let cell = self.pop_cell(seat, Ring::Filled, |_, _| Ok(()))?;
        // SAFETY: we own the cell: its index is in neither ring.
        let len = unsafe { self.cells.own(cell as usize, |bytes, at| bytes.len(at)) };
        if K::IS_SHARED && len > self.payload().limit() {
            self.free_cell(seat, cell);
            return Err(Error::Corrupt);
        }
        self.hold(cell, Ring::Filled, LEASED | len as u64);
        Ok((self.address(cell), len))
    }

    /// Ends a lease. Fails with [`Error::Misuse`] if `data` is no lease.
    pub fn settle(&self, data: *mut c_void) -> Result {
        let (cell, _) = self.claim(data, LEASED)?;
        self.free_cell(&self.ownership.take_seat(), cell);
        Ok(())
    }

    /// Puts a leased item at the end of the queue. After [`Error::Full`] and [`Error::Closed`] it
    /// stays leased. Fails with [`Error::Misuse`] if `data` is no lease.
    pub fn put_back(&self, data: *mut c_void) -> Result {
        let (cell, len) = self.claim(data, LEASED)?;
        self.append(cell, Ring::Filled, LEASED | len)
    }

    /// Puts a cell that this call owns and that came from a ring; if that fails, its length word
    /// becomes `word_if_refused`.
    fn append(&self, cell: u64, from: Ring, word_if_refused: u64) -> Result {
        let seat = &self.ownership.take_seat();
        match self.push_cell(seat, Ring::Filled, cell) {
            Ok(position) => {
                self.filled.note_peak(position);
                Ok(())
            }
            Err(refused) => {
                self.hold(cell, from, word_if_refused);
                Err(refused)
            }
        }
    }

    /// Makes a cell that this call owns one that the handle holds, with this length word.
    fn hold(&self, cell: u64, from: Ring, word: u64) {
        // SAFETY: the index of a cell.
        self.ownership.note_held(unsafe { self.mark_of(cell) }, from);
        self.mark(cell, word);
    }

    /// The address of the bytes of a cell, which callers write and read.
    fn address(&self, cell: u64) -> *mut c_void {
        // SAFETY: indices of cells are below the count.
        unsafe { self.payload().data(self.cells.cell(cell as usize)) }.cast()
    }

    /// The cell with this address, which may be any. Fails with [`Error::Misuse`] if there is none.
    fn cell_at(&self, data: *mut c_void) -> Result<u64> {
        let offset = data.addr().wrapping_sub(self.address(0).addr());
        let (cell, rest) = (offset / self.cells.stride(), offset % self.cells.stride());
        if rest == 0 && cell < self.free.capacity() { Ok(cell as u64) } else { Err(Error::Misuse) }
    }

    /// Writes the length word of a cell that this call owns.
    fn mark(&self, cell: u64, word: u64) {
        // Ordering: Relaxed; the rings order the cell, and callers that pass the address to another
        // thread order that.
        self.word(cell).store(word, site("mpmc.lease.mark", Relaxed));
    }

    /// Makes this call the owner of the cell with this address and mark; returns the index of the
    /// cell and the length of its blob.
    fn claim(&self, data: *mut c_void, mark: u64) -> Result<(u64, u64)> {
        let cell = self.cell_at(data)?;
        let word = self.word(cell).load(site("mpmc.lease.load", Relaxed));
        let len = word & !MARKS;
        // Ordering: Relaxed, as in `mark`. If it fails, another call owned the cell at that moment.
        // SAFETY: the index of a cell.
        let is_ours = self.ownership.holds(unsafe { self.mark_of(cell) });
        if word & MARKS == mark
            && is_ours
            && self.word(cell).replace(word, len, site("mpmc.lease.claim", Relaxed))
        {
            Ok((cell, len))
        } else {
            Err(Error::Misuse)
        }
    }
}

impl<P: Payload, K: CellOwnership> Indirect<P, K> {
    /// Makes the item of a leased cell an item again.
    #[cfg(queues_shared)]
    pub(super) fn clear_marks(&self, cell: u64) {
        if P::HAS_LENGTH {
            let word = self.word(cell).load(site("mpmc.lease.again", Relaxed));
            self.word(cell).store(word & !MARKS, site("mpmc.lease.clear", Relaxed));
        }
    }

    /// The length word of a cell, in a queue of blobs.
    fn word(&self, cell: u64) -> &AtomicU64 {
        debug_assert!(P::HAS_LENGTH);
        #[cfg(loom)]
        // SAFETY: indices of cells are below the count.
        return unsafe { self.words.get(cell as usize) };
        #[cfg(not(loom))]
        // SAFETY: indices of cells are below the count; the first word is aligned and accessed
        // atomically only.
        unsafe {
            &*self.cells.cell(cell as usize).cast::<AtomicU64>()
        }
    }

    /// Disposes of the items whose leases were not settled.
    pub(super) fn discard_leased(&mut self) {
        let count = self.free.capacity();
        let mut held = count.saturating_sub(self.free.len() + self.filled.len());
        if !P::HAS_LENGTH || held == 0 {
            return;
        }
        // The ring of free cells began with all of them in order. Cells that were never popped from it
        // were never used, and to read them would make the kernel provide their pages.
        let used = self.free.counts().dequeued.min(count as u64);
        for cell in 0..used {
            let word = self.word(cell).load(site("mpmc.lease.left", Relaxed));
            if word & LEASED != 0 {
                self.word(cell).store(word & !MARKS, site("mpmc.lease.drop", Relaxed));
                // SAFETY: no other thread has the queue; the cell was put.
                unsafe { self.cells.own(cell as usize, |payload, at| payload.discard(at)) };
            }
            held -= usize::from(word & MARKS != 0);
            if held == 0 {
                break;
            }
        }
    }
}
