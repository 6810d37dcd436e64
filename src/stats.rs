//! Statistics of a queue, and their text forms: JSON and Prometheus' exposition format.

use core::fmt::{self, Write};

/// A snapshot of a queue's statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Items put since the queue was created.
    pub enqueued: u64,
    /// Items removed (got or cleared) since the queue was created.
    pub dequeued: u64,
    /// Puts that failed for lack of room: with *full*, by a timeout, and pushes for which a growable deque
    /// got no memory. Puts that found the queue closed do not count.
    pub failed_enqueue: u64,
    /// Gets that failed for lack of an item: with *empty* or by a timeout. Gets that found the queue
    /// closed, peeks, lost races, and calls for a due batch that found only items that are not due, do
    /// not count.
    pub failed_dequeue: u64,
    /// The largest number of items in the queue at once, as its puts saw it. Exact if calls do not
    /// overlap; never more than the capacity.
    pub peak_size: u64,
    /// Items in the queue.
    pub current_size: u64,
    /// The number of items that fit.
    pub capacity: u64,
    /// Items that thieves stole from a deque. They count as dequeued, too.
    pub stolen: u64,
    /// Handles in all processes that are attached to a shared queue now; 0 for other queues.
    pub attached: u64,
    /// Cells of a shared queue that were recovered from dead processes; 0 for other queues.
    pub recovered: u64,
}

impl Stats {
    /// Names and values, in the order of the fields.
    pub fn fields(&self) -> [(&'static str, u64); 10] {
        [
            ("enqueued", self.enqueued),
            ("dequeued", self.dequeued),
            ("failed_enqueue", self.failed_enqueue),
            ("failed_dequeue", self.failed_dequeue),
            ("peak_size", self.peak_size),
            ("current_size", self.current_size),
            ("capacity", self.capacity),
            ("stolen", self.stolen),
            ("attached", self.attached),
            ("recovered", self.recovered),
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

/// A metric of Prometheus: its name, type, help text and value.
type Metric = (&'static str, &'static str, &'static str, fn(&Stats) -> u64);

const METRICS: [Metric; 10] = [
    ("queues_enqueued_total", "counter", "Items put into the queue.", |s| s.enqueued),
    ("queues_dequeued_total", "counter", "Items taken from the queue.", |s| s.dequeued),
    ("queues_failed_enqueue_total", "counter", "Puts that found no room.", |s| s.failed_enqueue),
    ("queues_failed_dequeue_total", "counter", "Gets that found no item.", |s| s.failed_dequeue),
    ("queues_stolen_total", "counter", "Items taken by thieves.", |s| s.stolen),
    ("queues_recovered_total", "counter", "Cells that dead processes had held.", |s| s.recovered),
    ("queues_peak_size", "gauge", "Most items in the queue at once.", |s| s.peak_size),
    ("queues_current_size", "gauge", "Items in the queue.", |s| s.current_size),
    ("queues_capacity", "gauge", "Most items that fit into the queue.", |s| s.capacity),
    ("queues_attached", "gauge", "Handles attached to the shared queue.", |s| s.attached),
];

/// Writes the statistics of several queues in Prometheus' text exposition format (version 0.0.4),
/// each with its name as the label `queue`.
pub fn write_prometheus<'a>(
    queues: impl Iterator<Item = (&'a str, Stats)> + Clone,
    out: &mut impl Write,
) -> fmt::Result {
    for (metric, kind, help, value) in METRICS {
        if queues.clone().next().is_none() {
            continue;
        }
        writeln!(out, "# HELP {metric} {help}\n# TYPE {metric} {kind}")?;
        for (name, stats) in queues.clone() {
            write!(out, "{metric}{{queue=\"")?;
            for character in name.chars() {
                match character {
                    '\\' | '"' => write!(out, "\\{character}")?,
                    '\n' => out.write_str("\\n")?,
                    other => out.write_char(other)?,
                }
            }
            writeln!(out, "\"}} {}", value(&stats))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prometheus_groups_by_metric_and_escapes_names() {
        let one = Stats { enqueued: 1, capacity: 8, ..Stats::default() };
        let mut text = String::new();
        write_prometheus([("a", one), ("b\"\\\n", Stats::default())].into_iter(), &mut text)
            .unwrap();
        let head = "# HELP queues_enqueued_total Items put into the queue.\n\
                    # TYPE queues_enqueued_total counter\n\
                    queues_enqueued_total{queue=\"a\"} 1\n\
                    queues_enqueued_total{queue=\"b\\\"\\\\\\n\"} 0\n\
                    # HELP queues_dequeued_total";
        assert!(text.starts_with(head), "{text}");
        assert!(text.contains("queues_capacity{queue=\"a\"} 8\n"));
        assert_eq!(text.lines().count(), METRICS.len() * 4);
    }

    #[test]
    fn no_queues_no_text() {
        let mut text = String::new();
        write_prometheus([].into_iter(), &mut text).unwrap();
        assert_eq!(text, "");
    }
}
