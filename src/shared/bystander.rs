//! What a process reads of a shared queue without attaching to it, for `queues-inspect`. It only
//! reads, and trusts no number.

use super::attachment::{
    Common, CommonParts, FREE, GENERATION, LIVE, OwnerId, Record, STATES, lock_of,
};
use super::event::{ENDS, GET, PUT};
use super::file::{Mapping, SharedFile};
use crate::sync::{Acquire, Relaxed, site};

/// The contents of the file of a queue. The queue may have changed while they were read.
pub(crate) struct Contents {
    pub(crate) is_closed: bool,
    pub(crate) enqueued: u64,
    pub(crate) dequeued: u64,
    pub(crate) peak: u64,
    pub(crate) len: usize,
    /// What only this family has: a name, and named numbers.
    pub(crate) parts: (&'static str, Vec<(&'static str, u64)>),
    pub(crate) common: CommonContents,
}

/// The contents that do not depend on the family.
pub(crate) struct CommonContents {
    pub(crate) attached: Vec<Attached>,
    /// Calls that failed, by end.
    pub(crate) failures: [u64; ENDS],
    /// Cells that dead processes had held.
    pub(crate) recovered: u64,
}

/// A record that is in use, as read by a process that is not attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attached {
    pub(crate) index: usize,
    pub(crate) generation: u64,
    pub(crate) process: u64,
    pub(crate) is_alive: bool,
    pub(crate) id: OwnerId,
    /// Threads that wait for room, and for an item.
    pub(crate) waiting: [u64; ENDS],
}

/// The common parts of a file, for a process that is not attached and only reads.
pub(crate) struct Bystander<'a> {
    common: &'a Common,
    attached: Vec<Attached>,
}

impl<'a> Bystander<'a> {
    pub(crate) fn new(file: &SharedFile, mapping: &'a Mapping, parts: &CommonParts) -> Self {
        // SAFETY: in the mapping, made of atomics.
        let common = unsafe { mapping.at(parts.common.offset).cast::<Common>().as_ref() };
        let records = mapping.at(parts.records.offset).cast::<Record>();
        let attached = (0..parts.records.count).filter_map(|index| {
            // SAFETY: the same; below the count.
            let record = unsafe { records.add(index).as_ref() };
            let state = record.state.load(site("shared.inspect.state", Acquire));
            let waiting = record.waiting.each_ref().map(|kinds| {
                kinds
                    .iter()
                    .map(|count| u64::from(count.load(site("shared.inspect.count", Relaxed))))
                    .sum()
            });
            (state & STATES != FREE).then(|| Attached {
                index,
                generation: state >> GENERATION,
                process: record.process.load(site("shared.inspect.process", Relaxed)),
                is_alive: state & STATES == LIVE && file.is_locked(lock_of(index)),
                id: OwnerId::new(index, state >> GENERATION),
                waiting,
            })
        });
        Self { common, attached: attached.collect() }
    }

    /// Whether an owner is attached and alive.
    pub(crate) fn is_alive(&self, owner: OwnerId) -> bool {
        self.attached.iter().any(|attached| attached.is_alive && attached.id == owner)
    }

    pub(crate) fn contents(self) -> CommonContents {
        CommonContents {
            failures: [PUT, GET].map(|end| self.common.failures_of(end)),
            recovered: self.common.recovered(),
            attached: self.attached,
        }
    }
}
