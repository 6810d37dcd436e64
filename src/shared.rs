//! Memory that processes share, for queues whose processes may die at any instruction.
//!
//! - `file`: the file itself, mapped and locked.
//! - `layout`: where each part of the file is. Parts contain offsets and numbers, but no pointers.
//! - `attachment`: the entry of a handle in the file. A lock shows whether its process is alive.
//! - `bystander`: what a process reads that is not attached.
//! - `event`: how threads of several processes sleep and wake each other.
//!
//! # Trust
//! A peer, another process that uses the file, may write any words. So sizes are copied when the
//! file is opened, every number from the file is checked or masked before it is used as an index or
//! a length, and every loop over the file ends.

mod attachment;
mod bystander;
mod event;
mod file;
mod layout;

pub use attachment::Attachment;
pub(crate) use attachment::{CommonParts, OwnerId, Seat};
pub(crate) use bystander::{Bystander, Contents};
pub(crate) use event::{GET, PUT};
pub use file::Mapped;
pub(crate) use file::{Mapping, SharedFile};
pub(crate) use layout::{Described, Flaw, Kind, Layout, Opened, Part, Request, Sizes, describe};
