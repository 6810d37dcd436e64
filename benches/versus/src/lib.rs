//! The driver: runs programs that have queues in them, one process for each trial, and tells what came out.
//!
//! In reading order: what is compared ([`case`]), by whom ([`contestant`]), how far apart the processors are
//! just now ([`probe`]), the run itself ([`run`]), what it writes down ([`record`]), what that means
//! ([`summary`]), and how it is shown ([`table`], [`page`] with its [`plot`]s).

pub mod case;
pub mod contestant;
pub mod html;
pub mod machine;
pub mod page;
pub mod plot;
pub mod probe;
pub mod record;
pub mod run;
pub mod summary;
pub mod table;

/// As the tool that draws the demo has it.
#[path = "../../../examples/report/src/output.rs"]
pub mod output;
