//! Random lists of calls through the C ABI, by one thread, against a sequential model: every
//! answer, every output, what was disposed of, and the statistics after each call.

#![cfg(not(any(loom, miri)))]

#[path = "conformance/c_abi.rs"]
mod c_abi;
#[path = "properties/deque.rs"]
mod deque;

use c_abi::{Family, Handle, Many, Mpmc, Settings, Spsc};
use core::any::Any;
use core::ffi::c_void;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use queues::ffi::spsc::QUEUES_SPSC_CHECKED;
use queues::{Error, Result, Stats};
use std::cell::RefCell;
use std::collections::VecDeque;

/// How long a call may wait.
#[derive(Debug, Clone, Copy)]
enum Time {
    Try,
    Soon,
    /// This long if the model knows that the call need not wait; else soon.
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
    /// What a call answers that found the queue full or empty.
    fn in_vain(self, tried: Error) -> Error {
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
    Clear,
    Close,
    Retain,
    Release,
}
use Op::*;

/// What a call answered.
#[derive(Debug, PartialEq)]
enum Answer {
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
}

/// What the header says, in one thread.
struct Model {
    shape: Shape,
    single: bool,
    items: VecDeque<Item>,
    closed: bool,
    reserved: Option<u8>,
    stats: Stats,
    dropped: Vec<Item>,
}

impl Model {
    fn new(shape: Shape, single: bool) -> Self {
        let stats = Stats { capacity: shape.capacity as u64, ..Stats::default() };
        let (items, dropped) = (VecDeque::new(), Vec::new());
        Self { shape, single, items, closed: false, reserved: None, stats, dropped }
    }
    fn is_full(&self) -> bool {
        self.items.len() == self.shape.capacity
    }
    /// Whether a put of so many need not wait.
    fn takes(&self, count: usize) -> bool {
        self.closed || self.items.len() + count <= self.shape.capacity
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
        if self.is_full() {
            self.stats.failed_enqueue += 1;
            return Err(time.in_vain(Error::Full));
        }
        Ok(())
    }
    fn put(&mut self, item: Item, time: Time) -> Result {
        self.room(time)?;
        self.items.push_back(item);
        self.reserved = None;
        self.stats.enqueued += 1;
        self.stats.current_size += 1;
        self.stats.peak_size = self.stats.peak_size.max(self.stats.current_size);
        Ok(())
    }
    /// The item in front, for a look or a get.
    fn front(&mut self, time: Option<Time>) -> Result<Item> {
        if let Some(item) = self.items.front() {
            return Ok(item.clone());
        }
        if self.closed {
            return Err(Error::Closed);
        }
        // A look is no failed get.
        self.stats.failed_dequeue += u64::from(time.is_some());
        Err(time.map_or(Error::Empty, |time| time.in_vain(Error::Empty)))
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

    fn answer(&mut self, op: &Op) -> Answer {
        let only_single = matches!(op, Reserve(..) | Commit(_) | Front(_) | Consume);
        if only_single && !self.single {
            return Answer::NoSuchCall;
        }
        match *op {
            TryPut(item) => self.answer(&Op::Put(item, Time::Try)),
            Op::Put(item, time) => {
                Answer::Done(self.of_pointers().and_then(|()| self.put(Item::Pointer(item), time)))
            }
            TryGet => self.answer(&Get(Time::Try)),
            Get(time) => Answer::Item(self.get(|model| model.pointer(Some(time)))),
            Peek => Answer::Item(self.pointer(None)),
            PutMany(ref items, time) => Answer::Put(match self.of_pointers() {
                Ok(()) => self.put_many(items, time),
                refused => (0, refused),
            }),
            GetMany(n, time) => Answer::Got(match self.of_pointers() {
                Ok(()) => self.get_many(n, time),
                refused => (vec![], refused),
            }),
            TryPutBytes(ref blob) => self.answer(&PutBytes(blob.clone(), Time::Try)),
            PutBytes(ref blob, time) => Answer::Done(
                self.of_bytes(blob.len()).and_then(|()| self.put(Item::Blob(blob.clone()), time)),
            ),
            TryGetBytes(room) => self.answer(&GetBytes(room, Time::Try)),
            GetBytes(room, time) => Answer::Blob(self.get(|model| model.blob(room, Some(time)))),
            PeekBytes(room) => Answer::Blob(self.blob(room, None)),
            Reserve(fill, time) => {
                let done = self.of_bytes(0).and_then(|()| self.room(time));
                if done.is_ok() {
                    self.reserved = Some(fill);
                }
                Answer::Done(done)
            }
            Commit(len) => Answer::Done(self.commit(len)),
            Front(time) => Answer::Blob(self.blob(usize::MAX, Some(time))),
            Consume => {
                Answer::Done(self.get(|model| model.blob(usize::MAX, Some(Time::Try))).map(|_| ()))
            }
            Clear => {
                let count = self.items.len();
                self.dropped.extend(self.items.iter().cloned());
                (0..count).for_each(|_| self.remove());
                Answer::Cleared(Ok(count))
            }
            Close => {
                self.closed = true;
                Answer::Done(Ok(()))
            }
            Retain | Release => Answer::Done(Ok(())),
        }
    }
}

/// What a drop callback saw: of a blob, the first byte.
#[derive(Default)]
struct Seen {
    of_bytes: bool,
    items: RefCell<Vec<usize>>,
}

unsafe extern "C-unwind" fn note(seen: *mut c_void, item: *mut c_void) {
    // SAFETY: the context given at creation; all in one thread.
    let seen = unsafe { &*seen.cast::<Seen>() };
    // SAFETY: a cell has room for a byte, whatever the length of its blob.
    let item = if seen.of_bytes { unsafe { item.cast::<u8>().read() }.into() } else { item.addr() };
    seen.items.borrow_mut().push(item);
}

/// Whether the callback saw just these items, in order. An empty blob has no first byte.
fn assert_dropped(seen: &Seen, expected: &mut Vec<Item>) {
    let seen = seen.items.take();
    assert_eq!(seen.len(), expected.len(), "{expected:?}");
    for (seen, expected) in seen.into_iter().zip(expected.drain(..)) {
        match &expected {
            Item::Pointer(item) => assert_eq!(seen, *item),
            Item::Blob(blob) => assert!(blob.first().is_none_or(|&first| seen == first.into())),
        }
    }
}

/// The same call on the library.
fn call<F: Family>(handles: &mut Vec<Handle<F>>, model: &Model, op: &Op) -> Answer {
    let queue = handles[0].clone();
    let in_place = (&queue as &dyn Any).downcast_ref::<Handle<Spsc>>();
    let item_size = model.shape.item_size;
    let (gives, takes) = (model.gives(), model.takes(1));
    match *op {
        TryPut(item) => Answer::Done(queue.try_put(item)),
        Op::Put(item, time) => Answer::Done(queue.put(item, time.nanos(takes))),
        TryGet => Answer::Item(queue.try_get()),
        Get(time) => Answer::Item(queue.get(time.nanos(gives))),
        Peek => Answer::Item(queue.peek()),
        PutMany(ref items, time) => {
            Answer::Put(queue.put_many(items, time.nanos(model.takes(items.len()))))
        }
        GetMany(n, time) => Answer::Got(queue.get_many(n, time.nanos(gives))),
        TryPutBytes(ref blob) => Answer::Done(queue.try_put_bytes(blob)),
        PutBytes(ref blob, time) => Answer::Done(queue.put_bytes(blob, time.nanos(takes))),
        TryGetBytes(room) => Answer::Blob(queue.try_get_bytes(room)),
        GetBytes(room, time) => Answer::Blob(queue.get_bytes(room, time.nanos(gives))),
        PeekBytes(room) => Answer::Blob(queue.peek_bytes(room)),
        Clear => Answer::Cleared(queue.clear()),
        Close => Answer::Done(queue.close()),
        Retain => {
            handles.push(queue);
            Answer::Done(Ok(()))
        }
        Release => {
            if handles.len() > 1 {
                handles.swap_remove(0);
            }
            Answer::Done(Ok(()))
        }
        Reserve(..) | Commit(_) | Front(_) | Consume => match (in_place, op) {
            (None, _) => Answer::NoSuchCall,
            (Some(queue), Reserve(fill, time)) => {
                Answer::Done(queue.reserve(&vec![*fill; item_size], time.nanos(takes)))
            }
            (Some(queue), Commit(len)) => Answer::Done(queue.commit(*len)),
            (Some(queue), Front(time)) => Answer::Blob(queue.front(time.nanos(gives))),
            (Some(queue), _) => Answer::Done(queue.consume()),
        },
    }
}

/// Runs the calls on a queue and on the model.
fn check<F: Family>(shape: Shape, ops: &[Op]) {
    let seen = Seen { of_bytes: shape.item_size > 0, ..Seen::default() };
    let settings = Settings {
        flags: if F::SINGLE && shape.checked { QUEUES_SPSC_CHECKED } else { 0 },
        ..Settings::new(shape.capacity, shape.item_size)
    };
    let settings = settings.with_drop(Some(note), (&raw const seen).cast_mut().cast());
    let mut handles = vec![Handle::<F>::create(settings).unwrap()];
    let mut model = Model::new(shape, F::SINGLE);
    for (i, op) in ops.iter().enumerate() {
        let answer = call(&mut handles, &model, op);
        assert_eq!(answer, model.answer(op), "call {i}: {op:?}");
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
    assert_dropped(&seen, &mut model.items.into());
}

fn times() -> impl Strategy<Value = Time> {
    let long = prop_oneof![Just(-1), Just(i64::MIN), Just(i64::MAX), any::<i64>()];
    prop_oneof![
        3 => Just(Time::Try),
        1 => Just(Time::Soon),
        // 0 is a try, and answers as such.
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
        2 => (prop::collection::vec(items(), 0..12), times()).prop_map(|(items, time)| PutMany(items, time)),
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
    let shape = (1..=9usize, item_size, any::<bool>())
        .prop_map(|(capacity, item_size, checked)| Shape { capacity, item_size, checked });
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
