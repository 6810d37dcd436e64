//! Files that are no queue, damaged files, options that differ, and resources that run out: an open
//! fails with a status, and changes nothing.

use crate::support::children::{Seen, clock, fork};
use crate::support::random::{Random, first_seed, setting, with_seed};
use crate::support::shared_queue::{MemoryFile, Options, Shared, check_whole};
use crate::support::watchdog::watched;
use core::ffi::{c_int, c_void};
use queues::ffi::mpmc::QUEUES_REDELIVER;
use queues::ffi::status::*;
use queues::{Error, MpmcBytes, SharedOptions, Wait, poll};
use std::sync::atomic::Ordering::SeqCst;

const SMALL: Options = Options { capacity: 4, item_size: 16, spare: 2, attachments: 3, flags: 0 };

fn refused(fd: c_int, options: &Options) -> queues_status_t {
    Shared::open(fd, options).err().unwrap_or(QUEUES_OK)
}

fn open(path: &core::ffi::CStr, flags: c_int) -> c_int {
    // SAFETY: a C string.
    unsafe { libc::open(path.as_ptr(), flags | libc::O_CLOEXEC, 0o600) }
}

fn close(fd: c_int) {
    // SAFETY: the caller's descriptor.
    unsafe { libc::close(fd) };
}

/// The path by which a process opens a file of its own again.
fn again(fd: c_int, flags: c_int) -> c_int {
    let path = std::ffi::CString::new(format!("/proc/self/fd/{fd}")).unwrap();
    open(&path, flags)
}

/// A file with a queue, and its bytes.
fn created(options: &Options) -> (MemoryFile, Vec<u8>) {
    let file = MemoryFile::new();
    drop(Shared::open(file.0, options).unwrap());
    let bytes = file.read();
    (file, bytes)
}

#[test]
fn descriptors_of_other_things_are_invalid() {
    let mut ends = [0; 2];
    // SAFETY: two outputs.
    assert_eq!(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) }, 0);
    let mut pair = [0; 2];
    // SAFETY: two outputs.
    let failed =
        unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, pair.as_mut_ptr()) };
    assert_eq!(failed, 0);
    let others = [
        ends[0],
        ends[1],
        pair[0],
        pair[1],
        open(c"/tmp", libc::O_RDONLY | libc::O_DIRECTORY),
        open(c"/dev/null", libc::O_RDWR),
        open(c"/dev/zero", libc::O_RDWR),
        open(c"/proc/self/status", libc::O_RDONLY),
    ];
    for fd in others {
        assert!(fd >= 0);
        assert_eq!(refused(fd, &SMALL), QUEUES_INVALID, "descriptor {fd} of {others:?}");
        close(fd);
    }
    for fd in [-1, c_int::MIN, c_int::MAX, others[0]] {
        assert_eq!(refused(fd, &SMALL), QUEUES_INVALID, "descriptor {fd}");
    }
}

#[test]
fn a_descriptor_without_both_rights_is_invalid() {
    let empty = MemoryFile::new();
    let (file, bytes) = created(&SMALL);
    for flags in [libc::O_RDONLY, libc::O_WRONLY, libc::O_PATH] {
        for of in [empty.0, file.0] {
            let fd = again(of, flags);
            assert!(fd >= 0);
            assert_eq!(refused(fd, &SMALL), QUEUES_INVALID, "opened with {flags}");
            close(fd);
        }
    }
    assert_eq!(empty.len(), 0);
    assert!(file.read() == bytes);
}

#[test]
fn options_that_differ_from_the_files_are_invalid() {
    let (file, bytes) = created(&SMALL);
    let others = [
        Options { capacity: 5, ..SMALL },
        Options { item_size: 24, ..SMALL },
        Options { spare: 3, ..SMALL },
        Options { attachments: 4, ..SMALL },
        Options { flags: QUEUES_REDELIVER, ..SMALL },
        Options { flags: 1 << 40, ..SMALL },
    ];
    for other in others {
        assert_eq!(refused(file.0, &other), QUEUES_INVALID, "{other:?}");
    }
    assert!(file.read() == bytes);
    for same in [SMALL, Options::any(), Options { capacity: 0, ..SMALL }] {
        let queue = Shared::open(file.0, &same).unwrap();
        assert_eq!(queue.capacity(), 4);
        check_whole(&queue, &SMALL, 1);
    }
}

extern "C-unwind" fn dispose(_: *mut c_void, _: *mut c_void) {}
extern "C-unwind" fn dispose_bytes(_: *mut c_void, _: *mut c_void, _: usize) {}

#[test]
fn an_empty_file_takes_no_queue_that_there_cannot_be() {
    let file = MemoryFile::new();
    let none = [
        // Pointers.
        Options { item_size: 0, ..SMALL },
        Options { attachments: 4097, ..SMALL },
        Options { capacity: usize::MAX, ..SMALL },
        Options { spare: usize::MAX, ..SMALL },
        Options { item_size: usize::MAX, ..SMALL },
        Options { item_size: usize::MAX / 4, capacity: 8, ..SMALL },
        Options { flags: 1, ..SMALL },
    ];
    for options in none {
        assert_eq!(refused(file.0, &options), QUEUES_INVALID, "{options:?}");
        assert_eq!(file.len(), 0, "{options:?}");
    }
    let with_drop = [
        queues::ffi::mpmc::queues_mpmc_options_t { drop: Some(dispose), ..SMALL.to_c() },
        queues::ffi::mpmc::queues_mpmc_options_t {
            drop_bytes: Some(dispose_bytes),
            ..SMALL.to_c()
        },
    ];
    for options in with_drop {
        assert_eq!(Shared::open_with(file.0, &options).err(), Some(QUEUES_INVALID));
        assert_eq!(file.len(), 0);
    }
    // A seal may forbid the file to grow.
    let sealed = MemoryFile::new();
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { libc::fcntl(sealed.0, libc::F_ADD_SEALS, libc::F_SEAL_GROW) }, 0);
    assert_eq!(refused(sealed.0, &SMALL), QUEUES_INVALID);
    assert_eq!(sealed.len(), 0);
}

/// The words of the header: magic, version and kind, word and line, five sizes, length.
const WORDS: usize = 9;

#[test]
fn another_header_is_invalid_and_stays() {
    let (_, good) = created(&SMALL);
    let edited = |edit: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        edit(&mut bytes);
        let file = MemoryFile::new();
        file.write(&bytes);
        let status = refused(file.0, &Options::any());
        let same = file.read() == bytes;
        (status, same)
    };
    assert_eq!(edited(&|_| ()).0, QUEUES_OK, "a copy of a queue is one");
    // Byte-swapped magic: the other endianness. Then the version, the kind, the word, the line.
    assert_eq!(edited(&|bytes| bytes[..8].reverse()), (QUEUES_INVALID, true));
    for at in [8, 12, 16, 20] {
        for change in [1, 0x80] {
            assert_eq!(edited(&|bytes| bytes[at] ^= change), (QUEUES_INVALID, true), "byte {at}");
        }
    }
    for len in [1, 7, 8, 9, 64, 4095, 4096, good.len() - 8, good.len() - 1] {
        assert_eq!(edited(&|bytes| bytes.truncate(len)), (QUEUES_INVALID, true), "length {len}");
    }
    // Wrong sizes, one at a time. Some give the same length of the file, and are then valid.
    for word in 3..WORDS {
        for value in [1, 3, 1 << 20, 1 << 31, 1 << 32, 1 << 58, 1 << 63, u64::MAX] {
            let at = word * 8;
            let found = edited(&|bytes| bytes[at..at + 8].copy_from_slice(&value.to_ne_bytes()));
            let unchanged = good[at..at + 8] == value.to_ne_bytes();
            let fits = unchanged || (word < 6 && value <= 3);
            let is_right = found == (QUEUES_INVALID, true) || fits && found.0 == QUEUES_OK;
            assert!(is_right, "word {word} is {value:#x}: {found:?}");
        }
    }
    // Foreign bytes.
    let text = |bytes: &mut Vec<u8>| bytes[..8].copy_from_slice(b"#!/bin/s");
    assert_eq!(edited(&text), (QUEUES_INVALID, true));
    assert_eq!(edited(&|bytes| bytes.fill(0)), (QUEUES_INVALID, true));
    assert_eq!(edited(&|bytes| bytes.fill(0xff)), (QUEUES_INVALID, true));
}

#[test]
fn damaged_files_are_opened_or_refused_and_never_harm() {
    let seed = first_seed();
    watched("damaged files", || {
        with_seed("damaged files", seed, || {
            // In a child, whose end by a signal is noticed.
            fork(|| open_damaged_files(seed)).join();
        });
    });
}

fn open_damaged_files(seed: u64) {
    let mut random = Random::new(seed);
    let (_, good) = created(&SMALL);
    let (_, other) =
        created(&Options { capacity: 100, item_size: 40, flags: QUEUES_REDELIVER, ..SMALL });
    // Not sealed, so that it can be cut.
    // SAFETY: a C string.
    let file = MemoryFile(unsafe { libc::memfd_create(c"damaged".as_ptr(), 0) });
    let (mut opened, mut unsized_) = (0, 0);
    for round in 0..setting("QUEUES_FILES", 20_000) {
        let mut bytes = if random.one_in(4) { other.clone() } else { good.clone() };
        for _ in 0..random.below(4) {
            // Mostly in the header, whose words are more interesting than others.
            let words = bytes.len() as u64 / 8;
            let end = if random.one_in(3) { words } else { 10 };
            let at = 8 * random.below(end) as usize;
            let old = u64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap());
            let new = match random.below(6) {
                0 => random.next(),
                1 => random.next() >> random.below(64),
                2 => old ^ 1 << random.below(64),
                3 => old.wrapping_add(random.below(5)).wrapping_sub(2),
                4 => 1 << random.below(64),
                _ => u64::MAX,
            };
            bytes[at..at + 8].copy_from_slice(&new.to_ne_bytes());
        }
        if random.one_in(8) {
            bytes.truncate(random.below(bytes.len() as u64 + 1) as usize);
        }
        file.set_len(0);
        file.write(&bytes);
        if random.one_in(8) {
            file.set_len(bytes.len() + random.below(1 << 30) as usize);
        }
        let before = file.len();
        let start = clock(libc::CLOCK_THREAD_CPUTIME_ID);
        let options = if random.one_in(2) { SMALL } else { Options::any() };
        match Shared::open(file.0, &options) {
            Ok(queue) => {
                opened += 1;
                let mut buffer = [0; 64];
                let _ = (queue.put(&[7; 16], 0), queue.get(&mut buffer, 0), queue.lease(0).is_ok());
            }
            Err(QUEUES_INVALID) => {
                assert_eq!(file.len(), before, "length in round {round}");
                let mut after = file_start(&file, bytes.len());
                after.truncate(bytes.len());
                assert!(after == bytes, "bytes in round {round}");
            }
            // Corrupt if all records are taken, or what a queue holds cannot be.
            Err(QUEUES_NOMEM | QUEUES_CORRUPT) => unsized_ += 1,
            Err(status) => panic!("round {round}: {status:?}"),
        }
        let time = clock(libc::CLOCK_THREAD_CPUTIME_ID) - start;
        assert!(time < 2_000_000_000, "round {round} took {time} ns");
    }
    eprintln!("damaged files: {opened} opened, {unsized_} without room");
}

fn file_start(file: &MemoryFile, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    // SAFETY: the buffer may be written.
    let count = unsafe { libc::pread(file.0, bytes.as_mut_ptr().cast(), len, 0) };
    assert_eq!(count, len as isize);
    bytes
}

#[test]
fn a_full_file_system_and_a_limit_are_no_memory_and_leave_the_file_empty() {
    // A limit of the process: in a child, because it would hit the other tests.
    fork(|| {
        let file = MemoryFile::new();
        let huge = Options { capacity: 1 << 30, ..SMALL };
        for (limit, options) in [(1 << 20, huge), (4096, SMALL), (4, SMALL)] {
            let limit = libc::rlimit { rlim_cur: limit, rlim_max: limit };
            // SAFETY: a valid limit; the signal would end the process.
            unsafe {
                libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
                libc::setrlimit(libc::RLIMIT_FSIZE, &limit);
            }
            assert_eq!(refused(file.0, &options), QUEUES_NOMEM);
            assert_eq!(file.len(), 0);
        }
    })
    .join();
    // A tmpfs of 64 KiB, in a mount namespace of its own.
    let mut child = fork(|| {
        let none = core::ptr::null();
        // SAFETY: C strings; the namespace is the child's own.
        let mounted = unsafe {
            libc::unshare(libc::CLONE_NEWNS) == 0
                && libc::mount(
                    none,
                    c"/".as_ptr(),
                    none,
                    libc::MS_REC | libc::MS_PRIVATE,
                    none.cast(),
                ) == 0
                && libc::mount(
                    c"none".as_ptr(),
                    c"/tmp".as_ptr(),
                    c"tmpfs".as_ptr(),
                    0,
                    c"size=64k".as_ptr().cast(),
                ) == 0
        };
        if !mounted {
            // SAFETY: ends the process.
            unsafe { libc::_exit(77) };
        }
        let file = MemoryFile(open(c"/tmp/queue", libc::O_RDWR | libc::O_CREAT));
        assert!(file.0 >= 0);
        let large = Options { capacity: 1000, item_size: 1000, ..SMALL };
        assert_eq!(refused(file.0, &large), QUEUES_NOMEM);
        assert_eq!(file.len(), 0);
        check_whole(&Shared::open(file.0, &SMALL).unwrap(), &SMALL, 1);
    });
    match child.wait() {
        Seen::Exited(77) => crate::support::children::skipped("a full tmpfs: it cannot be mounted"),
        seen => assert_eq!(seen, Seen::Exited(0)),
    }
}

#[test]
fn attachments_and_descriptors_run_out() {
    let file = MemoryFile::new();
    let handles: Vec<_> = (0..3).map(|_| Shared::open(file.0, &SMALL).unwrap()).collect();
    assert_eq!(handles[0].stats().attached, 3);
    assert_eq!(refused(file.0, &SMALL), QUEUES_NOMEM);
    drop(handles);
    // In a child, because other tests need descriptors.
    fork(|| {
        let queue = Shared::open(file.0, &SMALL).unwrap();
        let taken: Vec<_> = std::iter::repeat_with(|| open(c"/dev/null", libc::O_RDONLY))
            .take_while(|&fd| fd >= 0)
            .collect();
        assert_eq!(refused(file.0, &SMALL), QUEUES_NOMEM);
        queue.put(b"descriptors", 0).unwrap();
        // One for the file, and one for a moment.
        close(taken[0]);
        assert_eq!(refused(file.0, &SMALL), QUEUES_NOMEM);
        close(taken[1]);
        drop(Shared::open(file.0, &SMALL).unwrap());
        assert_eq!(queue.drain().len(), 1);
        check_whole(&queue, &SMALL, 1);
    })
    .join();
    check_whole(&Shared::open(file.0, &SMALL).unwrap(), &SMALL, 1);
}

#[test]
fn two_handles_of_one_process_share_the_queue() {
    let file = MemoryFile::new();
    let (first, second) =
        (Shared::open(file.0, &SMALL).unwrap(), Shared::open(file.0, &SMALL).unwrap());
    first.put(&7_u64.to_ne_bytes(), 0).unwrap();
    let (data, _) = second.lease(0).unwrap();
    assert_eq!(first.settle(data), Err(QUEUES_MISUSE), "another mapping");
    assert_eq!(first.stats().attached, 2);
    drop(second);
    assert_eq!(first.drain(), []);
    check_whole(&first, &SMALL, 1);
}

/// Opens, lets the library start a thread, and releases, in a thread whose cancellation is pending.
extern "C" fn open_while_canceled(file: *mut c_void) -> *mut c_void {
    unsafe extern "C" {
        fn pthread_cancel(thread: libc::pthread_t) -> c_int;
    }
    // SAFETY: the test keeps the file during the thread.
    let file = unsafe { &*file.cast::<MemoryFile>() };
    // SAFETY: the thread itself.
    assert_eq!(unsafe { pthread_cancel(libc::pthread_self()) }, 0);
    for _ in 0..2 {
        let queue = Shared::open(file.0, &SMALL).unwrap();
        let mut fd = -1;
        assert_eq!(queue.readable_fd(&mut fd), QUEUES_OK);
    }
    core::ptr::null_mut()
}

#[test]
fn a_thread_is_not_canceled_while_it_opens_and_releases() {
    let mut file = MemoryFile::new();
    let mut result = core::ptr::dangling_mut();
    // SAFETY: outputs, and a function for threads.
    unsafe {
        let mut thread: libc::pthread_t = core::mem::zeroed();
        let file = (&raw mut file).cast();
        let null = core::ptr::null();
        assert_eq!(libc::pthread_create(&mut thread, null, open_while_canceled, file), 0);
        assert_eq!(libc::pthread_join(thread, &mut result), 0);
    }
    assert!(result.is_null(), "canceled");
}

/// The statuses of all calls of a handle.
fn calls(queue: &Shared) -> Vec<queues_status_t> {
    let mut buffer = [0; 64];
    let status = |result: Result<(), queues_status_t>| result.err().unwrap_or(QUEUES_OK);
    vec![
        status(queue.put(b"calls", 0)),
        status(queue.put(b"calls", 1_000_000)),
        status(queue.get(&mut buffer, 0).map(|_| ())),
        status(queue.get(&mut buffer, 1_000_000).map(|_| ())),
        status(queue.peek(&mut buffer).map(|_| ())),
        status(queue.reserve(0).map(|_| ())),
        status(queue.lease(0).map(|_| ())),
        status(queue.clear().map(|_| ())),
        queue.close(),
    ]
}

#[test]
fn an_inherited_handle_is_invalid_and_its_end_disturbs_nobody() {
    let file = MemoryFile::new();
    let queue = Shared::open(file.0, &SMALL).unwrap();
    queue.put(&1_u64.to_ne_bytes(), 0).unwrap();
    let (held, _) = queue.lease(0).unwrap();
    let inherited = std::panic::AssertUnwindSafe(queue);
    fork(|| {
        let statuses = calls(&inherited);
        assert!(statuses.iter().all(|&status| status == QUEUES_INVALID), "{statuses:?}");
        // Its end, and the queue of the child itself.
        // SAFETY: a copy of the handle, in the memory of the child.
        drop(unsafe { core::ptr::read(&*inherited) });
        let own = Shared::open(file.0, &SMALL).unwrap();
        own.put(&2_u64.to_ne_bytes(), 0).unwrap();
        // A grandchild closes no descriptor that the child has opened since.
        let fds: Vec<_> = (0..8).map(|_| open(c"/dev/null", libc::O_RDONLY)).collect();
        fork(|| {
            assert_eq!(own.put(b"grandchild", 0), Err(QUEUES_INVALID));
            for fd in &fds {
                // SAFETY: no memory is passed.
                assert!(unsafe { libc::fcntl(*fd, libc::F_GETFD) } >= 0, "{fd} was closed");
            }
        })
        .join();
        assert_eq!(own.put(&3_u64.to_ne_bytes(), 0), Ok(()));
        assert_eq!(own.stats().attached, 2);
    })
    .join();
    let queue = inherited.0;
    queue.settle(held).unwrap();
    assert_eq!(queue.stats().attached, 1);
    assert_eq!(queue.drain(), [2, 3]);
    check_whole(&queue, &SMALL, 1);
}

#[test]
fn a_poll_of_an_inherited_queue_is_ready_and_the_next_call_fails() {
    let options = SharedOptions { capacity: 1, item_size: 8, ..SharedOptions::default() };
    let [queue, full] =
        [0; 2].map(|_| MpmcBytes::open_shared(MemoryFile::new(), &options).unwrap());
    full.try_put(b"full").unwrap();
    watched("a poll of an inherited queue", || {
        fork(|| {
            assert_eq!(poll(&mut [queue.readable()], Wait::Forever), Ok(1));
            assert_eq!(queue.try_get(&mut [0; 8]), Err(Error::Invalid));
            assert_eq!(poll(&mut [full.writable()], Wait::Forever), Ok(1));
            assert_eq!(full.try_put(b"more"), Err(Error::Invalid));
            assert!(queue.readable_fd().is_err());
        })
        .join();
    });
    assert_eq!(poll(&mut [queue.readable(), full.writable()], Wait::No), Err(Error::Empty));
}

#[test]
fn a_parent_that_dies_before_its_child_is_noticed() {
    let file = MemoryFile::new();
    let queue = Shared::open(file.0, &SMALL).unwrap();
    let (mut ends, mut started) = ([0; 2], [0; 2]);
    // SAFETY: two outputs each.
    unsafe {
        assert_eq!(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC), 0);
        assert_eq!(libc::pipe2(started.as_mut_ptr(), libc::O_CLOEXEC), 0);
    }
    fork(|| {
        let own = core::mem::ManuallyDrop::new(Shared::open(file.0, &SMALL).unwrap());
        own.reserve(0).unwrap();
        own.reserve(0).unwrap();
        // SAFETY: the grandchild waits until the test closes the pipe.
        unsafe {
            if libc::fork() == 0 {
                libc::close(ends[1]);
                libc::write(started[1], [0_u8; 1].as_ptr().cast(), 1);
                libc::read(ends[0], [0_u8; 1].as_mut_ptr().cast(), 1);
                libc::_exit(0);
            }
            // A fork is over when the handlers of the child have run.
            libc::read(started[0], [0_u8; 1].as_mut_ptr().cast(), 1);
        }
    })
    .join();
    assert_eq!(queue.stats().attached, 2, "nobody has noticed yet");
    let cells: Vec<_> = (0..6).map(|_| queue.reserve(0).unwrap()).collect();
    cells.into_iter().for_each(|cell| queue.cancel(cell).unwrap());
    check_whole(&queue, &SMALL, 1);
    for fd in [ends, started].as_flattened() {
        close(*fd);
    }
}

/// The children of a process that forks while another thread of it opens queues. They live on when
/// the process ends.
fn fork_while_opening(
    file: &MemoryFile,
    options: &Options,
    ends: &[c_int; 2],
    started: &[c_int; 2],
) {
    let opening = std::sync::atomic::AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..options.attachments {
                std::mem::forget(Shared::open(file.0, options).unwrap());
            }
            opening.store(false, SeqCst);
        });
        while opening.load(SeqCst) {
            // SAFETY: the child waits until the test closes the pipe. A fork is over when the
            // handlers of the child have run.
            unsafe {
                match libc::fork() {
                    0 => {
                        libc::close(ends[1]);
                        libc::write(started[1], [0_u8; 1].as_ptr().cast(), 1);
                        libc::read(ends[0], [0_u8; 1].as_mut_ptr().cast(), 1);
                        libc::_exit(0);
                    }
                    -1 => panic!("fork: {}", std::io::Error::last_os_error()),
                    _ => libc::read(started[0], [0_u8; 1].as_mut_ptr().cast(), 1),
                };
            }
        }
    });
}

#[test]
fn a_child_that_is_forked_while_a_thread_opens_keeps_no_lock() {
    let options = Options { attachments: 100, ..SMALL };
    for round in 0..20 {
        let file = MemoryFile::new();
        let (mut ends, mut started) = ([0; 2], [0; 2]);
        // SAFETY: two outputs each.
        unsafe {
            assert_eq!(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC), 0);
            assert_eq!(libc::pipe2(started.as_mut_ptr(), libc::O_CLOEXEC), 0);
        }
        fork(|| fork_while_opening(&file, &options, &ends, &started)).join();
        // SAFETY: all fields may be 0: a lock of the whole file.
        let mut lock: libc::flock = unsafe { core::mem::zeroed() };
        lock.l_type = libc::F_WRLCK as _;
        // SAFETY: an input and output.
        assert_eq!(unsafe { libc::fcntl(file.0, libc::F_OFD_GETLK, &raw mut lock) }, 0);
        for fd in [ends, started].as_flattened() {
            close(*fd);
        }
        let (kind, byte) = (lock.l_type, lock.l_start);
        assert_eq!(c_int::from(kind), libc::F_UNLCK, "round {round}: a child locks byte {byte}");
    }
}

#[test]
fn a_put_that_waits_gets_the_cells_of_a_process_that_dies_meanwhile() {
    let file = MemoryFile::new();
    let queue = Shared::open(file.0, &SMALL).unwrap();
    let holder = fork(|| {
        let own = Shared::open(file.0, &SMALL).unwrap();
        (0..SMALL.cells()).for_each(|_| assert!(own.reserve(-1).is_ok()));
        own.put(b"wait", -1).unwrap();
    });
    while queue.reserve(0).inspect(|&cell| queue.cancel(cell).unwrap()).is_ok() {
        std::thread::yield_now();
    }
    assert_eq!(queue.put(b"now", 0), Err(QUEUES_FULL));
    assert_eq!(queue.put(b"soon", 1_000_000), Err(QUEUES_TIMEOUT));
    std::thread::scope(|scope| {
        let put = scope.spawn(|| queue.put(&1_u64.to_ne_bytes(), 20_000_000_000));
        std::thread::sleep(std::time::Duration::from_millis(50));
        holder.kill();
        assert_eq!(put.join().unwrap(), Ok(()));
    });
    assert_eq!(queue.drain(), [1]);
    check_whole(&queue, &SMALL, 1);
}

/// As in a container, where process numbers mean nothing to other processes: the first process of a
/// namespace leases a blob and ends.
#[test]
fn a_process_of_another_container_dies() {
    let file = MemoryFile::new();
    let options = Options { flags: QUEUES_REDELIVER, ..SMALL };
    let queue = Shared::open(file.0, &options).unwrap();
    queue.put(&7_u64.to_ne_bytes(), 0).unwrap();
    let mut outside = fork(|| {
        // SAFETY: no memory is passed; ends the process.
        unsafe {
            if libc::unshare(libc::CLONE_NEWPID) != 0 {
                libc::_exit(77);
            }
        }
        fork(|| {
            assert_eq!(std::process::id(), 1);
            let own = core::mem::ManuallyDrop::new(Shared::open(file.0, &Options::any()).unwrap());
            assert_eq!(own.stats().attached, 2);
            own.lease(0).unwrap();
        })
        .join();
    });
    match outside.wait() {
        Seen::Exited(77) => {
            return crate::support::children::skipped("a container: no right to a namespace");
        }
        seen => assert_eq!(seen, Seen::Exited(0)),
    }
    assert_eq!(queue.size(), 0, "nobody has noticed yet");
    let mut blob = [0; 16];
    assert_eq!(queue.get(&mut blob, 10_000_000_000), Ok(8));
    assert_eq!(blob[..8], 7_u64.to_ne_bytes());
    check_whole(&queue, &options, 1);
}
