//! Compares `include/queues_inline.h`, by which programs inline calls, with the handles. If an offset
//! has changed, or what an inlined call has to do, the layout needs a new number (`LAYOUT` in
//! `ffi/spsc.rs` and `ffi/deque.rs`): programs that know the old one then call the library.

use super::deque::DEQUE;
use super::handle::{Handle, HandleType};
use super::spsc::SPSC;
use crate::payload::{Dense, Pointer};
use crate::queue::spsc::Spsc;
use crate::wait::{Blocking, Stealing};
use std::collections::BTreeMap;

const HEADER: &str = include_str!("../../include/queues_inline.h");
const PREFIX: &str = "QUEUES_LAYOUT_";

/// The numbers of the header that begin with `QUEUES_LAYOUT_`, by the rest of their names.
fn stated() -> BTreeMap<&'static str, u64> {
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits.trim_end_matches('u'), 16).unwrap(),
        None => text.parse().unwrap(),
    };
    let defined =
        HEADER.lines().filter_map(|line| line.strip_prefix("#define ")?.strip_prefix(PREFIX));
    let words = defined.map(|line| line.split_whitespace().collect::<Vec<_>>());
    words.map(|words| (words[0], number(words[1]))).collect()
}

/// The offsets from the beginning of a handle, with their names in the header.
fn of_handle<Q>(
    _: &HandleType<Q>,
    family: &str,
    of_queue: impl IntoIterator<Item = (&'static str, usize)>,
) -> BTreeMap<String, u64> {
    let offset = |(name, at): (&str, usize)| {
        let is_of_buffer = name.starts_with("BUFFER_");
        let at = if is_of_buffer { at } else { Handle::<Q>::QUEUE + at };
        (format!("{family}_{name}"), at as u64)
    };
    let finish = Handle::<Q>::FINISH as u64;
    let ends = [("FINISH_PUT".to_owned(), finish), ("FINISH_GET".to_owned(), finish + 8)];
    of_queue.into_iter().map(offset).chain(ends).collect()
}

#[test]
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn the_header_for_inlined_calls_states_the_layout() {
    let pointers = Blocking::<Spsc<Pointer>>::published(Spsc::<Pointer>::published());
    let pointers = of_handle(&SPSC.pointers, "SPSC", pointers);
    let blobs = Blocking::<Spsc<Dense>>::published(Spsc::<Dense>::published());
    let blobs = of_handle(&SPSC.bytes, "SPSC", blobs);
    assert_eq!(pointers, blobs, "the header has one set of offsets for both payloads");
    let mut layout = pointers;
    layout.extend(of_handle(&DEQUE.pointers, "DEQUE", Stealing::<Pointer>::published()));
    layout.extend([
        ("SPSC_AHEAD".to_owned(), Spsc::<Pointer>::AHEAD as u64),
        ("SPSC_POINTERS".to_owned(), SPSC.pointers.tag()),
        ("SPSC_BLOBS".to_owned(), SPSC.bytes.tag()),
        ("DEQUE_POINTERS".to_owned(), DEQUE.pointers.tag()),
    ]);
    let stated: BTreeMap<String, u64> =
        stated().into_iter().map(|(name, number)| (name.to_owned(), number)).collect();
    assert_eq!(stated, layout);
}
