//! Memory that processes share, for queues between processes which may die at any instruction.
//!
//! - `file`: the file itself, mapped and locked.
//! - `layout`: what lies where in it. Everything is position-free: offsets and numbers, no pointers.
//! - `attachment`: a handle's place in the file. The kernel tells whether its process is alive.
//! - `event`: how threads of several processes sleep and wake each other.
//!
//! # Trust
//! Other processes may write any words. So sizes are copied when the file is opened, every number
//! that is read from it is checked or masked before it is used as an index or a length, and every
//! loop over it ends.

mod attachment;
mod event;
mod file;
mod layout;

pub use attachment::Attachment;
pub(crate) use attachment::{Attached, Bystander, CommonParts, OwnerId, Seat};
pub(crate) use event::{GET, PUT};
pub use file::Mapped;
pub(crate) use file::{Mapping, SharedFile};
pub(crate) use layout::{Described, Flaw, Kind, Layout, Opened, Part, Request, Sizes, describe};
