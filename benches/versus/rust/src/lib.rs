//! The contestants in Rust: each is a list of case patterns with the workload that measures it, as
//! `../../protocol` has it. The words are those of the driver (`../../src/lib.rs`).
//!
//! A *workload* is what is done to a queue in a case. [`workloads`] has the traits that queues
//! implement and the workloads of first-in-first-out queues; [`priority`], [`deque`] and [`batch`]
//! have those of their families. The other modules adapt queues to the traits.

pub mod batch;
pub mod channels;
pub mod deque;
pub mod ours;
pub mod priority;
pub mod rings;
pub mod workloads;

pub use protocol::{Case, Contestant, main};
use workloads::{Blocking, Bulk, Item, NonBlocking};

/// The contestants of all modules.
pub fn contestants() -> Vec<Contestant> {
    let mut all = ours::contestants();
    all.extend(rings::contestants());
    all.extend(channels::contestants());
    all.extend(priority::contestants());
    all.extend(deque::contestants());
    all.extend(batch::contestants());
    all
}

/// How contestants are described: by the traits that their queues implement.
pub trait Describe: Sized {
    /// The contestant of one of our families.
    fn ours(family: &str) -> Self;

    /// Sets the version to that of a crate in Cargo.lock.
    fn version_of(self, name: &str) -> Self;

    /// Adds the non-blocking cases of a queue for one producer and one consumer.
    fn spsc<Q: NonBlocking<usize>>(self) -> Self;

    /// Adds the cases with blobs of the size of `T`.
    fn blob<Q: NonBlocking<T>, T: Item>(self) -> Self;

    /// Adds the non-blocking cases of a queue for any number of threads.
    fn mpmc<Q: NonBlocking<usize>>(self) -> Self;

    /// Adds the cases of a channel with one consumer.
    fn mpsc<Q: NonBlocking<usize> + Blocking>(self) -> Self;

    fn spsc_bulk<Q: Bulk>(self) -> Self;

    fn mpmc_bulk<Q: Bulk>(self) -> Self;

    fn spsc_blocking<Q: Blocking>(self) -> Self;

    fn mpmc_blocking<Q: Blocking>(self) -> Self;
}

impl Describe for Contestant {
    fn ours(family: &str) -> Self {
        let manifest = include_str!("../../../../Cargo.toml");
        let version = manifest.split("\nversion = \"").nth(1).unwrap_or("?");
        let version = version.split('"').next().unwrap().into();
        Self { ours: true, version, ..Self::new(&format!("queues {family}")) }
    }

    fn version_of(self, name: &str) -> Self {
        self.version_in(include_str!("../../Cargo.lock"), name)
    }

    fn spsc<Q: NonBlocking<usize>>(self) -> Self {
        self.runs("spsc/1P1C/single/*/ptr", workloads::single::<Q, usize>)
            .runs("pingpong/1P1C/spin", workloads::pingpong_spin::<Q>)
            .runs("memory", workloads::memory::<Q>)
    }

    fn blob<Q: NonBlocking<T>, T: Item>(self) -> Self {
        self.runs(format!("spsc/1P1C/single/*/b{}", size_of::<T>()), workloads::single::<Q, T>)
    }

    fn mpmc<Q: NonBlocking<usize>>(self) -> Self {
        self.runs("mpmc/*/single/*/ptr", workloads::single::<Q, usize>)
            .runs("pingpong/1P1C/spin", workloads::pingpong_spin::<Q>)
            .runs("fairness", workloads::fairness::<Q>)
            .runs("memory", workloads::memory::<Q>)
    }

    fn mpsc<Q: NonBlocking<usize> + Blocking>(self) -> Self {
        ["1P1C", "4P1C"].iter().fold(self, |entry, shape| {
            entry
                .runs(format!("mpmc/{shape}/single/*/ptr"), workloads::single::<Q, usize>)
                .runs(format!("mpmc/{shape}/blocking/*/ptr"), workloads::blocking::<Q>)
        })
    }

    fn spsc_bulk<Q: Bulk>(self) -> Self {
        ["bulk8", "bulk32", "bulk256"].iter().fold(self, |entry, mode| {
            entry.runs(format!("spsc/1P1C/{mode}/*/ptr"), workloads::bulk::<Q>)
        })
    }

    fn mpmc_bulk<Q: Bulk>(self) -> Self {
        ["1P1C", "2P2C", "4P4C", "8P8C"].iter().fold(self, |entry, shape| {
            entry.runs(format!("mpmc/{shape}/bulk32/*/ptr"), workloads::bulk::<Q>)
        })
    }

    fn spsc_blocking<Q: Blocking>(self) -> Self {
        self.runs("spsc/1P1C/blocking/*/ptr", workloads::blocking::<Q>)
            .runs("pingpong/1P1C/blocking", workloads::pingpong_blocking::<Q>)
            .runs("latency/1P1C", workloads::latency::<Q>)
    }

    fn mpmc_blocking<Q: Blocking>(self) -> Self {
        self.runs("mpmc/*/blocking/*/ptr", workloads::blocking::<Q>)
            .runs("pingpong/1P1C/blocking", workloads::pingpong_blocking::<Q>)
            .runs("latency", workloads::latency::<Q>)
    }
}

/// [`Describe::blob`] for every size of the catalogue.
#[macro_export]
macro_rules! blobs {
    ($contestant:expr, $queue:ident) => {
        $contestant
            .blob::<$queue<[u64; 1]>, [u64; 1]>()
            .blob::<$queue<[u64; 2]>, [u64; 2]>()
            .blob::<$queue<[u64; 8]>, [u64; 8]>()
            .blob::<$queue<[u64; 32]>, [u64; 32]>()
            .blob::<$queue<[u64; 128]>, [u64; 128]>()
    };
}
