//! The C ABI as safe Rust: one handle type for every family but the deque, and results instead of
//! statuses. Every call checks that outputs are written only when the header allows it.

use super::subject::Many;
use core::ffi::{c_int, c_void};
use queues::ffi::{batch::*, deque::*, mpmc::*, poll::*, spsc::*, stats::*, status::*};
use queues::ffi::{queues_drop_bytes_t, queues_drop_t};
use queues::{Error, Result, Stats};

/// What a queue is created with.
#[derive(Clone, Copy)]
pub struct Settings {
    pub capacity: usize,
    pub item_size: usize,
    pub flags: u64,
    pub drop: queues_drop_t,
    pub drop_bytes: queues_drop_bytes_t,
    pub drop_ctx: *mut c_void,
    /// Of mpmc queues.
    pub spare: usize,
    pub batch: BatchSettings,
}

/// Of batchers.
#[derive(Debug, Clone, Copy)]
pub struct BatchSettings {
    pub size: usize,
    /// In nanoseconds; below 0 without end.
    pub age: i64,
    /// 0: no limit.
    pub weight: u64,
}

impl Settings {
    pub fn new(capacity: usize, item_size: usize) -> Self {
        let drop_ctx = core::ptr::null_mut();
        // Batches of one: a queue like any other.
        let batch = BatchSettings { size: 1, age: -1, weight: 0 };
        let (drop, drop_bytes) = (None, None);
        Self { capacity, item_size, flags: 0, drop, drop_bytes, drop_ctx, spare: 0, batch }
    }

    pub fn with_drop(self, drop: queues_drop_t, drop_ctx: *mut c_void) -> Self {
        Self { drop, drop_ctx, ..self }
    }

    pub fn with_drop_bytes(self, drop_bytes: queues_drop_bytes_t, drop_ctx: *mut c_void) -> Self {
        Self { drop_bytes, drop_ctx, ..self }
    }
}

/// The functions that every family has, with its handle `Q` and options `O`.
pub struct Functions<Q, O> {
    pub create: unsafe extern "C" fn(*const O, *mut *mut Q) -> queues_status_t,
    pub retain: unsafe extern "C" fn(*mut Q) -> *mut Q,
    pub release: unsafe extern "C" fn(*mut Q),
    pub try_put: unsafe extern "C" fn(*mut Q, *mut c_void) -> queues_status_t,
    pub put: unsafe extern "C" fn(*mut Q, *mut c_void, i64) -> queues_status_t,
    pub try_get: unsafe extern "C" fn(*mut Q, *mut *mut c_void) -> queues_status_t,
    pub get: unsafe extern "C" fn(*mut Q, *mut *mut c_void, i64) -> queues_status_t,
    pub peek: unsafe extern "C" fn(*mut Q, *mut *mut c_void) -> queues_status_t,
    pub try_put_bytes: unsafe extern "C" fn(*mut Q, *const c_void, usize) -> queues_status_t,
    pub put_bytes: unsafe extern "C" fn(*mut Q, *const c_void, usize, i64) -> queues_status_t,
    pub try_get_bytes:
        unsafe extern "C" fn(*mut Q, *mut c_void, usize, *mut usize) -> queues_status_t,
    pub get_bytes:
        unsafe extern "C" fn(*mut Q, *mut c_void, usize, *mut usize, i64) -> queues_status_t,
    pub peek_bytes: unsafe extern "C" fn(*mut Q, *mut c_void, usize, *mut usize) -> queues_status_t,
    pub put_many:
        unsafe extern "C" fn(*mut Q, *const *mut c_void, usize, i64, *mut usize) -> queues_status_t,
    pub get_many:
        unsafe extern "C" fn(*mut Q, *mut *mut c_void, usize, i64, *mut usize) -> queues_status_t,
    pub clear: unsafe extern "C" fn(*mut Q, *mut usize) -> queues_status_t,
    pub close: unsafe extern "C" fn(*mut Q) -> queues_status_t,
    pub is_closed: unsafe extern "C" fn(*const Q) -> bool,
    pub readable_fd: unsafe extern "C" fn(*mut Q, *mut c_int) -> queues_status_t,
    pub writable_fd: unsafe extern "C" fn(*mut Q, *mut c_int) -> queues_status_t,
    pub size: unsafe extern "C" fn(*const Q) -> usize,
    pub capacity: unsafe extern "C" fn(*const Q) -> usize,
    pub stats: unsafe extern "C" fn(*const Q, *mut queues_stats_t) -> queues_status_t,
}

pub trait Family: 'static {
    type Queue: 'static;
    type Options;
    const NAME: &'static str;
    /// Whether only one thread at a time may be on each side.
    const SINGLE: bool;
    /// There are the calls peek, put_many and get_many.
    const HAS_PEEK: bool = true;
    const HAS_MANY: bool = true;
    const C: Functions<Self::Queue, Self::Options>;
    fn options(settings: &Settings) -> Self::Options;
}

pub struct Mpmc;

impl Family for Mpmc {
    type Queue = queues_mpmc_t;
    type Options = queues_mpmc_options_t;
    const NAME: &'static str = "mpmc";
    const SINGLE: bool = false;
    const C: Functions<queues_mpmc_t, queues_mpmc_options_t> = Functions {
        create: queues_mpmc_create,
        retain: queues_mpmc_retain,
        release: queues_mpmc_release,
        try_put: queues_mpmc_try_put,
        put: queues_mpmc_put,
        try_get: queues_mpmc_try_get,
        get: queues_mpmc_get,
        peek: queues_mpmc_peek,
        try_put_bytes: queues_mpmc_try_put_bytes,
        put_bytes: queues_mpmc_put_bytes,
        try_get_bytes: queues_mpmc_try_get_bytes,
        get_bytes: queues_mpmc_get_bytes,
        peek_bytes: queues_mpmc_peek_bytes,
        put_many: queues_mpmc_put_many,
        get_many: queues_mpmc_get_many,
        clear: queues_mpmc_clear,
        close: queues_mpmc_close,
        is_closed: queues_mpmc_is_closed,
        readable_fd: queues_mpmc_readable_fd,
        writable_fd: queues_mpmc_writable_fd,
        size: queues_mpmc_size,
        capacity: queues_mpmc_capacity,
        stats: queues_mpmc_stats,
    };
    fn options(settings: &Settings) -> queues_mpmc_options_t {
        let &Settings { capacity, item_size, flags, drop, drop_bytes, drop_ctx, spare, .. } =
            settings;
        queues_mpmc_options_t {
            struct_size: size_of::<queues_mpmc_options_t>(),
            capacity,
            item_size,
            flags,
            drop,
            drop_ctx,
            spare,
            drop_bytes,
            attachments: 0,
        }
    }
}

pub struct Spsc;

impl Family for Spsc {
    type Queue = queues_spsc_t;
    type Options = queues_spsc_options_t;
    const NAME: &'static str = "spsc";
    const SINGLE: bool = true;
    const C: Functions<queues_spsc_t, queues_spsc_options_t> = Functions {
        create: queues_spsc_create,
        retain: queues_spsc_retain,
        release: queues_spsc_release,
        try_put: queues_spsc_try_put,
        put: queues_spsc_put,
        try_get: queues_spsc_try_get,
        get: queues_spsc_get,
        peek: queues_spsc_peek,
        try_put_bytes: queues_spsc_try_put_bytes,
        put_bytes: queues_spsc_put_bytes,
        try_get_bytes: queues_spsc_try_get_bytes,
        get_bytes: queues_spsc_get_bytes,
        peek_bytes: queues_spsc_peek_bytes,
        put_many: queues_spsc_put_many,
        get_many: queues_spsc_get_many,
        clear: queues_spsc_clear,
        close: queues_spsc_close,
        is_closed: queues_spsc_is_closed,
        readable_fd: queues_spsc_readable_fd,
        writable_fd: queues_spsc_writable_fd,
        size: queues_spsc_size,
        capacity: queues_spsc_capacity,
        stats: queues_spsc_stats,
    };
    fn options(settings: &Settings) -> queues_spsc_options_t {
        let &Settings { capacity, item_size, flags, drop, drop_bytes, drop_ctx, .. } = settings;
        queues_spsc_options_t {
            struct_size: size_of::<queues_spsc_options_t>(),
            capacity,
            item_size,
            flags,
            drop,
            drop_ctx,
            drop_bytes,
            attachments: 0,
        }
    }
}

/// The batcher. A get takes a batch of one item.
pub struct Batch;

/// Gets of one item by gets of a batch, and the calls that the family lacks.
#[allow(clippy::undocumented_unsafe_blocks)] // each passes its arguments on
mod in_batches {
    use super::*;

    type Queue = queues_batch_t;

    pub unsafe extern "C" fn get(
        queue: *mut Queue,
        item: *mut *mut c_void,
        timeout: i64,
    ) -> queues_status_t {
        let mut n = UNTOUCHED;
        unsafe { check(queues_batch_get_batch(queue, item, 1, &mut n, timeout), n) }
    }
    pub unsafe extern "C" fn try_get(queue: *mut Queue, item: *mut *mut c_void) -> queues_status_t {
        let mut n = UNTOUCHED;
        unsafe { check(queues_batch_get_due(queue, item, 1, &mut n), n) }
    }
    pub unsafe extern "C" fn get_bytes(
        queue: *mut Queue,
        buffer: *mut c_void,
        capacity: usize,
        len: *mut usize,
        timeout: i64,
    ) -> queues_status_t {
        let (mut blob, mut n) = (queues_batch_blob_t { offset: 0, length: 0 }, UNTOUCHED);
        let status = unsafe {
            queues_batch_get_batch_bytes(
                queue, buffer, capacity, len, &mut blob, 1, &mut n, timeout,
            )
        };
        if status == QUEUES_OK {
            assert_eq!((blob.offset, blob.length), (0, unsafe { *len }));
        }
        check(status, n)
    }
    pub unsafe extern "C" fn try_get_bytes(
        queue: *mut Queue,
        buffer: *mut c_void,
        capacity: usize,
        len: *mut usize,
    ) -> queues_status_t {
        let (mut blob, mut n) = (queues_batch_blob_t { offset: 0, length: 0 }, UNTOUCHED);
        let status = unsafe {
            queues_batch_get_due_bytes(queue, buffer, capacity, len, &mut blob, 1, &mut n)
        };
        check(status, n)
    }
    /// One item comes with OK, and otherwise the output is left alone.
    fn check(status: queues_status_t, n: usize) -> queues_status_t {
        assert_eq!(n, if status == QUEUES_OK { 1 } else { UNTOUCHED }, "with {status:?}");
        status
    }

    pub unsafe extern "C" fn peek(_: *mut Queue, _: *mut *mut c_void) -> queues_status_t {
        unreachable!("there is no such function")
    }
    pub unsafe extern "C" fn peek_bytes(
        _: *mut Queue,
        _: *mut c_void,
        _: usize,
        _: *mut usize,
    ) -> queues_status_t {
        unreachable!("there is no such function")
    }
    pub unsafe extern "C" fn put_many(
        _: *mut Queue,
        _: *const *mut c_void,
        _: usize,
        _: i64,
        _: *mut usize,
    ) -> queues_status_t {
        unreachable!("there is no such function")
    }
    pub unsafe extern "C" fn get_many(
        _: *mut Queue,
        _: *mut *mut c_void,
        _: usize,
        _: i64,
        _: *mut usize,
    ) -> queues_status_t {
        unreachable!("there is no such function")
    }
}

impl Family for Batch {
    type Queue = queues_batch_t;
    type Options = queues_batch_options_t;
    const NAME: &'static str = "batch";
    const SINGLE: bool = false;
    const HAS_PEEK: bool = false;
    const HAS_MANY: bool = false;
    const C: Functions<queues_batch_t, queues_batch_options_t> = Functions {
        create: queues_batch_create,
        retain: queues_batch_retain,
        release: queues_batch_release,
        try_put: queues_batch_try_put,
        put: queues_batch_put,
        try_get: in_batches::try_get,
        get: in_batches::get,
        peek: in_batches::peek,
        try_put_bytes: queues_batch_try_put_bytes,
        put_bytes: queues_batch_put_bytes,
        try_get_bytes: in_batches::try_get_bytes,
        get_bytes: in_batches::get_bytes,
        peek_bytes: in_batches::peek_bytes,
        put_many: in_batches::put_many,
        get_many: in_batches::get_many,
        clear: queues_batch_clear,
        close: queues_batch_close,
        is_closed: queues_batch_is_closed,
        readable_fd: queues_batch_readable_fd,
        writable_fd: queues_batch_writable_fd,
        size: queues_batch_pending_count,
        capacity: queues_batch_capacity,
        stats: queues_batch_stats,
    };
    fn options(settings: &Settings) -> queues_batch_options_t {
        let &Settings { capacity, item_size, flags, drop, drop_bytes, drop_ctx, .. } = settings;
        let BatchSettings { size, age, weight } = settings.batch;
        queues_batch_options_t {
            struct_size: size_of::<queues_batch_options_t>(),
            max_pending: capacity,
            item_size,
            flags,
            drop,
            drop_ctx,
            batch_size: size,
            batch_timeout_ns: age,
            batch_weight: weight,
            drop_bytes,
        }
    }
}

/// A reference to a queue; cloning retains, dropping releases.
pub struct Handle<F: Family>(*mut F::Queue);

// SAFETY: the library promises it of handles; users of spsc keep its rule.
unsafe impl<F: Family> Send for Handle<F> {}
// SAFETY: as above.
unsafe impl<F: Family> Sync for Handle<F> {}

impl<F: Family> Clone for Handle<F> {
    fn clone(&self) -> Self {
        // SAFETY: `self` holds a reference.
        let retained = unsafe { (F::C.retain)(self.0) };
        assert_eq!(retained, self.0, "retain returns its argument");
        Self(retained)
    }
}

impl<F: Family> Drop for Handle<F> {
    fn drop(&mut self) {
        // SAFETY: gives up the reference that this value stands for.
        unsafe { (F::C.release)(self.0) }
    }
}

/// The content of an output before a call.
const UNTOUCHED: usize = 0x5EED_5EED;
const UNTOUCHED_BYTE: u8 = 0xA5;
const UNTOUCHED_FD: c_int = -77;

/// The error of a status.
pub fn result(status: queues_status_t, needed: usize) -> Result {
    Err(match status {
        QUEUES_OK => return Ok(()),
        QUEUES_EMPTY => Error::Empty,
        QUEUES_FULL => Error::Full,
        QUEUES_CLOSED => Error::Closed,
        QUEUES_TIMEOUT => Error::Timeout,
        QUEUES_RETRY => Error::Retry,
        QUEUES_TOO_SMALL => Error::TooSmall { needed },
        QUEUES_INVALID => Error::Invalid,
        QUEUES_NOMEM => Error::NoMemory,
        QUEUES_MISUSE => Error::Misuse,
        QUEUES_PANIC => Error::Panic,
        QUEUES_CORRUPT => Error::Corrupt,
        other => panic!("a status that no function of these families returns: {other:?}"),
    })
}

/// Polls one queue; returns the events that are ready.
#[allow(clippy::undocumented_unsafe_blocks)] // a live queue
fn poll(queue: *mut c_void, events: u32, timeout: i64) -> Result<u32> {
    let (mut entry, mut count) = (queues_poll_t { queue, events, ready: u32::MAX }, UNTOUCHED);
    let outcome = result(unsafe { queues_poll(&mut entry, 1, timeout, &mut count) }, 0);
    if outcome == Err(Error::Invalid) {
        assert_eq!((entry.ready, count), (u32::MAX, UNTOUCHED));
    } else {
        assert_eq!(outcome.is_ok(), entry.ready != 0);
        assert_eq!(count, usize::from(outcome.is_ok()));
    }
    outcome.map(|()| entry.ready)
}

/// A call with one output.
fn output<T: Copy + PartialEq + core::fmt::Debug>(
    untouched: T,
    call: impl FnOnce(*mut T) -> queues_status_t,
) -> Result<T> {
    let mut place = untouched;
    let done = result(call(&mut place), 0);
    if done.is_err() {
        assert_eq!(place, untouched, "an output was written with {done:?}");
    }
    done.map(|()| place)
}

/// A call that receives a blob.
fn received(
    room: usize,
    keeps_rest: bool,
    call: impl FnOnce(*mut c_void, usize, *mut usize) -> queues_status_t,
) -> Result<Vec<u8>> {
    let mut buffer = vec![UNTOUCHED_BYTE; room];
    let mut len = UNTOUCHED;
    let at = if room == 0 { core::ptr::null_mut() } else { buffer.as_mut_ptr().cast() };
    let done = result(call(at, room, &mut len), len);
    match done {
        Ok(()) => assert!(len <= room, "a blob of {len} bytes in a buffer of {room}"),
        Err(Error::TooSmall { needed }) => assert!(needed > room && needed != UNTOUCHED),
        Err(_) => assert_eq!(len, UNTOUCHED, "*len was written with {done:?}"),
    }
    let used = if done.is_ok() { len } else { 0 };
    let rest = &buffer[used..];
    let is_kept = rest.iter().all(|&byte| byte == UNTOUCHED_BYTE);
    assert!(is_kept || !keeps_rest, "written beyond the blob: {done:?}");
    buffer.truncate(used);
    done.map(|()| buffer)
}

fn pointer(item: usize) -> *mut c_void {
    core::ptr::with_exposed_provenance_mut(item)
}

// SAFETY of every call below: `self` holds a reference, the other arguments are locals of the
// right size, and the tests keep the rule about threads.
#[allow(clippy::undocumented_unsafe_blocks)]
impl<F: Family> Handle<F> {
    pub fn create(settings: Settings) -> Result<Self> {
        let options = F::options(&settings);
        output(core::ptr::null_mut(), |place| unsafe { (F::C.create)(&options, place) }).map(Self)
    }
    /// The handle as the C functions take it.
    pub fn raw(&self) -> *mut F::Queue {
        self.0
    }
    pub fn try_put(&self, item: usize) -> Result {
        result(unsafe { (F::C.try_put)(self.0, pointer(item)) }, 0)
    }
    pub fn put(&self, item: usize, timeout: i64) -> Result {
        result(unsafe { (F::C.put)(self.0, pointer(item), timeout) }, 0)
    }
    pub fn try_get(&self) -> Result<usize> {
        output(pointer(UNTOUCHED), |place| unsafe { (F::C.try_get)(self.0, place) })
            .map(|item| item.expose_provenance())
    }
    pub fn get(&self, timeout: i64) -> Result<usize> {
        output(pointer(UNTOUCHED), |place| unsafe { (F::C.get)(self.0, place, timeout) })
            .map(|item| item.expose_provenance())
    }
    pub fn peek(&self) -> Result<usize> {
        output(pointer(UNTOUCHED), |place| unsafe { (F::C.peek)(self.0, place) })
            .map(|item| item.expose_provenance())
    }
    pub fn try_put_bytes(&self, blob: &[u8]) -> Result {
        result(unsafe { (F::C.try_put_bytes)(self.0, start(blob), blob.len()) }, 0)
    }
    pub fn put_bytes(&self, blob: &[u8], timeout: i64) -> Result {
        result(unsafe { (F::C.put_bytes)(self.0, start(blob), blob.len(), timeout) }, 0)
    }
    pub fn try_get_bytes(&self, room: usize) -> Result<Vec<u8>> {
        received(room, true, |at, room, len| unsafe { (F::C.try_get_bytes)(self.0, at, room, len) })
    }
    pub fn get_bytes(&self, room: usize, timeout: i64) -> Result<Vec<u8>> {
        received(room, true, |at, room, len| unsafe {
            (F::C.get_bytes)(self.0, at, room, len, timeout)
        })
    }
    pub fn peek_bytes(&self, room: usize) -> Result<Vec<u8>> {
        // A peek that lost a race may have written a part of another blob.
        received(room, false, |at, room, len| unsafe { (F::C.peek_bytes)(self.0, at, room, len) })
    }
    pub fn put_many(&self, items: &[usize], timeout: i64) -> Many<usize> {
        let items: Vec<_> = items.iter().map(|&item| pointer(item)).collect();
        let mut done = UNTOUCHED;
        let put = F::C.put_many;
        let status = unsafe { put(self.0, items.as_ptr(), items.len(), timeout, &mut done) };
        counted(status, done)
    }
    pub fn get_many(&self, n: usize, timeout: i64) -> Many<Vec<usize>> {
        received_many(n, true, |items, done| unsafe {
            (F::C.get_many)(self.0, items, n, timeout, done)
        })
    }
    pub fn clear(&self) -> Result<usize> {
        output(UNTOUCHED, |count| unsafe { (F::C.clear)(self.0, count) })
    }
    pub fn close(&self) -> Result {
        result(unsafe { (F::C.close)(self.0) }, 0)
    }
    pub fn is_closed(&self) -> bool {
        unsafe { (F::C.is_closed)(self.0) }
    }
    pub fn readable_fd(&self) -> Result<c_int> {
        output(UNTOUCHED_FD, |fd| unsafe { (F::C.readable_fd)(self.raw(), fd) })
    }
    pub fn writable_fd(&self) -> Result<c_int> {
        output(UNTOUCHED_FD, |fd| unsafe { (F::C.writable_fd)(self.raw(), fd) })
    }
    pub fn poll(&self, events: u32, timeout: i64) -> Result<u32> {
        poll(self.raw().cast(), events, timeout)
    }
    pub fn len(&self) -> usize {
        unsafe { (F::C.size)(self.0) }
    }
    pub fn capacity(&self) -> usize {
        unsafe { (F::C.capacity)(self.0) }
    }
    pub fn stats(&self) -> Stats {
        statistics(|stats| unsafe { (F::C.stats)(self.0, stats) })
    }
}

/// The statistics that a call writes.
pub fn statistics(call: impl FnOnce(*mut queues_stats_t) -> queues_status_t) -> Stats {
    let mut stats = no_stats();
    result(call(&mut stats), 0).unwrap();
    Stats {
        enqueued: stats.enqueued,
        dequeued: stats.dequeued,
        failed_enqueue: stats.failed_enqueue,
        failed_dequeue: stats.failed_dequeue,
        peak_size: stats.peak_size,
        current_size: stats.current_size,
        capacity: stats.capacity,
        stolen: stats.stolen,
        attached: stats.attached,
        recovered: stats.recovered,
    }
}

/// What only spsc queues can do.
#[allow(clippy::undocumented_unsafe_blocks)] // as above
impl Handle<Spsc> {
    /// Reserves, and fills what was reserved.
    pub fn reserve(&self, blob: &[u8], timeout: i64) -> Result {
        let none = core::ptr::null_mut();
        let room =
            output(none, |place| unsafe { queues_spsc_reserve(self.raw(), place, timeout) })?;
        assert!(room.cast::<u64>().is_aligned(), "reserved memory is aligned to 8");
        unsafe { room.cast::<u8>().copy_from_nonoverlapping(blob.as_ptr(), blob.len()) };
        Ok(())
    }
    pub fn commit(&self, len: usize) -> Result {
        result(unsafe { queues_spsc_commit(self.raw(), len) }, 0)
    }
    /// A copy of what lies in front.
    pub fn front(&self, timeout: i64) -> Result<Vec<u8>> {
        let mut len = UNTOUCHED;
        let front = output(core::ptr::null(), |place| unsafe {
            queues_spsc_front(self.raw(), place, &mut len, timeout)
        });
        let front = front.inspect_err(|_| assert_eq!(len, UNTOUCHED))?;
        assert!(front.cast::<u64>().is_aligned(), "the front is aligned to 8");
        Ok(unsafe { core::slice::from_raw_parts(front.cast::<u8>(), len) }.to_vec())
    }
    pub fn consume(&self) -> Result {
        result(unsafe { queues_spsc_consume(self.raw()) }, 0)
    }
    pub fn is_empty(&self) -> bool {
        unsafe { queues_spsc_is_empty(self.raw()) }
    }
    pub fn is_full(&self) -> bool {
        unsafe { queues_spsc_is_full(self.raw()) }
    }
}

/// What only mpmc queues can do.
#[allow(clippy::undocumented_unsafe_blocks)] // as above
impl Handle<Mpmc> {
    pub fn reserve(&self, timeout: i64) -> Result<*mut c_void> {
        let none = core::ptr::null_mut();
        let data =
            output(none, |place| unsafe { queues_mpmc_reserve(self.raw(), place, timeout) })?;
        assert!(data.cast::<u64>().is_aligned(), "reserved memory is aligned to 8");
        Ok(data)
    }
    /// Fills what was reserved, and commits it.
    pub fn commit(&self, data: *mut c_void, blob: &[u8]) -> Result {
        unsafe {
            data.cast::<u8>().copy_from_nonoverlapping(blob.as_ptr(), blob.len());
        }
        self.commit_filled(data, blob.len())
    }
    /// Commits what was filled before.
    pub fn commit_filled(&self, data: *mut c_void, len: usize) -> Result {
        result(unsafe { queues_mpmc_commit(self.raw(), data, len) }, 0)
    }
    pub fn cancel(&self, data: *mut c_void) -> Result {
        result(unsafe { queues_mpmc_cancel(self.raw(), data) }, 0)
    }
    /// What was leased, and a copy of it.
    pub fn lease(&self, timeout: i64) -> Result<(*mut c_void, Vec<u8>)> {
        let (none, mut len) = (core::ptr::null_mut(), UNTOUCHED);
        let data = output(none, |place| unsafe {
            queues_mpmc_lease(self.raw(), place, &mut len, timeout)
        });
        let data = data.inspect_err(|_| assert_eq!(len, UNTOUCHED))?;
        assert!(data.cast::<u64>().is_aligned(), "leased memory is aligned to 8");
        Ok((data, unsafe { core::slice::from_raw_parts(data.cast::<u8>(), len) }.to_vec()))
    }
    pub fn settle(&self, data: *mut c_void) -> Result {
        result(unsafe { queues_mpmc_settle(self.raw(), data) }, 0)
    }
    pub fn put_back(&self, data: *mut c_void) -> Result {
        result(unsafe { queues_mpmc_return(self.raw(), data) }, 0)
    }
}

/// What only batchers can do.
#[allow(clippy::undocumented_unsafe_blocks)] // as above
impl Handle<Batch> {
    pub fn put_weighted(&self, item: usize, weight: u64, timeout: i64) -> Result {
        result(unsafe { queues_batch_put_weighted(self.raw(), pointer(item), weight, timeout) }, 0)
    }
    pub fn put_weighted_bytes(&self, blob: &[u8], weight: u64, timeout: i64) -> Result {
        let (queue, data, len) = (self.raw(), start(blob), blob.len());
        result(unsafe { queues_batch_put_weighted_bytes(queue, data, len, weight, timeout) }, 0)
    }
    /// Takes a batch; without a timeout one that is due.
    pub fn take(&self, max: usize, timeout: Option<i64>) -> Result<Vec<usize>> {
        let (mut items, mut n) = (vec![pointer(UNTOUCHED); max], UNTOUCHED);
        let (queue, place) = (self.raw(), items.as_mut_ptr());
        let status = unsafe {
            match timeout {
                Some(timeout) => queues_batch_get_batch(queue, place, max, &mut n, timeout),
                None => queues_batch_get_due(queue, place, max, &mut n),
            }
        };
        let taken = result(status, 0);
        assert_eq!(taken.is_err(), n == UNTOUCHED);
        taken.map(|()| items[..n].iter().map(|item| item.expose_provenance()).collect())
    }
    /// As `take`, of blobs, into a buffer with this room.
    pub fn take_blobs(
        &self,
        room: usize,
        max: usize,
        timeout: Option<i64>,
    ) -> Result<Vec<Vec<u8>>> {
        let mut blobs = vec![queues_batch_blob_t { offset: 0, length: 0 }; max];
        let (mut buffer, mut len, mut n) = (vec![0u8; room], UNTOUCHED, UNTOUCHED);
        let at: *mut c_void =
            if room == 0 { core::ptr::null_mut() } else { buffer.as_mut_ptr().cast() };
        let (queue, places) = (self.raw(), blobs.as_mut_ptr());
        let status = unsafe {
            match timeout {
                Some(timeout) => queues_batch_get_batch_bytes(
                    queue, at, room, &mut len, places, max, &mut n, timeout,
                ),
                None => queues_batch_get_due_bytes(queue, at, room, &mut len, places, max, &mut n),
            }
        };
        let taken = result(status, len);
        assert_eq!(taken.is_err(), n == UNTOUCHED);
        assert_eq!(len == UNTOUCHED, !matches!(taken, Ok(()) | Err(Error::TooSmall { .. })));
        taken?;
        let mut end = 0;
        let cut = |blob: &queues_batch_blob_t| {
            assert_eq!(blob.offset, end, "blobs are contiguous");
            end += blob.length;
            buffer[blob.offset..end].to_vec()
        };
        let cut: Vec<_> = blobs[..n].iter().map(cut).collect();
        assert_eq!(end, len);
        Ok(cut)
    }
    pub fn flush(&self) -> Result {
        result(unsafe { queues_batch_flush(self.raw()) }, 0)
    }
}

/// A reference to a deque; cloning retains, dropping releases.
pub struct Deque(*mut queues_deque_t);

// SAFETY: the library promises it of handles; one thread at a time is the owner.
unsafe impl Send for Deque {}
// SAFETY: as above.
unsafe impl Sync for Deque {}

#[allow(clippy::undocumented_unsafe_blocks)] // as above
impl Clone for Deque {
    fn clone(&self) -> Self {
        let retained = unsafe { queues_deque_retain(self.0) };
        assert_eq!(retained, self.0, "retain returns its argument");
        Self(retained)
    }
}

#[allow(clippy::undocumented_unsafe_blocks)] // as above
impl Drop for Deque {
    fn drop(&mut self) {
        unsafe { queues_deque_release(self.0) }
    }
}

#[allow(clippy::undocumented_unsafe_blocks)] // as above
impl Deque {
    pub fn create(settings: Settings) -> Result<Self> {
        let Settings { capacity, item_size, flags, drop, drop_bytes, drop_ctx, .. } = settings;
        let options = queues_deque_options_t {
            struct_size: size_of::<queues_deque_options_t>(),
            capacity,
            item_size,
            flags,
            drop,
            drop_ctx,
            drop_bytes,
        };
        let create = |place: *mut _| unsafe { queues_deque_create(&options, place) };
        output(core::ptr::null_mut(), create).map(Self)
    }
    /// The handle as the C functions take it.
    pub fn raw(&self) -> *mut queues_deque_t {
        self.0
    }
    pub fn push(&self, item: usize) -> Result {
        result(unsafe { queues_deque_push(self.0, pointer(item)) }, 0)
    }
    pub fn pop(&self) -> Result<usize> {
        output(pointer(UNTOUCHED), |place| unsafe { queues_deque_pop(self.0, place) })
            .map(|item| item.expose_provenance())
    }
    pub fn steal(&self) -> Result<usize> {
        output(pointer(UNTOUCHED), |place| unsafe { queues_deque_steal(self.0, place) })
            .map(|item| item.expose_provenance())
    }
    pub fn steal_many(&self, max: usize) -> Many<Vec<usize>> {
        // A theft that lost its race may have written a part of an item.
        received_many(max, false, |items, done| unsafe {
            queues_deque_steal_many(self.0, items, max, done)
        })
    }
    pub fn push_bytes(&self, blob: &[u8]) -> Result {
        result(unsafe { queues_deque_push_bytes(self.0, start(blob), blob.len()) }, 0)
    }
    pub fn pop_bytes(&self, room: usize) -> Result<Vec<u8>> {
        received(room, true, |at, room, len| unsafe {
            queues_deque_pop_bytes(self.0, at, room, len)
        })
    }
    pub fn steal_bytes(&self, room: usize) -> Result<Vec<u8>> {
        // As above.
        received(room, false, |at, room, len| unsafe {
            queues_deque_steal_bytes(self.0, at, room, len)
        })
    }
    pub fn stealable_fd(&self) -> Result<c_int> {
        output(UNTOUCHED_FD, |fd| unsafe { queues_deque_stealable_fd(self.raw(), fd) })
    }
    pub fn poll(&self, events: u32, timeout: i64) -> Result<u32> {
        poll(self.raw().cast(), events, timeout)
    }
    pub fn len(&self) -> usize {
        unsafe { queues_deque_size(self.0) }
    }
    pub fn is_empty(&self) -> bool {
        unsafe { queues_deque_is_empty(self.0) }
    }
    pub fn capacity(&self) -> usize {
        unsafe { queues_deque_capacity(self.0) }
    }
    pub fn stats(&self) -> Stats {
        statistics(|stats| unsafe { queues_deque_stats(self.0, stats) })
    }
}

/// Statistics as a caller hands them in.
pub fn no_stats() -> queues_stats_t {
    queues_stats_t {
        struct_size: size_of::<queues_stats_t>(),
        enqueued: 0,
        dequeued: 0,
        failed_enqueue: 0,
        failed_dequeue: 0,
        peak_size: 0,
        current_size: 0,
        capacity: 0,
        stolen: 0,
        attached: 0,
        recovered: 0,
    }
}

/// An empty blob is sent as `(NULL, 0)`.
fn start(blob: &[u8]) -> *const c_void {
    if blob.is_empty() { core::ptr::null() } else { blob.as_ptr().cast() }
}

/// A call that receives many items.
fn received_many(
    n: usize,
    keeps_rest: bool,
    call: impl FnOnce(*mut *mut c_void, *mut usize) -> queues_status_t,
) -> Many<Vec<usize>> {
    let mut items = vec![pointer(UNTOUCHED); n];
    let mut done = UNTOUCHED;
    let status = call(items.as_mut_ptr(), &mut done);
    let (count, why) = counted(status, done);
    let rest = items.split_off(count);
    let is_kept = rest.iter().all(|&item| item == pointer(UNTOUCHED));
    assert!(is_kept || !keeps_rest, "written beyond *done");
    (items.into_iter().map(|item| item.expose_provenance()).collect(), why)
}

/// The result of a call on many items: `*done` is written unless the arguments are refused.
fn counted(status: queues_status_t, done: usize) -> Many<usize> {
    let why = result(status, 0);
    if let Err(Error::Invalid | Error::Misuse) = why {
        assert_eq!(done, UNTOUCHED, "*done was written with {why:?}");
        return (0, why);
    }
    (done, why)
}
