//! A queue from one process to another, either of which may die at any instruction. Its state and
//! its cells lie in a file that both map.
//!
//! # Idea
//! An item is published, or removed, by the store of one position. So a process that dies leaves
//! nothing half done: what its last position covers is done, and nothing else is. There is nothing
//! to recover. The next producer goes on at the tail, the next consumer at the head.
//!
//! # Roles
//! The role of the producer, and that of the consumer, belong to one attachment each, whose id is
//! in the file. A handle takes a role by a compare-and-swap, in the first call that needs it, if
//! the role is free or its holder is gone. Only the kernel's lock shows that a process is dead, so
//! a suspended process keeps its role. The last release frees the role. After it has taken the
//! role, a call only loads one word of its own side.
//!
//! # Trust
//! A position from the file becomes an index only through
//! [`Cursor::slot`](super::cursor::Cursor::slot), whose results are below the capacity. Counts that
//! are computed from positions are checked, lengths are read once and bounded, and loops over the
//! stage end.
//!
//! # Fences
//! Heavy fences reach the threads of all attached processes (`sync/fence.rs`). A process that cannot
//! register for that makes the stage demand full fences (`closing`).
//!
//! # Progress
//! Wait-free, as within one process. Each call that finds the role taken makes a system call. A call
//! that takes over the role of a dead process makes one for each attachment.

use super::closing;
use super::ownership::{GetEnd, PutEnd, RoleOwnership, Side, State};
use super::slots::Slots;
use super::{Consumer, Spsc};
use crate::error::{Error, Result};
use crate::payload::{Bytes, Cells, Dense};
use crate::plan::{Described, Description, Plan, described};
use crate::queue::SharedOptions;
use crate::shared::{
    Attachment, Bystander, CommonParts, Contents, Flaw, Kind, Layout, Mapped, Mapping, Opened,
    OwnerId, Part, SharedFile, Sizes,
};
use crate::sync::{AcqRel, Acquire, AtomicU32, AtomicU64, Relaxed, site};
use core::ffi::c_int;
use core::mem::offset_of;
use core::ptr::NonNull;
use crossbeam_utils::CachePadded;

/// The default capacity, in items.
const DEFAULT_CAPACITY: usize = 1024;

/// A role that no handle has.
const FREE: u64 = OwnerId::NOBODY.bits();

/// Attempts of one call to take a role. An attempt fails only if another handle took the role. Not
/// tuned.
const ATTEMPTS: usize = 8;

/// The contents of the file beside the cells.
#[repr(C)]
struct Control {
    state: State,
    /// The holders of the roles.
    roles: CachePadded<[AtomicU64; 2]>,
}

/// Several processes use the memory.
#[derive(Debug)]
pub struct Shared {
    roles: Mapped<[AtomicU64; 2]>,
    attachment: Attachment,
}

/// Whether a side has its role. Only threads of the side use it.
#[derive(Debug)]
pub struct Role(AtomicU32);

impl Default for Role {
    fn default() -> Self {
        Self(AtomicU32::new(0))
    }
}

impl RoleOwnership for Shared {
    const IS_SHARED: bool = true;
    type Room = Mapped<State>;
    type Role = Role;

    #[inline(always)]
    fn has(role: &Role) -> bool {
        role.0.load(site("spsc.role.has", Relaxed)) != 0
    }
    fn note(role: &Role) {
        role.0.store(1, site("spsc.role.note", Relaxed));
    }

    fn take(&self, side: Side) -> Result {
        let role = &self.roles[side as usize];
        let own = self.attachment.id().bits();
        for _ in 0..ATTEMPTS {
            // Ordering: Acquire, pairs with the AcqRels of `leave` and `recover`: this call sees
            // what the last holder did.
            let holder = role.load(site("spsc.role.holder", Acquire));
            if holder == own {
                return Ok(());
            }
            if holder != FREE {
                if !self.attachment.is_gone_by_now(OwnerId::from_bits(holder)) {
                    break;
                }
                // Its other role, and its waiters.
                self.recover();
            }
            // It fails if `recover` has freed the role.
            if role.replace(holder, own, site("spsc.role.take", AcqRel)) {
                return Ok(());
            }
        }
        Err(Error::Misuse)
    }

    fn recover(&self) {
        let Some(dead) = self.attachment.find_dead() else { return };
        for role in self.roles.iter() {
            // Ordering: as in `take`.
            let holder = role.load(site("spsc.role.recover", Acquire));
            if holder != FREE && self.attachment.is_gone(OwnerId::from_bits(holder)) {
                role.replace(holder, FREE, site("spsc.role.free", AcqRel));
            }
        }
        self.attachment.free_dead(&dead);
    }

    fn leave(&self) {
        if self.attachment.is_inherited() {
            return;
        }
        for role in self.roles.iter() {
            // Ordering: AcqRel, pairs with the Acquire in `take`: the next holder sees what this
            // handle did. It fails if another handle has the role.
            role.replace(self.attachment.id().bits(), FREE, site("spsc.role.leave", AcqRel));
        }
        self.attachment.leave(true);
    }

    #[inline(always)]
    fn attachment(&self) -> Option<&Attachment> {
        Some(&self.attachment)
    }
}

/// The parts of a file.
struct Parts {
    common: CommonParts,
    control: Part,
    cells: Part,
}

fn lay_out(sizes: &Sizes) -> Result<(Layout, Parts)> {
    if sizes.spare != 0 || sizes.flags != 0 {
        return Err(Error::Invalid);
    }
    let blobs = blobs(sizes)?;
    let cell = Cells::<(), Dense>::layout(&blobs)?;
    let mut layout = Layout::new();
    let parts = Parts {
        common: CommonParts::add_to(&mut layout, sizes.attachments as usize)?,
        control: layout.add(size_of::<Control>(), 1)?,
        cells: layout.add(cell.size(), Slots::cells(&blobs, sizes.capacity as usize)?)?,
    };
    Ok((layout, parts))
}

fn blobs(sizes: &Sizes) -> Result<Dense> {
    Bytes::without_callback(sizes.item_size as usize).map(Dense::new)
}

/// Writes the parts of a new queue. The cells need nothing.
fn fill(mapping: &Mapping, _sizes: &Sizes, parts: &Parts) {
    let control = Control {
        state: State::new(0, closing::OPEN),
        roles: CachePadded::new([FREE; 2].map(AtomicU64::new)),
    };
    // SAFETY: in the mapping, aligned by the layout; no other process uses it yet.
    unsafe { mapping.at(parts.control.offset).cast::<Control>().write(control) };
}

impl Spsc<Dense, Shared> {
    /// Opens the queue in a file, or creates it there if the file is empty. The caller keeps `fd`.
    ///
    /// The calls of a role fail with [`Error::Misuse`] while another handle, of a process that is
    /// alive, has the role.
    ///
    /// Fails with [`Error::Invalid`] if the file is no such queue, or has other sizes; with
    /// [`Error::NoMemory`] if memory, disk, descriptors or attachments are used up.
    pub(crate) fn open(fd: c_int, options: &SharedOptions) -> Result<Self> {
        if options.spare != 0 || options.redelivers {
            return Err(Error::Invalid);
        }
        let request = options.request(Kind::Spsc, 0, (DEFAULT_CAPACITY, 0));
        let (opened, parts) = Opened::open(fd, &request, lay_out, fill)?;
        let attachment = Attachment::new(opened, &parts.common)?;
        let sizes = *attachment.sizes();
        let control = attachment.mapping().at(parts.control.offset).cast::<Control>();
        let cells = attachment.mapping().at(parts.cells.offset);
        // SAFETY: the attachment keeps the mapping as long as the queue. The control consists of
        // atomics; only the holder of a role accesses a cell.
        let (slots, state, roles) = unsafe {
            (
                Slots::of(sizes.capacity as usize, Cells::borrowed(blobs(&sizes)?, cells)),
                Mapped::new(NonNull::from(&control.as_ref().state)),
                Mapped::new(NonNull::from(&*control.as_ref().roles)),
            )
        };
        let fences = attachment.fences();
        if !fences.is_asymmetric() {
            closing::make_puts_fence(&state);
        }
        let queue = Self::of(slots, 0, fences, state, Shared { roles, attachment });
        queue.ownership.recover();
        Ok(queue)
    }
}

impl Described for Spsc<Dense, Shared> {
    fn describe(&self) -> Description {
        let plan = const {
            type Queue = Spsc<Dense, Shared>;
            let (put, get) = (offset_of!(State, put), offset_of!(State, get));
            let attachment = offset_of!(Queue, ownership) + offset_of!(Shared, attachment);
            &Plan::EMPTY
                .within(offset_of!(Queue, slots), Slots::<Dense>::PLAN)
                .within(attachment, Attachment::PLAN)
                .with("origin", offset_of!(Queue, origin))
                .with("held", offset_of!(Queue, consumer) + offset_of!(Consumer<Role>, held_to))
                .with("ends", offset_of!(Queue, state))
                .with("of_closed", offset_of!(State, stage))
                .with("of_lengths", offset_of!(State, lengths_from))
                .with("of_head", get + offset_of!(GetEnd, head))
                .with("of_tail", put + offset_of!(PutEnd, tail))
                .with("of_drained", get + offset_of!(GetEnd, drained_at))
                .with("record", Attachment::RECORD)
                .with("of_waits", Attachment::OF_WAITS)
        };
        described(self, plan)
    }
}

/// Reads the queue in a file. Fails with the flaw of its header.
pub(crate) fn inspect(
    file: &SharedFile,
    described: &crate::shared::Described,
) -> core::result::Result<Contents, Flaw> {
    let (mapping, parts) = described.map(file, &lay_out)?;
    let bystander = Bystander::new(file, &mapping, &parts.common);
    // SAFETY: in the mapping, made of atomics.
    let control = unsafe { mapping.at(parts.control.offset).cast::<Control>().as_ref() };
    let State { stage, lengths_from: _, put, get } = &control.state;
    let head = get.head.load(site("spsc.inspect.head", Acquire));
    let tail = put.tail.load(site("spsc.inspect.tail", Acquire));
    let stage = stage.load(site("spsc.inspect.stage", Acquire));
    // As in `accepted_tail`: a put that is refused has published its item, and may have died before
    // it took the item back.
    let tail = if stage == closing::DRAINED {
        get.drained_at.load(site("spsc.inspect.drained_at", Relaxed))
    } else {
        tail
    };
    let capacity = described.sizes.capacity;
    let len = tail.wrapping_sub(head).min(capacity);
    let holds = |side: Side, wants_alive| {
        let holder = control.roles[side as usize].load(site("spsc.inspect.role", Acquire));
        let is_alive = bystander.is_alive(OwnerId::from_bits(holder));
        u64::from(holder != FREE && is_alive == wants_alive)
    };
    Ok(Contents {
        is_closed: closing::is_closed(stage),
        enqueued: head.wrapping_add(len),
        dequeued: head,
        peak: put.peak.load(site("spsc.inspect.peak", Relaxed)).min(capacity),
        len: len as usize,
        parts: (
            "roles",
            vec![
                ("producer_alive", holds(Side::Producer, true)),
                ("producer_dead", holds(Side::Producer, false)),
                ("consumer_alive", holds(Side::Consumer, true)),
                ("consumer_dead", holds(Side::Consumer, false)),
            ],
        ),
        common: bystander.contents(),
    })
}
