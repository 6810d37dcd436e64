//! What a queue counts, and how it is told.

use core::fmt::{self, Write};

/// A snapshot of a queue's statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Items put since the queue was created.
    pub enqueued: u64,
    /// Items taken (got or cleared) since the queue was created.
    pub dequeued: u64,
    /// Puts that found the queue full: tries, and timed puts that ran out.
    pub failed_enqueue: u64,
    /// Gets that found the queue empty: tries, and timed gets that ran out.
    pub failed_dequeue: u64,
    /// The most items in the queue at once. Exact while the calls of one thread follow one
    /// another; never more than the truth when several threads race.
    pub peak_size: u64,
    /// Items in the queue.
    pub current_size: u64,
    /// The most items that fit.
    pub capacity: u64,
}

impl Stats {
    /// Names and values, in the order of the fields.
    pub fn fields(&self) -> [(&'static str, u64); 7] {
        [
            ("enqueued", self.enqueued),
            ("dequeued", self.dequeued),
            ("failed_enqueue", self.failed_enqueue),
            ("failed_dequeue", self.failed_dequeue),
            ("peak_size", self.peak_size),
            ("current_size", self.current_size),
            ("capacity", self.capacity),
        ]
    }

    /// Writes the fields as a JSON object.
    pub fn write_json(&self, out: &mut impl Write) -> fmt::Result {
        let mut separator = '{';
        for (name, value) in self.fields() {
            write!(out, "{separator}\"{name}\":{value}")?;
            separator = ',';
        }
        out.write_char('}')
    }
}
