use crate::error::Result;
use core::iter::FusedIterator;

/// The source of a [`TryIter`].
pub trait Source {
    /// The type of an item.
    type Item;
    /// Takes the next item without waiting.
    fn try_take_next(&mut self) -> Result<Self::Item>;
}

/// The source of an [`Iter`].
pub trait WaitingSource: Source {
    /// Takes the next item; fails only if the queue is closed and drained.
    fn take_next(&mut self) -> Result<Self::Item>;
}

/// An iterator that waits for each item, and ends when the queue is closed and drained.
///
/// Made by `iter`, and by `for item in` of a shared queue, a [`Consumer`](super::Consumer) or a
/// mutable reference to one. `Q` is an end of the queue or a reference to it.
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

/// An iterator that does not wait, and ends when the queue is empty.
///
/// If more items come later, `next` returns them. Made by `try_iter`, and by `for item in` of a queue
/// by value, to which no thread can put any more. `Q` is an end of the queue or a reference to it.
#[derive(Debug)]
#[must_use = "iterators are lazy: nothing is taken before `next`"]
pub struct TryIter<Q>(pub(super) Q);

impl<Q: Source> Iterator for TryIter<Q> {
    type Item = Q::Item;

    fn next(&mut self) -> Option<Q::Item> {
        self.0.try_take_next().ok()
    }
}
