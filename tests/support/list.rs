//! The one list of queues under test: each has a name, which its tests carry, and makes a [`Kind`].
//! [`for_each_kind!`] hands the list to a macro, which makes tests of it.

#[cfg(not(loom))]
use super::c_abi::{self, Batch};
#[cfg(not(loom))]
use super::c_queues::{self, Blobs, InPlace, Pointers};
use super::core_queues::{self, bare, batcher, blind, large, single, whole};
use super::items::{Blob, Boxed, Plain, Value};
use super::subject::{Face, Family, Kind};
use queues::payload::{Bytes, Dense, Pointer, Typed};
use queues::queue::{mpmc, priority::Priority, spsc::Spsc};

/// Calls `$then!` with every kind of queue, as `name: Family, Face, make;`. `queues` are first in,
/// first out, and have all calls but those of other families.
macro_rules! for_each_kind {
    ($then:ident) => {
        $then! {
            queues {
                #[cfg(any(target_arch = "x86_64", loom, miri))]
                mpmc_direct_plain: Mpmc, Core, whole::<mpmc::Direct, Plain>;
                #[cfg(any(target_arch = "x86_64", loom, miri))]
                mpmc_direct_boxed: Mpmc, Core, whole::<mpmc::Direct, Boxed>;
                mpmc_indirect_plain: Mpmc, Core, whole::<mpmc::Indirect<Pointer>, Plain>;
                mpmc_indirect_boxed: Mpmc, Core, whole::<mpmc::Indirect<Pointer>, Boxed>;
                mpmc_indirect_bytes: Mpmc, Core, single::<mpmc::Indirect<Bytes>, Blob>;
                mpmc_indirect_typed: Mpmc, Core, blind::<mpmc::Indirect<Typed<_>>, Value>;
                spsc_plain: Spsc, Core, whole::<Spsc<Pointer>, Plain>;
                spsc_boxed: Spsc, Core, whole::<Spsc<Pointer>, Boxed>;
                spsc_bytes: Spsc, Core, single::<Spsc<Dense>, Blob>;
                spsc_typed: Spsc, Core, whole::<Spsc<Typed<_>>, Value>;
                priority_plain: Priority, Core, single::<Priority<Pointer>, Plain>;
                priority_boxed: Priority, Core, single::<Priority<Pointer>, Boxed>;
                priority_bytes: Priority, Core, single::<Priority<Bytes>, Blob>;
                priority_large_bytes: Priority, Core, large::<Priority<Bytes>, Blob>;
                priority_typed: Priority, Core, bare::<Priority<Typed<_>>, Value>;
                batch_plain: Batch, Core, batcher::<Plain>;
                batch_bytes: Batch, Core, batcher::<Blob>;
                #[cfg(not(loom))]
                c_mpmc_pointers: Mpmc, C, c_queues::queue::<c_abi::Mpmc, Pointers>;
                #[cfg(not(loom))]
                c_mpmc_bytes: Mpmc, C, c_queues::queue::<c_abi::Mpmc, Blobs>;
                #[cfg(not(loom))]
                c_mpmc_leased: Mpmc, C, c_queues::queue::<c_abi::Mpmc, InPlace>;
                #[cfg(not(loom))]
                c_spsc_pointers: Spsc, C, c_queues::queue::<c_abi::Spsc, Pointers>;
                #[cfg(not(loom))]
                c_spsc_bytes: Spsc, C, c_queues::queue::<c_abi::Spsc, Blobs>;
                #[cfg(not(loom))]
                c_spsc_in_place: Spsc, C, c_queues::queue::<c_abi::Spsc, InPlace>;
                #[cfg(not(loom))]
                c_batch_pointers: Batch, C, c_queues::queue::<Batch, Pointers>;
                #[cfg(not(loom))]
                c_batch_bytes: Batch, C, c_queues::queue::<Batch, Blobs>;
            }
            deques {
                deque_values: Deque, Rust, core_queues::deque_of_values;
                deque_plain: Deque, Core, core_queues::deque::<Plain>;
                deque_boxed: Deque, Core, core_queues::deque::<Boxed>;
                deque_bytes: Deque, Core, core_queues::deque::<Blob>;
                #[cfg(not(loom))]
                c_deque_pointers: Deque, C, c_queues::deque::<false>;
                #[cfg(not(loom))]
                c_deque_bytes: Deque, C, c_queues::deque::<true>;
            }
        }
    };
}
#[allow(unused_imports)] // not every program makes tests of the list
pub(crate) use for_each_kind;

macro_rules! define {
    ($($group:ident {
        $($(#[$attribute:meta])* $name:ident: $family:ident, $face:ident, $make:expr;)*
    })*) => {
        $($($(#[$attribute])* pub const fn $name() -> Kind {
            Kind::new(stringify!($name), Family::$family, Face::$face, $make)
        })*)*
    };
}

for_each_kind!(define);

/// Blobs that are written and read in their cells. Not in the list: peeks beside a producer's own
/// writes are a race in the eyes of a sanitizer.
pub const fn mpmc_leased() -> Kind {
    Kind::new("mpmc_leased", Family::Mpmc, Face::Core, core_queues::leased)
}
