//! The rules of the C ABI: bad input is refused and changes nothing, and blobs and pointers of
//! every shape arrive as they were put. Blobs in place and checked queues keep the rules of the
//! header.

use crate::support::c_abi::{Family, Functions, Handle, Mpmc, Settings, Spsc, no_stats, result};
use crate::support::watchdog::watched;
use core::ffi::{CStr, c_void};
use core::ptr::{null, null_mut};
use queues::ffi::{queues_version, spsc::*, stats::*, status::*};
use queues::{Error, Result};
use std::thread::spawn;

/// Runs a test for both families.
macro_rules! for_families {
    ($($test:ident,)*) => {$(
        mod $test {
            #[test] fn mpmc() { super::$test::<super::Mpmc>() }
            #[test] fn spsc() { super::$test::<super::Spsc>() }
        }
    )*};
}

for_families! {
    any_pointer_is_an_item,
    blobs_of_every_length,
    small_buffers_leave_the_blob,
    large_blobs_arrive,
    defaults_are_documented,
    options_are_checked,
    null_is_invalid,
    foreign_handles_are_invalid,
    the_wrong_payload_is_invalid,
    the_last_release_frees,
}

fn pointers<F: Family>(capacity: usize) -> Handle<F> {
    Handle::create(Settings::new(capacity, 0)).unwrap()
}

fn bytes<F: Family>(capacity: usize, item_size: usize) -> Handle<F> {
    Handle::create(Settings::new(capacity, item_size)).unwrap()
}

fn any_pointer_is_an_item<F: Family>() {
    let queue = pointers::<F>(2);
    for item in [0, 1, usize::MAX, usize::MAX - 1, 1 << 63, (1 << 62) - 1] {
        queue.try_put(item).unwrap();
        queue.put(!item, -1).unwrap();
        assert_eq!(queue.peek(), Ok(item));
        assert_eq!(queue.try_get(), Ok(item));
        assert_eq!(queue.get(-1), Ok(!item));
    }
}

fn blobs_of_every_length<F: Family>() {
    let content: Vec<u8> = (1..=40).collect();
    for item_size in 1..=33 {
        let queue = bytes::<F>(2, item_size);
        for len in 0..=item_size {
            // Neither the source nor the destination need be aligned.
            for offset in 0..=7 {
                let blob = &content[offset..][..len.min(content.len() - offset)];
                queue.try_put_bytes(blob).unwrap();
                queue.put_bytes(&content[..item_size], -1).unwrap();
                assert_eq!(queue.peek_bytes(40).as_deref(), Ok(blob));
                assert_eq!(queue.try_get_bytes(40).as_deref(), Ok(blob));
                assert_eq!(queue.get_bytes(item_size, -1).as_deref(), Ok(&content[..item_size]));
            }
        }
        assert_eq!(queue.try_put_bytes(&content[..item_size + 1]), Err(Error::Invalid));
        assert_eq!(queue.put_bytes(&content, -1), Err(Error::Invalid));
        assert_eq!(queue.stats().failed_enqueue, 0);
    }
}

fn small_buffers_leave_the_blob<F: Family>() {
    let queue = bytes::<F>(3, 20);
    queue.try_put_bytes(&[7; 13]).unwrap();
    queue.try_put_bytes(&[]).unwrap();
    for room in 0..13 {
        let too_small = Err(Error::TooSmall { needed: 13 });
        assert_eq!(queue.peek_bytes(room), too_small);
        assert_eq!(queue.try_get_bytes(room), too_small);
        assert_eq!(queue.get_bytes(room, 0), too_small);
        assert_eq!(queue.get_bytes(room, 1), too_small);
        assert_eq!(queue.get_bytes(room, -1), too_small);
    }
    assert_eq!(queue.try_get_bytes(13), Ok(vec![7; 13]));
    // An empty blob needs no buffer.
    assert_eq!(queue.peek_bytes(0), Ok(vec![]));
    assert_eq!(queue.try_get_bytes(0), Ok(vec![]));
    assert_eq!(queue.try_get_bytes(0), Err(Error::Empty));
    let stats = queue.stats();
    assert_eq!((stats.dequeued, stats.failed_dequeue), (2, 1));
}

fn large_blobs_arrive<F: Family>() {
    const LARGE: usize = 1 << 20;
    let queue = bytes::<F>(1, LARGE);
    let blob: Vec<u8> = (0..LARGE).map(|i| (i * 7) as u8).collect();
    for len in [LARGE, LARGE - 1, LARGE / 2 + 3] {
        queue.try_put_bytes(&blob[..len]).unwrap();
        assert!(queue.peek_bytes(LARGE).unwrap() == blob[..len]);
        assert!(queue.try_get_bytes(LARGE).unwrap() == blob[..len]);
    }
}

fn defaults_are_documented<F: Family>() {
    let documented = if F::NAME == "mpmc" { 1000 } else { 1024 };
    assert_eq!(pointers::<F>(0).capacity(), documented);
    assert_eq!(bytes::<F>(0, 5).capacity(), documented);
}

/// Creates a queue from options at the start of a memory that may be longer.
fn create_from<F: Family>(memory: &[usize]) -> queues_status_t {
    let mut queue = null_mut();
    // SAFETY: the memory has the size in its first word, or is refused for that word.
    let status = unsafe { (F::C.create)(memory.as_ptr().cast(), &mut queue) };
    assert_eq!(status == QUEUES_OK, !queue.is_null());
    // SAFETY: created above, or NULL.
    unsafe { (F::C.release)(queue) };
    status
}

fn options_are_checked<F: Family>() {
    let known = size_of::<F::Options>();
    let mut memory = vec![0; 4096 / size_of::<usize>() + 8];
    for size in [known, known + 1, known + 8, 4096] {
        memory[0] = size;
        assert_eq!(create_from::<F>(&memory), QUEUES_OK, "struct_size {size}");
    }
    for size in [0, 1, known - 1, 4097, usize::MAX] {
        memory[0] = size;
        assert_eq!(create_from::<F>(&memory), QUEUES_INVALID, "struct_size {size}");
    }
    // An option of a later header that is not 0.
    memory[0] = known + size_of::<usize>();
    memory[known / size_of::<usize>()] = 1;
    assert_eq!(create_from::<F>(&memory), QUEUES_INVALID);
    memory[0] = known;
    assert_eq!(create_from::<F>(&memory), QUEUES_OK);

    let known_flags = if F::NAME == "spsc" { QUEUES_SPSC_CHECKED } else { 0 };
    for bit in 0..64 {
        let settings = Settings { flags: 1 << bit, ..Settings::new(1, 0) };
        let created = Handle::<F>::create(settings);
        assert_eq!(created.is_ok(), settings.flags & known_flags != 0, "flag {bit}");
        assert!(matches!(created, Ok(_) | Err(Error::Invalid)));
    }
    for (capacity, item_size) in [
        (usize::MAX, 0),
        (usize::MAX, 1),
        (1, usize::MAX),
        (1, usize::MAX - 8),
        (usize::MAX, usize::MAX),
        (1 << 32, 1 << 32),
        (1 << 40, 1 << 24),
    ] {
        let created = Handle::<F>::create(Settings::new(capacity, item_size));
        assert_eq!(created.err(), Some(Error::Invalid), "{capacity} x {item_size}");
    }
    let created = Handle::<F>::create(Settings::new(1, isize::MAX as usize / 128));
    assert_eq!(created.err(), Some(Error::NoMemory));
}

/// The name and the status of calls.
type Calls = Vec<(&'static str, queues_status_t)>;

/// Every function that returns a status, with otherwise valid arguments.
fn all_calls<F: Family>(queue: *mut F::Queue) -> Calls {
    let Functions { try_put, put, try_get, get, peek, put_many, .. } = F::C;
    let Functions { get_many, clear, close, stats, .. } = F::C;
    let mut item = null_mut();
    let (mut count, mut statistics) = (0, no_stats());
    // SAFETY: outputs are locals; NULL and foreign handles are what is tested.
    let mut calls = unsafe {
        vec![
            ("try_put", try_put(queue, null_mut())),
            ("put", put(queue, null_mut(), -1)),
            ("try_get", try_get(queue, &mut item)),
            ("get", get(queue, &mut item, -1)),
            ("peek", peek(queue, &mut item)),
            ("put_many", put_many(queue, &item, 1, -1, &mut count)),
            ("get_many", get_many(queue, &mut item, 1, -1, &mut count)),
            ("clear", clear(queue, &mut count)),
            ("close", close(queue)),
            ("stats", stats(queue, &mut statistics)),
        ]
    };
    calls.extend(byte_calls::<F>(queue));
    calls
}

/// The functions on bytes.
fn byte_calls<F: Family>(queue: *mut F::Queue) -> Calls {
    let Functions { try_put_bytes, put_bytes, try_get_bytes, get_bytes, peek_bytes, .. } = F::C;
    let (mut buffer, mut len) = ([0u8; 8], 0);
    let (at, room) = (buffer.as_mut_ptr().cast::<c_void>(), buffer.len());
    // SAFETY: as in `all_calls`.
    unsafe {
        vec![
            ("try_put_bytes", try_put_bytes(queue, at, 1)),
            ("put_bytes", put_bytes(queue, at, 1, -1)),
            ("try_get_bytes", try_get_bytes(queue, at, room, &mut len)),
            ("get_bytes", get_bytes(queue, at, room, &mut len, -1)),
            ("peek_bytes", peek_bytes(queue, at, room, &mut len)),
        ]
    }
}

/// The functions that only spsc queues have.
fn spsc_calls(queue: *mut queues_spsc_t) -> Calls {
    let (mut room, mut front, mut len) = (null_mut(), null(), 0);
    // SAFETY: as in `all_calls`.
    unsafe {
        vec![
            ("reserve", queues_spsc_reserve(queue, &mut room, -1)),
            ("commit", queues_spsc_commit(queue, 0)),
            ("front", queues_spsc_front(queue, &mut front, &mut len, -1)),
            ("consume", queues_spsc_consume(queue)),
        ]
    }
}

fn assert_all_invalid(calls: Calls) {
    for (name, status) in calls {
        assert_eq!(status, QUEUES_INVALID, "{name}");
    }
}

/// The results of the functions without a status for NULL or a handle of another family.
fn assert_refused<F: Family>(queue: *mut F::Queue) {
    let Functions { retain, release, is_closed, size, capacity, .. } = F::C;
    // SAFETY: NULL and foreign handles are refused.
    unsafe {
        assert!(retain(queue).is_null());
        release(queue);
        assert!(is_closed(queue));
        assert_eq!((size(queue), capacity(queue)), (0, 0));
    }
}

fn null_is_invalid<F: Family>() {
    assert_all_invalid(all_calls::<F>(null_mut()));
    assert_refused::<F>(null_mut());

    // NULL outputs and items, and structures of the wrong size.
    let queue = pointers::<F>(2);
    let blobs = bytes::<F>(2, 8);
    queue.try_put(5).unwrap();
    blobs.try_put_bytes(&[5]).unwrap();
    let before = (queue.stats(), blobs.stats());
    let (queue, blobs) = (&queue, &blobs);
    let (q, b) = (queue.raw(), blobs.raw());
    let c = F::C;
    let (mut item, mut count, mut len) = (null_mut::<c_void>(), 0, 0);
    let mut created = null_mut();
    let mut buffer = [0u8; 8];
    let at = buffer.as_mut_ptr().cast::<c_void>();
    let mut short = queues_stats_t { struct_size: size_of::<queues_stats_t>() - 1, ..no_stats() };
    let huge = usize::MAX / size_of::<*mut c_void>();
    let unaligned = (&raw mut item).wrapping_byte_add(1);
    // SAFETY: all of them are refused before a pointer is followed.
    let calls = unsafe {
        vec![
            ("create without options", (c.create)(null(), &mut created)),
            ("create without queue", (c.create)(&F::options(&Settings::new(1, 0)), null_mut())),
            ("try_get", (c.try_get)(q, null_mut())),
            ("get", (c.get)(q, null_mut(), -1)),
            ("peek", (c.peek)(q, null_mut())),
            ("put_many without items", (c.put_many)(q, null(), 1, -1, &mut count)),
            ("put_many of too many", (c.put_many)(q, &item, huge, -1, &mut count)),
            ("put_many unaligned", (c.put_many)(q, unaligned, 1, -1, &mut count)),
            ("put_many without done", (c.put_many)(q, &item, 1, -1, null_mut())),
            ("get_many without items", (c.get_many)(q, null_mut(), 1, -1, &mut count)),
            ("get_many of too many", (c.get_many)(q, &mut item, huge, -1, &mut count)),
            ("get_many unaligned", (c.get_many)(q, unaligned, 1, -1, &mut count)),
            ("get_many without done", (c.get_many)(q, &mut item, 1, -1, null_mut())),
            ("clear", (c.clear)(q, null_mut())),
            ("stats", (c.stats)(q, null_mut())),
            ("stats too short", (c.stats)(q, &mut short)),
            ("try_put_bytes", (c.try_put_bytes)(b, null(), 1)),
            ("put_bytes", (c.put_bytes)(b, null(), 1, -1)),
            ("try_get_bytes without buffer", (c.try_get_bytes)(b, null_mut(), 1, &mut len)),
            ("try_get_bytes without len", (c.try_get_bytes)(b, at, 8, null_mut())),
            ("get_bytes without buffer", (c.get_bytes)(b, null_mut(), 1, &mut len, -1)),
            ("get_bytes without len", (c.get_bytes)(b, at, 8, null_mut(), -1)),
            ("peek_bytes without buffer", (c.peek_bytes)(b, null_mut(), 1, &mut len)),
            ("peek_bytes without len", (c.peek_bytes)(b, at, 8, null_mut())),
        ]
    };
    assert_all_invalid(calls);
    assert_eq!((count, len, item, buffer), (0, 0, null_mut(), [0; 8]));
    assert!(created.is_null());
    assert_eq!((queue.stats(), blobs.stats()), before, "a refused call changed the queue");
    // SAFETY: no items need no memory, and (NULL, 0) is a blob.
    unsafe {
        assert_eq!((c.put_many)(q, null(), 0, -1, &mut count), QUEUES_OK);
        assert_eq!((c.get_many)(q, null_mut(), 0, -1, &mut count), QUEUES_OK);
        assert_eq!((c.put_bytes)(b, null(), 0, -1), QUEUES_OK);
    }
}

#[test]
fn null_is_invalid_for_memory_in_place() {
    assert_all_invalid(spsc_calls(null_mut()));
    let queue = bytes::<Spsc>(1, 8);
    let (mut front, mut len) = (null(), 0);
    // SAFETY: refused before a pointer is followed.
    let calls = unsafe {
        vec![
            ("reserve", queues_spsc_reserve(queue.raw(), null_mut(), -1)),
            ("front without data", queues_spsc_front(queue.raw(), null_mut(), &mut len, -1)),
            ("front without len", queues_spsc_front(queue.raw(), &mut front, null_mut(), -1)),
        ]
    };
    assert_all_invalid(calls);
    // SAFETY: NULL is refused.
    unsafe {
        assert!(queues_spsc_is_empty(null()));
        assert!(!queues_spsc_is_full(null()));
    }
}

fn foreign_handles_are_invalid<F: Family>() {
    let (mpmc, spsc) = (pointers::<Mpmc>(1), pointers::<Spsc>(1));
    let (mpmc_bytes, spsc_bytes) = (bytes::<Mpmc>(1, 8), bytes::<Spsc>(1, 8));
    let foreign: [*mut F::Queue; 2] = match F::NAME {
        "mpmc" => [spsc.raw().cast(), spsc_bytes.raw().cast()],
        _ => [mpmc.raw().cast(), mpmc_bytes.raw().cast()],
    };
    for handle in foreign {
        assert_all_invalid(all_calls::<F>(handle));
        assert_refused::<F>(handle);
        if F::NAME == "spsc" {
            assert_all_invalid(spsc_calls(handle.cast()));
        }
    }
    // The queues are neither closed nor filled nor freed.
    assert_eq!((mpmc.try_put(1), spsc.try_put(1)), (Ok(()), Ok(())));
    assert_eq!((mpmc_bytes.try_put_bytes(&[1]), spsc_bytes.try_put_bytes(&[1])), (Ok(()), Ok(())));
}

fn the_wrong_payload_is_invalid<F: Family>() {
    let (queue, blobs) = (pointers::<F>(2), bytes::<F>(2, 8));
    assert_all_invalid(byte_calls::<F>(queue.raw()));
    let pointer_calls = all_calls::<F>(blobs.raw());
    let with_any = ["clear", "close", "stats"];
    let (any, pointer): (Calls, Calls) =
        pointer_calls.into_iter().take(10).partition(|(name, _)| with_any.contains(name));
    assert!(any.iter().all(|&(_, status)| status == QUEUES_OK));
    assert_all_invalid(pointer);
    if F::NAME == "spsc" {
        assert_all_invalid(spsc_calls(queue.raw().cast()));
    }
    assert_eq!(queue.stats().enqueued, 0);
}

fn the_last_release_frees<F: Family>() {
    let queue = pointers::<F>(1);
    let others: Vec<_> = (0..5).map(|_| queue.clone()).collect();
    drop(queue);
    others[4].try_put(3).unwrap();
    for queue in others {
        assert_eq!(queue.peek(), Ok(3));
    }
}

#[test]
fn memory_in_place() {
    let queue = bytes::<Spsc>(2, 10);
    assert_eq!(queue.commit(3), Err(Error::Misuse), "nothing is reserved");
    assert_eq!(queue.front(0), Err(Error::Empty));
    assert_eq!(queue.front(1), Err(Error::Timeout));
    assert_eq!(queue.consume(), Err(Error::Empty));
    queue.reserve(b"0123456789", -1).unwrap();
    assert_eq!(queue.try_get_bytes(10), Err(Error::Empty), "not before commit");
    assert_eq!(queue.commit(11), Err(Error::Invalid), "beyond item_size");
    assert_eq!(queue.commit(10), Ok(()));
    assert_eq!(queue.commit(10), Err(Error::Misuse), "once only");
    // A reservation is forgotten by a put, replaced by another, and may be of any length.
    queue.reserve(b"forgotten", -1).unwrap();
    queue.try_put_bytes(b"instead").unwrap();
    assert_eq!(queue.commit(9), Err(Error::Misuse));
    assert_eq!(queue.reserve(b"", 0), Err(Error::Full));
    assert_eq!(queue.reserve(b"", 1), Err(Error::Timeout));
    assert_eq!(queue.front(-1).as_deref(), Ok(&b"0123456789"[..]));
    assert_eq!(queue.front(0).as_deref(), Ok(&b"0123456789"[..]), "it stays until consume");
    assert_eq!(queue.consume(), Ok(()));
    queue.reserve(b"first", 0).unwrap();
    queue.reserve(b"second", 0).unwrap();
    queue.commit(0).unwrap();
    assert_eq!(queue.try_get_bytes(10).as_deref(), Ok(&b"instead"[..]));
    assert_eq!(queue.front(0).as_deref(), Ok(&b""[..]));
    assert_eq!(queue.consume(), Ok(()));
    // Closed between reserve and commit: the reservation is gone.
    queue.reserve(b"late", 0).unwrap();
    queue.close().unwrap();
    assert_eq!(queue.commit(4), Err(Error::Closed));
    assert_eq!(queue.commit(4), Err(Error::Misuse));
    assert_eq!(queue.reserve(b"late", -1), Err(Error::Closed));
    assert_eq!(queue.front(-1), Err(Error::Closed));
    assert_eq!(queue.consume(), Err(Error::Closed));
    let stats = queue.stats();
    assert_eq!((stats.enqueued, stats.dequeued), (3, 3));
    assert_eq!((stats.failed_enqueue, stats.failed_dequeue), (2, 4));
}

#[test]
fn is_empty_and_is_full_are_exact() {
    let queue = pointers::<Spsc>(2);
    assert_eq!((queue.is_empty(), queue.is_full()), (true, false));
    queue.try_put(0).unwrap();
    assert_eq!((queue.is_empty(), queue.is_full()), (false, false));
    queue.try_put(0).unwrap();
    assert_eq!((queue.is_empty(), queue.is_full()), (false, true));
    queue.close().unwrap();
    assert_eq!((queue.is_empty(), queue.is_full()), (false, true));
    queue.clear().unwrap();
    assert_eq!((queue.is_empty(), queue.is_full()), (true, false));
}

/// Repeats a call that fails because the other thread is inside at this moment, as `until_misuse`
/// is.
fn undisturbed<T>(mut call: impl FnMut() -> Result<T>) -> Result<T> {
    loop {
        match call() {
            Err(Error::Misuse) => std::thread::yield_now(),
            done => return done,
        }
    }
}

/// Repeats a call until it fails because the other thread is inside.
fn until_misuse<T>(mut call: impl FnMut() -> Result<T>) {
    while !matches!(call(), Err(Error::Misuse)) {
        std::thread::yield_now();
    }
}

/// In a checked queue a call that overlaps another of its side is refused, and only such a call.
#[test]
fn checked_queues_fail_with_misuse() {
    watched("a checked queue", || {
        let settings = Settings { flags: QUEUES_SPSC_CHECKED, ..Settings::new(1, 0) };
        let queue = Handle::<Spsc>::create(settings).unwrap();
        let other = queue.clone();
        let get = spawn(move || undisturbed(|| other.get(-1)));
        until_misuse(|| queue.try_get());
        assert_eq!(queue.get(-1), Err(Error::Misuse));
        assert_eq!(queue.peek(), Err(Error::Misuse));
        assert_eq!(queue.get_many(1, -1), (vec![], Err(Error::Misuse)));
        assert_eq!(queue.clear(), Err(Error::Misuse));
        assert_eq!((queue.len(), queue.is_closed(), queue.is_empty()), (0, false, true));
        assert_eq!(queue.try_put(1), Ok(()), "the other side is free");
        assert_eq!(get.join().unwrap(), Ok(1));
        assert_eq!(queue.try_get(), Err(Error::Empty), "the side is free again");

        queue.try_put(1).unwrap();
        let other = queue.clone();
        let put = spawn(move || undisturbed(|| other.put(2, -1)));
        until_misuse(|| queue.try_put(3));
        assert_eq!(queue.put(3, -1), Err(Error::Misuse));
        assert_eq!(queue.put_many(&[3], -1), (0, Err(Error::Misuse)));
        assert_eq!(queue.try_get(), Ok(1), "the other side is free");
        assert_eq!(put.join().unwrap(), Ok(()));
        assert_eq!(queue.try_get(), Ok(2));
        assert_eq!((queue.stats().enqueued, queue.stats().dequeued), (3, 3));
    });
}

#[test]
fn checked_queues_of_bytes_fail_with_misuse() {
    watched("a checked queue of bytes", || {
        let settings = Settings { flags: QUEUES_SPSC_CHECKED, ..Settings::new(1, 8) };
        let queue = Handle::<Spsc>::create(settings).unwrap();
        let other = queue.clone();
        let get = spawn(move || undisturbed(|| other.front(-1)));
        until_misuse(|| queue.try_get_bytes(8));
        assert_eq!(queue.get_bytes(8, -1), Err(Error::Misuse));
        assert_eq!(queue.peek_bytes(8), Err(Error::Misuse));
        assert_eq!(queue.front(-1), Err(Error::Misuse));
        assert_eq!(queue.consume(), Err(Error::Misuse));
        queue.put_bytes(&[1], -1).unwrap();
        assert_eq!(get.join().unwrap(), Ok(vec![1]));

        let other = queue.clone();
        let reserve = spawn(move || undisturbed(|| other.reserve(&[2], -1)));
        until_misuse(|| queue.try_put_bytes(&[3]));
        assert_eq!(queue.put_bytes(&[3], -1), Err(Error::Misuse));
        assert_eq!(queue.reserve(&[3], -1), Err(Error::Misuse));
        assert_eq!(queue.commit(1), Err(Error::Misuse));
        assert_eq!(queue.consume(), Ok(()));
        assert_eq!(reserve.join().unwrap(), Ok(()));
        assert_eq!(queue.commit(1), Ok(()));
        assert_eq!(queue.try_get_bytes(8), Ok(vec![2]));
    });
}

#[test]
fn statuses_have_texts() {
    let text = |status| {
        // SAFETY: never NULL, static.
        unsafe { CStr::from_ptr(queues_status_string(status)) }.to_str().unwrap()
    };
    let known = QUEUES_CORRUPT as i32..=QUEUES_TOO_SMALL as i32;
    let mut texts: Vec<_> = known.clone().map(text).collect();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), known.count(), "each status has a text of its own");
    for status in [7, -6, i32::MAX, i32::MIN, 1000] {
        assert_eq!(text(status), "unknown status");
    }
    assert!(!texts.contains(&"unknown status"));
    // SAFETY: never NULL, static.
    let version = unsafe { CStr::from_ptr(queues_version()) };
    assert_eq!(version.to_str(), Ok(env!("CARGO_PKG_VERSION")));
}

#[test]
fn statistics_as_json() {
    let queue = pointers::<Mpmc>(7);
    queue.try_put(0).unwrap();
    let mut stats = no_stats();
    // SAFETY: a handle and an output.
    unsafe { (Mpmc::C.stats)(queue.raw(), &mut stats) };
    let expected = "{\"enqueued\":1,\"dequeued\":0,\"failed_enqueue\":0,\"failed_dequeue\":0,\
                    \"peak_size\":1,\"current_size\":1,\"capacity\":7,\"stolen\":0,\
                    \"attached\":0,\"recovered\":0}";
    let json = |capacity: usize| {
        let mut buffer = vec![b'#'; capacity];
        let at = if capacity == 0 { null_mut() } else { buffer.as_mut_ptr().cast() };
        let mut len = 0;
        // SAFETY: a buffer of this capacity.
        let status = unsafe { queues_stats_json(&stats, at, capacity, &mut len) };
        (result(status, len), len, buffer)
    };
    let len = expected.len();
    for capacity in [0, 1, len] {
        let (done, needed, buffer) = json(capacity);
        assert_eq!((done, needed), (Err(Error::TooSmall { needed: len }), len));
        assert!(buffer.iter().all(|&byte| byte == b'#'), "a byte was written");
    }
    for capacity in [len + 1, len + 9] {
        let (done, written, buffer) = json(capacity);
        assert_eq!((done, written), (Ok(()), len));
        assert_eq!(&buffer[..=len], [expected.as_bytes(), b"\0"].concat());
        assert!(buffer[len + 1..].iter().all(|&byte| byte == b'#'));
    }
    let mut buffer = [0; 512];
    let mut written = 0;
    let short = queues_stats_t { struct_size: 8, ..stats };
    // SAFETY: each of them is refused.
    let calls = unsafe {
        vec![
            ("no stats", queues_stats_json(null(), buffer.as_mut_ptr(), 512, &mut written)),
            ("no buffer", queues_stats_json(&stats, null_mut(), 1, &mut written)),
            ("no len", queues_stats_json(&stats, buffer.as_mut_ptr(), 512, null_mut())),
            ("short stats", queues_stats_json(&short, buffer.as_mut_ptr(), 512, &mut written)),
        ]
    };
    assert_all_invalid(calls);
}

#[test]
fn statistics_for_other_headers() {
    let queue = pointers::<Mpmc>(1);
    let known = size_of::<queues_stats_t>();
    let mut memory = [usize::MAX; 513];
    for size in [known, known + 8, known + 80, 4096] {
        memory.fill(usize::MAX);
        memory[0] = size;
        // SAFETY: the memory has the size in its first word.
        let status = unsafe { (Mpmc::C.stats)(queue.raw(), memory.as_mut_ptr().cast()) };
        assert_eq!((status, memory[0]), (QUEUES_OK, size));
        let (inside, outside) = memory.split_at(size / size_of::<usize>());
        assert!(inside[known / size_of::<usize>()..].iter().all(|&word| word == 0));
        assert!(outside.iter().all(|&word| word == usize::MAX));
    }
    for size in [0, known - 1, 4097] {
        memory[0] = size;
        // SAFETY: refused.
        let status = unsafe { (Mpmc::C.stats)(queue.raw(), memory.as_mut_ptr().cast()) };
        assert_eq!(status, QUEUES_INVALID);
    }
}
