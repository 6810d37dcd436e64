//! What several test programs share; each uses its own part of it.
#![allow(dead_code)]

pub mod history;
pub mod random;
pub mod subject;
