//! An address that is NULL or misaligned is invalid as an output of every function, and nothing changes.

#![cfg(not(loom))]

use core::ffi::{c_int, c_void};
use core::ptr::null_mut;
use queues::ffi::{
    batch::*, deque::*, event::*, mpmc::*, poll::*, priority::*, spsc::*, stats::*, status::*,
};

/// Runs calls with each address at which no output of 8 bytes can be, and requires QUEUES_INVALID.
fn refuse(calls: impl Fn(*mut c_void) -> Vec<(&'static str, queues_status_t)>) {
    let mut memory = [u64::MAX; 2];
    let start = memory.as_mut_ptr().cast::<c_void>();
    for address in [null_mut(), start.wrapping_byte_add(1), start.wrapping_byte_add(4)] {
        for (name, status) in calls(address) {
            assert_eq!(status, QUEUES_INVALID, "{name} with an output at {address:?}");
        }
    }
    assert_eq!(memory, [u64::MAX; 2], "outputs are written only on QUEUES_OK");
}

/// An address at which no output of 4 bytes can be, made from one for 8 bytes.
fn odd_int(address: *mut c_void) -> *mut c_int {
    let is_aligned = !address.is_null() && address.addr() % 4 == 0;
    address.wrapping_byte_add(if is_aligned { 2 } else { 0 }).cast()
}

/// Tests a family, with a queue of pointers and one of blobs that have one item each.
macro_rules! refuses {
    ($family:ident, $create:ident, $options:ident, $put:expr, $put_bytes:expr, $stats:ident,
     $release:ident, $calls:expr) => {
        #[test]
        fn $family() {
            // SAFETY: zero is a value of every field.
            let mut options: $options = unsafe { core::mem::zeroed() };
            options.struct_size = size_of::<$options>();
            let (mut pointers, mut blobs) = (null_mut(), null_mut());
            let stats = |queue| {
                // SAFETY: zero is a value of every field; a live queue.
                unsafe {
                    let mut stats: queues_stats_t = core::mem::zeroed();
                    stats.struct_size = size_of::<queues_stats_t>();
                    assert_eq!($stats(queue, &mut stats), QUEUES_OK);
                    let mut text = [0; 512];
                    let mut len = 0;
                    let status = queues_stats_json(&stats, text.as_mut_ptr(), text.len(), &mut len);
                    assert_eq!(status, QUEUES_OK);
                    text
                }
            };
            // SAFETY: live queues; the outputs are refused.
            unsafe {
                refuse(|at| vec![("create", $create(&options, at.cast()))]);
                let odd = (&raw const options).wrapping_byte_add(1);
                assert_eq!($create(odd, &mut pointers), QUEUES_INVALID, "misaligned options");
                assert_eq!($create(&options, &mut pointers), QUEUES_OK);
                options.item_size = 8;
                assert_eq!($create(&options, &mut blobs), QUEUES_OK);
                assert_eq!($put(pointers), QUEUES_OK);
                assert_eq!($put_bytes(blobs), QUEUES_OK);
                let before = (stats(pointers), stats(blobs));
                refuse(|at| $calls(pointers, blobs, at));
                refuse(|at| vec![("stats", $stats(pointers, at.cast()))]);
                assert_eq!((stats(pointers), stats(blobs)), before, "nothing has changed");
                $release(pointers);
                $release(blobs);
            }
        }
    };
}

refuses!(
    mpmc,
    queues_mpmc_create,
    queues_mpmc_options_t,
    |queue| queues_mpmc_put(queue, null_mut(), 0),
    |queue| queues_mpmc_put_bytes(queue, null_mut(), 0, 0),
    queues_mpmc_stats,
    queues_mpmc_release,
    |pointers, blobs, at: *mut c_void| {
        let (mut item, mut len, mut buffer) = (null_mut::<c_void>(), 0, 0u64);
        let buffer = (&raw mut buffer).cast();
        vec![
            ("try_get", queues_mpmc_try_get(pointers, at.cast())),
            ("get", queues_mpmc_get(pointers, at.cast(), -1)),
            ("peek", queues_mpmc_peek(pointers, at.cast())),
            ("put_many", queues_mpmc_put_many(pointers, &item, 1, -1, at.cast())),
            ("get_many", queues_mpmc_get_many(pointers, &mut item, 1, -1, at.cast())),
            ("get_many, items", queues_mpmc_get_many(pointers, at.cast(), 1, -1, &mut len)),
            ("clear", queues_mpmc_clear(pointers, at.cast())),
            ("readable_fd", queues_mpmc_readable_fd(pointers, odd_int(at))),
            ("writable_fd", queues_mpmc_writable_fd(blobs, odd_int(at))),
            ("try_get_bytes", queues_mpmc_try_get_bytes(blobs, buffer, 8, at.cast())),
            ("get_bytes", queues_mpmc_get_bytes(blobs, buffer, 8, at.cast(), -1)),
            ("peek_bytes", queues_mpmc_peek_bytes(blobs, buffer, 8, at.cast())),
            ("reserve", queues_mpmc_reserve(blobs, at.cast(), -1)),
            ("lease, data", queues_mpmc_lease(blobs, at.cast(), &mut len, -1)),
            ("lease, len", queues_mpmc_lease(blobs, &mut item, at.cast(), -1)),
        ]
    }
);

/// A queue that processes share refuses the same outputs, and a call that opens one creates nothing.
#[cfg(all(target_os = "linux", not(any(miri, queues_portable))))]
#[test]
fn shared_mpmc() {
    // SAFETY: a name; the options have a valid size; live queues; the outputs are refused.
    unsafe {
        let fd = libc::memfd_create(c"queue".as_ptr(), 0);
        let length = || libc::lseek(fd, 0, libc::SEEK_END);
        let mut options: queues_mpmc_options_t = core::mem::zeroed();
        (options.struct_size, options.item_size) = (size_of::<queues_mpmc_options_t>(), 8);
        refuse(|at| vec![("open_shared", queues_mpmc_open_shared(&options, fd, at.cast()))]);
        assert_eq!(length(), 0, "the file is still empty");
        let mut queue = null_mut();
        assert_eq!(queues_mpmc_open_shared(&options, fd, &mut queue), QUEUES_OK);
        assert_eq!(queues_mpmc_put_bytes(queue, null_mut(), 0, 0), QUEUES_OK);
        refuse(|at| {
            let (mut item, mut len, mut buffer) = (null_mut::<c_void>(), 0, 0u64);
            let buffer = (&raw mut buffer).cast();
            vec![
                ("clear", queues_mpmc_clear(queue, at.cast())),
                ("readable_fd", queues_mpmc_readable_fd(queue, odd_int(at))),
                ("writable_fd", queues_mpmc_writable_fd(queue, odd_int(at))),
                ("try_get_bytes", queues_mpmc_try_get_bytes(queue, buffer, 8, at.cast())),
                ("get_bytes", queues_mpmc_get_bytes(queue, buffer, 8, at.cast(), -1)),
                ("peek_bytes", queues_mpmc_peek_bytes(queue, buffer, 8, at.cast())),
                ("reserve", queues_mpmc_reserve(queue, at.cast(), -1)),
                ("lease, data", queues_mpmc_lease(queue, at.cast(), &mut len, -1)),
                ("lease, len", queues_mpmc_lease(queue, &mut item, at.cast(), -1)),
                ("stats", queues_mpmc_stats(queue, at.cast())),
            ]
        });
        assert_eq!(queues_mpmc_size(queue), 1, "nothing has changed");
        assert_eq!(queues_mpmc_item_size(queue), 8);
        queues_mpmc_release(queue);
        libc::close(fd);
    }
}

#[cfg(all(target_os = "linux", not(any(miri, queues_portable))))]
#[test]
fn shared_spsc() {
    // SAFETY: as above.
    unsafe {
        let fd = libc::memfd_create(c"queue".as_ptr(), 0);
        let length = || libc::lseek(fd, 0, libc::SEEK_END);
        let mut options: queues_spsc_options_t = core::mem::zeroed();
        (options.struct_size, options.item_size) = (size_of::<queues_spsc_options_t>(), 8);
        refuse(|at| vec![("open_shared", queues_spsc_open_shared(&options, fd, at.cast()))]);
        assert_eq!(length(), 0, "the file is still empty");
        let mut queue = null_mut();
        assert_eq!(queues_spsc_open_shared(&options, fd, &mut queue), QUEUES_OK);
        assert_eq!(queues_spsc_put_bytes(queue, null_mut(), 0, 0), QUEUES_OK);
        refuse(|at| {
            let (mut front, mut len, mut buffer) = (core::ptr::null::<c_void>(), 0, 0u64);
            let buffer = (&raw mut buffer).cast();
            vec![
                ("clear", queues_spsc_clear(queue, at.cast())),
                ("readable_fd", queues_spsc_readable_fd(queue, odd_int(at))),
                ("writable_fd", queues_spsc_writable_fd(queue, odd_int(at))),
                ("try_get_bytes", queues_spsc_try_get_bytes(queue, buffer, 8, at.cast())),
                ("get_bytes", queues_spsc_get_bytes(queue, buffer, 8, at.cast(), -1)),
                ("peek_bytes", queues_spsc_peek_bytes(queue, buffer, 8, at.cast())),
                ("reserve", queues_spsc_reserve(queue, at.cast(), -1)),
                ("front, data", queues_spsc_front(queue, at.cast(), &mut len, -1)),
                ("front, len", queues_spsc_front(queue, &mut front, at.cast(), -1)),
                ("stats", queues_spsc_stats(queue, at.cast())),
            ]
        });
        assert_eq!(queues_spsc_size(queue), 1, "nothing has changed");
        assert_eq!(queues_spsc_item_size(queue), 8);
        queues_spsc_release(queue);
        libc::close(fd);
    }
}

refuses!(
    spsc,
    queues_spsc_create,
    queues_spsc_options_t,
    |queue| queues_spsc_put(queue, null_mut(), 0),
    |queue| queues_spsc_put_bytes(queue, null_mut(), 0, 0),
    queues_spsc_stats,
    queues_spsc_release,
    |pointers, blobs, at: *mut c_void| {
        let (mut item, mut len, mut buffer) = (null_mut::<c_void>(), 0, 0u64);
        let buffer = (&raw mut buffer).cast();
        let mut front = item.cast_const();
        vec![
            ("try_get", queues_spsc_try_get(pointers, at.cast())),
            ("get", queues_spsc_get(pointers, at.cast(), -1)),
            ("peek", queues_spsc_peek(pointers, at.cast())),
            ("put_many", queues_spsc_put_many(pointers, &item, 1, -1, at.cast())),
            ("get_many", queues_spsc_get_many(pointers, &mut item, 1, -1, at.cast())),
            ("get_many, items", queues_spsc_get_many(pointers, at.cast(), 1, -1, &mut len)),
            ("clear", queues_spsc_clear(pointers, at.cast())),
            ("readable_fd", queues_spsc_readable_fd(pointers, odd_int(at))),
            ("writable_fd", queues_spsc_writable_fd(blobs, odd_int(at))),
            ("try_get_bytes", queues_spsc_try_get_bytes(blobs, buffer, 8, at.cast())),
            ("get_bytes", queues_spsc_get_bytes(blobs, buffer, 8, at.cast(), -1)),
            ("peek_bytes", queues_spsc_peek_bytes(blobs, buffer, 8, at.cast())),
            ("reserve", queues_spsc_reserve(blobs, at.cast(), -1)),
            ("front, data", queues_spsc_front(blobs, at.cast(), &mut len, -1)),
            ("front, len", queues_spsc_front(blobs, &mut front, at.cast(), -1)),
        ]
    }
);

refuses!(
    priority,
    queues_priority_create,
    queues_priority_options_t,
    |queue| queues_priority_put(queue, null_mut(), 1.0, 0),
    |queue| queues_priority_put_bytes(queue, null_mut(), 0, 1.0, 0),
    queues_priority_stats,
    queues_priority_release,
    |pointers, blobs, at: *mut c_void| {
        let (mut item, mut len, mut priority, mut buffer) = (null_mut::<c_void>(), 0, 0.0, 0u64);
        let buffer = (&raw mut buffer).cast();
        vec![
            ("try_get", queues_priority_try_get(pointers, at.cast(), &mut priority)),
            ("try_get, priority", queues_priority_try_get(pointers, &mut item, at.cast())),
            ("get", queues_priority_get(pointers, at.cast(), &mut priority, -1)),
            ("get, priority", queues_priority_get(pointers, &mut item, at.cast(), -1)),
            ("peek", queues_priority_peek(pointers, at.cast(), &mut priority)),
            ("peek, priority", queues_priority_peek(pointers, &mut item, at.cast())),
            ("clear", queues_priority_clear(pointers, at.cast())),
            ("readable_fd", queues_priority_readable_fd(pointers, odd_int(at))),
            ("writable_fd", queues_priority_writable_fd(blobs, odd_int(at))),
            (
                "try_get_bytes",
                queues_priority_try_get_bytes(blobs, buffer, 8, at.cast(), &mut priority),
            ),
            (
                "try_get_bytes, priority",
                queues_priority_try_get_bytes(blobs, buffer, 8, &mut len, at.cast()),
            ),
            (
                "get_bytes",
                queues_priority_get_bytes(blobs, buffer, 8, at.cast(), &mut priority, -1),
            ),
            (
                "get_bytes, priority",
                queues_priority_get_bytes(blobs, buffer, 8, &mut len, at.cast(), -1),
            ),
            ("peek_bytes", queues_priority_peek_bytes(blobs, buffer, 8, at.cast(), &mut priority)),
            (
                "peek_bytes, priority",
                queues_priority_peek_bytes(blobs, buffer, 8, &mut len, at.cast()),
            ),
        ]
    }
);

refuses!(
    deque,
    queues_deque_create,
    queues_deque_options_t,
    |deque| queues_deque_push(deque, null_mut()),
    |deque| queues_deque_push_bytes(deque, null_mut(), 0),
    queues_deque_stats,
    queues_deque_release,
    |pointers, blobs, at: *mut c_void| {
        let (mut item, mut len, mut buffer) = (null_mut::<c_void>(), 0, 0u64);
        let buffer = (&raw mut buffer).cast();
        vec![
            ("pop", queues_deque_pop(pointers, at.cast())),
            ("steal", queues_deque_steal(pointers, at.cast())),
            ("steal_many", queues_deque_steal_many(pointers, &mut item, 1, at.cast())),
            ("steal_many, items", queues_deque_steal_many(pointers, at.cast(), 1, &mut len)),
            ("pop_bytes", queues_deque_pop_bytes(blobs, buffer, 8, at.cast())),
            ("steal_bytes", queues_deque_steal_bytes(blobs, buffer, 8, at.cast())),
            ("stealable_fd", queues_deque_stealable_fd(pointers, odd_int(at))),
        ]
    }
);

refuses!(
    batch,
    queues_batch_create,
    queues_batch_options_t,
    |queue| queues_batch_put(queue, null_mut(), 0),
    |queue| queues_batch_put_bytes(queue, null_mut(), 0, 0),
    queues_batch_stats,
    queues_batch_release,
    |pointers, blobs, at: *mut c_void| {
        let (mut item, mut n, mut len, mut buffer) = (null_mut::<c_void>(), 0, 0, 0u64);
        let buffer: *mut c_void = (&raw mut buffer).cast();
        let mut blob = queues_batch_blob_t { offset: 0, length: 0 };
        let get_bytes = |len, blobs_out, n| {
            let got = [
                queues_batch_get_batch_bytes(blobs, buffer, 8, len, blobs_out, 1, n, -1),
                queues_batch_get_due_bytes(blobs, buffer, 8, len, blobs_out, 1, n),
            ];
            assert_eq!(got[0], got[1]);
            got[0]
        };
        vec![
            ("get_batch", queues_batch_get_batch(pointers, &mut item, 1, at.cast(), -1)),
            ("get_batch, items", queues_batch_get_batch(pointers, at.cast(), 1, &mut n, -1)),
            ("get_due", queues_batch_get_due(pointers, &mut item, 1, at.cast())),
            ("get_due, items", queues_batch_get_due(pointers, at.cast(), 1, &mut n)),
            ("get_batch_bytes, len", get_bytes(at.cast(), &mut blob, &mut n)),
            ("get_batch_bytes, blobs", get_bytes(&mut len, at.cast(), &mut n)),
            ("get_batch_bytes, n", get_bytes(&mut len, &mut blob, at.cast())),
            ("clear", queues_batch_clear(pointers, at.cast())),
            ("readable_fd", queues_batch_readable_fd(pointers, odd_int(at))),
            ("writable_fd", queues_batch_writable_fd(blobs, odd_int(at))),
        ]
    }
);

#[test]
fn statistics_as_text() {
    // SAFETY: zero is a value of every field; the outputs are refused.
    unsafe {
        let mut stats: queues_stats_t = core::mem::zeroed();
        stats.struct_size = size_of::<queues_stats_t>();
        let mut text = [0; 4096];
        let (buffer, name) = (text.as_mut_ptr(), c"queue".as_ptr());
        refuse(|at| {
            vec![
                ("json", queues_stats_json(&stats, buffer, 4096, at.cast())),
                ("prometheus", queues_stats_prometheus(&stats, &name, 1, buffer, 4096, at.cast())),
            ]
        });
        let mut len = 0;
        let odd = (&raw const stats).wrapping_byte_add(1);
        let odd_names = (&raw const name).wrapping_byte_add(1);
        assert_eq!(queues_stats_json(odd, buffer, 4096, &mut len), QUEUES_INVALID);
        let status = queues_stats_prometheus(odd, &name, 1, buffer, 4096, &mut len);
        assert_eq!(status, QUEUES_INVALID);
        let status = queues_stats_prometheus(&stats, odd_names, 1, buffer, 4096, &mut len);
        assert_eq!(status, QUEUES_INVALID);
    }
}

#[test]
fn events_and_polls() {
    // SAFETY: live handles; the outputs are refused.
    unsafe {
        refuse(|at| vec![("create", queues_event_create(at.cast()))]);
        let mut event = null_mut();
        assert_eq!(queues_event_create(&mut event), QUEUES_OK);
        assert_eq!(queues_event_set(event), QUEUES_OK);
        let mut entry = queues_poll_t { queue: event.cast(), events: QUEUES_READABLE, ready: 9 };
        let entry: *mut queues_poll_t = &mut entry;
        refuse(|at| {
            vec![
                ("readable_fd", queues_event_readable_fd(event, odd_int(at))),
                ("poll", queues_poll(entry, 1, -1, at.cast())),
                ("poll, entries", queues_poll(at.cast(), 1, -1, &mut 0)),
            ]
        });
        assert_eq!((*entry).ready, 9);
        queues_event_release(event);
    }
}
