//! Work-stealing deques: an owner pushes and pops at one end, alone or with thieves that steal one
//! word at a time from the other end.

use crate::workloads::{End, TrialResult, check, sum_up_to, timed};
use crate::{Case, Contestant, Describe};
use serde_json::json;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};

pub trait StealingDeque: Sync {
    /// The state of a thief.
    type Thief;
    fn new(capacity: usize) -> Self;
    fn push(&self, word: usize) -> bool;
    fn pop(&self) -> Option<usize>;
    fn thief(&self) -> Self::Thief;
    /// `None` if the deque is empty or another thread won the race for the word.
    fn steal(&self, thief: &mut Self::Thief) -> Option<usize>;
}

pub fn run<Q: StealingDeque>(case: &Case, items: usize) -> TrialResult {
    let deque = &Q::new(case.capacity);
    let (time, taken) = match &*case.shape {
        "owner" => {
            alone(deque, items / 10);
            alone(deque, items)
        }
        shape => {
            with_thieves(deque, Case::number(shape), items / 10);
            with_thieves(deque, Case::number(shape), items)
        }
    };
    check("sum of the items", taken, sum_up_to(items))?;
    Ok(json!({ "items": items, "seconds": time.as_secs_f64() }))
}

type Taken = (std::time::Duration, usize);

fn alone(deque: &impl StealingDeque, items: usize) -> Taken {
    let taken = AtomicUsize::new(0);
    let time = timed(1, |_| {
        let mut sum = 0usize;
        for word in 1..=items {
            deque.push(word);
            sum = sum.wrapping_add(deque.pop().unwrap_or(0));
        }
        taken.store(sum, Relaxed);
    });
    (time, taken.into_inner())
}

fn with_thieves(deque: &impl StealingDeque, thieves: usize, items: usize) -> Taken {
    let taken = AtomicUsize::new(0);
    let finished = AtomicBool::new(false);
    let time = timed(1 + thieves, |thread| {
        let mut sum = 0usize;
        if thread == 0 {
            let mut pop = || deque.pop().map(|word| sum = sum.wrapping_add(word));
            for word in 1..=items {
                while !deque.push(word) {
                    pop();
                }
                if word % 2 == 0 {
                    pop();
                }
            }
            while pop().is_some() {}
            finished.store(true, Release);
        } else {
            let mut thief = deque.thief();
            loop {
                // Loaded before the steal: if the owner had finished by then, an empty deque stays
                // empty.
                let last = finished.load(Acquire);
                match deque.steal(&mut thief) {
                    Some(word) => sum = sum.wrapping_add(word),
                    None if last => break,
                    None => std::hint::spin_loop(),
                }
            }
        }
        taken.fetch_add(sum, Relaxed);
    });
    (time, taken.into_inner())
}

struct Crossbeam(End<crossbeam_deque::Worker<usize>>, crossbeam_deque::Stealer<usize>);
impl StealingDeque for Crossbeam {
    type Thief = ();
    fn new(_: usize) -> Self {
        let worker = crossbeam_deque::Worker::new_lifo();
        let stealer = worker.stealer();
        Self(End::new(worker), stealer)
    }
    fn push(&self, word: usize) -> bool {
        // SAFETY: only the owner calls this.
        unsafe { self.0.get() }.push(word);
        true
    }
    fn pop(&self) -> Option<usize> {
        // SAFETY: only the owner calls this.
        unsafe { self.0.get() }.pop()
    }
    fn thief(&self) {}
    fn steal(&self, _: &mut ()) -> Option<usize> {
        self.1.steal().success()
    }
}

struct St3(End<st3::lifo::Worker<usize>>, st3::lifo::Stealer<usize>);
impl StealingDeque for St3 {
    /// The deque of the thief, into which st3 steals.
    type Thief = st3::lifo::Worker<usize>;
    fn new(capacity: usize) -> Self {
        let worker = st3::lifo::Worker::new(capacity);
        let stealer = worker.stealer();
        Self(End::new(worker), stealer)
    }
    fn push(&self, word: usize) -> bool {
        // SAFETY: only the owner calls this.
        unsafe { self.0.get() }.push(word).is_ok()
    }
    fn pop(&self) -> Option<usize> {
        // SAFETY: only the owner calls this.
        unsafe { self.0.get() }.pop()
    }
    fn thief(&self) -> Self::Thief {
        st3::lifo::Worker::new(16)
    }
    fn steal(&self, thief: &mut Self::Thief) -> Option<usize> {
        self.1.steal_and_pop(thief, |_| 1).ok().map(|(word, _)| word)
    }
}

pub fn contestants() -> Vec<Contestant> {
    vec![
        Contestant::new("crossbeam-deque, LIFO")
            .version_of("crossbeam-deque")
            .runs("deque", run::<Crossbeam>),
        Contestant::new("st3, LIFO").version_of("st3").runs("deque", run::<St3>),
    ]
}
