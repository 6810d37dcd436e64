//! The C ABI: plain functions, one file per family, in the order of the header.
//!
//! An exported function checks its arguments (`arguments`), borrows the queue of its handle
//! (`handle`), calls [`crate::wait::Blocking`] or the deque, and returns a status (`status`). Its text
//! is the text of the header, which `build/header.rs` generates with the help of
//! `ffi/queues.h.in`.
//!
//! `blobs` is for Rust programs that share a queue with other languages.

#![allow(non_camel_case_types)] // the names are C's
#![allow(clippy::missing_safety_doc)] // the text of the header is the contract

mod arguments;
pub mod batch;
mod blobs;
mod callbacks;
mod common;
pub mod deque;
pub mod event;
mod handle;
#[cfg(all(test, not(loom), target_pointer_width = "64"))]
mod inline;
pub mod mpmc;
mod options;
pub mod poll;
pub mod priority;
mod race_detector;
pub mod spsc;
pub mod stats;
pub mod status;
mod version;

pub use blobs::{
    BytesConsumer, BytesProducer, BytesQueue, FrontBlob, Lease, MpmcBytes, Reservation,
    SlotReservation, spsc_bytes,
};
pub use callbacks::{queues_drop_bytes_t, queues_drop_t};
pub use version::{queues_version, queues_version_number};

#[cfg(all(test, not(loom)))]
mod tests {
    use super::options::CommonOptions;
    use super::{batch, deque, mpmc, priority, spsc};
    use core::mem::offset_of;

    macro_rules! common_fields {
        ($options:ty, $capacity:ident) => {
            [
                offset_of!($options, struct_size),
                offset_of!($options, $capacity),
                offset_of!($options, item_size),
                offset_of!($options, flags),
                offset_of!($options, drop),
                offset_of!($options, drop_ctx),
            ]
        };
    }

    #[test]
    fn the_options_of_every_family_begin_with_the_common_fields() {
        let common = common_fields!(CommonOptions, capacity);
        assert_eq!(common_fields!(mpmc::queues_mpmc_options_t, capacity), common);
        assert_eq!(common_fields!(spsc::queues_spsc_options_t, capacity), common);
        assert_eq!(common_fields!(priority::queues_priority_options_t, capacity), common);
        assert_eq!(common_fields!(deque::queues_deque_options_t, capacity), common);
        assert_eq!(common_fields!(batch::queues_batch_options_t, max_pending), common);
    }
}
