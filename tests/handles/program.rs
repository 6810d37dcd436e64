//! A program of three languages, which pass queues to each other: Rust, with the crate, and C and
//! C++, which use the functions of that crate. tests/handles.rs compiles and runs it.

use queues::ffi::mpmc::{queues_mpmc_retain, queues_mpmc_t};
use queues::ffi::spsc::queues_spsc_t;
use queues::{BytesConsumer, Error, MpmcBytes, Wait};
use std::ffi::c_void;
use std::thread;

#[link(name = "other", kind = "static")]
unsafe extern "C" {
    fn c_produce(queue: *mut queues_spsc_t, n: u64);
    fn c_consume(queue: *mut queues_spsc_t) -> u64;
    fn cpp_produce(queue: *mut queues_mpmc_t, n: u64);
    fn cpp_consume(queue: *mut queues_mpmc_t) -> u64;
    fn cpp_create(number: u64, handle: *mut *mut queues_mpmc_t) -> *mut c_void;
    fn cpp_destroy(queue: *mut c_void);
    fn cpp_refuses(handle: *mut queues_mpmc_t) -> bool;
}

const SAMPLE: usize = 16;
const N: u64 = 20_000;
const SUM: u64 = N * (N + 1) / 2;

fn bytes_of(number: u64) -> [u8; SAMPLE] {
    let mut sample = [0; SAMPLE];
    sample[..8].copy_from_slice(&number.to_ne_bytes());
    sample[8..].copy_from_slice(&(number as f64 / 2.0).to_ne_bytes());
    sample
}

fn number_of(sample: &[u8]) -> u64 {
    let number = u64::from_ne_bytes(sample[..8].try_into().unwrap());
    assert_eq!(sample, bytes_of(number));
    number
}

/// The sum of the numbers until the queue is closed and drained.
fn sum(mut get: impl FnMut(&mut [u8]) -> queues::Result<usize>) -> u64 {
    let (mut sum, mut buffer) = (0, [0; SAMPLE]);
    loop {
        match get(&mut buffer) {
            Ok(len) => sum += number_of(&buffer[..len]),
            Err(error) => {
                assert_eq!(error, Error::Closed);
                return sum;
            }
        }
    }
}

/// A handle on its way to another thread.
struct Sent<T>(*mut T);
unsafe impl<T> Send for Sent<T> {}
impl<T> Sent<T> {
    fn take(self) -> *mut T {
        self.0
    }
}

fn rust_creates_and_cpp_uses() {
    let queue = MpmcBytes::with_capacity(8, SAMPLE).unwrap();
    let handle = Sent(queue.clone().into_raw());
    let producer = thread::spawn(move || unsafe { cpp_produce(handle.take(), N) });
    assert_eq!(sum(|buffer| queue.get(buffer, Wait::Forever)), SUM);
    producer.join().unwrap();

    let queue = MpmcBytes::with_capacity(8, SAMPLE).unwrap();
    let handle = Sent(queue.clone().into_raw());
    let consumer = thread::spawn(move || unsafe { cpp_consume(handle.take()) });
    for i in 1..=N {
        queue.put(&bytes_of(i), Wait::Forever).unwrap();
    }
    queue.close();
    drop(queue); // while C++ may still get
    assert_eq!(consumer.join().unwrap(), SUM);

    let other = MpmcBytes::with_capacity(8, SAMPLE - 1).unwrap();
    assert!(unsafe { cpp_refuses(other.as_raw()) });
    assert_eq!(other.try_put(&[1]), Ok(()));
}

fn rust_creates_and_c_uses() {
    let (producer, mut consumer) = queues::spsc_bytes(8, SAMPLE).unwrap();
    let handle = Sent(producer.into_raw());
    let thread = thread::spawn(move || unsafe { c_produce(handle.take(), N) });
    assert_eq!(sum(|buffer| consumer.get(buffer, Wait::Forever)), SUM);
    thread.join().unwrap();

    let (mut producer, consumer) = queues::spsc_bytes(8, SAMPLE).unwrap();
    let handle = Sent(consumer.into_raw());
    let thread = thread::spawn(move || unsafe { c_consume(handle.take()) });
    for i in 1..=N {
        producer.put(&bytes_of(i), Wait::Forever).unwrap();
    }
    producer.close();
    drop(producer);
    assert_eq!(thread.join().unwrap(), SUM);

    // The consumer goes to C and back to Rust.
    let (mut producer, consumer) = queues::spsc_bytes(8, SAMPLE).unwrap();
    producer.put(&bytes_of(7), Wait::No).unwrap();
    let handle = consumer.into_raw();
    let mut consumer = unsafe { BytesConsumer::from_raw(handle) }.unwrap();
    assert_eq!(number_of(&consumer.front(Wait::No).unwrap()), 7);
}

fn cpp_creates_and_rust_uses() {
    let mut handle = std::ptr::null_mut();
    let object = unsafe { cpp_create(7, &mut handle) };
    let queue = unsafe { MpmcBytes::from_raw(queues_mpmc_retain(handle)) }.unwrap();
    assert_eq!((queue.capacity(), queue.item_size(), queue.len()), (8, SAMPLE, 1));
    queue.put(&bytes_of(8), Wait::No).unwrap();
    unsafe { cpp_destroy(object) };
    assert!(!queue.is_closed(), "the last reference is in Rust");
    let numbers = [7, 8].map(|_| number_of(&queue.lease(Wait::No).unwrap()));
    assert_eq!(numbers, [7, 8], "each lease puts its blob back");
    assert_eq!(queue.stats().enqueued, 4);
}

fn main() {
    rust_creates_and_cpp_uses();
    rust_creates_and_c_uses();
    cpp_creates_and_rust_uses();
}
