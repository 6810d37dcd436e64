//! Reads the contents of the file of a shared queue, for `queues-inspect`. It attaches nothing and
//! trusts no number in the file.

use crate::queue::{mpmc, spsc};
use crate::shared::{Contents, Described, Flaw, GET, Kind, PUT, SharedFile, describe};
use core::fmt::{self, Write};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;

/// An attachment: a handle of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Attachment {
    index: usize,
    generation: u64,
    process: u64,
    is_alive: bool,
    waits_for_room: u64,
    waits_for_item: u64,
}

/// The contents of a file. The queue may have changed while they were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    kind: &'static str,
    is_closed: bool,
    numbers: Vec<(&'static str, u64)>,
    parts: (&'static str, Vec<(&'static str, u64)>),
    attachments: Vec<Attachment>,
}

/// Why a file could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What is wrong with the file.
    pub message: String,
    /// Whether a process may just be creating the queue, so that a later read may succeed.
    pub may_pass: bool,
}

impl From<Flaw> for Failure {
    fn from(flaw: Flaw) -> Self {
        Self { message: flaw.to_string(), may_pass: flaw.may_pass() }
    }
}

/// Reads the file.
pub fn read(path: &Path) -> Result<Report, Failure> {
    let for_good = |message: String| Failure { message, may_pass: false };
    let file = File::open(path).map_err(|error| for_good(error.to_string()))?;
    let file = SharedFile::open_to_read(file.as_raw_fd())
        .map_err(|_| for_good("not a regular file, or /proc is not mounted".to_string()))?;
    let described = describe(&file)?;
    let queue = match described.kind {
        Kind::Mpmc => mpmc::inspect(&file, &described)?,
        Kind::Spsc => spsc::inspect(&file, &described)?,
    };
    Ok(report(&described, queue))
}

fn report(described: &Described, queue: Contents) -> Report {
    let sizes = described.sizes;
    Report {
        kind: match described.kind {
            Kind::Mpmc => "mpmc",
            Kind::Spsc => "spsc",
        },
        is_closed: queue.is_closed,
        numbers: vec![
            ("capacity", sizes.capacity),
            ("item_size", sizes.item_size),
            ("spare", sizes.spare),
            ("attachments", sizes.attachments),
            ("flags", sizes.flags),
            ("bytes", described.len()),
            ("current_size", queue.len as u64),
            ("enqueued", queue.enqueued),
            ("dequeued", queue.dequeued),
            ("failed_enqueue", queue.common.failures[PUT]),
            ("failed_dequeue", queue.common.failures[GET]),
            ("peak_size", queue.peak),
            ("recovered", queue.common.recovered),
        ],
        parts: queue.parts,
        attachments: queue
            .common
            .attached
            .iter()
            .map(|attached| Attachment {
                index: attached.index,
                generation: attached.generation,
                process: attached.process,
                is_alive: attached.is_alive,
                waits_for_room: attached.waiting[PUT],
                waits_for_item: attached.waiting[GET],
            })
            .collect(),
    }
}

impl Report {
    /// Writes the report as one JSON object.
    pub fn write_json(&self, out: &mut impl Write) -> fmt::Result {
        write!(out, "{{\"kind\":\"{}\",\"closed\":{}", self.kind, self.is_closed)?;
        for (name, value) in &self.numbers {
            write!(out, ",\"{name}\":{value}")?;
        }
        let (part, numbers) = &self.parts;
        let numbers = numbers.iter().map(|(name, value)| format!("\"{name}\":{value}"));
        write!(out, ",\"{part}\":{{{}}}", numbers.collect::<Vec<_>>().join(","))?;
        let attached = self.attachments.iter().map(|a| {
            format!(
                "{{\"index\":{},\"generation\":{},\"pid\":{},\"alive\":{},\"waits_for_room\":{},\
                 \"waits_for_item\":{}}}",
                a.index, a.generation, a.process, a.is_alive, a.waits_for_room, a.waits_for_item
            )
        });
        write!(out, ",\"attached\":[{}]}}", attached.collect::<Vec<_>>().join(","))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let closed = if self.is_closed { ", closed" } else { "" };
        writeln!(f, "{} queue{closed}", self.kind)?;
        for (name, value) in &self.numbers {
            writeln!(f, "  {name:<16}{value:>14}")?;
        }
        writeln!(f, "{}", self.parts.0)?;
        for (name, value) in &self.parts.1 {
            writeln!(f, "  {name:<16}{value:>14}")?;
        }
        let alive = self.attachments.iter().filter(|attachment| attachment.is_alive).count();
        writeln!(f, "attached: {alive} alive, {} dead", self.attachments.len() - alive)?;
        if !self.attachments.is_empty() {
            writeln!(f, "  index  generation       pid  state  waits for room  waits for item")?;
        }
        for a in &self.attachments {
            writeln!(
                f,
                "  {:>5}  {:>10}  {:>8}  {:<5}  {:>14}  {:>14}",
                a.index,
                a.generation,
                a.process,
                if a.is_alive { "alive" } else { "dead" },
                a.waits_for_room,
                a.waits_for_item
            )?;
        }
        Ok(())
    }
}
