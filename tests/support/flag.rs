//! The smallest queue, for models of what is around a queue.

use super::core_queues::{self, Calls};
use super::items::Plain;
use super::subject::{Face, Family, Kind};
use loom::sync::atomic::AtomicU64;
use queues::queue::{Counts, Get, GetMany, Put, PutMany, Queue};
use queues::{Error, Result};
use std::ffi::c_void;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

/// An item in each place, put by a plain store: the smallest queue around an event count. One
/// thread may put; 0 is no item. First in, first out only with one place.
pub struct Flag {
    items: Vec<AtomicU64>,
    closed: AtomicU64,
}

impl Flag {
    pub fn new(capacity: usize) -> Self {
        let items = (0..capacity).map(|_| AtomicU64::new(0)).collect();
        Self { items, closed: AtomicU64::new(0) }
    }
}

pub const FLAG: Kind = Kind::new("flag", Family::Mpmc, Face::Core, |options, dropped| {
    let flag = Flag::new(options.capacity);
    let calls = Calls::of::<Plain>().with_many::<Plain>();
    Ok(core_queues::reference(flag, calls, options, dropped))
});

// SAFETY: as below.
unsafe impl PutMany for Flag {}

// SAFETY: as below.
unsafe impl GetMany for Flag {}

// SAFETY: a release store hands the item on, an acquire load receives it; one getter wins the swap.
unsafe impl Put for Flag {
    type Item = *mut c_void;
    type With = ();

    unsafe fn try_put(&self, item: &*mut c_void, (): ()) -> Result {
        if self.closed.load(Acquire) != 0 {
            return Err(Error::Closed);
        }
        let free = self.items.iter().find(|place| place.load(Acquire) == 0);
        free.ok_or(Error::Full)?.store(item.addr() as u64, Release);
        Ok(())
    }
}

// SAFETY: as above.
unsafe impl Get for Flag {
    type Out = *mut c_void;
    type With = ();

    unsafe fn try_get(&self, out: &mut *mut c_void) -> Result {
        for place in &self.items {
            let item = place.load(Acquire);
            if item != 0 && place.compare_exchange(item, 0, AcqRel, Relaxed).is_ok() {
                *out = std::ptr::without_provenance_mut(item as usize);
                return Ok(());
            }
        }
        Err(if self.closed.load(Acquire) != 0 { Error::Closed } else { Error::Empty })
    }
}

// SAFETY: as above.
unsafe impl Queue for Flag {
    fn end(&self) -> u64 {
        unimplemented!()
    }
    unsafe fn clear_to(&self, _end: u64, _freed: impl Fn(usize)) -> usize {
        unimplemented!()
    }
    fn close(&self) {
        self.closed.store(1, Release);
    }
    fn is_closed(&self) -> bool {
        self.closed.load(Acquire) != 0
    }
    fn capacity(&self) -> usize {
        self.items.len()
    }
    fn len(&self) -> usize {
        self.items.iter().filter(|place| place.load(Acquire) != 0).count()
    }
    fn counts(&self) -> Counts {
        Counts { enqueued: 0, dequeued: 0, peak: 0 }
    }
    fn take_panic(&self) -> bool {
        false
    }
}
