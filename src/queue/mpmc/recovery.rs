//! Queues of blobs in memory that processes share, and how the cells of a dead process are
//! recovered.
//!
//! # Idea
//! An operation on a ring is one compare-and-swap, so a process that dies leaves no operation half
//! done. Only the cells that it had popped are missing from the rings. Each cell has a *mark*: at a
//! position of a ring, or held by an attachment (a reservation or a lease). The mark also names the
//! attachment that wrote it. Each call has a seat, where it *announces* the cell that it is about
//! to move, as a hazard pointer does.
//!
//! A pop announces the cell that it sees in front, and then pops it. A push announces the cell,
//! marks it as in the ring at a position before each attempt there, and pushes. The announcement
//! stays from before the pop until after the push. A reservation or a lease marks the cell as held,
//! and then ends the announcement. These are plain stores, to a line of the thread's own and to the
//! cell that the call owns.
//!
//! # Recovery
//! A process *sweeps* when it finds no free cell, when it waits, and when it opens the queue, if it
//! then notices a death. For each cell the sweep reads the mark.
//! 1. Held by a live attachment: the sweep leaves the cell. Held by an attachment that is gone: the
//!    sweep takes the cell.
//! 2. At a position of a ring: if the slot there holds the cell, the sweep leaves the cell.
//!    Otherwise a call has popped the cell, or has marked it and not pushed it yet, and its process
//!    may have died since. If a live call announces the cell, the sweep skips it. If the slot is
//!    then still as before, the sweep takes the cell.
//!
//! To take a cell, the sweep replaces the mark that it read by its own, in one compare-and-swap.
//! Then it pushes the cell as any call does. A sweep may die anywhere.
//!
//! A mark names its writer because two processes may sweep at once. Otherwise one could stop before
//! its compare-and-swap, while the other gives the cell back and a third call marks the cell for
//! the same position, which is still free. The mark would be the same, and the first sweep would
//! steal the cell. `tests/spin` has a model of all this, in which that and fifteen other mistakes
//! fail.
//!
//! A mark has 32 bits of the position. So one case is left in which a sweep could steal a cell: it
//! stops before its compare-and-swap, the ring meanwhile moves on by a multiple of 2^32 positions,
//! and the same attachment then marks the same cell for that position.
//!
//! # Orderings
//! The stores of marks and announcements are Release, the sweep's loads Acquire, and the slots
//! SeqCst. A sweep that finds a slot changed by a pop sees the announcement that precedes the pop.
//! A sweep that sees the mark of a push sees the announcement of the cell. If it reads a later
//! announcement, the call has gone on, and has changed the slot or the mark. Then the second look
//! at the slot, or the compare-and-swap, shows the change.
//!
//! # Progress
//! Every call is lock-free, however many processes are suspended or dead. A sweep is O(cells) and
//! skips cells in motion: those that a live call announces.

use super::ownership::{CellOwnership, Ring};
use super::{Indirect, SPARE};
use crate::error::{Error, Result};
use crate::memory::Array;
use crate::payload::{Bytes, Cells, Payload};
use crate::plan::{Described, Description, Plan, described};
use crate::queue::ring::{Ends, Packed, Room, Slot, SlotRing, slots_for};
use crate::queue::{Counts, SharedOptions};
use crate::shared::{
    Attachment, Bystander, CommonParts, Contents, Flaw, GET, Kind, Layout, Mapped, Mapping, Opened,
    OwnerId, PUT, Part, Seat, SharedFile, Sizes,
};
use crate::sync::{AcqRel, Acquire, AtomicU64, Release, pause, site};
use core::ffi::c_int;
use core::mem::offset_of;
use core::ptr::NonNull;

/// Flag of a shared queue: what a dead process held is redelivered.
pub(crate) const REDELIVER: u64 = 1 << 8;

/// The default capacity, in items.
const DEFAULT_CAPACITY: usize = 1000;

/// Looks at a cell in motion before a sweep skips it. Not tuned.
const LOOKS: u32 = 8;
/// Repeated looks of one sweep, at all cells together. Calls keep few cells in motion, so only a
/// peer that damages the file uses them up. Not tuned.
const PATIENCE: u32 = 1 << 12;

/// In a mark: the cell is at a position of a ring. Otherwise an attachment holds the cell.
const IN_RING: u64 = 1 << 63;
/// In a mark: the ring is that of filled cells. A held cell came from it.
const FILLED: u64 = 1 << 62;
/// In a mark: the lowest bit of the attachment that wrote it, above those of the position.
const WRITER: u32 = 32;

const _: () = assert!(WRITER + OwnerId::BITS == 62);

fn bit(ring: Ring) -> u64 {
    if ring == Ring::Filled { FILLED } else { 0 }
}

/// The mark of a cell in a ring.
#[inline(always)]
fn at(writer: OwnerId, ring: Ring, position: u64) -> u64 {
    IN_RING | bit(ring) | writer.bits() << WRITER | u64::from(position as u32)
}

/// The mark of a cell that an attachment holds.
fn held_by(owner: OwnerId, from: Ring) -> u64 {
    bit(from) | owner.bits() << WRITER
}

/// Where a cell is, according to its mark.
enum Whereabouts {
    HeldBy(OwnerId),
    /// The low bits of the position.
    At(u32),
}

/// Returns where a cell is according to its mark, and the ring that it is in or came from.
fn read_mark(mark: u64) -> (Whereabouts, Ring) {
    let ring = if mark & FILLED != 0 { Ring::Filled } else { Ring::Free };
    let place = if mark & IN_RING != 0 {
        Whereabouts::At(mark as u32)
    } else {
        Whereabouts::HeldBy(OwnerId::from_bits(mark >> WRITER))
    };
    (place, ring)
}

impl Room for Mapped<Ends> {
    const IS_SHARED: bool = true;
    const PLAN: Plan = Plan::EMPTY.with("ends", 0);
}

/// Several processes use the memory.
#[derive(Debug)]
pub struct Shared {
    attachment: Attachment,
    redelivers: bool,
}

impl Shared {
    /// For a debugger.
    const PLAN: Plan = Plan::EMPTY.within(offset_of!(Self, attachment), Attachment::PLAN);
}

impl CellOwnership for Shared {
    const IS_SHARED: bool = true;
    type Room = Mapped<Ends>;
    type Mark = AtomicU64;
    type Seat<'a> = Seat<'a>;

    #[inline(always)]
    fn take_seat(&self) -> Seat<'_> {
        self.attachment.take_seat()
    }
    #[inline(always)]
    fn announce(seat: &Seat<'_>, cell: u64) {
        seat.announce(cell + 1);
    }
    #[inline(always)]
    fn note_push(&self, mark: &AtomicU64, ring: Ring, position: u64) {
        // Ordering: Release, pairs with the Acquire in `look_after`.
        mark.store(at(self.attachment.id(), ring, position), site("mpmc.shared.push", Release));
    }
    fn note_held(&self, mark: &AtomicU64, from: Ring) {
        // Ordering: Release, as in `note_push`.
        mark.store(held_by(self.attachment.id(), from), site("mpmc.shared.hold", Release));
    }
    fn holds(&self, mark: &AtomicU64) -> bool {
        let mark = mark.load(site("mpmc.shared.holds", Acquire));
        mark & !FILLED == held_by(self.attachment.id(), Ring::Free)
    }

    #[cold]
    fn recover<P: Payload>(queue: &Indirect<P, Self>, seat: &Seat<'_>) -> bool {
        let attachment = &queue.ownership.attachment;
        let Some(dead) = attachment.find_dead() else { return false };
        if queue.sweep(seat, |owner| attachment.is_gone(owner)) {
            attachment.free_dead(&dead);
        }
        true
    }

    fn leave<P: Payload>(queue: &Indirect<P, Self>) {
        let attachment = &queue.ownership.attachment;
        if attachment.is_inherited() {
            return;
        }
        let is_empty_handed =
            queue.sweep(&queue.ownership.take_seat(), |owner| owner == attachment.id());
        attachment.leave(is_empty_handed);
    }

    #[inline(always)]
    fn attachment(&self) -> Option<&Attachment> {
        Some(&self.attachment)
    }
}

/// The parts of a file.
struct Parts {
    common: CommonParts,
    ends: Part,
    filled: Part,
    free: Part,
    cells: Part,
}

type Blobs = Cells<AtomicU64, Bytes>;
type MappedRing = SlotRing<Packed, Mapped<Ends>>;

fn lay_out(sizes: &Sizes) -> Result<(Layout, Parts)> {
    if sizes.flags & !REDELIVER != 0 {
        return Err(Error::Invalid);
    }
    let capacity = sizes.capacity as usize;
    // The bits of a position in a mark must determine the slot.
    let is_few = |&count: &usize| count <= 1 << (WRITER - 1);
    let count = capacity.checked_add(sizes.spare as usize).filter(is_few).ok_or(Error::Invalid)?;
    let cell = Blobs::layout(&Bytes::without_callback(sizes.item_size as usize)?)?;
    let mut layout = Layout::new();
    let parts = Parts {
        common: CommonParts::add_to(&mut layout, sizes.attachments as usize)?,
        ends: layout.add(size_of::<Ends>(), 2)?,
        filled: layout.add(size_of::<Packed>(), slots_for(capacity, count)?)?,
        free: layout.add(size_of::<Packed>(), slots_for(count, count)?)?,
        cells: layout.add(cell.size(), count)?,
    };
    Ok((layout, parts))
}

/// The rings of filled and of free cells, and the cells.
///
/// # Safety
/// The mapping outlives the result; its parts are complete, or `fill` is about to write them.
unsafe fn view(
    mapping: &Mapping,
    sizes: &Sizes,
    parts: &Parts,
) -> Result<(MappedRing, MappedRing, Blobs)> {
    let ends: NonNull<Ends> = mapping.at(parts.ends.offset).cast();
    let ring = |part: Part, capacity, ends| {
        // SAFETY: slots and ends are atomics in the mapping, aligned by the layout.
        let slots =
            unsafe { Array::borrowed(mapping.at(part.offset).cast::<Packed>(), part.count) };
        // SAFETY: the mapping outlives the ring.
        SlotRing::of(capacity, slots, unsafe { Mapped::new(ends) })
    };
    // SAFETY: two ends lie there.
    let free_ends = unsafe { ends.add(1) };
    let filled = ring(parts.filled, sizes.capacity as usize, ends);
    let free = ring(parts.free, parts.cells.count, free_ends);
    // SAFETY: cells consist of words that are accessed atomically or by their owner.
    let cells = unsafe {
        Blobs::borrowed(
            Bytes::without_callback(sizes.item_size as usize)?,
            mapping.at(parts.cells.offset),
        )
    };
    Ok((filled, free, cells))
}

/// Writes the parts of a new queue, in which every cell is free.
fn fill(mapping: &Mapping, sizes: &Sizes, parts: &Parts) {
    for (part, i) in [(parts.filled, 0), (parts.free, 1)] {
        // SAFETY: in the mapping, which no other process uses yet.
        unsafe {
            mapping.at(parts.ends.offset).cast::<Ends>().add(i).write(Ends::new(0));
            let slots = mapping.at(part.offset).cast::<Packed>();
            for slot in 0..part.count {
                slots.add(slot).write(Packed::new(slot as u64, part.count as u64 - 1));
            }
        }
    }
    // SAFETY: written above, as far as it is used.
    let Ok((_, free, cells)) = (unsafe { view(mapping, sizes, parts) }) else { return };
    for cell in 0..parts.cells.count {
        // SAFETY: below the count; an atomic of zeros is one.
        let mark = unsafe { cells.header(cell) };
        mark.store(at(OwnerId::NOBODY, Ring::Free, cell as u64), site("mpmc.shared.fill", Release));
        let pushed = free.push(cell as u64);
        debug_assert_eq!(pushed, Ok(cell as u64));
    }
}

impl Indirect<Bytes, Shared> {
    /// Opens the queue in a file, or creates it there if the file is empty. The caller keeps `fd`.
    ///
    /// Fails with [`Error::Invalid`] if the file is no such queue, or has other sizes; with
    /// [`Error::NoMemory`] if memory, disk, descriptors or attachments are used up.
    pub(crate) fn open(fd: c_int, options: &SharedOptions) -> Result<Self> {
        let flags = if options.redelivers { REDELIVER } else { 0 };
        let request = options.request(Kind::Mpmc, flags, (DEFAULT_CAPACITY, SPARE));
        let (opened, parts) = Opened::open(fd, &request, lay_out, fill)?;
        let attachment = Attachment::new(opened, &parts.common)?;
        let sizes = *attachment.sizes();
        // SAFETY: the attachment keeps the mapping, and is dropped last.
        let (filled, free, cells) = unsafe { view(attachment.mapping(), &sizes, &parts)? };
        let redelivers = sizes.flags & REDELIVER != 0;
        let queue = Self { filled, free, cells, ownership: Shared { attachment, redelivers } };
        Shared::recover(&queue, &queue.ownership.take_seat());
        Ok(queue)
    }
}

impl<P: Payload> Indirect<P, Shared> {
    /// Recovers the cells of owners for which `may_lose` returns true, and those that are not in
    /// their place and that no live call announces. Returns false if it skipped a cell.
    fn sweep(&self, seat: &Seat<'_>, may_lose: impl Fn(OwnerId) -> bool) -> bool {
        // What this call announced before is over.
        seat.announce(0);
        let mut is_complete = true;
        let mut patience = PATIENCE;
        for cell in 0..self.free.capacity() as u64 {
            let mut looks = 0;
            loop {
                match self.look_after(seat, cell, &may_lose) {
                    Ok(true) => break,
                    Ok(false) => {}
                    // No ring takes cells any more.
                    Err(_) => return false,
                }
                looks += 1;
                if looks == LOOKS || patience == 0 {
                    is_complete = false;
                    break;
                }
                patience -= 1;
                pause(1 << looks);
            }
        }
        is_complete
    }

    /// Recovers one cell, as [`Indirect::sweep`]. Returns false if the cell is in motion, or is to
    /// be redelivered and there is no room. Fails with [`Error::Corrupt`] if no ring accepts the
    /// cell.
    fn look_after(
        &self,
        seat: &Seat<'_>,
        cell: u64,
        may_lose: &impl Fn(OwnerId) -> bool,
    ) -> Result<bool> {
        let attachment = &self.ownership.attachment;
        // SAFETY: below the count.
        let mark = unsafe { self.mark_of(cell) };
        // Ordering: Acquire, pairs with the Releases in `note_push` and `note_held`.
        let before = mark.load(site("mpmc.sweep.mark", Acquire));
        let (place, ring) = read_mark(before);
        match place {
            Whereabouts::HeldBy(owner) if !may_lose(owner) => return Ok(true),
            Whereabouts::HeldBy(_) => {}
            Whereabouts::At(position) => {
                let seen = self.ring(ring).state_at(position);
                if seen.holds(position, cell) {
                    return Ok(true);
                }
                if attachment.announcements().any(|announced| announced == cell + 1)
                    || self.ring(ring).state_at(position) != seen
                {
                    return Ok(false);
                }
            }
        }
        let comes_again = self.ownership.redelivers && ring == Ring::Filled;
        if comes_again && self.filled.check_room_exactly() == Err(Error::Full) {
            return Ok(false);
        }
        let ours = held_by(attachment.id(), ring);
        if !mark.replace(before, ours, site("mpmc.sweep.take", AcqRel)) {
            return Ok(false);
        }
        self.give_back(seat, cell, comes_again, before)
    }

    /// Pushes a cell that this call owns. Returns false if its item is to be redelivered and there
    /// is no room; its mark is then `before` again. Fails with [`Error::Corrupt`] if no ring
    /// accepts it.
    fn give_back(
        &self,
        seat: &Seat<'_>,
        cell: u64,
        comes_again: bool,
        before: u64,
    ) -> Result<bool> {
        let attachment = &self.ownership.attachment;
        if comes_again {
            self.clear_marks(cell);
            match self.push_cell(seat, Ring::Filled, cell) {
                Ok(_) => {
                    seat.announce(0);
                    attachment.count_recovered();
                    attachment.notify(GET, 1);
                    return Ok(true);
                }
                // The item is lost: see decision 021.
                Err(Error::Closed) => {}
                Err(_) => {
                    // SAFETY: below the count.
                    unsafe { self.mark_of(cell) }
                        .store(before, site("mpmc.sweep.restore", Release));
                    seat.announce(0);
                    return Ok(false);
                }
            }
        }
        let pushed = self.push_cell(seat, Ring::Free, cell);
        seat.announce(0);
        pushed?;
        attachment.count_recovered();
        attachment.notify(PUT, 1);
        Ok(true)
    }
}

impl Described for Indirect<Bytes, Shared> {
    fn describe(&self) -> Description {
        const PLAN: &Plan = &Indirect::<Bytes, Shared>::PLAN
            .within(offset_of!(Indirect<Bytes, Shared>, ownership), Shared::PLAN)
            .with("slot", size_of::<Packed>())
            .with("header", size_of::<AtomicU64>())
            .with("of_head", Ends::HEAD)
            .with("of_tail", Ends::TAIL)
            .with("record", Attachment::RECORD)
            .with("of_waits", Attachment::OF_WAITS);
        described(self, PLAN)
    }
}

/// Reads the queue in a file. Fails with the flaw of its header.
pub(crate) fn inspect(
    file: &SharedFile,
    described: &crate::shared::Described,
) -> core::result::Result<Contents, Flaw> {
    let (mapping, parts) = described.map(file, &lay_out)?;
    let bystander = Bystander::new(file, &mapping, &parts.common);
    // SAFETY: the mapping outlives the view, which only reads.
    let (filled, free, heads) =
        unsafe { view(&mapping, &described.sizes, &parts) }.map_err(Flaw::Unreadable)?;
    let [mut filled_cells, mut free_cells, mut reserved, mut leased, mut held_by_dead, mut moving] =
        [0; 6];
    for cell in 0..parts.cells.count {
        // SAFETY: below the count.
        let mark = unsafe { heads.header(cell) }.load(site("mpmc.inspect.mark", Acquire));
        let (place, ring) = read_mark(mark);
        let state = match (place, ring) {
            (Whereabouts::At(position), Ring::Filled)
                if filled.state_at(position).holds(position, cell as u64) =>
            {
                &mut filled_cells
            }
            (Whereabouts::At(position), Ring::Free)
                if free.state_at(position).holds(position, cell as u64) =>
            {
                &mut free_cells
            }
            (Whereabouts::At(_), _) => &mut moving,
            (Whereabouts::HeldBy(owner), _) if !bystander.is_alive(owner) => &mut held_by_dead,
            (Whereabouts::HeldBy(_), Ring::Free) => &mut reserved,
            (Whereabouts::HeldBy(_), Ring::Filled) => &mut leased,
        };
        *state += 1;
    }
    let Counts { enqueued, dequeued, peak } = filled.counts();
    Ok(Contents {
        is_closed: filled.is_closed(),
        enqueued,
        dequeued,
        peak,
        len: filled.len(),
        // Cells that move meanwhile may count twice or not at all.
        parts: (
            "cells",
            vec![
                ("filled", filled_cells),
                ("free", free_cells),
                ("reserved", reserved),
                ("leased", leased),
                ("held_by_dead", held_by_dead),
                ("moving", moving),
            ],
        ),
        common: bystander.contents(),
    })
}
