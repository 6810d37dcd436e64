//! Eight queens by fork and join. A worker splits a board into the boards with one more queen and
//! pushes them onto its own deque; when its deque is empty it steals a board from another worker.

use queues::{Stealer, Worker, growable_deque};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

/// The squares that the queens on a board attack in the next row, a bit for each: by column and by
/// both diagonals.
#[derive(Default)]
struct Board {
    columns: u32,
    left: u32,
    right: u32,
}

const WORKERS: usize = 4;
const ROW: u32 = 0xFF;

/// How many boards are not split yet, and how many had eight queens.
static BOARDS: AtomicUsize = AtomicUsize::new(0);
static SOLUTIONS: AtomicUsize = AtomicUsize::new(0);

fn push(own: &mut Worker<Board>, board: Board) {
    BOARDS.fetch_add(1, SeqCst);
    // The deque grows when it is full, so a push fails only without memory.
    assert!(own.push(board).is_ok(), "no memory");
}

fn split(own: &mut Worker<Board>, Board { columns, left, right }: Board) {
    if columns == ROW {
        SOLUTIONS.fetch_add(1, SeqCst);
    }
    let mut free = !(columns | left | right) & ROW;
    while free != 0 {
        let queen = free & free.wrapping_neg();
        free &= !queen;
        let (left, right) = ((left | queen) << 1, (right | queen) >> 1);
        push(own, Board { columns: columns | queen, left, right });
    }
    BOARDS.fetch_sub(1, SeqCst); // after its successors were added, so that 0 means the end
}

fn main() -> Result<(), queues::Error> {
    let deques: Result<Vec<_>, _> = (0..WORKERS).map(|_| growable_deque(64)).collect();
    let (mut workers, stealers): (Vec<Worker<Board>>, Vec<Stealer<Board>>) =
        deques?.into_iter().unzip();
    push(&mut workers[0], Board::default());
    thread::scope(|scope| {
        for (me, mut own) in workers.into_iter().enumerate() {
            let stealers = &stealers;
            scope.spawn(move || {
                while BOARDS.load(SeqCst) > 0 {
                    // Empty, or Retry if another thief was faster: try the next worker.
                    let others = (1..WORKERS).map(|i| &stealers[(me + i) % WORKERS]);
                    let steal = || others.filter_map(|other| other.steal().ok()).next();
                    match own.pop().ok().or_else(steal) {
                        Some(board) => split(&mut own, board),
                        None => thread::yield_now(),
                    }
                }
            });
        }
    });
    println!("{} solutions", SOLUTIONS.load(SeqCst));
    Ok(())
}
