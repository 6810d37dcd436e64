//! The cells of a batching queue: a put claims a free one by a compare-and-swap of its header, and
//! the get frees it by a store. There is no list of free cells. The search begins at the cell of the
//! position that the put is going to have, which has been free since the position was popped a lap
//! earlier, unless puts or gets are suspended.
//!
//! # Long searches
//! Behind a put that passed the cells of a suspended get, each put finds the cell of its position
//! taken by an earlier one, and passes as many cells, until the queue is nearly empty. So a put that
//! passed more than a few cells makes the searches of all begin that much later.

use crate::error::Result;
use crate::payload::{Cells, Payload};
use crate::plan::Plan;
use crate::sync::{Acquire, AtomicU64, Relaxed, Release, site};

/// The arrival of a cell without an owner.
const FREE: u64 = 0;
/// The arrival of an item whose age does not count, and the earliest of the others.
pub(super) const AGELESS: u64 = 1;
/// Cells. Searches that pass more are not due to puts at the same moment, but to calls that were
/// suspended or to a stale hint of the tail.
const LONG_SEARCH: u64 = 16;

/// The header of a cell. Its owner writes it; once the cell is in the queue, the holder of the lock
/// reads it.
pub(super) struct Header {
    /// Nanoseconds of the monotonic clock, `AGELESS` or `FREE`.
    pub(super) arrival: AtomicU64,
    /// Written if weights count.
    pub(super) weight: AtomicU64,
}

/// See the module.
pub(super) struct Pool<P> {
    cells: Cells<Header, P>,
    count: u64,
    /// How many cells after that of its position a search begins.
    ahead: AtomicU64,
}

impl<P: Payload> Pool<P> {
    /// For a debugger.
    pub(super) const PLAN: Plan =
        Plan::EMPTY.within(core::mem::offset_of!(Self, cells), Cells::<Header, P>::PLAN);

    pub(super) fn try_new(payload: P, count: usize) -> Result<Self> {
        let header = |_| Header { arrival: AtomicU64::new(FREE), weight: AtomicU64::new(0) };
        Ok(Self {
            cells: Cells::try_new(payload, count, header)?,
            count: count as u64,
            ahead: AtomicU64::new(0),
        })
    }

    pub(super) fn payload(&self) -> &P {
        self.cells.payload()
    }

    /// # Safety
    /// `claim` returned the index.
    #[inline(always)]
    pub(super) unsafe fn header(&self, cell: u64) -> &Header {
        // SAFETY: below the count.
        unsafe { self.cells.header(cell as usize) }
    }

    /// The address of the item of a cell.
    ///
    /// # Safety
    /// `claim` returned the index.
    #[inline(always)]
    pub(super) unsafe fn item(&self, cell: u64) -> *const u8 {
        // SAFETY: below the count.
        unsafe { self.cells.cell(cell as usize) }
    }

    /// The arrivals of all cells, with their indices, from that of `position` on.
    #[inline(always)]
    fn from(&self, position: u64) -> impl Iterator<Item = (u64, &AtomicU64)> {
        let first = position % self.count;
        // SAFETY: below the count.
        let arrival = |cell| unsafe { &self.header(cell).arrival };
        (first..self.count).chain(0..first).map(move |cell| (cell, arrival(cell)))
    }

    /// Makes the caller the owner of a cell whose item arrives now: of the first free one from that of
    /// `position` on. `None` if each was taken when the search came to it. `now` is `AGELESS` or later.
    #[inline(always)]
    pub(super) fn claim(&self, position: u64, now: u64) -> Option<u64> {
        debug_assert!(now >= AGELESS);
        let claims = |arrival: &AtomicU64| {
            arrival.load(site("batch.cell.look", Relaxed)) == FREE
                // Ordering: Acquire, pairs with the Release in `empty`: the last owner is done with it.
                && arrival.replace(FREE, now, site("batch.cell.claim", Acquire))
        };
        let ahead = self.ahead.load(site("batch.cell.ahead", Relaxed));
        for (passed, (cell, arrival)) in (0..).zip(self.from(position.wrapping_add(ahead))) {
            if claims(arrival) {
                if passed > LONG_SEARCH {
                    self.begin_later((ahead + passed) % self.count);
                }
                return Some(cell);
            }
        }
        None
    }

    #[cold]
    fn begin_later(&self, ahead: u64) {
        self.ahead.store(ahead, site("batch.cell.begin", Relaxed));
    }

    /// Whether a cell is free; a snapshot.
    pub(super) fn has_free_cell(&self, position: u64) -> bool {
        let is_free = |arrival: &AtomicU64| arrival.load(site("batch.cell.see", Relaxed)) == FREE;
        self.from(position).any(|(_, arrival)| is_free(arrival))
    }

    /// Copies the item into a cell.
    ///
    /// # Safety
    /// The caller owns the cell.
    #[inline(always)]
    pub(super) unsafe fn fill(&self, cell: u64, item: &P::Item) {
        // SAFETY: by contract.
        unsafe { self.cells.own(cell as usize, |payload, at| payload.write(at, item)) };
    }

    /// Runs `take` on the item of a cell, then frees the cell.
    ///
    /// # Safety
    /// The caller owns the cell; `take` reads, discards or forgets the item.
    #[inline(always)]
    pub(super) unsafe fn empty(&self, cell: u64, take: impl FnOnce(&P, *mut u8)) {
        // SAFETY: by contract.
        unsafe {
            self.cells.own(cell as usize, take);
            // Ordering: Release, pairs with the Acquire in `claim`.
            self.header(cell).arrival.store(FREE, site("batch.cell.free", Release));
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::payload::Pointer;

    fn pool(count: usize) -> Pool<Pointer> {
        Pool::try_new(Pointer::default(), count).unwrap()
    }

    fn free(pool: &Pool<Pointer>, cell: u64) {
        // SAFETY: the test claimed the cell, and put no item there.
        unsafe { pool.empty(cell, |_, _| ()) };
    }

    #[test]
    fn a_put_gets_the_cell_of_its_position_also_after_the_last() {
        let pool = pool(5);
        for position in 0..12 {
            assert_eq!(pool.claim(position, AGELESS), Some(position % 5));
            free(&pool, position % 5);
        }
        assert_eq!(pool.claim(u64::MAX, AGELESS), Some(u64::MAX % 5));
    }

    #[test]
    fn a_search_passes_cells_in_use_and_goes_around() {
        let pool = pool(5);
        for cell in [3, 4, 0, 1, 2] {
            assert!(pool.has_free_cell(cell));
            assert_eq!(pool.claim(3, AGELESS), Some(cell));
        }
        for position in 0..10 {
            assert_eq!(pool.claim(position, AGELESS), None);
            assert!(!pool.has_free_cell(position));
        }
        for cell in 0..5 {
            free(&pool, cell);
            for position in 0..10 {
                assert!(pool.has_free_cell(position));
                assert_eq!(pool.claim(position, AGELESS), Some(cell));
                assert_eq!(pool.claim(position, AGELESS), None);
                free(&pool, cell);
            }
            assert_eq!(pool.claim(cell, AGELESS), Some(cell));
        }
    }

    #[test]
    fn a_cell_in_use_has_the_arrival_of_its_claim() {
        let pool = pool(1);
        let arrival = || {
            // SAFETY: there is a cell 0.
            unsafe { pool.header(0) }.arrival.load(site("test", Relaxed))
        };
        assert_eq!((pool.claim(0, 7), arrival()), (Some(0), 7));
        assert_eq!((pool.claim(0, 8), arrival()), (None, 7));
        free(&pool, 0);
        assert_eq!((pool.claim(0, 9), arrival()), (Some(0), 9));
    }

    #[test]
    fn searches_begin_behind_the_cells_that_a_long_search_passed() {
        // The queue keeps 40 items while a call is suspended that holds 30 cells.
        let (pool, backlog, held) = (pool(100), 40, 30);
        let mut cells: std::collections::VecDeque<u64> = (0..backlog).collect();
        for position in 0..backlog + held {
            assert_eq!(pool.claim(position, AGELESS), Some(position));
        }
        for position in backlog..1000 {
            let cell = pool.claim(position, AGELESS).unwrap();
            let passed = (cell + 100 - (position + pool.ahead.load(Relaxed)) % 100) % 100;
            assert_eq!(passed, 0, "at position {position}");
            if position == 200 {
                (backlog..backlog + held).for_each(|cell| free(&pool, cell));
            }
            cells.push_back(cell);
            free(&pool, cells.pop_front().unwrap());
        }
    }
}
