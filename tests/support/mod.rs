//! What the test programs share: the queues under test behind one interface ([`subject`], listed in
//! [`list`]), the items they carry, and the tools around them. Each program uses its own part of
//! it.
#![allow(dead_code)]

#[cfg(not(loom))]
pub mod c_abi;
#[cfg(not(loom))]
mod c_queues;
#[cfg(all(target_os = "linux", not(loom)))]
pub mod children;
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
#[cfg(all(target_os = "linux", not(any(loom, queues_portable))))]
pub mod shared_queue;
pub mod subject;
pub mod watchdog;
