use super::Spsc;
use crate::error::{Error, Result};
use crate::payload::{Bytes, Typed};
use crate::queue::Put;
use crate::sync::{Relaxed, site};

/// Reading and writing in place.
impl Spsc<Bytes> {
    /// Room for a blob of the largest size, until [`Spsc::commit`] or the producer's next put.
    ///
    /// # Safety
    /// Only the producer may call.
    pub unsafe fn reserve(&self) -> Result<*mut u8> {
        let (tail, _) = self.room(1, true)?;
        self.producer.reserved.store(tail, site("spsc.reserve.store", Relaxed));
        let slot = self.slot(&self.producer.side, tail);
        // SAFETY: the slot is ours until it is published.
        Ok(self.own(slot, |bytes, at| unsafe { bytes.data(at) }))
    }

    /// Puts the first `len` bytes of what was reserved; [`Error::Misuse`] if nothing is.
    ///
    /// # Safety
    /// Only the producer may call.
    pub unsafe fn commit(&self, len: usize) -> Result {
        if len > self.payload().limit() {
            return Err(Error::Invalid);
        }
        let tail = self.tail.load(site("spsc.commit.tail", Relaxed));
        let reserved = self.producer.reserved.load(site("spsc.commit.reserved", Relaxed));
        if reserved != tail {
            return Err(Error::Misuse);
        }
        self.producer.reserved.store(tail.wrapping_sub(1), site("spsc.commit.store", Relaxed));
        let (tail, _) = self.room(1, false)?;
        let slot = self.slot(&self.producer.side, tail);
        // SAFETY: the slot is ours.
        self.own(slot, |bytes, at| unsafe { bytes.set_len(at, len) });
        if self.publish(tail.wrapping_add(1)) { Ok(()) } else { self.finish_put() }
    }

    /// The front blob where it lies, until [`Spsc::consume`] or the consumer's next get.
    ///
    /// # Safety
    /// Only the consumer may call.
    pub unsafe fn front(&self) -> Result<(*const u8, usize)> {
        let (position, _) = self.items(1)?;
        let slot = self.slot(&self.consumer.side, position);
        // SAFETY: the slot is ours until it is released.
        Ok(self.own(slot, |bytes, at| unsafe { (bytes.data(at).cast_const(), bytes.len(at)) }))
    }

    /// Takes the front blob without copying it.
    ///
    /// # Safety
    /// Only the consumer may call.
    pub unsafe fn consume(&self) -> Result {
        let (position, _) = self.items(1)?;
        self.release(position.wrapping_add(1));
        Ok(())
    }
}

impl<T: Send> Spsc<Typed<T>> {
    /// The front value where it lies, until the consumer's next call.
    ///
    /// # Safety
    /// Only the consumer may call. The value stays the queue's.
    pub unsafe fn front(&self) -> Result<*const T> {
        let (position, _) = self.items(1)?;
        let slot = self.slot(&self.consumer.side, position);
        Ok(self.own(slot, |_, at| at.cast::<T>().cast_const()))
    }
}
