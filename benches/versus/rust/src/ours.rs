//! Ours through the C ABI of the shared library, as programs in every language but Rust call it.
//! Its functions and structures are declared here a second time.

use crate::batch::{BatchQueue, SIZE};
use crate::deque::StealingDeque;
use crate::priority::PriorityQueue;
use crate::workloads::{Blocking, Bulk, Item, NonBlocking, Queue};
use crate::{Contestant, Describe, batch, blobs, deque, priority};
use std::ffi::c_void;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr::null_mut;
use std::time::Duration;

type Handle = *mut c_void;
type Word = *mut c_void;

/// The fields that the options of all families begin with; 0 is the default of each.
#[repr(C)]
#[derive(Default)]
struct CommonOptions {
    struct_size: usize,
    capacity: usize,
    item_size: usize,
    flags: u64,
    drop: usize,
    drop_ctx: usize,
}

/// In words: more room than the options of any family take after the fields that are declared here.
/// The library accepts longer structures whose end is 0, and structures only grow at their end.
const RESERVED: usize = 32;

/// The options of mpmc, spsc, priority and deque.
#[repr(C)]
#[derive(Default)]
struct Options {
    common: CommonOptions,
    reserved: [usize; RESERVED],
}

impl Options {
    fn new<T: Item>(capacity: usize) -> Self {
        let item_size = if T::WORD { 0 } else { size_of::<T>() };
        let struct_size = size_of::<Self>();
        let common = CommonOptions { struct_size, capacity, item_size, ..Default::default() };
        Self { common, ..Default::default() }
    }
}

#[repr(C)]
#[derive(Default)]
struct BatchOptions {
    common: CommonOptions,
    batch_size: usize,
    batch_timeout_ns: i64,
    reserved: [usize; RESERVED],
}

/// Calls a `create` function of the library.
fn create<O>(options: &O, create: unsafe extern "C" fn(*const O, *mut Handle) -> i32) -> Handle {
    let mut handle = null_mut();
    // SAFETY: valid options and a valid output.
    let status = unsafe { create(options, &mut handle) };
    assert_eq!(status, 0, "create failed");
    handle
}

unsafe extern "C" {
    fn queues_spsc_reserve(queue: Handle, data: *mut *mut c_void, timeout: i64) -> i32;
    fn queues_spsc_commit(queue: Handle, len: usize) -> i32;
    fn queues_spsc_front(
        queue: Handle,
        data: *mut *const c_void,
        len: *mut usize,
        timeout: i64,
    ) -> i32;
    fn queues_spsc_consume(queue: Handle) -> i32;
    fn queues_priority_create(options: *const Options, queue: *mut Handle) -> i32;
    fn queues_priority_release(queue: Handle);
    fn queues_priority_try_put(queue: Handle, item: Word, priority: f64) -> i32;
    fn queues_priority_try_get(queue: Handle, item: *mut Word, priority: *mut f64) -> i32;
    fn queues_deque_create(options: *const Options, deque: *mut Handle) -> i32;
    fn queues_deque_release(deque: Handle);
    fn queues_deque_push(deque: Handle, item: Word) -> i32;
    fn queues_deque_pop(deque: Handle, item: *mut Word) -> i32;
    fn queues_deque_steal(deque: Handle, item: *mut Word) -> i32;
    fn queues_batch_create(options: *const BatchOptions, queue: *mut Handle) -> i32;
    fn queues_batch_release(queue: Handle);
    fn queues_batch_put(queue: Handle, item: Word, timeout: i64) -> i32;
    fn queues_batch_get_batch(
        queue: Handle,
        items: *mut Word,
        max: usize,
        n: *mut usize,
        timeout: i64,
    ) -> i32;
}

/// Declares and adapts the functions that mpmc and spsc both have.
macro_rules! fifo {
    ($name:ident: $create:ident $release:ident $try_put:ident $try_get:ident $put:ident $get:ident
     $try_put_bytes:ident $try_get_bytes:ident $put_many:ident $get_many:ident) => {
        unsafe extern "C" {
            fn $create(options: *const Options, queue: *mut Handle) -> i32;
            fn $release(queue: Handle);
            fn $try_put(queue: Handle, item: Word) -> i32;
            fn $try_get(queue: Handle, item: *mut Word) -> i32;
            fn $put(queue: Handle, item: Word, timeout: i64) -> i32;
            fn $get(queue: Handle, item: *mut Word, timeout: i64) -> i32;
            fn $try_put_bytes(queue: Handle, data: *const c_void, len: usize) -> i32;
            fn $try_get_bytes(
                queue: Handle,
                data: *mut c_void,
                size: usize,
                len: *mut usize,
            ) -> i32;
            fn $put_many(
                queue: Handle,
                items: *const Word,
                n: usize,
                timeout: i64,
                done: *mut usize,
            ) -> i32;
            fn $get_many(
                queue: Handle,
                items: *mut Word,
                n: usize,
                timeout: i64,
                done: *mut usize,
            ) -> i32;
        }

        struct $name<T = usize>(Handle, PhantomData<fn(T)>);
        // SAFETY: any thread may use a handle.
        unsafe impl<T> Sync for $name<T> {}

        impl<T: Item> Queue for $name<T> {
            fn new(capacity: usize) -> Self {
                Self(create(&Options::new::<T>(capacity), $create), PhantomData)
            }
        }

        impl<T: Item> NonBlocking<T> for $name<T> {
            fn try_put(&self, item: T) -> bool {
                if T::WORD {
                    // SAFETY: a live handle.
                    return unsafe { $try_put(self.0, item.number() as Word) } == 0;
                }
                let data = (&raw const item).cast();
                // SAFETY: a live handle, and `data` has that many bytes.
                unsafe { $try_put_bytes(self.0, data, size_of::<T>()) == 0 }
            }
            fn try_get(&self) -> Option<T> {
                if T::WORD {
                    let mut item = null_mut();
                    // SAFETY: a live handle and a valid output.
                    let status = unsafe { $try_get(self.0, &mut item) };
                    return (status == 0).then(|| T::from_number(item as usize));
                }
                let mut item = MaybeUninit::<T>::uninit();
                let mut len = 0;
                // SAFETY: a live handle and valid outputs.
                let status = unsafe {
                    $try_get_bytes(self.0, item.as_mut_ptr().cast(), size_of::<T>(), &mut len)
                };
                // SAFETY: the library copied a whole item.
                (status == 0).then(|| unsafe { item.assume_init() })
            }
        }

        impl Blocking for $name {
            fn blocking_put(&self, word: usize) {
                // SAFETY: a live handle.
                unsafe { $put(self.0, word as Word, -1) };
            }
            fn blocking_get(&self) -> usize {
                let mut item = null_mut();
                // SAFETY: a live handle and a valid output.
                unsafe { $get(self.0, &mut item, -1) };
                item as usize
            }
        }

        impl Bulk for $name {
            fn put_bulk(&self, words: &[usize]) -> usize {
                let mut done = 0;
                // SAFETY: a live handle, that many words, a valid output.
                unsafe { $put_many(self.0, words.as_ptr().cast(), words.len(), 0, &mut done) };
                done
            }
            fn get_bulk(&self, words: &mut [usize]) -> usize {
                let mut done = 0;
                // SAFETY: a live handle, room for that many words, a valid output.
                unsafe { $get_many(self.0, words.as_mut_ptr().cast(), words.len(), 0, &mut done) };
                done
            }
        }

        impl<T> Drop for $name<T> {
            fn drop(&mut self) {
                // SAFETY: the last reference.
                unsafe { $release(self.0) }
            }
        }
    };
}

fifo!(Mpmc: queues_mpmc_create queues_mpmc_release queues_mpmc_try_put queues_mpmc_try_get
    queues_mpmc_put queues_mpmc_get queues_mpmc_try_put_bytes queues_mpmc_try_get_bytes
    queues_mpmc_put_many queues_mpmc_get_many);
fifo!(Spsc: queues_spsc_create queues_spsc_release queues_spsc_try_put queues_spsc_try_get
    queues_spsc_put queues_spsc_get queues_spsc_try_put_bytes queues_spsc_try_get_bytes
    queues_spsc_put_many queues_spsc_get_many);

/// Blobs written and read in place, in the slots of the queue.
struct ZeroCopy<T>(Spsc<T>);
impl<T: Item> Queue for ZeroCopy<T> {
    fn new(capacity: usize) -> Self {
        Self(Spsc::new(capacity))
    }
}
impl<T: Item> NonBlocking<T> for ZeroCopy<T> {
    fn try_put(&self, item: T) -> bool {
        let mut data = null_mut();
        // SAFETY: a live handle, and the reserved slot has room for an item.
        unsafe {
            if queues_spsc_reserve(self.0.0, &mut data, 0) != 0 {
                return false;
            }
            data.cast::<T>().write_unaligned(item);
            queues_spsc_commit(self.0.0, size_of::<T>()) == 0
        }
    }
    fn try_get(&self) -> Option<T> {
        let (mut data, mut len) = (std::ptr::null(), 0);
        // SAFETY: a live handle, and the front slot has an item.
        unsafe {
            if queues_spsc_front(self.0.0, &mut data, &mut len, 0) != 0 {
                return None;
            }
            let item = data.cast::<T>().read_unaligned();
            queues_spsc_consume(self.0.0);
            Some(item)
        }
    }
}

struct Priority(Handle);
// SAFETY: any thread may use a handle.
unsafe impl Sync for Priority {}

impl PriorityQueue for Priority {
    fn new(capacity: usize) -> Self {
        Self(create(&Options::new::<usize>(capacity), queues_priority_create))
    }
    fn put(&self, _: usize, priority: f64, word: usize) {
        // SAFETY: a live handle.
        assert_eq!(unsafe { queues_priority_try_put(self.0, word as Word, priority) }, 0);
    }
    fn get(&self, _: usize) -> Option<usize> {
        let (mut item, mut priority) = (null_mut(), 0.0);
        // SAFETY: a live handle and valid outputs.
        let status = unsafe { queues_priority_try_get(self.0, &mut item, &mut priority) };
        (status == 0).then_some(item as usize)
    }
}

impl Drop for Priority {
    fn drop(&mut self) {
        // SAFETY: the last reference.
        unsafe { queues_priority_release(self.0) }
    }
}

struct Deque(Handle);
// SAFETY: only the owner pushes and pops; any thread may steal.
unsafe impl Sync for Deque {}

impl StealingDeque for Deque {
    type Thief = ();
    fn new(capacity: usize) -> Self {
        Self(create(&Options::new::<usize>(capacity), queues_deque_create))
    }
    fn push(&self, word: usize) -> bool {
        // SAFETY: a live handle.
        unsafe { queues_deque_push(self.0, word as Word) == 0 }
    }
    fn pop(&self) -> Option<usize> {
        let mut item = null_mut();
        // SAFETY: a live handle and a valid output.
        (unsafe { queues_deque_pop(self.0, &mut item) } == 0).then_some(item as usize)
    }
    fn thief(&self) {}
    fn steal(&self, _: &mut ()) -> Option<usize> {
        let mut item = null_mut();
        // SAFETY: a live handle and a valid output.
        (unsafe { queues_deque_steal(self.0, &mut item) } == 0).then_some(item as usize)
    }
}

impl Drop for Deque {
    fn drop(&mut self) {
        // SAFETY: the last reference.
        unsafe { queues_deque_release(self.0) }
    }
}

struct Batch(Handle);
// SAFETY: any thread may use a handle.
unsafe impl Sync for Batch {}

impl BatchQueue for Batch {
    fn new(capacity: usize, timeout: Duration) -> Self {
        let struct_size = size_of::<BatchOptions>();
        let options = BatchOptions {
            common: CommonOptions { struct_size, capacity, ..Default::default() },
            batch_size: SIZE,
            batch_timeout_ns: timeout.as_nanos() as i64,
            ..Default::default()
        };
        Self(create(&options, queues_batch_create))
    }
    fn put(&self, word: usize) {
        // SAFETY: a live handle.
        unsafe { queues_batch_put(self.0, word as Word, -1) };
    }
    fn get(&self, batch: &mut Vec<usize>) {
        let mut items = [null_mut(); SIZE];
        let mut n = 0;
        // SAFETY: a live handle and valid outputs.
        unsafe { queues_batch_get_batch(self.0, items.as_mut_ptr(), SIZE, &mut n, -1) };
        batch.extend(items[..n].iter().map(|&item| item as usize));
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // SAFETY: the last reference.
        unsafe { queues_batch_release(self.0) }
    }
}

pub fn contestants() -> Vec<Contestant> {
    let ours = Contestant::ours;
    vec![
        blobs!(ours("spsc").spsc::<Spsc>().spsc_bulk::<Spsc>().spsc_blocking::<Spsc>(), Spsc),
        blobs!(ours("spsc zero-copy"), ZeroCopy),
        ours("mpmc").mpmc::<Mpmc>().mpmc_bulk::<Mpmc>().mpmc_blocking::<Mpmc>(),
        ours("priority").runs("priority", priority::run::<Priority>),
        ours("deque").runs("deque", deque::run::<Deque>),
        batch::cases::<Batch>(ours("batch")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_accepts_the_options_declared_here() {
        drop(Spsc::<usize>::new(16));
        drop(Mpmc::<usize>::new(16));
        drop(Priority::new(16));
        drop(Deque::new(16));
        drop(Batch::new(64, Duration::from_millis(1)));
    }
}
