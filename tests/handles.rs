//! Queues that Rust shares with other languages: references and roles pass from one to the other,
//! the last of them frees the queue, and a handle of another kind is refused.

#![cfg(not(any(loom, miri)))]

mod support;

use queues::ffi::{event::*, mpmc::*, spsc::*, status::*};
use queues::{BytesConsumer, BytesProducer, Error, MpmcBytes, Wait, spsc_bytes};
use std::env;
use std::ffi::c_void;
#[cfg(target_os = "linux")]
use std::os::fd::FromRawFd;
use std::path::Path;
use std::process::Command;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use support::watchdog::watched;

/// Counts the blobs that a queue of C drops.
unsafe extern "C-unwind" fn count(dropped: *mut c_void, _: *mut c_void) {
    // SAFETY: the counter of the test, which outlives the queue.
    unsafe { (*dropped.cast::<AtomicUsize>()).fetch_add(1, Relaxed) };
}

fn create(item_size: usize, dropped: &AtomicUsize) -> *mut queues_mpmc_t {
    let options = queues_mpmc_options_t {
        struct_size: size_of::<queues_mpmc_options_t>(),
        capacity: 2,
        item_size,
        flags: 0,
        drop: Some(count),
        drop_ctx: (&raw const *dropped).cast_mut().cast(),
        drop_bytes: None,
        spare: 0,
        attachments: 0,
    };
    let mut queue = null_mut();
    // SAFETY: an output, and options as the header asks for.
    assert_eq!(unsafe { queues_mpmc_create(&options, &mut queue) }, QUEUES_OK);
    queue
}

fn create_spsc(item_size: usize, flags: u64) -> *mut queues_spsc_t {
    let options = queues_spsc_options_t {
        struct_size: size_of::<queues_spsc_options_t>(),
        capacity: 2,
        item_size,
        flags,
        drop: None,
        drop_ctx: null_mut(),
        drop_bytes: None,
        attachments: 0,
    };
    let mut queue = null_mut();
    // SAFETY: an output, and options as the header asks for.
    assert_eq!(unsafe { queues_spsc_create(&options, &mut queue) }, QUEUES_OK);
    queue
}

#[test]
fn the_last_reference_frees_the_queue_in_either_language() {
    let dropped = AtomicUsize::new(0);
    for rust_is_last in [true, false] {
        dropped.store(0, Relaxed);
        let handle = create(8, &dropped);
        // SAFETY: the handle is valid, and each release has its reference.
        unsafe {
            let queue = MpmcBytes::from_raw(queues_mpmc_retain(handle)).unwrap();
            let clone = queue.clone();
            assert_eq!(clone.as_raw(), handle);
            queue.try_put(b"in Rust").unwrap();
            assert_eq!(queues_mpmc_put_bytes(handle, b"in C".as_ptr().cast(), 4, 0), QUEUES_OK);
            drop(queue);
            if rust_is_last {
                queues_mpmc_release(handle);
                assert!(!clone.is_closed());
                assert_eq!((clone.len(), dropped.load(Relaxed)), (2, 0));
                drop(clone);
            } else {
                let handle = clone.into_raw(); // one reference for C, and the creator's
                queues_mpmc_release(handle);
                assert_eq!((queues_mpmc_size(handle), dropped.load(Relaxed)), (2, 0));
                queues_mpmc_release(handle);
            }
        }
        assert_eq!(dropped.load(Relaxed), 2, "the last is Rust: {rust_is_last}");
    }
}

#[test]
fn a_handle_of_another_kind_is_refused_and_keeps_its_reference() {
    let dropped = AtomicUsize::new(0);
    let (mpmc, spsc) = (create(8, &dropped), create_spsc(8, 0));
    let (mpmc_pointers, spsc_pointers) = (create(0, &dropped), create_spsc(0, 0));
    let mut event = null_mut();
    // SAFETY: an output.
    assert_eq!(unsafe { queues_event_create(&mut event) }, QUEUES_OK);
    // SAFETY: NULL and live handles.
    unsafe {
        let none = null_mut();
        for other in [none, spsc.cast(), mpmc_pointers, spsc_pointers.cast(), event.cast()] {
            assert_eq!(MpmcBytes::from_raw(other).map(drop), Err(Error::Invalid));
        }
        let none = null_mut();
        for other in [none, mpmc.cast(), mpmc_pointers.cast(), spsc_pointers, event.cast()] {
            assert_eq!(BytesProducer::from_raw(other).map(drop), Err(Error::Invalid));
            assert_eq!(BytesConsumer::from_raw(other).map(drop), Err(Error::Invalid));
        }
        assert_eq!(queues_mpmc_try_put(mpmc_pointers, null_mut()), QUEUES_OK);
        assert_eq!(queues_spsc_try_put(spsc_pointers, null_mut()), QUEUES_OK);
        queues_mpmc_release(mpmc);
        queues_mpmc_release(mpmc_pointers);
        queues_spsc_release(spsc);
        queues_spsc_release(spsc_pointers);
        assert!(!queues_event_is_set(event));
        queues_event_release(event);
    }
    assert_eq!(dropped.load(Relaxed), 1);
}

#[test]
fn sizes_of_zero_and_of_more_than_memory_are_invalid() {
    for (capacity, item_size) in [(0, 8), (8, 0), (usize::MAX, 8), (8, usize::MAX)] {
        assert_eq!(MpmcBytes::with_capacity(capacity, item_size).map(drop), Err(Error::Invalid));
        assert_eq!(spsc_bytes(capacity, item_size).map(drop), Err(Error::Invalid));
    }
}

#[test]
fn every_failure_has_its_error() {
    let queue = MpmcBytes::with_capacity(1, 4).unwrap();
    let (mut producer, mut consumer) = spsc_bytes(1, 4).unwrap();
    let mut buffer = [0; 4];
    let soon = Wait::For(1000);
    assert_eq!((queue.capacity(), queue.item_size(), queue.is_full()), (1, 4, false));
    assert_eq!((producer.capacity(), consumer.item_size()), (1, 4));
    assert_eq!(queue.try_get(&mut buffer), Err(Error::Empty));
    assert_eq!(queue.peek(&mut buffer), Err(Error::Empty));
    assert_eq!(consumer.try_get(&mut buffer), Err(Error::Empty));
    assert_eq!(queue.get(&mut buffer, soon), Err(Error::Timeout));
    assert_eq!(consumer.get(&mut buffer, soon), Err(Error::Timeout));
    assert_eq!(queue.lease(soon).map(drop), Err(Error::Timeout));
    assert_eq!(consumer.front(soon).map(drop), Err(Error::Timeout));
    assert_eq!(
        (queue.try_put(&[5; 5]), producer.try_put(&[5; 5])),
        (Err(Error::Invalid), Err(Error::Invalid))
    );
    assert_eq!((queue.try_put(&[3; 3]), producer.try_put(&[3; 3])), (Ok(()), Ok(())));
    assert_eq!((queue.try_put(&[]), producer.try_put(&[])), (Err(Error::Full), Err(Error::Full)));
    assert_eq!(
        (queue.put(&[], soon), producer.put(&[], soon)),
        (Err(Error::Timeout), Err(Error::Timeout))
    );
    assert_eq!(queue.reserve(Wait::No).map(drop), Err(Error::Full));
    assert_eq!(producer.reserve(Wait::No).map(drop), Err(Error::Full));
    assert_eq!(queue.try_get(&mut buffer[..2]), Err(Error::TooSmall { needed: 3 }));
    assert_eq!(consumer.try_get(&mut buffer[..2]), Err(Error::TooSmall { needed: 3 }));
    assert_eq!((queue.peek(&mut buffer), &buffer[..3]), (Ok(3), &[3; 3][..]));
    queue.close();
    consumer.close();
    assert!(queue.is_closed() && producer.is_closed());
    assert_eq!(
        (queue.try_put(&[]), producer.try_put(&[])),
        (Err(Error::Closed), Err(Error::Closed))
    );
    assert_eq!((queue.clear(), consumer.clear()), (Ok(1), Ok(1)));
    assert_eq!(queue.get(&mut buffer, Wait::Forever), Err(Error::Closed));
    assert_eq!(consumer.get(&mut buffer, Wait::Forever), Err(Error::Closed));
    assert_eq!(queue.stats().failed_enqueue, 3);
    let shown = format!("{queue:?} {producer:?}");
    assert!(shown.contains("MpmcBytes { len: 0, capacity: 1, item_size: 4, is_closed: true"));
}

#[test]
fn reservations_and_leases_end_by_their_drop() {
    let queue = MpmcBytes::with_capacity(1, 4).unwrap();
    drop(queue.reserve(Wait::No).unwrap());
    let mut cell = queue.reserve(Wait::No).unwrap();
    assert_eq!(cell.len(), 4);
    cell[..2].copy_from_slice(b"ab");
    let refused = cell.commit(5).unwrap_err();
    assert_eq!(refused.error, Error::Invalid);
    let cell = refused.item;
    queue.try_put(b"x").unwrap();
    let cell = cell.commit(2).unwrap_err();
    assert_eq!(cell.error, Error::Full);

    let mut x = queue.lease(Wait::No).unwrap();
    x[0] = b'y';
    cell.item.commit(2).unwrap();
    assert_eq!(
        x.put_back().map_err(|refused| {
            refused.item.settle();
            refused.error
        }),
        Err(Error::Full)
    );
    let ab = queue.lease(Wait::No).unwrap();
    assert_eq!(&ab[..], b"ab");
    drop(ab); // puts the blob back
    assert_eq!(queue.len(), 1);
    let ab = queue.lease(Wait::No).unwrap();
    ab.put_back().unwrap();
    queue.lease(Wait::No).unwrap().settle();
    assert_eq!(queue.len(), 0);

    // All cells are back: 64 and one.
    let cells: Vec<_> = (0..65).map(|_| queue.reserve(Wait::No).unwrap()).collect();
    assert_eq!(queue.reserve(Wait::No).map(drop), Err(Error::Full));
    drop(cells);

    queue.try_put(b"z").unwrap();
    let z = queue.lease(Wait::No).unwrap();
    queue.close();
    drop(z); // a closed queue takes no blob back
    assert_eq!(queue.lease(Wait::No).map(drop), Err(Error::Closed));
}

#[test]
fn an_spsc_blob_stays_in_front_until_it_is_consumed() {
    let (mut producer, mut consumer) = spsc_bytes(2, 4).unwrap();
    _ = producer.reserve(Wait::No).unwrap();
    assert!(consumer.is_empty());
    let mut room = producer.reserve(Wait::No).unwrap();
    room.copy_from_slice(b"abcd");
    assert_eq!(room.commit(5), Err(Error::Invalid));
    let mut room = producer.reserve(Wait::No).unwrap();
    room.copy_from_slice(b"abcd");
    room.commit(3).unwrap();
    assert_eq!(&consumer.front(Wait::No).unwrap()[..], b"abc");
    let front = consumer.front(Wait::No).unwrap();
    assert_eq!(&front[..], b"abc");
    front.consume();
    assert_eq!(consumer.front(Wait::No).map(drop), Err(Error::Empty));
}

#[test]
fn a_checked_queue_of_c_reports_misuse() {
    let handle = create_spsc(8, QUEUES_SPSC_CHECKED);
    // SAFETY: the handle is valid. In a checked queue calls of one role may overlap.
    unsafe {
        let mut consumer = BytesConsumer::from_raw(queues_spsc_retain(handle)).unwrap();
        let mut second = BytesConsumer::from_raw(queues_spsc_retain(handle)).unwrap();
        let waiting = std::thread::spawn(move || {
            while consumer.get(&mut [0; 8], Wait::Forever) == Err(Error::Misuse) {}
        });
        watched("misuse", || while second.try_get(&mut []) != Err(Error::Misuse) {});
        queues_spsc_close(handle);
        waiting.join().unwrap();
        queues_spsc_release(handle);
    }
}

#[test]
fn polls_and_descriptors_of_a_shared_queue_see_calls_in_c() {
    let queue = MpmcBytes::with_capacity(1, 4).unwrap();
    let mut entries = [queue.readable(), queue.writable()];
    assert_eq!(queues::poll(&mut entries, Wait::No), Ok(1));
    assert!(entries[1].is_writable());
    // SAFETY: a valid handle.
    assert_eq!(unsafe { queues_mpmc_put_bytes(queue.as_raw(), null(), 0, 0) }, QUEUES_OK);
    assert_eq!(queues::poll(&mut entries, Wait::No), Ok(1));
    assert!(entries[0].is_readable());
    let mut fd = -1;
    // SAFETY: a valid handle and an output.
    assert_eq!(unsafe { queues_mpmc_readable_fd(queue.as_raw(), &mut fd) }, QUEUES_OK);
    use std::os::fd::AsRawFd;
    assert_eq!(queue.readable_fd().unwrap().as_raw_fd(), fd);
    assert_ne!(queue.writable_fd().unwrap().as_raw_fd(), fd);
}

/// Two handles of one file, as two processes have them.
#[cfg(all(target_os = "linux", not(queues_portable)))]
#[test]
fn a_shared_queue_is_one_queue_for_all_its_handles() {
    use queues::SharedOptions;
    // SAFETY: the name is a string of C; the descriptor is nobody else's.
    let memfd = || unsafe {
        let fd = libc::memfd_create(c"queue".as_ptr(), libc::MFD_CLOEXEC);
        std::fs::File::from(std::os::fd::OwnedFd::from_raw_fd(fd))
    };
    let file = memfd();
    let any = SharedOptions::default();
    assert_eq!(MpmcBytes::open_shared(&file, &any).err(), Some(Error::Invalid)); // no item size
    let options = SharedOptions { capacity: 2, item_size: 8, redelivers: true, ..any };
    let one = MpmcBytes::open_shared(&file, &options).unwrap();
    let other = MpmcBytes::open_shared(&file, &any).unwrap();
    let larger = SharedOptions { capacity: 3, ..options };
    assert_eq!(MpmcBytes::open_shared(&file, &larger).err(), Some(Error::Invalid));
    drop(file);
    assert_eq!((other.capacity(), other.item_size(), one.stats().attached), (2, 8, 2));
    one.put(b"first", Wait::No).unwrap();
    one.try_put(b"second").unwrap();
    assert_eq!(other.try_put(b"third"), Err(Error::Full));
    let mut lease = other.lease(Wait::Forever).unwrap();
    lease[0] = b'F';
    lease.put_back().unwrap();
    assert_eq!(&one.lease(Wait::No).unwrap()[..], b"second"); // dropped, so it was put back
    let mut buffer = [0; 8];
    assert_eq!(one.get(&mut buffer, Wait::Forever), Ok(5));
    assert_eq!(&buffer[..5], b"First");
    drop(other);
    assert_eq!((one.stats().attached, one.stats().recovered), (1, 0));
    one.close();
    assert_eq!(one.try_put(b"late"), Err(Error::Closed));
    let file = memfd();
    let plain = SharedOptions { redelivers: false, ..options };
    assert_eq!(BytesProducer::open_shared(&file, &options).err(), Some(Error::Invalid));
    let mut producer = BytesProducer::open_shared(&file, &plain).unwrap();
    let mut consumer = BytesConsumer::open_shared(&file, &any).unwrap();
    let mut second = BytesProducer::open_shared(&file, &any).unwrap();
    producer.put(b"blob", Wait::Forever).unwrap();
    assert_eq!(second.try_put(b"blob"), Err(Error::Misuse));
    assert_eq!(consumer.get(&mut buffer, Wait::Forever), Ok(4));
    drop(producer);
    second.try_put(b"now").unwrap();
    assert_eq!(&consumer.front(Wait::No).unwrap()[..], b"now");
}

/// As in C, where a release in a child gives nothing back.
#[cfg(all(target_os = "linux", not(queues_portable)))]
#[test]
fn a_child_that_was_forked_neither_closes_nor_frees_the_queue() {
    use queues::SharedOptions;
    use support::children::{Seen, fork};
    // SAFETY: the name is a string of C; the descriptor is nobody else's.
    let file = unsafe {
        let fd = libc::memfd_create(c"queue".as_ptr(), libc::MFD_CLOEXEC);
        std::fs::File::from(std::os::fd::OwnedFd::from_raw_fd(fd))
    };
    let options = SharedOptions { capacity: 2, item_size: 8, ..SharedOptions::default() };
    let queue = MpmcBytes::open_shared(&file, &options).unwrap();
    // From here on a thread of the library watches the queue, which the child does not have.
    queue.readable_fd().unwrap();
    let mut queue = std::panic::AssertUnwindSafe(Some(queue));
    let mut child = fork(|| {
        let queue = queue.take().unwrap();
        queue.close();
        assert_eq!(queue.try_put(b"child"), Err(Error::Invalid));
        assert_eq!(queue.clear(), Err(Error::Invalid));
        drop(queue);
    });
    watched("the child", || assert_eq!(child.wait(), Seen::Exited(0)));
    let queue = queue.take().unwrap();
    assert!(!queue.is_closed());
    queue.try_put(b"parent").unwrap();
    assert_eq!(queue.stats().attached, 1);
}

/// Compiles tests/handles, a program of Rust, C and C++, and runs it.
#[test]
fn a_program_of_three_languages_passes_queues_around() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("handles");
    std::fs::create_dir_all(&out).unwrap();
    let host = format!("{}-unknown-{}-gnu", env::consts::ARCH, env::consts::OS);
    let compile = |file: &str| {
        let is_cpp = file.ends_with("pp");
        let mut build = cc::Build::new();
        build.cargo_metadata(false).target(&host).host(&host).opt_level(1).out_dir(&out);
        build.include(root.join("include")).include(root.join("bindings/cpp/include"));
        build.cpp(is_cpp).std(if is_cpp { "c++17" } else { "c11" });
        build.extra_warnings(true).warnings_into_errors(true);
        build.file(root.join("tests/handles").join(file)).try_compile_intermediates().unwrap()
    };
    let mut objects = compile("other.c");
    objects.extend(compile("other.cpp"));
    let archive = out.join("libother.a");
    let _ = std::fs::remove_file(&archive);
    let run = |command: &mut Command| {
        let output = command.output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {}\n{error}", output.status);
    };
    run(Command::new("ar").arg("crs").arg(&archive).args(objects));
    // Cargo puts the library next to the tests that depend on it.
    let deps = env::current_exe().unwrap().parent().unwrap().to_owned();
    let program = out.join("program");
    let rustc = env::var_os("RUSTC").unwrap_or("rustc".into());
    let library = format!("queues={}", deps.join("libqueues.rlib").display());
    run(Command::new(rustc)
        .args(["--edition", "2024", "-D", "warnings", "-l", "stdc++", "--extern", &library])
        .arg("-L")
        .arg(format!("dependency={}", deps.display()))
        .arg("-L")
        .arg(&out)
        .arg("-o")
        .args([&program, &root.join("tests/handles/program.rs")]));
    watched("a program of three languages", || run(&mut Command::new(&program)));
}
