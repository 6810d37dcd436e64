//! What compiled programs depend on does not change: the version, the numbers and the layout of the
//! structures in the header. The checked-in header is the one that the sources generate.

#![cfg(not(any(loom, miri)))]

use queues::ffi::queues_version_number;
use queues::ffi::{
    batch::*, deque::*, mpmc::*, poll::*, priority::*, spsc::*, stats::*, status::*,
};
use std::collections::BTreeMap;
use std::mem::offset_of;

const HEADER: &str = include_str!("../include/queues.h");

/// The checked-in header is the generated one.
#[cfg(feature = "header")]
#[test]
fn the_header_is_up_to_date() {
    let generated = std::fs::read_to_string(env!("QUEUES_GENERATED_HEADER")).unwrap();
    let line = HEADER.lines().zip(generated.lines()).position(|(old, new)| old != new);
    assert!(
        HEADER == generated,
        "include/queues.h differs from the generated header{}; if that is intended: make header",
        line.map_or(String::new(), |line| format!(" from line {}", line + 1))
    );
}

/// The constants of the header, without their common prefix.
fn constants() -> BTreeMap<&'static str, &'static str> {
    let define = |line: &'static str| line.strip_prefix("#define QUEUES_")?.split_once(' ');
    HEADER.lines().filter_map(define).collect()
}

/// The statuses of the header, without their common prefix.
fn statuses() -> BTreeMap<&'static str, &'static str> {
    let status =
        |line: &'static str| line.strip_prefix("    QUEUES_")?.strip_suffix(',')?.split_once(" = ");
    HEADER.lines().filter_map(status).collect()
}

#[test]
fn the_version_is_the_package_s() {
    let constants = constants();
    assert_eq!(constants["VERSION"].trim_matches('"'), env!("CARGO_PKG_VERSION"));
    assert_eq!(constants["VERSION_MAJOR"], env!("CARGO_PKG_VERSION_MAJOR"));
    assert_eq!(constants["VERSION_MINOR"], env!("CARGO_PKG_VERSION_MINOR"));
    assert_eq!(constants["VERSION_PATCH"], env!("CARGO_PKG_VERSION_PATCH"));
    let number = |part: &str| constants[part].parse::<u32>().unwrap();
    let (major, minor, patch) =
        (number("VERSION_MAJOR"), number("VERSION_MINOR"), number("VERSION_PATCH"));
    assert_eq!(queues_version_number(), major * 10_000 + minor * 100 + patch);
}

/// A number keeps its meaning, and no two names share one.
#[test]
fn numbers_never_change() {
    let expected = [
        ("OK", QUEUES_OK, 0),
        ("EMPTY", QUEUES_EMPTY, 1),
        ("FULL", QUEUES_FULL, 2),
        ("CLOSED", QUEUES_CLOSED, 3),
        ("TIMEOUT", QUEUES_TIMEOUT, 4),
        ("RETRY", QUEUES_RETRY, 5),
        ("TOO_SMALL", QUEUES_TOO_SMALL, 6),
        ("INVALID", QUEUES_INVALID, -1),
        ("NOMEM", QUEUES_NOMEM, -2),
        ("MISUSE", QUEUES_MISUSE, -3),
        ("PANIC", QUEUES_PANIC, -4),
        ("CORRUPT", QUEUES_CORRUPT, -5),
    ];
    let (mut constants, mut statuses) = (constants(), statuses());
    constants.retain(|name, _| !name.starts_with("VERSION") && *name != "WARN_UNUSED");
    let numbers = [
        ("REDELIVER", QUEUES_REDELIVER, 2),
        ("SPSC_CHECKED", QUEUES_SPSC_CHECKED, 1),
        ("DEQUE_GROWABLE", QUEUES_DEQUE_GROWABLE, 1),
        ("DEQUE_CHECKED", QUEUES_DEQUE_CHECKED, 2),
        ("BATCH_DEFAULT_SIZE", QUEUES_BATCH_DEFAULT_SIZE as u64, 32),
        ("READABLE", QUEUES_READABLE.into(), 1),
        ("WRITABLE", QUEUES_WRITABLE.into(), 2),
    ];
    for (name, ours, number) in numbers {
        assert_eq!(ours, number, "{name}");
        assert_eq!(constants.remove(name), Some(&*number.to_string()), "{name}");
    }
    for (name, ours, number) in expected {
        assert_eq!(ours as i32, number, "{name}");
        assert_eq!(statuses.remove(name), Some(&*number.to_string()), "{name}");
    }
    assert_eq!(constants, BTreeMap::new(), "constants that this test does not list");
    assert_eq!(statuses, BTreeMap::new(), "statuses that this test does not list");
}

/// The offsets of the fields of a structure, in its order.
macro_rules! layout {
    ($structure:ident: $($field:ident),*) => {
        (size_of::<$structure>(), vec![$(offset_of!($structure, $field)),*])
    };
}

/// New fields come at the end, and raise struct_size.
#[cfg(target_pointer_width = "64")]
#[test]
fn structures_keep_their_layout() {
    let options = (56, vec![0, 8, 16, 24, 32, 40, 48]);
    let mpmc = layout!(
        queues_mpmc_options_t: struct_size, capacity, item_size, flags, drop, drop_ctx, drop_bytes,
        spare, attachments
    );
    assert_eq!(mpmc, (72, vec![0, 8, 16, 24, 32, 40, 48, 56, 64]));
    let spsc = layout!(
        queues_spsc_options_t: struct_size, capacity, item_size, flags, drop, drop_ctx, drop_bytes,
        attachments
    );
    assert_eq!(spsc, (64, vec![0, 8, 16, 24, 32, 40, 48, 56]));
    let priority = layout!(
        queues_priority_options_t: struct_size, capacity, item_size, flags, drop, drop_ctx,
        drop_bytes
    );
    assert_eq!(priority, options);
    let deque = layout!(
        queues_deque_options_t: struct_size, capacity, item_size, flags, drop, drop_ctx, drop_bytes
    );
    assert_eq!(deque, options);
    let batch = layout!(
        queues_batch_options_t: struct_size, max_pending, item_size, flags, drop, drop_ctx,
        batch_size, batch_timeout_ns, batch_weight, drop_bytes
    );
    assert_eq!(batch, (80, vec![0, 8, 16, 24, 32, 40, 48, 56, 64, 72]));
    assert_eq!(layout!(queues_batch_blob_t: offset, length), (16, vec![0, 8]));
    // An array of the caller's has no struct_size: it never changes.
    assert_eq!(layout!(queues_poll_t: queue, events, ready), (16, vec![0, 8, 12]));
    let stats = layout!(
        queues_stats_t: struct_size, enqueued, dequeued, failed_enqueue, failed_dequeue,
        peak_size, current_size, capacity, stolen, attached, recovered
    );
    assert_eq!(stats, (88, vec![0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80]));
}
