//! The driver of the comparison: it runs programs that contain queues, one process per trial, and
//! reports medians and ratios. It contains no queue itself, so that a queue in any language can
//! take part.
//!
//! # Words
//!
//! - A *program* (`versus-rust`, `versus-c++`, ...) contains the queues of one language. It lists
//!   them, and runs one trial when it is called.
//! - A *contestant* is a queue in a program; *ours* are this library's, and a *peer* is any other.
//! - A *case* is what is measured: family, shape, mode, capacity and payload, as a path
//!   (`spsc/1P1C/single/1024/ptr`).
//! - A *trial* is one process that measures one contestant in one case; its *measurement* is what
//!   it prints.
//! - In a *round* every contestant has one trial in every case that it supports. Round 0 only finds
//!   the number of items of a trial.
//! - A *run* is some rounds of a *set* of cases, and its *records* are what it writes to the
//!   results file.
//! - A *comparison* is a case with the results of all contestants: their medians, and ratios to the
//!   best peer.
//! - The *store* is the runs that are kept in the source tree; a run is shown *beside* each of them,
//!   whatever its processor.
//! - The *placement* of a trial is *near* or *far*: whether the round trip of a cache line between its
//!   first two processors took less than 150 ns.
//!
//! # Reading order
//!
//! Cases ([`case`]), contestants and one trial of one of them ([`contestant`]), the placement
//! ([`probe`]), the run ([`run`]), its records ([`record`], [`machine`]), what they mean
//! ([`summary`]), the stored runs ([`store`]) beside it ([`beside`]), and the two ways to show that: a table for the terminal ([`table`]), and a page
//! ([`page`]) with plots ([`plot`]).

pub mod beside;
pub mod case;
pub mod contestant;
pub mod html;
pub mod machine;
pub mod page;
pub mod picture;
pub mod plot;
pub mod probe;
pub mod record;
pub mod run;
pub mod store;
pub mod summary;
pub mod table;

/// Shared with the tool that draws runs of the demo.
#[path = "../../../examples/report/src/output.rs"]
pub mod output;
