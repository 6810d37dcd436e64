//! Handles: what a C program holds, counted and tagged.

use super::tsan::{Channel, Tsan};
use crate::error::{Error, Result};
use crate::queue::Queue;
use crate::stats::Stats;
use crate::sync::{AcqRel, Acquire, AtomicU32, AtomicU64, Relaxed, Release, site};
use crate::wait::Blocking;
use core::alloc::Layout;
use core::ffi::c_void;
use core::marker::PhantomData;
use crossbeam_utils::CachePadded;

/// The upper half of every live handle's tag.
const MAGIC: u64 = 0x5155_4555_0000_0000;
/// What a freed handle's tag becomes, for as long as its memory is not used again.
const DEAD: u64 = 0;

/// Modes that take a call off the fast path.
const CHECKED: u64 = 1 << 16;
const SANITIZED: u64 = 1 << 17;

/// A queue as C holds it.
#[repr(C)]
pub(super) struct Handle<Q: ?Sized> {
    head: Head,
    queue: Q,
}

/// What stands before every queue. The first line is only read between creation and release.
#[repr(C)]
struct Head {
    tag: u64,
    references: CachePadded<AtomicU64>,
    /// Whether a producer or a consumer is inside; in checked mode only.
    inside: [CachePadded<AtomicU32>; 2],
}

/// The tag of a family and payload, and the type behind it.
pub(super) struct Kind<Q> {
    tag: u64,
    queue: PhantomData<fn(Q)>,
}

/// Which side of a queue a call is on.
#[derive(Clone, Copy)]
pub(super) struct Side {
    /// The mark of who is alone on this side, in checked mode.
    mark: Option<usize>,
    gives: Channel,
    takes: Channel,
}

impl Side {
    pub(super) const PUT: Self = Self { mark: Some(0), ..Self::giving(Channel::Items) };
    pub(super) const GET: Self = Self { mark: Some(1), ..Self::giving(Channel::Room) };
    /// A deque's owner is alone on both of its sides.
    pub(super) const PUSH: Self = Self::PUT;
    pub(super) const POP: Self = Self { mark: Some(0), ..Self::GET };
    pub(super) const STEAL: Self = Self { mark: None, ..Self::GET };

    const fn giving(gives: Channel) -> Self {
        let takes = match gives {
            Channel::Items => Channel::Room,
            _ => Channel::Items,
        };
        Self { mark: None, gives, takes }
    }
}

/// The tag of a handle of whatever kind, which may lie anywhere.
///
/// # Safety
/// Eight bytes can be read there.
#[inline(always)]
unsafe fn tag_of<T>(handle: *const T) -> u64 {
    // SAFETY: by contract.
    unsafe { handle.cast::<u64>().read_unaligned() }
}

impl<Q> Kind<Q> {
    pub(super) const fn new(family: u8, payload: u8) -> Self {
        let tag = MAGIC | (family as u64) << 8 | payload as u64;
        Self { tag, queue: PhantomData }
    }

    /// A handle with one reference.
    pub(super) fn create(&self, queue: Q, checked: bool) -> Result<*mut c_void> {
        let modes =
            if checked { CHECKED } else { 0 } | if Tsan::find().is_some() { SANITIZED } else { 0 };
        let head = Head {
            tag: self.tag | modes,
            references: CachePadded::new(AtomicU64::new(1)),
            inside: [0, 0].map(|none| CachePadded::new(AtomicU32::new(none))),
        };
        let handle = Handle { head, queue };
        // SAFETY: the layout is not empty; what was allocated is written at once.
        unsafe {
            let memory = std::alloc::alloc(Layout::new::<Handle<Q>>()).cast::<Handle<Q>>();
            if memory.is_null() {
                return Err(Error::NoMemory);
            }
            memory.write(handle);
            Ok(memory.cast())
        }
    }

    /// Runs a call of one side on the queue; [`Error::Invalid`] for any other handle.
    ///
    /// # Safety
    /// `handle` is null or was made by a `create`, with a reference that the caller holds; the
    /// family's rule about who may call at once is kept.
    #[inline(always)]
    pub(super) unsafe fn on<T, R>(
        &self,
        handle: *const T,
        side: Side,
        call: impl FnOnce(&Q) -> Result<R>,
    ) -> Result<R> {
        if handle.is_null() {
            return Err(Error::Invalid);
        }
        let handle = handle.cast::<Handle<Q>>();
        // SAFETY: not null, and whatever the library gave out begins with a tag; if it is ours,
        // that says which queue it is.
        unsafe {
            if tag_of(handle) == self.tag {
                call(&(*handle).queue)
            } else {
                self.on_watched(handle, side, call)
            }
        }
    }

    /// [`Kind::on`], in checked mode or under a thread sanitizer.
    ///
    /// # Safety
    /// As for [`Kind::on`]; the handle is not null.
    #[cold]
    #[inline(never)]
    unsafe fn on_watched<R>(
        &self,
        handle: *const Handle<Q>,
        side: Side,
        call: impl FnOnce(&Q) -> Result<R>,
    ) -> Result<R> {
        // SAFETY: the tag says which queue it is, if it is ours.
        unsafe {
            if !self.is_mine(handle) {
                return Err(Error::Invalid);
            }
            let head = &(*handle).head;
            head.enter(side)?;
            let result = call(&(*handle).queue);
            head.leave(side);
            result
        }
    }

    /// Whether a handle is of this kind.
    ///
    /// # Safety
    /// As for [`Kind::on`].
    unsafe fn is_mine<T>(&self, handle: *const T) -> bool {
        // SAFETY: as in `on`.
        !handle.is_null() && unsafe { tag_of(handle) } & !(CHECKED | SANITIZED) == self.tag
    }

    /// The handle as one of any queue, if it is of this kind.
    ///
    /// # Safety
    /// As for [`Kind::on`].
    pub(super) unsafe fn plain<T>(&self, handle: *const T) -> Option<*mut Handle<dyn Common>>
    where
        Q: Common + 'static,
    {
        // SAFETY: by contract.
        unsafe { self.is_mine(handle) }.then(|| handle.cast::<Handle<Q>>().cast_mut() as _)
    }

    /// The handle as one of any queue that can be closed, if it is of this kind.
    ///
    /// # Safety
    /// As for [`Kind::on`].
    pub(super) unsafe fn any<T>(&self, handle: *const T) -> Option<*mut Handle<dyn Closable>>
    where
        Q: Closable + 'static,
    {
        // SAFETY: by contract.
        unsafe { self.is_mine(handle) }.then(|| handle.cast::<Handle<Q>>().cast_mut() as _)
    }
}

impl Head {
    /// Begins a call in checked mode or under a thread sanitizer.
    #[cold]
    fn enter(&self, side: Side) -> Result {
        if self.tag & CHECKED != 0
            && let Some(mark) = side.mark
        {
            // Ordering: Acquire, pairs with the Release in `leave`: one call of a side after
            // another.
            let inside = &self.inside[mark];
            if inside.swap(1, site("handle.checked.enter", Acquire)) != 0 {
                return Err(Error::Misuse);
            }
        }
        if let Some(tsan) = Tsan::find() {
            tsan.release(core::ptr::from_ref(self).cast(), side.gives);
        }
        Ok(())
    }

    /// Ends what [`Head::enter`] began.
    #[cold]
    fn leave(&self, side: Side) {
        if let Some(tsan) = Tsan::find() {
            tsan.acquire(core::ptr::from_ref(self).cast(), side.takes);
        }
        if self.tag & CHECKED != 0
            && let Some(mark) = side.mark
        {
            // Ordering: Release, pairs with the Acquire in `enter`.
            self.inside[mark].store(0, site("handle.checked.leave", Release));
        }
    }
}

/// What every family's queue tells, on whichever side.
pub(super) trait Common: Sync {
    fn len(&self) -> usize;
    fn capacity(&self) -> usize;
    fn stats(&self) -> Stats;
}

/// What every queue can do that can be closed.
pub(super) trait Closable: Common {
    fn close(&self);
    fn is_closed(&self) -> bool;
    fn is_full(&self) -> bool;
    /// Where the items that are there now end.
    fn end(&self) -> u64;
    /// Disposes of what was put before `end`; how many, or [`Error::Panic`] if a callback panicked.
    ///
    /// # Safety
    /// A call of the getting side.
    unsafe fn clear_to(&self, end: u64) -> Result<usize>;
}

impl<Q: Queue> Common for Blocking<Q> {
    fn len(&self) -> usize {
        self.queue().len()
    }
    fn capacity(&self) -> usize {
        self.queue().capacity()
    }
    fn stats(&self) -> Stats {
        self.stats()
    }
}

impl<Q: Queue> Closable for Blocking<Q> {
    fn close(&self) {
        self.close();
    }
    fn is_closed(&self) -> bool {
        self.queue().is_closed()
    }
    fn is_full(&self) -> bool {
        self.queue().is_full()
    }
    fn end(&self) -> u64 {
        self.queue().end()
    }
    unsafe fn clear_to(&self, end: u64) -> Result<usize> {
        // SAFETY: the same contract.
        let count = unsafe { self.clear_to(end) };
        if self.queue().take_panic() { Err(Error::Panic) } else { Ok(count) }
    }
}

/// The handle of a family's queue, whatever its payload.
pub(super) struct Any<Q: ?Sized = dyn Closable>(*mut Handle<Q>);

impl Any<dyn Closable> {
    /// Closes; what this thread did before is visible to whoever finds it closed.
    pub(super) fn close(self) {
        if let Some(tsan) = Tsan::find() {
            tsan.release(self.0.cast::<c_void>(), Channel::Items);
            tsan.release(self.0.cast::<c_void>(), Channel::Room);
        }
        self.queue().close();
    }

    /// # Safety
    /// A call of the getting side.
    pub(super) unsafe fn clear(self) -> Result<usize> {
        let head = &self.handle().head;
        if head.tag & (CHECKED | SANITIZED) != 0 {
            head.enter(Side::GET)?;
        }
        let end = self.queue().end();
        if head.tag & SANITIZED != 0
            && let Some(tsan) = Tsan::find()
        {
            // Everything before the end was put by now; the callbacks may look into it.
            tsan.acquire(self.0.cast::<c_void>(), Channel::Items);
        }
        // SAFETY: by contract.
        let cleared = unsafe { self.queue().clear_to(end) };
        if head.tag & (CHECKED | SANITIZED) != 0 {
            head.leave(Side::GET);
        }
        cleared
    }
}

impl<Q: ?Sized> Any<Q> {
    /// [`Error::Invalid`] for a handle that no kind of the family knows.
    pub(super) fn of(found: Option<*mut Handle<Q>>) -> Result<Self> {
        found.map(Self).ok_or(Error::Invalid)
    }

    fn handle(&self) -> &Handle<Q> {
        // SAFETY: alive while the caller holds its reference.
        unsafe { &*self.0 }
    }

    pub(super) fn queue(&self) -> &Q {
        &self.handle().queue
    }

    pub(super) fn retain(self) {
        // Ordering: Relaxed; the caller holds a reference, so the count cannot reach 0.
        self.handle().head.references.fetch_add(1, site("handle.retain", Relaxed));
    }

    /// # Safety
    /// The caller gives up one reference.
    pub(super) unsafe fn release(self) {
        let tsan = Tsan::find();
        let address = self.0.cast::<c_void>();
        if let Some(tsan) = tsan {
            tsan.release(address, Channel::References);
        }
        // Ordering: AcqRel; every use happens before the last release, which frees.
        if self.handle().head.references.fetch_sub(1, site("handle.release", AcqRel)) != 1 {
            return;
        }
        if let Some(tsan) = tsan {
            tsan.acquire(address, Channel::References);
            tsan.acquire(address, Channel::Items);
        }
        // SAFETY: nobody else holds a reference.
        unsafe {
            let layout = Layout::for_value(&*self.0);
            (&raw mut (*self.0).head.tag).write_volatile(DEAD);
            self.0.drop_in_place();
            std::alloc::dealloc(address.cast(), layout);
        }
    }
}
