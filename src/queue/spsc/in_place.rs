//! Items written and read in their slots: reserve and commit, front and consume.
//!
//! A reservation is a position that is still the tail: any other put moves the tail on, and so ends
//! it. The front item needs no such note, because the consumer alone moves the head.

use super::{RoleOwnership, Spsc};
use crate::error::{Error, Result};
use crate::payload::{Dense, Typed};
use crate::queue::OfBlobs;
use crate::queue::Put;
use crate::sync::{Relaxed, prefetch_for_read, prefetch_for_write, site};

impl<K: RoleOwnership> OfBlobs for Spsc<Dense, K> {
    fn item_size(&self) -> usize {
        self.payload().limit()
    }
}

impl<K: RoleOwnership> Spsc<Dense, K> {
    /// Room for a blob of the largest size, until [`Spsc::commit`] or the producer's next put.
    ///
    /// # Safety
    /// Only the producer may call.
    #[inline(always)]
    pub unsafe fn reserve(&self) -> Result<*mut u8> {
        self.check_producer()?;
        self.check_open()?;
        let tail = self.state.put.tail.load(site("spsc.put.tail", Relaxed));
        if self.producer.cursor.limit() == tail {
            self.refresh_room(tail, 1, 0)?;
        }
        self.producer.reserved.store(tail, site("spsc.reserve.store", Relaxed));
        let slot = self.producer.cursor.slot(&self.slots, tail);
        // SAFETY: the ring has the slot.
        unsafe { self.producer.cursor.prefetch(&self.slots, (tail, slot), prefetch_for_write) };
        // The producer owns the slot until it is published.
        Ok(self.slots.own(slot, |_, cell| cell))
    }

    /// Puts the first `len` bytes of the reservation; fails with [`Error::Misuse`] if there is none.
    ///
    /// # Safety
    /// Only the producer may call.
    #[inline(always)]
    pub unsafe fn commit(&self, len: usize) -> Result {
        if len > self.payload().limit() {
            return Err(Error::Invalid);
        }
        let tail = self.state.put.tail.load(site("spsc.commit.tail", Relaxed));
        let reserved = self.producer.reserved.load(site("spsc.commit.reserved", Relaxed));
        if reserved != tail {
            return Err(Error::Misuse);
        }
        self.producer.reserved.store(tail.wrapping_sub(1), site("spsc.commit.store", Relaxed));
        let (tail, _) = self.room(1)?;
        let slot = self.producer.cursor.slot(&self.slots, tail);
        self.set_len((tail, slot), len);
        if self.publish(tail.wrapping_add(1)) { Ok(()) } else { self.finish_put() }
    }

    /// The front blob in its slot, until [`Spsc::consume`] or the consumer's next get.
    ///
    /// # Safety
    /// Only the consumer may call.
    #[inline(always)]
    pub unsafe fn front(&self) -> Result<(*const u8, usize)> {
        let (position, _) = self.items(1)?;
        let slot = self.consumer.cursor.slot(&self.slots, position);
        // SAFETY: the ring has the slot.
        unsafe { self.consumer.cursor.prefetch(&self.slots, (position, slot), prefetch_for_read) };
        let len = self.len_at((position, slot))?;
        // The consumer owns the slot until it is released.
        Ok((self.slots.own(slot, |_, cell| cell.cast_const()), len))
    }

    /// Removes the front blob without copying it.
    ///
    /// # Safety
    /// Only the consumer may call.
    #[inline(always)]
    pub unsafe fn consume(&self) -> Result {
        let (position, _) = self.items(1)?;
        self.release(position.wrapping_add(1));
        Ok(())
    }
}

impl<T: Send> Spsc<Typed<T>> {
    /// The front value in its slot, until the consumer's next call.
    ///
    /// # Safety
    /// Only the consumer may call. The queue stays the value's owner.
    pub unsafe fn front(&self) -> Result<*const T> {
        let (position, _) = self.items(1)?;
        let slot = self.consumer.cursor.slot(&self.slots, position);
        Ok(self.slots.own(slot, |_, cell| cell.cast::<T>().cast_const()))
    }
}
