//! Adapters for the non-blocking queues of crates, and Vyukov's bounded queue as the textbook has
//! it. No call blocks, so they take part in the `single` and `bulk` cases only.

use crate::workloads::{Bulk, End, Item, NonBlocking, Queue};
use crate::{Contestant, Describe, blobs};
use crossbeam_queue::{ArrayQueue, SegQueue};
use crossbeam_utils::CachePadded;
use ringbuf::traits::{Consumer, Producer, Split};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Rtrb<T = usize>(End<rtrb::Producer<T>>, End<rtrb::Consumer<T>>);
impl<T: Item> Queue for Rtrb<T> {
    fn new(capacity: usize) -> Self {
        let (producer, consumer) = rtrb::RingBuffer::new(capacity);
        Self(End::new(producer), End::new(consumer))
    }
}
impl<T: Item> NonBlocking<T> for Rtrb<T> {
    fn try_put(&self, item: T) -> bool {
        // SAFETY: one producer thread.
        unsafe { self.0.get() }.push(item).is_ok()
    }
    fn try_get(&self) -> Option<T> {
        // SAFETY: one consumer thread.
        unsafe { self.1.get() }.pop().ok()
    }
}
/// Copies slices, as the chunks of rtrb allow.
impl Bulk for Rtrb {
    fn put_bulk(&self, words: &[usize]) -> usize {
        // SAFETY: one producer thread.
        let producer = unsafe { self.0.get() };
        producer.push_partial_slice(words).0.len()
    }
    fn get_bulk(&self, words: &mut [usize]) -> usize {
        // SAFETY: one consumer thread.
        let consumer = unsafe { self.1.get() };
        consumer.pop_partial_slice(words).0.len()
    }
}

struct Ringbuf<T: Item = usize>(End<ringbuf::HeapProd<T>>, End<ringbuf::HeapCons<T>>);
impl<T: Item> Queue for Ringbuf<T> {
    fn new(capacity: usize) -> Self {
        let (producer, consumer) = ringbuf::HeapRb::new(capacity).split();
        Self(End::new(producer), End::new(consumer))
    }
}
impl<T: Item> NonBlocking<T> for Ringbuf<T> {
    fn try_put(&self, item: T) -> bool {
        // SAFETY: one producer thread.
        unsafe { self.0.get() }.try_push(item).is_ok()
    }
    fn try_get(&self) -> Option<T> {
        // SAFETY: one consumer thread.
        unsafe { self.1.get() }.try_pop()
    }
}
impl Bulk for Ringbuf {
    fn put_bulk(&self, words: &[usize]) -> usize {
        // SAFETY: one producer thread.
        unsafe { self.0.get() }.push_slice(words)
    }
    fn get_bulk(&self, words: &mut [usize]) -> usize {
        // SAFETY: one consumer thread.
        unsafe { self.1.get() }.pop_slice(words)
    }
}

impl Queue for ArrayQueue<usize> {
    fn new(capacity: usize) -> Self {
        Self::new(capacity)
    }
}
impl NonBlocking<usize> for ArrayQueue<usize> {
    fn try_put(&self, word: usize) -> bool {
        self.push(word).is_ok()
    }
    fn try_get(&self) -> Option<usize> {
        self.pop()
    }
}

impl Queue for SegQueue<usize> {
    fn new(_: usize) -> Self {
        Self::new()
    }
}
impl NonBlocking<usize> for SegQueue<usize> {
    fn try_put(&self, word: usize) -> bool {
        self.push(word);
        true
    }
    fn try_get(&self) -> Option<usize> {
        self.pop()
    }
}

/// Vyukov's bounded queue (1024cores.net, 2010) with exponential backoff. It is the usual design:
/// fast, and not lock-free, since a thread that stops between its claim and its store blocks the
/// slot.
struct Vyukov {
    slots: Box<[Slot]>,
    tail: CachePadded<AtomicUsize>,
    head: CachePadded<AtomicUsize>,
}
type Slot = (AtomicUsize, UnsafeCell<usize>);
// SAFETY: the sequence of a slot decides which thread may access its word.
unsafe impl Sync for Vyukov {}
impl Vyukov {
    /// Claims the next position of an end, once the sequence of its slot is `position + ready`.
    /// Returns the position and the slot; `None` if the queue is full or empty.
    fn claim(&self, end: &AtomicUsize, ready: usize) -> Option<(usize, &Slot)> {
        // Pauses after a lost race: 8, doubled up to 256.
        let mut pauses = 8;
        let mut position = end.load(Ordering::Relaxed);
        loop {
            let slot = &self.slots[position & (self.slots.len() - 1)];
            match slot.0.load(Ordering::Acquire).wrapping_sub(position + ready) as isize {
                0 => {
                    let (o, r) = (position, Ordering::Relaxed);
                    match end.compare_exchange_weak(o, o + 1, r, r) {
                        Ok(_) => return Some((position, slot)),
                        Err(now) => position = now,
                    }
                    (0..pauses).for_each(|_| std::hint::spin_loop());
                    pauses = (pauses * 2).min(256);
                }
                ..0 => return None,
                _ => position = end.load(Ordering::Relaxed),
            }
        }
    }
}
impl Queue for Vyukov {
    fn new(capacity: usize) -> Self {
        let slot = |i| (AtomicUsize::new(i), UnsafeCell::new(0));
        Self {
            slots: (0..capacity.next_power_of_two()).map(slot).collect(),
            tail: AtomicUsize::new(0).into(),
            head: AtomicUsize::new(0).into(),
        }
    }
}
impl NonBlocking<usize> for Vyukov {
    fn try_put(&self, word: usize) -> bool {
        let Some((position, slot)) = self.claim(&self.tail, 0) else { return false };
        // SAFETY: the position was claimed, so no other thread accesses the word.
        unsafe { *slot.1.get() = word };
        slot.0.store(position + 1, Ordering::Release);
        true
    }
    fn try_get(&self) -> Option<usize> {
        let (position, slot) = self.claim(&self.head, 1)?;
        // SAFETY: the position was claimed, so no other thread accesses the word.
        let word = unsafe { *slot.1.get() };
        slot.0.store(position + self.slots.len(), Ordering::Release);
        Some(word)
    }
}

pub fn contestants() -> Vec<Contestant> {
    let new = Contestant::new;
    vec![
        blobs!(new("rtrb").version_of("rtrb").spsc::<Rtrb>().spsc_bulk::<Rtrb>(), Rtrb),
        blobs!(
            new("ringbuf").version_of("ringbuf").spsc::<Ringbuf>().spsc_bulk::<Ringbuf>(),
            Ringbuf
        ),
        new("Vyukov ring, back-off").mpmc::<Vyukov>(),
        new("crossbeam ArrayQueue").version_of("crossbeam-queue").mpmc::<ArrayQueue<usize>>(),
        new("crossbeam SegQueue (unbounded)")
            .version_of("crossbeam-queue")
            .mpmc::<SegQueue<usize>>(),
    ]
}
