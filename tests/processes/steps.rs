//! A process is killed, or suspended, after each instruction of each call. Its parent single-steps
//! it to that instruction.
//!
//! After a kill another process finds the item of a put whole or not at all, the items that the
//! call had not taken, all cells, and the exact capacity. While a process is suspended, others fill
//! and empty the queue, die, and recover cells. Afterwards the process ends its call as if nothing
//! had happened.

use crate::support::children::{Child, Path, Traced, fork, now, skipped};
use crate::support::random::{Random, first_seed, setting, with_seed};
use crate::support::shared_queue::{MemoryFile, Options, Shared, check_whole, word};
use crate::support::watchdog::watched;
use queues::ffi::mpmc::QUEUES_REDELIVER;
use queues::ffi::status::*;
use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;

/// Instructions of a case, at most, that the short form tries.
const INSTRUCTIONS: u64 = 200;

/// What lies in the queue when a call begins.
const BEFORE: [u64; 3] = [1, 2, 3];
/// What the child puts.
const NEW: u64 = 9;

/// Words in which the child notes its progress.
#[derive(Clone, Copy)]
enum Note {
    /// The put succeeded.
    Put,
    /// The item that a call has taken for good.
    Got,
    /// The child has begun to settle, or to get: from here on the item may be lost.
    MayLose,
    /// The items that it cleared.
    Cleared,
    /// The item that a dead process held.
    Lost,
}

type Notes = &'static [AtomicU64];

fn read(notes: Notes, note: Note) -> u64 {
    notes[note as usize].load(SeqCst)
}

/// The child.
struct Actor {
    file: libc::c_int,
    queue: Option<Shared>,
    notes: Notes,
}

impl Actor {
    fn queue(&self) -> &Shared {
        self.queue.as_ref().unwrap()
    }
    fn note(&self, note: Note, value: u64) {
        self.notes[note as usize].store(value, SeqCst);
    }
    fn put(&self) {
        if self.queue().put(&NEW.to_ne_bytes(), 0).is_ok() {
            self.note(Note::Put, 1);
        }
    }
    fn get(&self) {
        let mut buffer = [0; 64];
        self.note(Note::MayLose, 1);
        if self.queue().get(&mut buffer, 0).is_ok() {
            self.note(Note::Got, word(&buffer));
        }
    }
    fn lease(&self) -> Option<(*mut u8, u64)> {
        let (data, _) = self.queue().lease(0).ok()?;
        // SAFETY: a lease of at least eight bytes.
        Some((data, unsafe { data.cast::<u64>().read() }))
    }
    fn lease_and_settle(&self) {
        if let Some((data, item)) = self.lease() {
            self.note(Note::MayLose, 1);
            self.queue().settle(data).unwrap();
            self.note(Note::Got, item);
        }
    }
    fn lease_and_return(&self) {
        if let Some((data, item)) = self.lease() {
            // Of a full queue, or a closed one.
            if self.queue().put_back(data).is_err() {
                self.note(Note::MayLose, 1);
                self.queue().settle(data).unwrap();
                self.note(Note::Got, item);
            }
        }
    }
    fn reserve(&self, commits: bool) {
        let Ok(data) = self.queue().reserve(0) else { return };
        // SAFETY: a reservation of at least eight bytes.
        unsafe { data.cast::<u64>().write(NEW) };
        if commits && self.queue().commit(data, 8).is_ok() {
            self.note(Note::Put, 1);
        } else {
            self.queue().cancel(data).unwrap();
        }
    }
    fn clear(&self) {
        self.note(Note::MayLose, 1);
        let cleared = self.queue().clear().unwrap();
        self.note(Note::Cleared, cleared as u64);
    }
    /// Another process takes an item and a cell, and dies.
    fn die(&self) {
        fork(|| {
            let queue = Some(Shared::open(self.file, &Options::any()).unwrap());
            // It ends without a release.
            let dying = core::mem::ManuallyDrop::new(Actor { queue, ..*self });
            dying.hold();
        })
        .join();
    }
    fn hold(&self) {
        let queue = self.queue();
        if let Some((_, item)) = self.lease() {
            self.note(Note::Lost, item);
        }
        // There may be no free cell.
        let _ = queue.reserve(0);
    }
}

/// A call, and what it does to the queue.
struct Case {
    name: &'static str,
    capacity: usize,
    prepare: fn(&mut Actor),
    call: fn(&mut Actor),
    /// Items that a kill may take, without QUEUES_REDELIVER.
    takes: usize,
    /// It moves one cell: calls that are suspended beside a sweep.
    moves: bool,
    /// The child holds more than the spare cells.
    hoards: bool,
}

const CASE: Case = Case {
    name: "",
    capacity: 8,
    prepare: |_| (),
    call: |_| (),
    takes: 0,
    moves: false,
    hoards: false,
};

fn cases() -> Vec<Case> {
    vec![
        Case { name: "put", call: |actor| actor.put(), moves: true, ..CASE },
        Case { name: "put, full", capacity: 3, call: |actor| actor.put(), ..CASE },
        Case { name: "get", call: |actor| actor.get(), takes: 1, moves: true, ..CASE },
        Case {
            name: "lease, settle",
            call: |actor| actor.lease_and_settle(),
            takes: 1,
            moves: true,
            ..CASE
        },
        Case {
            name: "lease, return",
            call: |actor| actor.lease_and_return(),
            takes: 1,
            moves: true,
            ..CASE
        },
        Case { name: "reserve, commit", call: |actor| actor.reserve(true), moves: true, ..CASE },
        Case { name: "reserve, cancel", call: |actor| actor.reserve(false), ..CASE },
        Case { name: "clear", call: |actor| actor.clear(), takes: 1, ..CASE },
        Case { name: "close", call: |actor| _ = actor.queue().close(), ..CASE },
        Case {
            name: "release, with a lease and a reservation",
            prepare: |actor| actor.hold(),
            call: |actor| actor.queue = None,
            takes: 1,
            ..CASE
        },
        Case {
            name: "open, after a death",
            prepare: |actor| {
                actor.die();
                actor.queue = None;
            },
            call: |actor| actor.queue = Some(Shared::open(actor.file, &Options::any()).unwrap()),
            ..CASE
        },
        Case {
            name: "put without a free cell, after a death",
            prepare: |actor| {
                actor.die();
                // All but those in the queue, and two of the process that died.
                let cells = 12 - BEFORE.len() - 2 + 1;
                for _ in 0..cells {
                    actor.queue().reserve(0).unwrap();
                }
            },
            call: |actor| actor.put(),
            hoards: true,
            ..CASE
        },
    ]
}

struct World {
    file: MemoryFile,
    options: Options,
    queue: Shared,
    notes: Notes,
    /// Items that dead processes held.
    lost: u64,
}

impl World {
    fn new(case: &Case, flags: u64) -> Self {
        let options = Options {
            capacity: case.capacity,
            item_size: 64,
            spare: 12 - case.capacity,
            attachments: 6,
            flags,
        };
        let file = MemoryFile::new();
        let queue = Shared::open(file.0, &options).unwrap();
        for item in BEFORE {
            queue.put(&item.to_ne_bytes(), 0).unwrap();
        }
        let notes_file = MemoryFile::new();
        notes_file.set_len(4096);
        let notes = notes_file.map();
        Self { file, options, queue, notes, lost: 0 }
    }

    fn actor(&self) -> Actor {
        let queue = Some(Shared::open(self.file.0, &Options::any()).unwrap());
        Actor { file: self.file.0, queue, notes: self.notes }
    }

    /// Another process takes an item and a cell, and dies.
    fn die(&mut self) {
        self.count_lost();
        Actor { file: self.file.0, queue: None, notes: self.notes }.die();
        self.count_lost();
    }

    /// Counts what a dead process held.
    fn count_lost(&mut self) {
        let held = self.notes[Note::Lost as usize].swap(0, SeqCst);
        self.lost += u64::from(held != 0);
    }

    /// A child in the call, and at its first instruction.
    fn start(&self, case: &Case) -> Option<Traced> {
        let prepare = || {
            let mut actor = self.actor();
            (case.prepare)(&mut actor);
            actor
        };
        Traced::start(prepare, case.call)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        MemoryFile::unmap(self.notes);
    }
}

/// Steps a child of each case to each instruction, as far as the budget allows, and calls `at` with
/// the child there.
fn at_each_instruction(name: &str, at: impl Fn(&Case, World, Traced, u64)) {
    let seed = first_seed();
    for case in cases() {
        for flags in [0, QUEUES_REDELIVER] {
            let what = format!("{name}, {}, flags {flags}", case.name);
            if !watched(&what, || at_each_of(&case, flags, seed, &at)) {
                return skipped(&format!("{name}: ptrace is not allowed"));
            }
        }
    }
}

fn at_each_of(case: &Case, flags: u64, seed: u64, at: &impl Fn(&Case, World, Traced, u64)) -> bool {
    let world = World::new(case, flags);
    let Some(mut child) = world.start(case) else { return false };
    let path = child.explore();
    child.kill();
    let count = path.len() as u64;
    let stride = setting("QUEUES_STRIDE", count.div_ceil(INSTRUCTIONS));
    for n in (seed % stride..=count).step_by(stride as usize) {
        let world = World::new(case, flags);
        let mut child = world.start(case).unwrap();
        child.run(&path, n as usize);
        let what = format!("{}, flags {flags}, after {n} instructions of {count}", case.name);
        with_seed(what, seed, || at(case, world, child, n));
    }
    eprintln!("{}, flags {flags}: {count} instructions, every {stride}", case.name);
    true
}

/// Checks that the queue is whole after a kill, and what is in it.
fn check_after_kill(case: &Case, world: &mut World, n: u64) {
    world.count_lost();
    let World { options, queue, notes, .. } = &*world;
    let redelivers = options.redelivers();
    // Two of the ways in which a process notices a death.
    if redelivers || n % 2 == 0 {
        drop(Shared::open(world.file.0, options).unwrap());
    }
    let left = queue.drain();
    let found: BTreeSet<_> = left.iter().copied().collect();
    assert_eq!(found.len(), left.len(), "an item came twice: {left:?}");
    if !redelivers && case.name != "lease, return" {
        assert!(left.is_sorted(), "order: {left:?}");
    }
    assert!(read(notes, Note::Put) == 0 || found.contains(&NEW), "lost what was put: {left:?}");
    let missing = BEFORE.iter().filter(|item| !found.contains(item)).count();
    let cleared = read(notes, Note::Cleared) as usize;
    let (got, closed) = (read(notes, Note::Got), queue.is_closed());
    if case.name == "clear" {
        assert!(cleared == 0 || missing == cleared, "{missing} of {cleared}: {left:?}");
    } else if redelivers && read(notes, Note::MayLose) == 0 {
        assert_eq!(missing, 0, "{left:?}");
    } else {
        assert!(missing as u64 <= case.takes as u64 + world.lost, "{left:?}");
    }
    assert!(got == 0 || !found.contains(&got), "{got} was redelivered: {left:?}");
    if !closed {
        while_all_reserved(queue);
        check_whole(queue, options, 1);
    }
}

/// Reserves all cells that can be had, and gives them back.
fn while_all_reserved(queue: &Shared) {
    let cells: Vec<_> = std::iter::from_fn(|| queue.reserve(0).ok()).collect();
    for cell in cells {
        queue.cancel(cell).unwrap();
    }
}

#[test]
fn a_kill_at_any_instruction_leaves_the_queue_whole() {
    at_each_instruction("kills", |case, mut world, child, n| {
        child.kill();
        check_after_kill(case, &mut world, n);
    });
}

/// A child that waits for an item, and has fallen asleep.
fn sleeper(world: &World) -> Child {
    let child = fork(|| {
        let actor = world.actor();
        let mut buffer = [0; 64];
        actor.queue().get(&mut buffer, 60_000_000_000).unwrap();
        actor.note(Note::Got, word(&buffer));
    });
    let stat = format!("/proc/{}/stat", child.pid());
    // In its call, and not before it: there it does not sleep.
    while world.queue.stats().attached < 2
        || !std::fs::read_to_string(&stat).unwrap().contains(") S ")
    {
        std::thread::yield_now();
    }
    child
}

/// A put that is killed between its item and the wake-up leaves a sleeper to its slice.
#[test]
fn a_kill_of_a_waker_at_any_instruction_leaves_no_sleeper_behind() {
    let seed = first_seed();
    let case = Case { name: "put", call: |actor| actor.put(), ..CASE };
    let fresh = || {
        let world = World::new(&case, 0);
        world.queue.drain();
        let sleeper = sleeper(&world);
        (world, sleeper)
    };
    watched("wakers", || {
        let (world, asleep) = fresh();
        let Some(mut child) = world.start(&case) else {
            return skipped("wakers: ptrace is not allowed");
        };
        let path = child.explore();
        asleep.join();
        child.kill();
        let count = path.len() as u64;
        let stride = setting("QUEUES_STRIDE", count.div_ceil(60));
        for n in (seed % stride..=count).step_by(stride as usize) {
            with_seed(format!("a waker after {n} instructions of {count}"), seed, || {
                let (world, asleep) = fresh();
                let mut child = world.start(&case).unwrap();
                child.run(&path, n as usize);
                child.kill();
                // If it has put nothing, another process does.
                if world.queue.size() == 0 && read(world.notes, Note::Got) == 0 {
                    world.queue.put(&7_u64.to_ne_bytes(), 0).unwrap();
                }
                let start = now();
                asleep.join();
                let time = now() - start;
                assert!(time < 10_000_000_000, "the sleeper woke after {time} ns");
                drop(Shared::open(world.file.0, &world.options).unwrap());
                world.queue.drain();
                check_whole(&world.queue, &world.options, 1);
            });
        }
        eprintln!("wakers: {count} instructions, every {stride}");
    });
}

/// Fills and empties the queue in several laps, with deaths. Returns what it put and what it got.
fn live_on(world: &mut World, n: u64, is_exact: bool) -> (BTreeSet<u64>, Vec<u64>) {
    let (mut put, mut got) = (BTreeSet::new(), Vec::new());
    let mut next = 100;
    let mut buffer = [0; 64];
    for lap in 0..4 {
        // What a process held that died comes back beside the suspended one.
        if (lap + n) % 4 == 0 {
            world.die();
            drop(Shared::open(world.file.0, &Options::any()).unwrap());
        }
        let queue = &world.queue;
        loop {
            match queue.put(&u64::to_ne_bytes(next), 0) {
                Ok(()) => put.insert(next),
                Err(QUEUES_FULL) => break,
                Err(QUEUES_CLOSED) => break,
                Err(other) => panic!("put: {other:?}"),
            };
            next += 1;
        }
        // The capacity is exact while others hold no more than the spare cells.
        if !queue.is_closed() && is_exact {
            assert_eq!(queue.size(), world.options.capacity, "full");
            let timeout = queue.put(&[0; 8], 1000);
            assert_eq!(timeout, Err(QUEUES_TIMEOUT), "a wait for room");
        }
        let keep = lap as usize;
        while queue.size() > keep {
            queue.get(&mut buffer, 0).unwrap();
            got.push(word(&buffer));
        }
        let cells: Vec<_> = (0..2).map_while(|_| queue.reserve(0).ok()).collect();
        cells.into_iter().for_each(|cell| queue.cancel(cell).unwrap());
    }
    (put, got)
}

#[test]
fn a_suspension_at_any_instruction_holds_up_nobody_and_harms_nothing() {
    at_each_instruction("suspensions", |case, mut world, child, n| {
        let (put, got) = live_on(&mut world, n, !case.hoards);
        child.finish_call();
        check_after_suspension(&mut world, put, got);
    });
}

/// Checks what was put and got beside suspended processes, which have ended their calls.
fn check_after_suspension(world: &mut World, mut put: BTreeSet<u64>, mut got: Vec<u64>) {
    put.extend(BEFORE);
    if read(world.notes, Note::Put) != 0 {
        put.insert(NEW);
    }
    got.extend(Some(read(world.notes, Note::Got)).filter(|&item| item != 0));
    // What others held that died, and what the child did, if it ends without a release.
    drop(Shared::open(world.file.0, &world.options).unwrap());
    got.extend(world.queue.drain());
    let once: BTreeSet<_> = got.iter().copied().collect();
    assert_eq!(once.len(), got.len(), "an item came twice: {got:?}");
    assert!(once.is_subset(&put), "what nobody put: {:?}", once.difference(&put));
    world.count_lost();
    let missing: Vec<_> = put.difference(&once).collect();
    let lost = missing.len() as u64 - read(world.notes, Note::Cleared);
    if world.options.redelivers() {
        // A closed queue takes nothing back.
        let may_lose = if world.queue.is_closed() { world.lost } else { 0 };
        assert!(lost <= may_lose, "lost: {missing:?}");
    } else {
        assert_eq!(lost, world.lost, "lost: {missing:?}");
    }
    if !world.queue.is_closed() {
        while_all_reserved(&world.queue);
        check_whole(&world.queue, &world.options, 1);
    }
}

/// Steps a call to its end; returns its path, and the numbers of instructions after which the file
/// is another one.
fn find_changes(world: &World, call: &mut Traced) -> (Path, Vec<usize>) {
    let words = world.file.map();
    let read = || words.iter().map(|word| word.load(SeqCst)).collect::<Vec<_>>();
    let (mut before, mut changes) = (read(), vec![0]);
    let path = call.explore_with(|n| {
        let after = read();
        if after != before {
            changes.push(n);
            before = after;
        }
    });
    MemoryFile::unmap(words);
    (path, changes)
}

/// A call is suspended after something that others can see, and then a sweep, which sees the cell
/// of the call in motion. The call ends before the sweep goes on; or the sweep is killed, and
/// another one comes.
#[test]
fn a_sweep_that_is_suspended_beside_a_suspended_call_takes_nothing_from_it() {
    let seed = first_seed();
    let mut random = Random::new(seed);
    for case in cases().into_iter().filter(|case| case.moves) {
        let name = format!("two suspensions, {}", case.name);
        let run = || with_seed(&name, seed, || suspend_two(&case, &mut random, seed));
        if !watched(&name, run) {
            return skipped("two suspensions: ptrace is not allowed");
        }
    }
}

fn suspend_two(case: &Case, random: &mut Random, seed: u64) -> bool {
    let sweep = Case {
        prepare: |actor| {
            actor.die();
            actor.queue = None;
        },
        call: |actor| actor.queue = Some(Shared::open(actor.file, &Options::any()).unwrap()),
        ..CASE
    };
    let world = World::new(case, 0);
    let Some(mut call) = world.start(case) else { return false };
    let (path, changes) = find_changes(&world, &mut call);
    call.kill();

    // A sweep beside a call that has a cell.
    let world = World::new(case, 0);
    let mut call = world.start(case).unwrap();
    call.run(&path, changes[changes.len() / 2]);
    let mut sweeper = world.start(&sweep).unwrap();
    let (path_of_sweep, changes_of_sweep) = find_changes(&world, &mut sweeper);
    sweeper.kill();
    call.kill();

    for _ in 0..setting("QUEUES_PAIRS", 300) {
        let flags = if random.one_in(2) { QUEUES_REDELIVER } else { 0 };
        let mut world = World::new(case, flags);
        let n = changes[random.below(changes.len() as u64) as usize];
        // The sweep comes after the attachment, which is the first change.
        let m = random.within(changes_of_sweep[1] as u64..=path_of_sweep.len() as u64) as usize;
        let mut call = world.start(case).unwrap();
        call.run(&path, n);
        let mut sweeper = world.start(&sweep).unwrap();
        sweeper.run(&path_of_sweep, m);
        with_seed(format!("{}, flags {flags}, {n}; sweep {m}", case.name), seed, || {
            world.count_lost();
            let (mut put, mut got) = (BTreeSet::new(), Vec::new());
            if random.one_in(3) {
                (put, got) = live_on(&mut world, 1, true);
            }
            call.finish_call();
            if random.one_in(4) {
                sweeper.kill();
            } else {
                sweeper.finish_call();
            }
            check_after_suspension(&mut world, put, got);
        });
    }
    let states = changes.len();
    eprintln!("{}: {states} states, a sweep of {} instructions", case.name, path_of_sweep.len());
    true
}

/// What a dead consumer held is redelivered when there is room, even if a sweep found the queue
/// full.
#[test]
fn a_redelivered_item_waits_for_room() {
    let case = CASE;
    let mut world = World::new(&case, QUEUES_REDELIVER);
    world.die();
    while world.queue.put(&NEW.to_ne_bytes(), 0).is_ok() {}
    let mut buffer = [0; 64];
    for full in [true, false] {
        // Sweeps, which do not finish while the queue is full.
        drop(Shared::open(world.file.0, &world.options).unwrap());
        drop(Shared::open(world.file.0, &world.options).unwrap());
        let items = world.queue.drain();
        assert_eq!(items.contains(&BEFORE[0]), !full, "{items:?}");
        if full {
            assert_eq!(items.len(), 8);
        }
    }
    assert_eq!(world.queue.get(&mut buffer, 0), Err(QUEUES_EMPTY));
    check_whole(&world.queue, &world.options, 1);
}

/// A process that dies while it creates a queue leaves an empty file, or a whole queue, to the
/// next.
#[test]
fn a_kill_at_any_instruction_of_a_creation_leaves_the_file_to_the_next() {
    let seed = first_seed();
    let options = Options { capacity: 8, item_size: 64, spare: 4, attachments: 3, flags: 0 };
    let start = |file: &MemoryFile| {
        Traced::start(|| None, |queue| *queue = Some(Shared::open(file.0, &options).unwrap()))
    };
    watched("creations", || {
        let Some(mut child) = start(&MemoryFile::new()) else {
            return skipped("creations: ptrace is not allowed");
        };
        let path = child.explore();
        child.kill();
        let count = path.len() as u64;
        let stride = setting("QUEUES_STRIDE", count.div_ceil(INSTRUCTIONS));
        for n in (seed % stride..=count).step_by(stride as usize) {
            with_seed(format!("a creation after {n} instructions of {count}"), seed, || {
                let file = MemoryFile::new();
                let mut child = start(&file).unwrap();
                child.run(&path, n as usize);
                child.kill();
                let queue = Shared::open(file.0, &options).unwrap();
                while_all_reserved(&queue);
                // If the queue was whole, the next process finds the record of the dead creator.
                drop(Shared::open(file.0, &options).unwrap());
                check_whole(&queue, &options, 1);
            });
        }
        eprintln!("creations: {count} instructions, every {stride}");
    });
}

/// Short waits look for dead processes as long ones do.
#[test]
fn a_consumer_that_waits_for_short_times_gets_what_is_redelivered() {
    let mut world = World::new(&CASE, QUEUES_REDELIVER);
    world.die();
    world.queue.drain();
    let mut buffer = [0; 64];
    let end = now() + 30_000_000_000;
    while world.queue.get(&mut buffer, 20_000_000) == Err(QUEUES_TIMEOUT) {
        assert!(now() < end, "the item was not redelivered");
    }
    assert_eq!(word(&buffer), BEFORE[0]);
    check_whole(&world.queue, &world.options, 1);
}
