use crate::error::Result;
use core::iter::FusedIterator;

/// What a [`TryIter`] takes items from.
pub trait Source {
    /// What it yields.
    type Item;
    /// Takes the next item without waiting.
    fn try_take_next(&mut self) -> Result<Self::Item>;
}

/// What an [`Iter`] takes items from.
pub trait WaitingSource: Source {
    /// Takes the next item; fails only if the queue is closed and drained.
    fn take_next(&mut self) -> Result<Self::Item>;
}

/// Items as they come: waits for each, and ends when the queue is closed and drained.
///
/// Made by `iter`, and by `for item in` of a shared queue, a [`Consumer`](super::Consumer) or a
/// mutable reference to one. `Q` is the queue's end or a reference to it.
#[derive(Debug)]
#[must_use = "iterators are lazy: nothing is taken before `next`"]
pub struct Iter<Q>(pub(super) Q);

impl<Q: WaitingSource> Iterator for Iter<Q> {
    type Item = Q::Item;

    fn next(&mut self) -> Option<Q::Item> {
        self.0.take_next().ok()
    }
}

impl<Q: WaitingSource> FusedIterator for Iter<Q> {}

/// Items that are there: does not wait, and ends when there is nothing to get.
///
/// More may come later; then `next` returns them. Made by `try_iter`, and by `for item in` of a
/// queue that is given up, to which nobody can put any more. `Q` is the queue's end or a reference
/// to it.
#[derive(Debug)]
#[must_use = "iterators are lazy: nothing is taken before `next`"]
pub struct TryIter<Q>(pub(super) Q);

impl<Q: Source> Iterator for TryIter<Q> {
    type Item = Q::Item;

    fn next(&mut self) -> Option<Q::Item> {
        self.0.try_take_next().ok()
    }
}
