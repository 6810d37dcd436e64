//! Whether only this process uses the memory of a queue of cells ([`Alone`]), or several processes,
//! which may die at any instruction (`recovery.rs`).
//!
//! The cells that a dead process owned are in neither ring. So in shared memory a call notes where
//! each cell is. With `Alone` these notes compile to nothing.

use super::Indirect;
use crate::payload::Payload;
use crate::queue::ring::{Inline, Room};

/// One of the two rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ring {
    Free = 0,
    Filled = 1,
}

/// See the module.
pub(crate) trait CellOwnership: Sized + Send + Sync {
    /// Whether other processes use the memory, too. Then no number in it is trusted.
    const IS_SHARED: bool;
    /// The storage of the ends of the rings.
    type Room: Room;
    /// The mark of a cell, its header.
    type Mark: Send + Sync;
    /// Where a call announces the cell that it is about to move.
    type Seat<'a>
    where
        Self: 'a;

    /// Begins a call.
    fn take_seat(&self) -> Self::Seat<'_>;
    /// Announces that the call is about to pop a cell, or to push it. The announcement ends with
    /// the seat, or with the next announcement.
    fn announce(seat: &Self::Seat<'_>, cell: u64);
    /// Marks the cell as at the position where the push that follows puts it.
    fn note_push(&self, mark: &Self::Mark, ring: Ring, position: u64);
    /// Marks the cell as held by this attachment beyond the call. The cell came from the ring
    /// `from`.
    fn note_held(&self, mark: &Self::Mark, from: Ring);
    /// Whether this attachment holds a cell.
    fn holds(&self, mark: &Self::Mark) -> bool;
    /// Recovers the cells of dead processes. Returns false if no sweep was needed.
    fn recover<P: Payload>(queue: &Indirect<P, Self>, seat: &Self::Seat<'_>) -> bool;
    /// Gives back the cells of this attachment, at its end.
    fn leave<P: Payload>(queue: &Indirect<P, Self>);
    /// The attachment.
    #[cfg(queues_shared)]
    fn attachment(&self) -> Option<&crate::shared::Attachment>;
}

/// Only this process uses the memory.
#[derive(Debug)]
pub struct Alone;

impl CellOwnership for Alone {
    const IS_SHARED: bool = false;
    type Room = Inline;
    type Mark = ();
    type Seat<'a> = ();

    #[inline(always)]
    fn take_seat(&self) {}
    #[inline(always)]
    fn announce((): &(), _cell: u64) {}
    #[inline(always)]
    fn note_push(&self, (): &(), _ring: Ring, _position: u64) {}
    #[inline(always)]
    fn note_held(&self, (): &(), _from: Ring) {}
    #[inline(always)]
    fn holds(&self, (): &()) -> bool {
        true
    }
    fn recover<P: Payload>(_queue: &Indirect<P, Self>, (): &()) -> bool {
        false
    }
    fn leave<P: Payload>(_queue: &Indirect<P, Self>) {}
    #[cfg(queues_shared)]
    #[inline(always)]
    fn attachment(&self) -> Option<&crate::shared::Attachment> {
        None
    }
}
