//! Every deque with every payload behind one interface: a deque of numbers, with the items of
//! [`super::subject`].

use super::c_abi::{self, Many, Settings};
use super::subject::*;
use core::marker::PhantomData;
use queues::ffi::deque::QUEUES_DEQUE_GROWABLE;
use queues::payload::{Atomic, Bytes, Payload, Pointer};
use queues::queue::deque::Deque;
use queues::{Result, Stats, Stealer, Worker, growable_deque};
use std::sync::Arc;

/// How a deque is made.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub capacity: usize,
    pub growable: bool,
    /// The first position, where it can be chosen.
    pub origin: u64,
}

/// A deque of numbers: what its owner has, and what its thieves have.
pub trait Ends: 'static {
    type Owner: Send;
    type Thief: Clone + Send + Sync;
    fn name() -> String;
    fn create(shape: Shape, dropped: &Arc<Dropped>) -> Result<(Self::Owner, Self::Thief)>;
    fn push(owner: &mut Self::Owner, number: u64) -> Result;
    fn pop(owner: &mut Self::Owner) -> Result<u64>;
    fn steal(thief: &Self::Thief) -> Result<u64>;
    /// Where there is such a call; else one by one.
    fn steal_many(thief: &Self::Thief, max: usize) -> Many<Vec<u64>> {
        let mut got = Vec::new();
        while got.len() < max {
            match Self::steal(thief) {
                Ok(number) => got.push(number),
                Err(why) if got.is_empty() => return (got, Err(why)),
                Err(_) => break,
            }
        }
        (got, Ok(()))
    }
    /// Whether `steal_many` is one call.
    const MANY: bool;
    fn len(thief: &Self::Thief) -> usize;
    fn stats(thief: &Self::Thief) -> Stats;
}

/// Rust values.
pub struct Values;

impl Ends for Values {
    type Owner = (Worker<Tracked>, Arc<Dropped>);
    type Thief = Stealer<Tracked>;
    const MANY: bool = false;
    fn name() -> String {
        "deque of values".into()
    }
    fn create(shape: Shape, dropped: &Arc<Dropped>) -> Result<(Self::Owner, Self::Thief)> {
        let make = if shape.growable { growable_deque } else { queues::deque };
        let (worker, stealer) = make(shape.capacity)?;
        Ok(((worker, dropped.clone()), stealer))
    }
    fn push((worker, dropped): &mut Self::Owner, number: u64) -> Result {
        worker.push(Value::wrap(number, dropped)).map_err(|refused| {
            Value::unwrap(refused.item);
            refused.error
        })
    }
    fn pop((worker, _): &mut Self::Owner) -> Result<u64> {
        worker.pop().map(Tracked::dissolve)
    }
    fn steal(thief: &Self::Thief) -> Result<u64> {
        thief.steal().map(Tracked::dissolve)
    }
    fn len(thief: &Self::Thief) -> usize {
        thief.len()
    }
    fn stats(thief: &Self::Thief) -> Stats {
        thief.stats()
    }
}

/// The form of the items of a core, and the payload that carries it.
pub trait Carried: 'static {
    type Form: Form;
    type Payload: Atomic
        + Payload<Item = <Self::Form as Form>::Item, Out = <Self::Form as Form>::Out>;
    fn payload(dropped: &Arc<Dropped>) -> Result<Self::Payload>;
}

impl Carried for Boxed {
    type Form = Boxed;
    type Payload = Pointer;
    fn payload(dropped: &Arc<Dropped>) -> Result<Pointer> {
        Ok(Pointer::new(disposer(note_boxed, dropped)))
    }
}

impl Carried for Blob {
    type Form = Blob;
    type Payload = Bytes;
    fn payload(dropped: &Arc<Dropped>) -> Result<Bytes> {
        Bytes::try_new(LARGEST_BLOB, disposer(note_blob, dropped))
    }
}

/// The algorithm itself.
pub struct Core<C>(PhantomData<C>);

/// A deque and the record of what it disposes of.
type Recorded<P> = Arc<(Deque<P>, Arc<Dropped>)>;

// SAFETY of every call below: what was pushed is forgotten, and the tests have one owner.
#[allow(clippy::undocumented_unsafe_blocks)]
impl<C: Carried> Ends for Core<C> {
    type Owner = Recorded<C::Payload>;
    type Thief = Recorded<C::Payload>;
    const MANY: bool = false;
    fn name() -> String {
        format!("core deque of {}", C::Form::NAME)
    }
    fn create(shape: Shape, dropped: &Arc<Dropped>) -> Result<(Self::Owner, Self::Thief)> {
        let Shape { capacity, growable, origin } = shape;
        let deque = Deque::try_new_at(capacity, growable, C::payload(dropped)?, origin)?;
        let deque = Arc::new((deque, dropped.clone()));
        Ok((deque.clone(), deque))
    }
    fn push(owner: &mut Self::Owner, number: u64) -> Result {
        let item = C::Form::wrap(number, &owner.1);
        let done = unsafe { owner.0.push(C::Form::item(&item)) };
        end::<C::Form>(item, done.is_ok());
        done
    }
    fn pop(owner: &mut Self::Owner) -> Result<u64> {
        take::<C::Form>(|out| unsafe { owner.0.pop(out) })
    }
    fn steal(thief: &Self::Thief) -> Result<u64> {
        take::<C::Form>(|out| unsafe { thief.0.steal(out) })
    }
    fn len(thief: &Self::Thief) -> usize {
        thief.0.len()
    }
    fn stats(thief: &Self::Thief) -> Stats {
        thief.0.stats()
    }
}

/// The C functions on pointers.
pub struct OfPointers;

/// The C functions on bytes.
pub struct OfBytes;

/// A handle and the record of what its deque disposes of.
type Handle = (c_abi::Deque, Arc<Dropped>);

fn create(
    shape: Shape,
    item_size: usize,
    drop: Drop_,
    dropped: &Arc<Dropped>,
) -> Result<(Handle, Handle)> {
    let flags = if shape.growable { QUEUES_DEQUE_GROWABLE } else { 0 };
    let settings = Settings { flags, ..Settings::new(shape.capacity, item_size) };
    let settings = settings.with_drop(Some(drop), Arc::as_ptr(dropped).cast_mut().cast());
    let handle = (c_abi::Deque::create(settings)?, dropped.clone());
    Ok((handle.clone(), handle))
}

impl Ends for OfPointers {
    type Owner = Handle;
    type Thief = Handle;
    const MANY: bool = true;
    fn name() -> String {
        "C deque of pointers".into()
    }
    fn create(shape: Shape, dropped: &Arc<Dropped>) -> Result<(Handle, Handle)> {
        create(shape, 0, note_boxed, dropped)
    }
    fn push(owner: &mut Handle, number: u64) -> Result {
        put_box(number, |item| owner.0.push(item))
    }
    fn pop(owner: &mut Handle) -> Result<u64> {
        owner.0.pop().map(unboxed)
    }
    fn steal(thief: &Handle) -> Result<u64> {
        thief.0.steal().map(unboxed)
    }
    fn steal_many(thief: &Handle, max: usize) -> Many<Vec<u64>> {
        let (items, why) = thief.0.steal_many(max);
        (items.into_iter().map(unboxed).collect(), why)
    }
    fn len(thief: &Handle) -> usize {
        thief.0.len()
    }
    fn stats(thief: &Handle) -> Stats {
        thief.0.stats()
    }
}

impl Ends for OfBytes {
    type Owner = Handle;
    type Thief = Handle;
    const MANY: bool = false;
    fn name() -> String {
        "C deque of bytes".into()
    }
    fn create(shape: Shape, dropped: &Arc<Dropped>) -> Result<(Handle, Handle)> {
        create(shape, LARGEST_BLOB, note_blob, dropped)
    }
    fn push(owner: &mut Handle, number: u64) -> Result {
        owner.0.push_bytes(&blob(number))
    }
    fn pop(owner: &mut Handle) -> Result<u64> {
        owner.0.pop_bytes(LARGEST_BLOB).map(|bytes| number_of_blob(&bytes))
    }
    fn steal(thief: &Handle) -> Result<u64> {
        thief.0.steal_bytes(LARGEST_BLOB).map(|bytes| number_of_blob(&bytes))
    }
    fn len(thief: &Handle) -> usize {
        thief.0.len()
    }
    fn stats(thief: &Handle) -> Stats {
        thief.0.stats()
    }
}
