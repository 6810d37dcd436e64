//! Handles: the queues as C holds them, with a reference count. A handle begins with a tag that
//! states family, payload and mode, so one comparison admits a call to the fast path.

use super::race_detector::{Channel, Outcome, RaceDetector, calling_back};
use super::status::queues_status_t;
use crate::error::{Error, Result};
use crate::plan::{Described, Description, Plan};
use crate::queue::{OfBlobs, Queue};
use crate::stats::Stats;
use crate::sync::{AcqRel, Acquire, AtomicU32, AtomicU64, Relaxed, Release, site};
use crate::wait::{Blocking, READABLE, Source, WRITABLE, descriptor};
use core::alloc::Layout;
use core::ffi::{c_int, c_void};
use core::marker::PhantomData;
use core::mem::offset_of;
use crossbeam_utils::CachePadded;

/// The upper half of every live handle's tag.
const MAGIC: u64 = 0x5155_4555_0000_0000;
/// The tag of a freed handle, until its memory is used again.
const DEAD: u64 = 0;

/// Modes, which keep calls off the fast path: misuse is checked; a race detector is watching.
const CHECKED: u64 = 1 << 16;
const WATCHED: u64 = 1 << 17;

/// A queue as C holds it.
#[repr(C)]
pub(super) struct Handle<Q: ?Sized> {
    head: Head,
    queue: Q,
}

/// The part of a handle before its queue. The first cache line is only read between creation and the
/// last release.
#[repr(C)]
struct Head {
    tag: u64,
    /// What ends inlined calls of the two roles. An allocator writes here first when it gets the memory
    /// back.
    finish: [Option<Finish>; 2],
    _unused: [u64; 5],
    debugger: ForDebugger,
    references: CachePadded<AtomicU64>,
    /// Whether a call of the producer or of the consumer is in progress; in checked mode only.
    inside: [CachePadded<AtomicU32>; 2],
}

/// Ends an inlined call that cannot go on: it has put, and found waiters or the queue closed; or it
/// has got, and found waiters. A pop has hidden its item, and thieves have taken the others; only
/// then is there an `item` to write.
pub(super) type Finish =
    unsafe extern "C" fn(handle: *mut c_void, item: *mut *mut c_void) -> queues_status_t;

/// Read by `debug/queues-gdb.py`, 64 bytes behind the tag. Offsets are from the handle.
#[repr(C)]
struct ForDebugger {
    mark: u64,
    /// The size of an address.
    word: u32,
    start: u32,
    references: u32,
    /// Of the counts of threads that wait for an item, and for room; 0 if the family has none.
    waiters: [u32; 2],
    _unused: u32,
    plan: &'static Plan,
}

const _: () = assert!(offset_of!(Head, debugger) == 64 && offset_of!(ForDebugger, plan) == 32);

/// "QUEULIVE"; after the last release "QUEUGONE", until the memory is used again.
const LIVE: u64 = 0x5155_4555_4c49_5645;
const GONE: u64 = 0x5155_4555_474f_4e45;

impl ForDebugger {
    fn new<Q: Described>(queue: &Q) -> Self {
        let Description { plan, start, waiters } = queue.describe();
        let offset = |address: *const u8| {
            let in_queue = address.addr() - core::ptr::from_ref(queue).addr();
            (offset_of!(Handle<Q>, queue) + in_queue) as u32
        };
        Self {
            mark: LIVE,
            word: size_of::<usize>() as u32,
            start: offset(start),
            references: offset_of!(Head, references) as u32,
            waiters: waiters.map_or([0; 2], |words| words.map(offset)),
            _unused: 0,
            plan,
        }
    }
}

/// The handles of a family, by payload.
pub(super) struct Family<P, B> {
    pub(super) pointers: HandleType<P>,
    pub(super) bytes: HandleType<B>,
}

impl<P: AnyQueue, B: AnyQueue<Any = P::Any>> Family<P, B> {
    pub(super) const fn new(number: u8) -> Self {
        Self { pointers: HandleType::new(number, 0), bytes: HandleType::new(number, 1) }
    }

    /// The handle, with either payload; [`Error::Invalid`] if it is not of this family.
    ///
    /// # Safety
    /// As for [`HandleType::on`].
    pub(super) unsafe fn any<T>(&self, handle: *const T) -> Result<AnyHandle<P::Any>> {
        // SAFETY: by contract.
        let found = unsafe { self.pointers.any(handle).or_else(|| self.bytes.any(handle)) };
        found.map(AnyHandle).ok_or(Error::Invalid)
    }
}

/// The handles of a family whose queues of blobs can be shared by processes.
pub(super) struct SharedFamily<P, B, S> {
    pub(super) pointers: HandleType<P>,
    pub(super) bytes: HandleType<B>,
    pub(super) shared: HandleType<S>,
}

impl<P, B, S> SharedFamily<Blocking<P>, Blocking<B>, Blocking<S>>
where
    P: Queue + 'static,
    B: OfBlobs + 'static,
    S: OfBlobs + 'static,
{
    pub(super) const fn new(number: u8) -> Self {
        let Family { pointers, bytes } = Family::new(number);
        Self { pointers, bytes, shared: HandleType::new(number, 2) }
    }

    /// The handle, with any payload, shared or not; [`Error::Invalid`] if it is not of this family, or
    /// is a shared one that this process has inherited.
    ///
    /// # Safety
    /// As for [`HandleType::on`].
    pub(super) unsafe fn any<T>(&self, handle: *const T) -> Result<AnyHandle> {
        // SAFETY: by contract.
        unsafe {
            let local = self.pointers.any(handle).or_else(|| self.bytes.any(handle));
            if let Some(local) = local {
                return Ok(AnyHandle(local));
            }
            let shared = self.shared.any(handle).map(AnyHandle).ok_or(Error::Invalid)?;
            shared.queue().check_process()?;
            Ok(shared)
        }
    }

    /// The largest length of a blob; [`Error::Invalid`] if the handle is not one of blobs.
    ///
    /// # Safety
    /// As for [`HandleType::on`].
    pub(super) unsafe fn item_size<T>(&self, handle: *const T) -> Result<usize> {
        // SAFETY: by contract.
        unsafe {
            let blobs = self.bytes.only(handle).map(|any| any.queue().queue().item_size());
            blobs.or_else(|_| Ok(self.shared.only(handle)?.queue().queue().item_size()))
        }
    }
}

/// [`HandleType::on`] for the blobs of a [`SharedFamily`], in a queue that is shared or not. What the
/// call captures moves into it, so results are not written to captured variables.
macro_rules! on_blobs {
    ($family:ident, $handle:expr, $role:expr, |$queue:ident| $call:expr) => {{
        let handle = $handle;
        if $family.bytes.is_plain(handle) {
            $family.bytes.on(handle, $role, |$queue| $call)
        } else {
            $crate::ffi::handle::apart(move || {
                if !$family.shared.is_mine(handle) {
                    return $family.bytes.on(handle, $role, |$queue| $call);
                }
                $family.shared.on(handle, $role, |$queue| {
                    $queue.check_process()?;
                    $call
                })
            })
        }
    }};
}
pub(super) use on_blobs;

/// Keeps a call out of the fast path of its caller, which would save registers for it.
#[inline(never)]
pub(super) fn apart<R>(call: impl FnOnce() -> R) -> R {
    call()
}

/// The tag of a family and payload, the type of its queues, and what ends their inlined calls.
pub(super) struct HandleType<Q> {
    tag: u64,
    finish: [Option<Finish>; 2],
    queue: PhantomData<fn(Q)>,
}

/// The role of a call: what the checked mode and a race detector must know of it.
#[derive(Clone, Copy)]
pub(super) struct Role {
    /// The mark in `Head::inside`, if only one thread at a time may have this role.
    mark: Option<usize>,
    gives: Channel,
    /// Nothing if an earlier call took it.
    takes: &'static [Channel],
}

impl Role {
    pub(super) const PUT: Self = Self { mark: Some(0), ..Self::giving(Channel::Items) };
    pub(super) const GET: Self = Self { mark: Some(1), ..Self::giving(Channel::Room) };
    /// A reservation is written by the program, after the writer of the blob that was there before.
    /// The get of that blob gave room at its beginning, when it had not taken the blob yet.
    pub(super) const RESERVE: Self = Self { takes: &[Channel::Room, Channel::Items], ..Self::PUT };
    pub(super) const COMMIT: Self = Self { takes: &[], ..Self::PUT };
    pub(super) const CONSUME: Self = Self { takes: &[], ..Self::GET };
    /// The owner of a deque pushes and pops: both have one mark.
    pub(super) const PUSH: Self = Self::PUT;
    pub(super) const POP: Self = Self { mark: Some(0), ..Self::GET };
    pub(super) const STEAL: Self = Self { mark: None, ..Self::GET };
    /// To set an event, and to find it set.
    pub(super) const SET: Self = Self { takes: &[], ..Self::giving(Channel::Items) };
    pub(super) const FIND_SET: Self = Self::STEAL;

    const fn giving(gives: Channel) -> Self {
        let takes: &[Channel] = match gives {
            Channel::Items => &[Channel::Room],
            _ => &[Channel::Items],
        };
        Self { mark: None, gives, takes }
    }
}

/// The queue of a handle.
///
/// # Safety
/// `handle` is one of a `Q`, and the caller holds a reference during `'a`.
pub(super) unsafe fn queue_at<'a, Q>(handle: *mut c_void) -> &'a Q {
    // SAFETY: by contract.
    unsafe { &(*handle.cast::<Handle<Q>>()).queue }
}

/// The tag at an address, which may be misaligned.
///
/// # Safety
/// Eight bytes can be read there.
#[inline(always)]
unsafe fn tag_of<T>(handle: *const T) -> u64 {
    // SAFETY: by contract.
    unsafe { handle.cast::<u64>().read_unaligned() }
}

impl<Q> HandleType<Q> {
    pub(super) const fn new(family: u8, payload: u8) -> Self {
        let tag = MAGIC | (family as u64) << 8 | payload as u64;
        Self { tag, finish: [None; 2], queue: PhantomData }
    }

    /// The same handles for programs that inline calls: `include/queues_inline.h` has the layout of
    /// this number. `finish` ends calls of either role.
    pub(super) const fn inlined(self, layout: u8, finish: [Finish; 2]) -> Self {
        let [put, get] = finish;
        Self { tag: self.tag | (layout as u64) << 24, finish: [Some(put), Some(get)], ..self }
    }

    /// A handle with one reference.
    pub(super) fn create(&self, queue: Q, checked: bool) -> Result<*mut c_void>
    where
        Q: Described,
    {
        let watched = RaceDetector::find().is_some();
        let modes = if checked { CHECKED } else { 0 } | if watched { WATCHED } else { 0 };
        let head = Head {
            tag: self.tag | modes,
            finish: self.finish,
            _unused: [0; 5],
            debugger: ForDebugger::new(&queue),
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

    /// Runs a call on the queue; [`Error::Invalid`] if the handle is of another type.
    ///
    /// # Safety
    /// `handle` is null or was returned by a `create`, and the caller holds a reference; the threads
    /// that call keep the family's rules.
    #[inline(always)]
    pub(super) unsafe fn on<T, R: Outcome>(
        &self,
        handle: *const T,
        role: Role,
        call: impl FnOnce(&Q) -> Result<R>,
    ) -> Result<R> {
        if handle.is_null() {
            return Err(Error::Invalid);
        }
        let handle = handle.cast::<Handle<Q>>();
        // SAFETY: not null, so it begins with a tag; if that is ours, the queue is a `Q`.
        unsafe {
            if tag_of(handle) == self.tag {
                call(&(*handle).queue)
            } else {
                self.on_watched(handle, role, call)
            }
        }
    }

    /// [`HandleType::on`], in checked mode or under a race detector.
    ///
    /// # Safety
    /// As for [`HandleType::on`]; the handle is not null.
    #[cold]
    #[inline(never)]
    unsafe fn on_watched<R: Outcome>(
        &self,
        handle: *const Handle<Q>,
        role: Role,
        call: impl FnOnce(&Q) -> Result<R>,
    ) -> Result<R> {
        // SAFETY: if the tag is ours, the queue is a `Q`.
        unsafe {
            if !self.is_mine(handle) {
                return Err(Error::Invalid);
            }
            let head = &(*handle).head;
            head.enter(role)?;
            let result = call(&(*handle).queue);
            head.leave(role, result.as_ref().err());
            let in_place = result.as_ref().ok().and_then(Outcome::in_place);
            if let (Some(detector), Some(memory)) = (head.detector(), in_place) {
                detector.hand_out(memory);
            }
            result
        }
    }

    /// Whether a handle is of this type, in any mode.
    ///
    /// # Safety
    /// As for [`HandleType::on`].
    #[inline(always)]
    pub(super) unsafe fn is_mine<T>(&self, handle: *const T) -> bool {
        // SAFETY: as in `on`.
        !handle.is_null() && unsafe { tag_of(handle) } & !(CHECKED | WATCHED) == self.tag
    }

    /// Whether a handle is of this type, in no mode: what [`HandleType::on`] finds at once.
    ///
    /// # Safety
    /// As for [`HandleType::on`].
    #[inline(always)]
    pub(super) unsafe fn is_plain<T>(&self, handle: *const T) -> bool {
        // SAFETY: as in `on`.
        !handle.is_null() && unsafe { tag_of(handle) } == self.tag
    }

    /// The handle; [`Error::Invalid`] if it is of another type.
    ///
    /// # Safety
    /// As for [`HandleType::on`].
    pub(super) unsafe fn only<T>(&self, handle: *const T) -> Result<AnyHandle<Q>> {
        // SAFETY: by contract.
        if unsafe { self.is_mine(handle) } {
            return Ok(AnyHandle(handle.cast::<Handle<Q>>().cast_mut()));
        }
        Err(Error::Invalid)
    }

    /// The handle with its queue as a trait object, if it is of this type.
    ///
    /// # Safety
    /// As for [`HandleType::on`].
    unsafe fn any<T>(&self, handle: *const T) -> Option<*mut Handle<Q::Any>>
    where
        Q: AnyQueue,
    {
        // SAFETY: by contract.
        unsafe { self.is_mine(handle) }.then(|| Q::erase(handle.cast::<Handle<Q>>().cast_mut()))
    }
}

#[cfg(all(test, not(loom)))]
impl<Q> Handle<Q> {
    /// Offsets that `include/queues_inline.h` states: the queue, and what ends inlined calls.
    pub(super) const QUEUE: usize = offset_of!(Self, queue);
    pub(super) const FINISH: usize = offset_of!(Self, head) + offset_of!(Head, finish);
}

#[cfg(all(test, not(loom)))]
impl<Q> HandleType<Q> {
    pub(super) const fn tag(&self) -> u64 {
        self.tag
    }
}

impl Head {
    fn detector(&self) -> Option<RaceDetector> {
        if self.tag & WATCHED != 0 { RaceDetector::find() } else { None }
    }

    fn address(&self) -> *const c_void {
        core::ptr::from_ref(self).cast()
    }

    /// Begins a call, in checked mode or under a race detector.
    #[cold]
    fn enter(&self, role: Role) -> Result {
        if let Some(mark) = role.mark.filter(|_| self.tag & CHECKED != 0) {
            // Ordering: Acquire, pairs with the Release in `leave`: orders the calls of a role.
            let inside = &self.inside[mark];
            if inside.swap(1, site("handle.checked.enter", Acquire)) != 0 {
                return Err(Error::Misuse);
            }
        }
        if let Some(detector) = self.detector() {
            detector.release(self.address(), role.gives);
        }
        Ok(())
    }

    /// Ends a call that [`Head::enter`] began; `error` if it failed.
    #[cold]
    fn leave(&self, role: Role, error: Option<&Error>) {
        if let Some(detector) = self.detector() {
            let taken = match (error, role.gives) {
                // A get that failed took nothing.
                (Some(_), Channel::Room) => &[],
                // A put_many that failed may have put some.
                _ => role.takes,
            };
            let closed = error.filter(|&error| *error == Error::Closed).map(|_| Channel::Close);
            for channel in taken.iter().copied().chain(closed) {
                detector.acquire(self.address(), channel);
            }
        }
        if let Some(mark) = role.mark.filter(|_| self.tag & CHECKED != 0) {
            // Ordering: Release, pairs with the Acquire in `enter`.
            self.inside[mark].store(0, site("handle.checked.leave", Release));
        }
    }
}

/// A queue whose handles can be used without knowing its payload.
pub(super) trait AnyQueue: Sized {
    /// The trait of all queues of its family.
    type Any: Observe + ?Sized;
    fn erase(handle: *mut Handle<Self>) -> *mut Handle<Self::Any>;
}

impl<Q: Queue + 'static> AnyQueue for Blocking<Q> {
    type Any = dyn Closable;
    fn erase(handle: *mut Handle<Self>) -> *mut Handle<dyn Closable> {
        handle
    }
}

/// The observations of every family, from any thread.
pub(super) trait Observe: Sync {
    fn len(&self) -> usize;
    fn is_empty(&self) -> bool;
    fn capacity(&self) -> usize;
    fn stats(&self) -> Stats;
    /// The queue as a source of a poll.
    fn source(&self) -> &dyn Source;
    /// The descriptor of the end that gets or steals.
    fn readable_fd(&self) -> Result<c_int> {
        descriptor(self.source(), READABLE)
    }
    /// The descriptor of the end that puts.
    fn writable_fd(&self) -> Result<c_int> {
        descriptor(self.source(), WRITABLE)
    }
}

/// The calls of every queue that can be closed.
pub(super) trait Closable: Observe {
    /// Fails with [`Error::Invalid`] in a child that inherited the handle of a shared queue.
    fn check_process(&self) -> Result;
    fn close(&self);
    fn is_closed(&self) -> bool;
    fn is_full(&self) -> bool;
    /// The position behind the last item.
    fn end(&self) -> u64;
    /// Removes and disposes of the items before `end` and returns their number; [`Error::Panic`] if a
    /// callback panicked.
    ///
    /// # Safety
    /// A call of the getting side.
    unsafe fn clear_to(&self, end: u64) -> Result<usize>;
}

impl<Q: Queue> Observe for Blocking<Q> {
    fn len(&self) -> usize {
        self.queue().len()
    }
    fn is_empty(&self) -> bool {
        self.queue().is_empty()
    }
    fn capacity(&self) -> usize {
        self.queue().capacity()
    }
    fn stats(&self) -> Stats {
        self.stats()
    }
    fn source(&self) -> &dyn Source {
        self
    }
}

impl<Q: Queue> Closable for Blocking<Q> {
    fn check_process(&self) -> Result {
        self.check_process()
    }
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
        self.queue().check_getter()?;
        // SAFETY: the same contract.
        let count = unsafe { self.clear_to(end) };
        if self.queue().take_panic() { Err(Error::Panic) } else { Ok(count) }
    }
}

/// A handle of a family, with either payload.
pub(super) struct AnyHandle<Q: ?Sized = dyn Closable>(*mut Handle<Q>);

impl AnyHandle<dyn Closable> {
    /// Closes. What this thread did before is visible to a thread that finds the queue closed.
    pub(super) fn close(self) {
        let head = &self.handle().head;
        if let Some(detector) = head.detector() {
            detector.release(head.address(), Channel::Close);
        }
        self.queue().close();
    }

    pub(super) fn is_closed(&self) -> bool {
        let is_closed = self.queue().is_closed();
        let head = &self.handle().head;
        if is_closed {
            if let Some(detector) = head.detector() {
                detector.acquire(head.address(), Channel::Close);
            }
        }
        is_closed
    }

    /// # Safety
    /// A call of the getting side.
    pub(super) unsafe fn clear(self) -> Result<usize> {
        if self.handle().head.tag & (CHECKED | WATCHED) != 0 {
            // SAFETY: by contract.
            return unsafe { self.clear_watched() };
        }
        // SAFETY: by contract.
        unsafe { self.queue().clear_to(self.queue().end()) }
    }

    /// [`AnyHandle::clear`], in checked mode or under a race detector.
    ///
    /// # Safety
    /// A call of the getting side.
    #[cold]
    unsafe fn clear_watched(self) -> Result<usize> {
        let head = &self.handle().head;
        head.enter(Role::GET)?;
        let end = self.queue().end();
        if let Some(detector) = head.detector() {
            // Everything before the end has been put; the callbacks may read it.
            detector.acquire(head.address(), Channel::Items);
        }
        // SAFETY: by contract.
        let clear = || unsafe { self.queue().clear_to(end) };
        let cleared = match head.detector() {
            Some(_) => calling_back(head.address(), clear),
            None => clear(),
        };
        head.leave(Role::GET, cleared.as_ref().err());
        cleared
    }
}

impl<Q: ?Sized> Clone for AnyHandle<Q> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<Q: ?Sized> Copy for AnyHandle<Q> {}

impl<Q: ?Sized> AnyHandle<Q> {
    /// What C has.
    pub(super) fn address(&self) -> *mut c_void {
        self.0.cast()
    }

    fn handle(&self) -> &Handle<Q> {
        // SAFETY: alive while the caller holds a reference.
        unsafe { &*self.0 }
    }

    pub(super) fn queue(&self) -> &Q {
        &self.handle().queue
    }

    /// The queue, for a whole call.
    ///
    /// # Safety
    /// The caller holds a reference during `'a`.
    pub(super) unsafe fn into_queue<'a>(self) -> &'a Q {
        // SAFETY: by contract.
        unsafe { &(*self.0).queue }
    }

    pub(super) fn retain(self) {
        // Ordering: Relaxed; the caller holds a reference, so the count cannot reach 0.
        self.handle().head.references.fetch_add(1, site("handle.retain", Relaxed));
    }

    /// # Safety
    /// The caller gives up one reference.
    pub(super) unsafe fn release(self) {
        let detector = self.handle().head.detector();
        let address = self.0.cast::<c_void>();
        if let Some(detector) = detector {
            detector.release(address, Channel::References);
        }
        // Ordering: AcqRel; every use happens before the last release, which frees.
        if self.handle().head.references.fetch_sub(1, site("handle.release", AcqRel)) != 1 {
            return;
        }
        if let Some(detector) = detector {
            detector.acquire(address, Channel::References);
            detector.acquire(address, Channel::Items);
        }
        // SAFETY: no thread holds a reference any more.
        unsafe {
            let layout = Layout::for_value(&*self.0);
            (&raw mut (*self.0).head.tag).write_volatile(DEAD);
            (&raw mut (*self.0).head.debugger.mark).write_volatile(GONE);
            self.0.drop_in_place();
            std::alloc::dealloc(address.cast(), layout);
        }
    }
}
