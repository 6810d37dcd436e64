//! What the test programs share: the queues under test behind one interface ([`subject`], listed in
//! [`list`]), the items they carry, and the tools around them. Each program uses its own part of
//! it.
#![allow(dead_code)]

#[cfg(not(loom))]
pub mod c_abi;
#[cfg(not(loom))]
mod c_queues;
pub mod core_queues;
pub mod descriptors;
#[cfg(loom)]
pub mod flag;
pub mod history;
pub mod items;
pub mod list;
#[cfg(loom)]
pub mod models;
pub mod random;
pub mod subject;
pub mod watchdog;
