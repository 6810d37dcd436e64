//! Random lists of calls on a deque through the C ABI, by one thread, behave like a sequential
//! model: the same results, outputs, disposals and statistics after each call.

use crate::support::c_abi::{Deque, Settings};
use crate::support::subject::Many;
use crate::{Item, Seen, assert_dropped, blobs, config, items, noting};
use proptest::prelude::*;
use queues::ffi::deque::{QUEUES_DEQUE_CHECKED, QUEUES_DEQUE_GROWABLE};
use queues::{Error, Result, Stats};
use std::collections::VecDeque;

#[derive(Debug, Clone)]
enum Op {
    Push(usize),
    Pop,
    Steal,
    StealMany(usize),
    PushBytes(Vec<u8>),
    PopBytes(usize),
    StealBytes(usize),
    Retain,
    Release,
}
use Op::*;

/// The result of a call.
#[derive(Debug, PartialEq)]
enum Outcome {
    Done(Result),
    Item(Result<usize>),
    Blob(Result<Vec<u8>>),
    Stolen(Many<Vec<usize>>),
}

#[derive(Debug, Clone, Copy)]
struct Shape {
    capacity: usize,
    /// 0: pointers.
    item_size: usize,
    growable: bool,
    checked: bool,
}

struct Model {
    shape: Shape,
    items: VecDeque<Item>,
    stats: Stats,
}

impl Model {
    fn is_valid(&self, len: Option<usize>) -> Result {
        let valid = match len {
            None => self.shape.item_size == 0,
            Some(len) => self.shape.item_size > 0 && len <= self.shape.item_size,
        };
        if valid { Ok(()) } else { Err(Error::Invalid) }
    }
    fn push(&mut self, item: Item) -> Result {
        if self.items.len() as u64 == self.stats.capacity {
            if !self.shape.growable {
                self.stats.failed_enqueue += 1;
                return Err(Error::Full);
            }
            self.stats.capacity *= 2;
        }
        self.items.push_back(item);
        self.stats.enqueued += 1;
        self.stats.current_size += 1;
        self.stats.peak_size = self.stats.peak_size.max(self.stats.current_size);
        Ok(())
    }
    /// Takes an item at one end, if there is one and it fits.
    fn take(&mut self, room: usize, steal: bool) -> Result<Item> {
        let next = if steal { self.items.front() } else { self.items.back() };
        match next {
            None => {
                self.stats.failed_dequeue += 1;
                return Err(Error::Empty);
            }
            Some(Item::Blob(blob)) if blob.len() > room => {
                return Err(Error::TooSmall { needed: blob.len() });
            }
            Some(_) => {}
        }
        self.stats.dequeued += 1;
        self.stats.current_size -= 1;
        self.stats.stolen += u64::from(steal);
        Ok(if steal { self.items.pop_front() } else { self.items.pop_back() }.unwrap())
    }
    fn pointer(&mut self, steal: bool) -> Result<usize> {
        self.is_valid(None)?;
        match self.take(0, steal)? {
            Item::Pointer(item) => Ok(item),
            Item::Blob(_) => unreachable!(),
        }
    }
    fn blob(&mut self, room: usize, steal: bool) -> Result<Vec<u8>> {
        self.is_valid(Some(0))?;
        match self.take(room, steal)? {
            Item::Blob(blob) => Ok(blob),
            Item::Pointer(_) => unreachable!(),
        }
    }
    fn steal_many(&mut self, max: usize) -> Many<Vec<usize>> {
        if let Err(why) = self.is_valid(None) {
            return (vec![], Err(why));
        }
        let count = max.min(self.items.len());
        if count == 0 && max > 0 {
            return (vec![], self.pointer(true).map(|_| ()));
        }
        ((0..count).map(|_| self.pointer(true).unwrap()).collect(), Ok(()))
    }

    fn run(&mut self, op: &Op) -> Outcome {
        match *op {
            Push(item) => {
                Outcome::Done(self.is_valid(None).and_then(|()| self.push(Item::Pointer(item))))
            }
            Pop => Outcome::Item(self.pointer(false)),
            Steal => Outcome::Item(self.pointer(true)),
            StealMany(max) => Outcome::Stolen(self.steal_many(max)),
            PushBytes(ref blob) => {
                let valid = self.is_valid(Some(blob.len()));
                Outcome::Done(valid.and_then(|()| self.push(Item::Blob(blob.clone()))))
            }
            PopBytes(room) => Outcome::Blob(self.blob(room, false)),
            StealBytes(room) => Outcome::Blob(self.blob(room, true)),
            Retain | Release => Outcome::Done(Ok(())),
        }
    }
}

/// Makes the call on the library.
fn call(handles: &mut Vec<Deque>, op: &Op) -> Outcome {
    let deque = &handles[0];
    match *op {
        Push(item) => Outcome::Done(deque.push(item)),
        Pop => Outcome::Item(deque.pop()),
        Steal => Outcome::Item(deque.steal()),
        StealMany(max) => Outcome::Stolen(deque.steal_many(max)),
        PushBytes(ref blob) => Outcome::Done(deque.push_bytes(blob)),
        PopBytes(room) => Outcome::Blob(deque.pop_bytes(room)),
        StealBytes(room) => Outcome::Blob(deque.steal_bytes(room)),
        Retain => {
            handles.push(deque.clone());
            Outcome::Done(Ok(()))
        }
        Release => {
            if handles.len() > 1 {
                handles.swap_remove(0);
            }
            Outcome::Done(Ok(()))
        }
    }
}

/// Makes the calls on a deque and on the model.
fn check(shape: Shape, ops: &[Op]) {
    let seen = Seen::default();
    let flag = |is_set, flag| if is_set { flag } else { 0 };
    let settings = Settings {
        flags: flag(shape.growable, QUEUES_DEQUE_GROWABLE)
            | flag(shape.checked, QUEUES_DEQUE_CHECKED),
        ..Settings::new(shape.capacity, shape.item_size)
    };
    let mut handles = vec![Deque::create(noting(settings, &seen)).unwrap()];
    let stats = Stats { capacity: shape.capacity as u64, ..Stats::default() };
    let mut model = Model { shape, items: VecDeque::new(), stats };
    for (i, op) in ops.iter().enumerate() {
        assert_eq!(call(&mut handles, op), model.run(op), "call {i}: {op:?}");
        let deque = &handles[0];
        assert_eq!(deque.stats(), model.stats, "after call {i}: {op:?}");
        let state = (deque.len(), deque.is_empty(), deque.capacity() as u64);
        assert_eq!(state, (model.items.len(), model.items.is_empty(), model.stats.capacity));
        assert_dropped(&seen, &mut vec![]);
    }
    drop(handles);
    assert_dropped(&seen, &mut model.items.into());
}

/// Mostly calls that suit the payload, and more that push.
fn lists(bytes: bool) -> impl Strategy<Value = (Shape, Vec<Op>)> {
    let (on_pointers, on_bytes) = if bytes { (1, 40) } else { (40, 1) };
    let pointer_ops = prop_oneof![
        7 => items().prop_map(Push),
        3 => Just(Pop),
        2 => Just(Steal),
        1 => (0..12usize).prop_map(StealMany),
    ];
    let byte_ops = prop_oneof![
        7 => blobs().prop_map(PushBytes),
        3 => (0..24usize).prop_map(PopBytes),
        3 => (0..24usize).prop_map(StealBytes),
    ];
    let ops = prop_oneof![
        on_pointers => pointer_ops,
        on_bytes => byte_ops,
        1 => Just(Retain),
        1 => Just(Release),
    ];
    let item_size = if bytes { 1..=20usize } else { 0..=0 };
    let shape = (1..=9usize, item_size, any::<bool>(), any::<bool>());
    let shape = shape.prop_map(|(capacity, item_size, growable, checked)| Shape {
        capacity,
        item_size,
        growable,
        checked,
    });
    (shape, prop::collection::vec(ops, 0..150))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn of_pointers((shape, ops) in lists(false)) {
        check(shape, &ops);
    }

    #[test]
    fn of_bytes((shape, ops) in lists(true)) {
        check(shape, &ops);
    }
}
