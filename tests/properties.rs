//! Random lists of calls through the C ABI, by one thread, behave like a sequential model: the same
//! results, outputs, disposals and statistics after each call. Proptest shrinks a list that does
//! not.

#![cfg(not(any(loom, miri)))]

mod support;

mod properties {
    mod deque;
}

use core::any::Any;
use core::ffi::c_void;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use queues::ffi::spsc::QUEUES_SPSC_CHECKED;
use queues::{Error, Result, Stats};
use std::cell::RefCell;
use std::collections::VecDeque;
use support::c_abi::{Family, Handle, Mpmc, Settings, Spsc};
use support::subject::Many;

/// How long a call may wait.
#[derive(Debug, Clone, Copy)]
enum Time {
    Try,
    Soon,
    /// This long if the call need not wait, by the model; otherwise as `Soon`.
    Long(i64),
}

impl Time {
    fn nanos(self, ready: bool) -> i64 {
        match self {
            Self::Try => 0,
            Self::Long(nanos) if ready => nanos,
            Self::Soon | Self::Long(_) => 1,
        }
    }
    /// The error of a call that found the queue full or empty.
    fn failure(self, tried: Error) -> Error {
        if matches!(self, Self::Try) { tried } else { Error::Timeout }
    }
}

#[derive(Debug, Clone)]
enum Op {
    TryPut(usize),
    Put(usize, Time),
    TryGet,
    Get(Time),
    Peek,
    PutMany(Vec<usize>, Time),
    GetMany(usize, Time),
    TryPutBytes(Vec<u8>),
    PutBytes(Vec<u8>, Time),
    TryGetBytes(usize),
    GetBytes(usize, Time),
    PeekBytes(usize),
    /// Fills what it reserves with one byte.
    Reserve(u8, Time),
    Commit(usize),
    Front(Time),
    Consume,
    /// Of mpmc: fills what it reserves with one byte, and holds it.
    ReserveCell(u8, Time),
    Lease(Time),
    /// Ends one of what was ever held, held still or not.
    End(Ending, usize),
    Clear,
    Close,
    Retain,
    Release,
}
use Op::*;

#[derive(Debug, Clone, Copy)]
enum Ending {
    CommitCell(usize),
    Cancel,
    Settle,
    PutBack,
}
use Ending::*;

/// What the caller holds in place. The model does not know its address.
#[derive(Debug, Clone, PartialEq)]
enum Held {
    Reserved(u8),
    Leased(Vec<u8>),
    Ended,
}

/// The result of a call.
#[derive(Debug, PartialEq)]
enum Outcome {
    Done(Result),
    Item(Result<usize>),
    Blob(Result<Vec<u8>>),
    Put(Many<usize>),
    Got(Many<Vec<usize>>),
    Cleared(Result<usize>),
    /// spsc only.
    NoSuchCall,
}

/// An item, of either payload.
#[derive(Debug, Clone, PartialEq)]
enum Item {
    Pointer(usize),
    Blob(Vec<u8>),
}

#[derive(Debug, Clone, Copy)]
struct Shape {
    capacity: usize,
    /// 0: pointers.
    item_size: usize,
    checked: bool,
    /// Of mpmc queues of bytes.
    spare: usize,
}

/// The header's promises, for one thread.
struct Model {
    shape: Shape,
    single: bool,
    items: VecDeque<Item>,
    closed: bool,
    reserved: Option<u8>,
    /// In the order of reservations and leases.
    held: Vec<Held>,
    stats: Stats,
    dropped: Vec<Item>,
}

impl Model {
    fn new(shape: Shape, single: bool) -> Self {
        let stats = Stats { capacity: shape.capacity as u64, ..Stats::default() };
        let (items, dropped) = (VecDeque::new(), Vec::new());
        let held = Vec::new();
        Self { shape, single, items, closed: false, reserved: None, held, stats, dropped }
    }
    fn is_full(&self) -> bool {
        self.items.len() == self.shape.capacity
    }
    /// The number of cells of bytes that are neither in the queue nor held.
    fn free_cells(&self) -> usize {
        if self.single || self.shape.item_size == 0 {
            return usize::MAX;
        }
        let held = self.held.iter().filter(|held| **held != Held::Ended).count();
        self.shape.capacity + self.shape.spare - self.items.len() - held
    }
    /// Whether a put of `count` items need not wait.
    fn takes(&self, count: usize) -> bool {
        let has_room = self.items.len() + count <= self.shape.capacity;
        self.closed || has_room && self.free_cells() >= count
    }
    /// Whether a get need not wait.
    fn gives(&self) -> bool {
        self.closed || !self.items.is_empty()
    }
    fn of_pointers(&self) -> Result {
        if self.shape.item_size == 0 { Ok(()) } else { Err(Error::Invalid) }
    }
    /// A call on bytes that names this length.
    fn of_bytes(&self, len: usize) -> Result {
        let valid = self.shape.item_size > 0 && len <= self.shape.item_size;
        if valid { Ok(()) } else { Err(Error::Invalid) }
    }

    fn room(&mut self, time: Time) -> Result {
        if self.closed {
            return Err(Error::Closed);
        }
        if self.is_full() || self.free_cells() == 0 {
            self.stats.failed_enqueue += 1;
            return Err(time.failure(Error::Full));
        }
        Ok(())
    }
    fn put(&mut self, item: Item, time: Time) -> Result {
        self.room(time)?;
        self.append(item);
        Ok(())
    }
    fn append(&mut self, item: Item) {
        self.items.push_back(item);
        self.reserved = None;
        self.stats.enqueued += 1;
        self.stats.current_size += 1;
        self.stats.peak_size = self.stats.peak_size.max(self.stats.current_size);
    }
    /// Ends what is held, if it is of the right kind.
    fn end(&mut self, ending: Ending, i: usize) -> Result {
        if let CommitCell(len) = ending {
            self.of_bytes(len)?;
        }
        let item = match (ending, &self.held[i]) {
            (CommitCell(len), &Held::Reserved(fill)) => Some(vec![fill; len]),
            (PutBack, Held::Leased(blob)) => Some(blob.clone()),
            (Cancel, Held::Reserved(_)) | (Settle, Held::Leased(_)) => None,
            _ => return Err(Error::Misuse),
        };
        if let Some(item) = item {
            if self.closed {
                return Err(Error::Closed);
            }
            // The item has a cell already.
            if self.is_full() {
                self.stats.failed_enqueue += 1;
                return Err(Error::Full);
            }
            self.append(Item::Blob(item));
        }
        self.held[i] = Held::Ended;
        Ok(())
    }
    /// The front item, for a peek or a get.
    fn front(&mut self, time: Option<Time>) -> Result<Item> {
        if let Some(item) = self.items.front() {
            return Ok(item.clone());
        }
        if self.closed {
            return Err(Error::Closed);
        }
        // A peek is not a failed get.
        self.stats.failed_dequeue += u64::from(time.is_some());
        Err(time.map_or(Error::Empty, |time| time.failure(Error::Empty)))
    }
    fn remove(&mut self) {
        self.items.pop_front().unwrap();
        self.stats.dequeued += 1;
        self.stats.current_size -= 1;
    }
    fn pointer(&mut self, time: Option<Time>) -> Result<usize> {
        self.of_pointers()?;
        match self.front(time)? {
            Item::Pointer(item) => Ok(item),
            Item::Blob(_) => unreachable!(),
        }
    }
    fn blob(&mut self, room: usize, time: Option<Time>) -> Result<Vec<u8>> {
        self.of_bytes(0)?;
        match self.front(time)? {
            Item::Blob(blob) if blob.len() > room => Err(Error::TooSmall { needed: blob.len() }),
            Item::Blob(blob) => Ok(blob),
            Item::Pointer(_) => unreachable!(),
        }
    }
    fn get<T>(&mut self, find: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        find(self).inspect(|_| self.remove())
    }
    fn commit(&mut self, len: usize) -> Result {
        self.of_bytes(len)?;
        let fill = self.reserved.take().ok_or(Error::Misuse)?;
        self.put(Item::Blob(vec![fill; len]), Time::Try)
    }
    fn put_many(&mut self, items: &[usize], time: Time) -> Many<usize> {
        let put = |&item: &usize| self.put(Item::Pointer(item), time);
        let mut done = 0;
        let why = items.iter().map(put).try_for_each(|put| put.map(|()| done += 1));
        (done, why)
    }
    fn get_many(&mut self, n: usize, time: Time) -> Many<Vec<usize>> {
        let mut got = Vec::new();
        if n > 0 {
            match self.get(|model| model.pointer(Some(time))) {
                Ok(first) => got.push(first),
                Err(why) => return (got, Err(why)),
            }
            while got.len() < n && !self.items.is_empty() {
                got.extend(self.get(|model| model.pointer(None)));
            }
        }
        (got, Ok(()))
    }

    fn run(&mut self, op: &Op) -> Outcome {
        let only_single = matches!(op, Reserve(..) | Commit(_) | Front(_) | Consume);
        let only_many = matches!(op, ReserveCell(..) | Lease(_) | End(..));
        if only_single && !self.single || only_many && self.single {
            return Outcome::NoSuchCall;
        }
        match *op {
            TryPut(item) => self.run(&Op::Put(item, Time::Try)),
            Op::Put(item, time) => {
                Outcome::Done(self.of_pointers().and_then(|()| self.put(Item::Pointer(item), time)))
            }
            TryGet => self.run(&Get(Time::Try)),
            Get(time) => Outcome::Item(self.get(|model| model.pointer(Some(time)))),
            Peek => Outcome::Item(self.pointer(None)),
            PutMany(ref items, time) => Outcome::Put(match self.of_pointers() {
                Ok(()) => self.put_many(items, time),
                refused => (0, refused),
            }),
            GetMany(n, time) => Outcome::Got(match self.of_pointers() {
                Ok(()) => self.get_many(n, time),
                refused => (vec![], refused),
            }),
            TryPutBytes(ref blob) => self.run(&PutBytes(blob.clone(), Time::Try)),
            PutBytes(ref blob, time) => Outcome::Done(
                self.of_bytes(blob.len()).and_then(|()| self.put(Item::Blob(blob.clone()), time)),
            ),
            TryGetBytes(room) => self.run(&GetBytes(room, Time::Try)),
            GetBytes(room, time) => Outcome::Blob(self.get(|model| model.blob(room, Some(time)))),
            PeekBytes(room) => Outcome::Blob(self.blob(room, None)),
            Reserve(fill, time) => {
                let done = self.of_bytes(0).and_then(|()| self.room(time));
                if done.is_ok() {
                    self.reserved = Some(fill);
                }
                Outcome::Done(done)
            }
            Commit(len) => Outcome::Done(self.commit(len)),
            Front(time) => Outcome::Blob(self.blob(usize::MAX, Some(time))),
            Consume => {
                Outcome::Done(self.get(|model| model.blob(usize::MAX, Some(Time::Try))).map(|_| ()))
            }
            ReserveCell(fill, time) => {
                let done = self.of_bytes(0).and_then(|()| self.room(time));
                if done.is_ok() {
                    self.held.push(Held::Reserved(fill));
                }
                Outcome::Done(done)
            }
            Lease(time) => {
                let leased = self.get(|model| model.blob(usize::MAX, Some(time)));
                self.held.extend(leased.iter().cloned().map(Held::Leased));
                Outcome::Blob(leased)
            }
            End(_, _) if self.held.is_empty() => Outcome::NoSuchCall,
            End(ending, i) => Outcome::Done(self.end(ending, i % self.held.len())),
            Clear => {
                let count = self.items.len();
                self.dropped.extend(self.items.iter().cloned());
                (0..count).for_each(|_| self.remove());
                Outcome::Cleared(Ok(count))
            }
            Close => {
                self.closed = true;
                Outcome::Done(Ok(()))
            }
            Retain | Release => Outcome::Done(Ok(())),
        }
    }
}

/// The items that a drop callback saw.
type Seen = RefCell<Vec<Item>>;

unsafe extern "C-unwind" fn note(seen: *mut c_void, item: *mut c_void) {
    // SAFETY: the context given at creation; all in one thread.
    let seen = unsafe { &*seen.cast::<Seen>() };
    seen.borrow_mut().push(Item::Pointer(item.addr()));
}

unsafe extern "C-unwind" fn note_bytes(seen: *mut c_void, data: *mut c_void, len: usize) {
    // SAFETY: as above.
    let seen = unsafe { &*seen.cast::<Seen>() };
    // SAFETY: a blob of this length.
    let blob = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), len) };
    seen.borrow_mut().push(Item::Blob(blob.to_vec()));
}

/// With a callback that records items in `seen`.
fn noting(settings: Settings, seen: &Seen) -> Settings {
    let context = core::ptr::from_ref(seen).cast_mut().cast();
    match settings.item_size {
        0 => settings.with_drop(Some(note), context),
        _ => settings.with_drop_bytes(Some(note_bytes), context),
    }
}

/// The callback saw these items and no others, in order.
fn assert_dropped(seen: &Seen, expected: &mut Vec<Item>) {
    assert_eq!(seen.take(), std::mem::take(expected));
}

/// Makes the call on the library. `held` has the address of each `Held` of the model.
fn call<F: Family>(
    handles: &mut Vec<Handle<F>>,
    held: &mut Vec<*mut c_void>,
    model: &Model,
    op: &Op,
) -> Outcome {
    let queue = handles[0].clone();
    let leasing = (&queue as &dyn Any).downcast_ref::<Handle<Mpmc>>();
    let in_place = (&queue as &dyn Any).downcast_ref::<Handle<Spsc>>();
    let item_size = model.shape.item_size;
    let (gives, takes) = (model.gives(), model.takes(1));
    match *op {
        TryPut(item) => Outcome::Done(queue.try_put(item)),
        Op::Put(item, time) => Outcome::Done(queue.put(item, time.nanos(takes))),
        TryGet => Outcome::Item(queue.try_get()),
        Get(time) => Outcome::Item(queue.get(time.nanos(gives))),
        Peek => Outcome::Item(queue.peek()),
        PutMany(ref items, time) => {
            Outcome::Put(queue.put_many(items, time.nanos(model.takes(items.len()))))
        }
        GetMany(n, time) => Outcome::Got(queue.get_many(n, time.nanos(gives))),
        TryPutBytes(ref blob) => Outcome::Done(queue.try_put_bytes(blob)),
        PutBytes(ref blob, time) => Outcome::Done(queue.put_bytes(blob, time.nanos(takes))),
        TryGetBytes(room) => Outcome::Blob(queue.try_get_bytes(room)),
        GetBytes(room, time) => Outcome::Blob(queue.get_bytes(room, time.nanos(gives))),
        PeekBytes(room) => Outcome::Blob(queue.peek_bytes(room)),
        Clear => Outcome::Cleared(queue.clear()),
        Close => Outcome::Done(queue.close()),
        Retain => {
            handles.push(queue);
            Outcome::Done(Ok(()))
        }
        Release => {
            if handles.len() > 1 {
                handles.swap_remove(0);
            }
            Outcome::Done(Ok(()))
        }
        Reserve(..) | Commit(_) | Front(_) | Consume => match (in_place, op) {
            (None, _) => Outcome::NoSuchCall,
            (Some(queue), Reserve(fill, time)) => {
                Outcome::Done(queue.reserve(&vec![*fill; item_size], time.nanos(takes)))
            }
            (Some(queue), Commit(len)) => Outcome::Done(queue.commit(*len)),
            (Some(queue), Front(time)) => Outcome::Blob(queue.front(time.nanos(gives))),
            (Some(queue), _) => Outcome::Done(queue.consume()),
        },
        ReserveCell(..) | Lease(_) | End(..) => match (leasing, op) {
            (None, _) => Outcome::NoSuchCall,
            (Some(queue), ReserveCell(fill, time)) => {
                Outcome::Done(queue.reserve(time.nanos(takes)).map(|data| {
                    // SAFETY: reserved, for a blob of up to the item size.
                    unsafe { data.cast::<u8>().write_bytes(*fill, item_size) };
                    held.push(data);
                }))
            }
            (Some(queue), Lease(time)) => {
                Outcome::Blob(queue.lease(time.nanos(gives)).map(|(data, blob)| {
                    held.push(data);
                    blob
                }))
            }
            (Some(_), End(..)) if held.is_empty() => Outcome::NoSuchCall,
            (Some(queue), End(ending, i)) => {
                let i = i % held.len();
                // The address of what ended may have been given out again.
                let is_old = model.held[i] == Held::Ended;
                if is_old && held[i + 1..].contains(&held[i]) {
                    return Outcome::Done(model_misuse(*ending, model));
                }
                Outcome::Done(match *ending {
                    CommitCell(len) => queue.commit_filled(held[i], len),
                    Cancel => queue.cancel(held[i]),
                    Settle => queue.settle(held[i]),
                    PutBack => queue.put_back(held[i]),
                })
            }
            (Some(_), _) => unreachable!(),
        },
    }
}

/// The result of ending what has ended, when its address was given out again.
fn model_misuse(ending: Ending, model: &Model) -> Result {
    match ending {
        CommitCell(len) => model.of_bytes(len).and(Err(Error::Misuse)),
        _ => Err(Error::Misuse),
    }
}

/// Makes the calls on a queue and on the model.
fn check<F: Family>(shape: Shape, ops: &[Op]) {
    let seen = Seen::default();
    let settings = Settings {
        flags: if F::SINGLE && shape.checked { QUEUES_SPSC_CHECKED } else { 0 },
        spare: if shape.item_size > 0 { shape.spare } else { 0 },
        ..Settings::new(shape.capacity, shape.item_size)
    };
    let settings = noting(settings, &seen);
    let mut held = Vec::new();
    let mut handles = vec![Handle::<F>::create(settings).unwrap()];
    let mut model = Model::new(shape, F::SINGLE);
    for (i, op) in ops.iter().enumerate() {
        let outcome = call(&mut handles, &mut held, &model, op);
        assert_eq!(outcome, model.run(op), "call {i}: {op:?}");
        let queue = &handles[0];
        assert_eq!(queue.stats(), model.stats, "after call {i}: {op:?}");
        let state = (queue.len(), queue.capacity(), queue.is_closed());
        assert_eq!(state, (model.items.len(), shape.capacity, model.closed));
        if let Some(queue) = (queue as &dyn Any).downcast_ref::<Handle<Spsc>>() {
            let state = (queue.is_empty(), queue.is_full());
            assert_eq!(state, (model.items.is_empty(), model.is_full()));
        }
        assert_dropped(&seen, &mut model.dropped);
    }
    drop(handles);
    // First what is still leased, in any order, and then what is in the queue.
    let mut leased: Vec<_> = model
        .held
        .into_iter()
        .filter_map(|held| match held {
            Held::Leased(blob) => Some(Item::Blob(blob)),
            _ => None,
        })
        .collect();
    let key = |item: &Item| format!("{item:?}");
    leased.sort_by_key(key);
    seen.borrow_mut()[..leased.len()].sort_by_key(key);
    leased.extend(model.items);
    assert_dropped(&seen, &mut leased);
}

fn times() -> impl Strategy<Value = Time> {
    let long = prop_oneof![Just(-1), Just(i64::MIN), Just(i64::MAX), any::<i64>()];
    prop_oneof![
        3 => Just(Time::Try),
        1 => Just(Time::Soon),
        // 0 does not wait, and is `Try`.
        3 => long.prop_map(|nanos| Time::Long(if nanos == 0 { -1 } else { nanos })),
    ]
}

fn items() -> impl Strategy<Value = usize> {
    prop_oneof![8 => 1..1000usize, 1 => Just(0), 1 => any::<usize>()]
}

fn blobs() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..24)
}

/// Calls on pointers.
fn pointer_ops() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => items().prop_map(TryPut),
        4 => (items(), times()).prop_map(|(item, time)| Op::Put(item, time)),
        4 => Just(TryGet),
        4 => times().prop_map(Get),
        2 => Just(Peek),
        2 => (prop::collection::vec(items(), 0..12), times())
            .prop_map(|(items, time)| PutMany(items, time)),
        2 => (0..12usize, times()).prop_map(|(n, time)| GetMany(n, time)),
    ]
}

/// Calls on bytes.
fn byte_ops() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => blobs().prop_map(TryPutBytes),
        4 => (blobs(), times()).prop_map(|(blob, time)| PutBytes(blob, time)),
        4 => (0..24usize).prop_map(TryGetBytes),
        4 => (0..24usize, times()).prop_map(|(room, time)| GetBytes(room, time)),
        2 => (0..24usize).prop_map(PeekBytes),
        3 => (any::<u8>(), times()).prop_map(|(fill, time)| Reserve(fill, time)),
        3 => (0..24usize).prop_map(Commit),
        2 => times().prop_map(Front),
        2 => Just(Consume),
        4 => (any::<u8>(), times()).prop_map(|(fill, time)| ReserveCell(fill, time)),
        4 => times().prop_map(Lease),
        10 => (endings(), any::<usize>()).prop_map(|(ending, i)| End(ending, i)),
    ]
}

fn endings() -> impl Strategy<Value = Ending> {
    prop_oneof![
        2 => (0..24usize).prop_map(CommitCell),
        1 => Just(Cancel),
        1 => Just(Settle),
        1 => Just(PutBack),
    ]
}

fn any_ops() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => Just(Clear),
        1 => Just(Close),
        2 => Just(Retain),
        2 => Just(Release),
    ]
}

/// Mostly calls that suit the payload.
fn lists(bytes: bool) -> impl Strategy<Value = (Shape, Vec<Op>)> {
    let (on_pointers, on_bytes) = if bytes { (1, 40) } else { (40, 1) };
    let ops = prop_oneof![
        on_pointers => pointer_ops(),
        on_bytes => byte_ops(),
        3 => any_ops(),
    ];
    let item_size = if bytes { 1..=20usize } else { 0..=0 };
    let shape = (1..=9usize, item_size, any::<bool>(), 1..=5usize).prop_map(
        |(capacity, item_size, checked, spare)| Shape { capacity, item_size, checked, spare },
    );
    (shape, prop::collection::vec(ops, 0..100))
}

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/properties.regressions",
        ))),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn mpmc_of_pointers((shape, ops) in lists(false)) {
        check::<Mpmc>(shape, &ops);
    }

    #[test]
    fn mpmc_of_bytes((shape, ops) in lists(true)) {
        check::<Mpmc>(shape, &ops);
    }

    #[test]
    fn spsc_of_pointers((shape, ops) in lists(false)) {
        check::<Spsc>(shape, &ops);
    }

    #[test]
    fn spsc_of_bytes((shape, ops) in lists(true)) {
        check::<Spsc>(shape, &ops);
    }
}
