/* Recovery of the cells of processes that are killed at any step, in a queue between processes.

   A cell's mark names the place in a ring where the cell is, was last, or is about to be. A thread
   announces the cell that it is about to pop, until it has pushed it. A cell that is neither in its
   place nor announced by a living thread belongs to nobody: any process may take it, by a
   compare-and-swap of the mark, and push it.

   The rules
   - Pop of cell c: read the slot; announce c; swap the slot. If the swap fails, announce the next.
   - Push of c: read the slot of position p; store the mark (my tag, ring, p); swap the slot. If the
     swap fails, do the same with a later position. After the last ring operation of the call,
     announce nothing. A call announces one cell at a time.
   - Reserve and lease: after the pop, store the mark (held by my tag, ring of the pop), and then
     announce nothing. The call that ends it announces the cell before it stores another mark.
   - Recovery of cell c: 1. read the mark. Held by a living process: next cell. Held by a dead one:
     go to 5. 2. Read the slot that the mark names. It holds c at this position: next cell. 3. Read
     all announcements. One is c, and its process, looked at after the announcement, lives: come
     back later. 4. Read the slot again. It has changed: come back later. 5. Announce c. Find the
     tail of the ring to push to. Swap the mark from what step 1 read to (my tag, ring, tail). If
     that fails, come back later. 6. Push, beginning with the swap of the slot. Announce nothing.
   - The ring to push to is `free`. With redelivery it is `filled` if the mark names `filled`: then
     the cell has a whole item. If `filled` is full, the cell keeps its mark until a later sweep; if
     it is closed, the cell goes to `free`, and its item is lost.
   - A tag is the number of an attachment that no other attachment has had: its place, and how often
     that was taken. The place of a dead attachment is free when a sweep had nothing to come back
     to. Its next owner takes the lock, then a new tag, then clears the announcements.
   - A process that recovers is a process like others. There is no order among such processes, and
     each of them may die at any step.

   What is modeled
   - W0 lives. W1 dies at any step, or when it is idle. R2 recovers. Options:
       TWO         W3, a second thread that lives, in the process of W0
       RECOVERERS  R3 recovers, too: at the same time as R2, and after it
       DIES        R2 dies at any step
       REUSE       New takes the place of W1 after a sweep that had nothing to come back to
       CLOSE       C closes `filled` at any moment
       LEASES      calls may leave their cell reserved or leased, and later calls commit, settle or
                   return it
       ITEMS       what the cells hold, and what became of it
       REDELIVER   recovery pushes whole items to `filled`
       TSO         plain stores of marks and announcements wait in a store buffer of two
       FAIR        under weak fairness every execution ends
   - Each atomic block has one access to shared memory, and a death can come before each of them.

   What holds
   - At each push the cell is in neither ring; at the end each cell is in exactly one, unless it
     waits for room in a redelivery.
   - ITEMS: each item whose put took effect was got once, is in a cell once, or was lost with its
     dead consumer; with REDELIVER, only if the queue was closed. The item of a put that was killed
     is there at most once.

   Assumptions
   - A ring is its head, its tail and the cells between them. In the slot-only ring a pop succeeds
     only at the least position that is not popped, and a push at the least that is not pushed; a
     position that was passed stays passed. So a scan from a stale hint ends in the same read as a
     look at the true head or tail, and the model has no hints.
   - A compare-and-swap of a slot succeeds if the slot is still that of the head or tail, and open.
     It does not fail without a reason: a weak one could leave a mark at a position that is still
     open and that the thread gives up.
   - Step 4 compares less than the word of the slot, so the model goes on in more cases.
   - A process that dies stops, and then others find it dead: the kernel drops its lock after its
     last store. Nobody finds a living process dead.
   - Tags do not repeat.

   Bounds: the constants below. Positions stay below 16. Controls, which must fail: the options
   whose names begin with NO_, LATE_ or EARLY_, and ANONYMOUS; run.sh names what each leaves out.

   Memory orderings. The model is sequentially consistent, or has store buffers. No step needs the
   order of a store and a later load of another word, so no plain store needs a fence on x86. Else:
   - Announce before a pop: before the swap of the slot, which releases it. Step 2 acquires from the
     slot, so step 3 sees the announcement or a later one.
   - Mark before a push: a release store after the announcement. Step 1 acquires from the mark, so
     step 3 sees the announcement or a later one. The swap of the slot follows and releases it.
   - Announce nothing, or another cell: a release store after the mark and the swap of the slot.
     Step 3 acquires: if it sees this, step 4 sees the slot after the swap, and the swap of step 5
     the later mark.
   - Step 5: a release store of the announcement, then the swap of the mark, which releases and
     acquires. Slots: all writes are swaps, so every later state carries what the first released. */

#ifndef CELLS
#define CELLS 3
#endif
#ifndef CAP
#define CAP 1                   /* items: the capacity of the queue */
#endif
#ifndef SF
#define SF 2                    /* slots of `filled`, a power of two >= CAP */
#endif
#define SC 4                    /* slots of `free`, a power of two >= CELLS */
#ifndef OPS
#define OPS 2                   /* calls of each worker */
#endif
#ifndef OPS1
#define OPS1 OPS                /* calls of W1 */
#endif

#if defined(TWO) || defined(RECOVERERS)
#define SEATS 4
#else
#define SEATS 3
#endif
#define FREE 0
#define FILLED 1

/* Outcome of a pop or push. */
#define PENDING 2
#define OK 1
#define NOTHING 0               /* empty, or full */
#define CLOSED 3

#ifdef DIES
#define MORTAL(me) ((me) == 1 || (me) == 2)
#else
#define MORTAL(me) ((me) == 1)
#endif

/* The tag of a process, by its seat. 0 is that of the first marks. */
#ifdef NO_TAG
#define TAG(w) 1
#elif defined(NO_GENERATION)
#define TAG(w) ((w) == NEW_W1 -> 2 : (w) + 1)
#else
#define TAG(w) ((w) == 3 && SECOND_THREAD -> 1 : (w) + 1)
#endif
#ifdef TWO
#define SECOND_THREAD true
#else
#define SECOND_THREAD false
#endif
#define NEW_W1 5                /* the process that takes the place, and the seat, of W1 */
#define NOBODY 4                /* for a control */
#define SEAT(me) ((me) == NEW_W1 -> 1 : (me))

/* A mark: the writer's tag and a place; or that the writer holds the cell, and the ring of its
   pop. */
#define IN(w, r, p) (TAG(w)*32 + (r)*16 + (p))
#define HELD(w, r) (256 + TAG(w)*2 + (r))
#define IS_HELD(m) ((m) >= 256)
#define HOLDER(m) (((m) - 256)/2 - 1)
#define RING(m) (IS_HELD(m) -> (m)%2 : ((m)/16)%2)
#define POSITION(m) ((m)%16)
#define CELL(c) (1 + (c))       /* an announcement; 0 is none */

byte head[2]; byte tail[2]; byte value[8];
bool closed;
short mark[CELLS];
byte announced[SEATS];
bool dead[6]; bool done[6]; bool vacant; bool over;

#define SLOTS(r) ((r) == FREE -> SC : SF)
#define VALUE(r, p) value[(r)*4 + (p)%SLOTS(r)]
/* The slot of a position: 0 not yet pushed, 1 full, 2 popped. */
#define STATE(r, p) ((p) >= tail[r] -> 0 : ((p) >= head[r] -> 1 : 2))

#ifdef ITEMS
/* What the cells hold, and what became of the items; no code reads it. */
byte content[CELLS]; byte items;
byte accepted; byte got; byte dropped;
#define BIT(i) (1 << (i))
#endif

#ifdef TSO
/* The store buffers. A swap empties that of its processor, and the kernel that of a process that is
   killed, before it drops the lock. */
#define ANNOUNCEMENT 100
chan buffer[SEATS] = [2] of { byte, short };
byte at; short stored;
inline apply() {
  if
  :: at >= ANNOUNCEMENT -> announced[at - ANNOUNCEMENT] = stored
  :: else -> mark[at] = stored
  fi;
  at = 0; stored = 0
}
inline store(me, place, word) { buffer[me]!place, word }
inline drain(me) {
  do :: nempty(buffer[me]) -> buffer[me]?at, stored; apply() :: empty(buffer[me]) -> break od
}
#define STORE_MARK(me, c, word) store(me, c, word)
#define STORE_ANNOUNCEMENT(me, word) store(me, ANNOUNCEMENT + me, word)
#ifdef NO_DRAIN
#define DRAIN(me) skip
#else
#define DRAIN(me) drain(me)
#endif
#define LAST_DRAIN(me) drain(me)
#else
#define STORE_MARK(me, c, word) mark[c] = word
#define STORE_ANNOUNCEMENT(me, word) announced[SEAT(me)] = word
#define DRAIN(me) skip
#define LAST_DRAIN(me) skip
#endif

/* Before each step: a mortal process may die. */
#define DIE(me) if :: !dead[me] :: MORTAL(me) -> LAST_DRAIN(me); dead[me] = true; goto gone fi

inline in_no_ring(c) {
  k = head[FREE];
  do :: k == tail[FREE] -> break :: else -> assert(VALUE(FREE, k) != c); k++ od;
  k = head[FILLED];
  do :: k == tail[FILLED] -> break :: else -> assert(VALUE(FILLED, k) != c); k++ od;
  k = 0
}

inline announce(me, a) { atomic { DIE(me); STORE_ANNOUNCEMENT(me, a) } }

/* Pops the cell c. Announces it first, and leaves it announced. */
inline pop(me, r) {
  ok = PENDING;
  do
  :: ok != PENDING -> break
  :: else ->
     atomic {
       DIE(me);
       p = head[r];
       if :: p == tail[r] -> ok = NOTHING; p = 0 :: else -> c = VALUE(r, p) fi
     }
     if
     :: ok == PENDING ->
#ifndef NO_ANNOUNCEMENT
        announce(me, CELL(c));
#endif
        atomic {
          DIE(me);
          DRAIN(me);
          if
          :: head[r] == p -> VALUE(r, p) = 0; head[r]++; ok = OK
          :: else -> c = 0
          fi;
          p = 0
        }
     :: else
     fi
  od
#ifdef NO_ANNOUNCEMENT
  ; if :: ok == OK -> announce(me, CELL(c)) :: else fi
#endif
}

/* The slot at the tail, position p: whether a push to it may succeed. */
inline find_tail(me, r) {
  atomic {
    DIE(me);
    p = tail[r];
    if
    :: r == FILLED && closed -> ok = CLOSED
    :: r == FILLED && p - head[r] >= SF -> ok = NOTHING
    :: else
    fi
  }
#if CAP < SF
  if
  :: r == FILLED && ok == PENDING ->
     atomic { DIE(me); if :: p >= CAP && head[r] <= p - CAP -> ok = NOTHING :: else fi }
  :: else
  fi
#endif
}
inline swap_tail(me, r) {
  atomic {
    DIE(me);
    DRAIN(me);
    if
    :: tail[r] == p && !(r == FILLED && closed) ->
       in_no_ring(c);
#ifdef ITEMS
       assert(r == FREE || content[c] != 0);
#endif
       VALUE(r, p) = c; tail[r]++; ok = OK;
       assert(tail[r] < 16)
#ifdef ITEMS
       ; if :: r == FILLED && putting -> accepted = accepted | BIT(content[c]) :: else fi
#endif
    :: else
    fi;
    p = 0
  }
}

/* Pushes the cell c, which the caller owns and has announced. */
inline push(me, r) {
  ok = PENDING;
  do
  :: ok != PENDING -> p = 0; break
  :: else ->
     find_tail(me, r);
     if
     :: ok == PENDING ->
#ifndef LATE_MARK
        atomic { DIE(me); STORE_MARK(me, c, IN(me, r, p)); freed(r) }
#endif
#ifdef EARLY_WITHDRAWAL
        announce(me, 0);
#endif
#ifdef LATE_MARK
        m = p;
#endif
        swap_tail(me, r);
#ifdef LATE_MARK
        if :: ok == OK -> atomic { DIE(me); STORE_MARK(me, c, IN(me, r, m)); freed(r) } :: else fi
#endif
     :: else
     fi
  od
}
/* The mark that gives the cell to `free` ends a get. */
inline freed(r) {
#ifdef ITEMS
  if
  :: r == FREE && content[c] != 0 ->
     if
     :: putting -> drop()
     :: else -> assert(!(got & BIT(content[c]))); got = got | BIT(content[c])
     fi;
     content[c] = 0
  :: else
  fi
#else
  skip
#endif
}
#ifdef ITEMS
inline drop() {
#ifdef REDELIVER
  assert(closed || !(accepted & BIT(content[c])));
#endif
  dropped = dropped | BIT(content[c])
}
#endif

inline forget() { c = 0; p = 0; m = 0; k = 0; ok = 0 }

/* Ends a call: pushes the cell c, of a put or a get. */
inline finish(me) {
  if
  :: a == FREE ->
#ifdef ITEMS
     atomic { putting = true; if :: content[c] == 0 -> items++; content[c] = items :: else fi }
#endif
     push(me, FILLED);
     if :: ok != OK -> push(me, FREE); assert(ok == OK) :: else fi
#ifdef ITEMS
     ; putting = false
#endif
  :: else ->
#ifdef LEASES
     if :: push(me, FILLED) :: ok = NOTHING fi;    /* a return, or a settle */
     if :: ok != OK -> push(me, FREE); assert(ok == OK) :: else fi
#else
     push(me, FREE); assert(ok == OK)
#endif
  fi
}

inline work(me, ops) {
  do
  :: n == ops -> break
  :: else ->
     n++;
     if :: a = FREE :: a = FILLED fi;
     pop(me, a);
     if
     :: ok == OK ->
#ifdef LEASES
        if
        :: true -> skip
        :: true ->
#ifdef LATE_HOLD
           announce(me, 0);
           atomic { DIE(me); STORE_MARK(me, c, HELD(me, a)) };
#else
           atomic { DIE(me); STORE_MARK(me, c, HELD(me, a)) };
           announce(me, 0);
#endif
#ifndef NO_COMMIT_ANNOUNCEMENT
           announce(me, CELL(c))
#endif
        fi;
#endif
        finish(me)
     :: else
     fi;
     atomic { DIE(me); STORE_ANNOUNCEMENT(me, 0); forget(); a = 0 }
  od
}

#ifdef ITEMS
#define LOCALS byte c, p, ok, n, a, k; short m; bool putting
#else
#define LOCALS byte c, p, ok, n, a, k; short m
#endif

proctype W0() { LOCALS; work(0, OPS); done[0] = true; gone: skip }
proctype W1() {
  LOCALS;
  work(1, OPS1);
  atomic { LAST_DRAIN(1); dead[1] = true };
gone:
  forget(); a = 0; n = 0
}
#ifdef TWO
proctype W3() { LOCALS; work(3, OPS); done[3] = true; gone: skip }
#endif
#ifdef CLOSE
proctype C() { closed = true; done[4] = true }
#endif

/* --- recovery */

/* Leaves `mine` true if the cell i, whose mark is m, belongs to nobody. */
inline look(me) {
  mine = true;
  if
  :: IS_HELD(m) ->
     atomic { DIE(me); if :: dead[HOLDER(m)] :: else -> mine = false fi }
  :: else ->
     atomic {
       DIE(me);
       s = STATE(RING(m), POSITION(m));
       if
       :: s == 1 && VALUE(RING(m), POSITION(m)) == i -> mine = false
       :: else
       fi
     };
#ifndef NO_SCAN
     j = 0;
     do
     :: j == SEATS || !mine -> break
     :: j < SEATS && mine ->
        if
        :: j == me || j == SEATS
        :: else ->
           found = false;
           atomic { DIE(me); if :: announced[j] == CELL(i) -> found = true :: else fi };
           if
           :: found ->
#ifdef EARLY_LIFE
              if :: was_dead && j == 1 :: else ->
#endif
#ifdef NO_LIFE
              mine = false; again = true
#else
              atomic { DIE(me); if :: !dead[j] -> mine = false; again = true :: else fi }
#endif
#ifdef EARLY_LIFE
              fi
#endif
           :: else
           fi;
           found = false
        fi;
        j++
     od;
     j = 0;
#endif
#ifndef NO_REREAD
     if
     :: mine ->
        atomic {
          DIE(me);
          if
          :: STATE(RING(m), POSITION(m)) == s
          :: else -> mine = false; again = true
          fi
        }
     :: else
     fi;
#endif
     s = 0
  fi
}

/* Takes the cell c, whose mark was m, and pushes it to r. The swap of the mark is the first mark of
   the push, so there is no moment at which only this process knows the cell. Leaves `mine` true if
   the cell is taken; then ok is OK, or why the push failed. */
inline take(me, r) {
  mine = false;
  ok = PENDING;
  find_tail(me, r);
  if
  :: ok == PENDING ->
     atomic {
       DIE(me);
       DRAIN(me);
#ifdef NO_SWAP
       mine = true;
#else
       mine = (mark[c] == m);
#endif
       if
#ifdef ANONYMOUS
       :: mine -> mark[c] = HELD(NOBODY, r); freed(r)
#else
       :: mine -> mark[c] = IN(me, r, p); freed(r)
#endif
       :: else -> again = true
       fi
     };
     if
     :: mine ->
#ifdef ANONYMOUS
        atomic { DIE(me); STORE_MARK(me, c, IN(me, r, p)) };
#endif
        swap_tail(me, r);
        if :: ok == PENDING -> push(me, r) :: else fi
     :: else -> ok = OK         /* another process took it */
     fi
  :: else
  fi;
  p = 0
}

inline recover(me) {
  c = i;
#ifndef NO_RECOVERY_ANNOUNCEMENT
  announce(me, CELL(c));
#endif
#ifdef REDELIVER
  if
#ifdef NO_RING
  :: true ->
#else
  :: RING(m) == FILLED ->
#endif
     take(me, FILLED);
     if
     :: ok == CLOSED && mine -> push(me, FREE); assert(ok == OK)
     :: ok == CLOSED && !mine -> take(me, FREE); assert(ok == OK)
     :: ok == NOTHING -> no_room = true    /* the cell keeps its mark until a later sweep */
     :: else
     fi
#ifndef NO_RING
  :: else -> take(me, FREE); assert(ok == OK)
#endif
  fi;
#else
  take(me, FREE); assert(ok == OK);
#endif
  atomic { DIE(me); STORE_ANNOUNCEMENT(me, 0); forget() }
}

inline sweep(me) {
  again = false; no_room = false; i = 0;
  do
  :: i == CELLS -> i = 0; break
  :: else ->
     atomic { DIE(me); m = mark[i] };
     look(me);
     if :: mine -> recover(me) :: else fi;
     m = 0; mine = false; i++
  od
}

#ifdef EARLY_LIFE
#define WAS_DEAD , was_dead
#else
#define WAS_DEAD
#endif
#ifdef ITEMS
#define PUTTING , putting = true
#else
#define PUTTING
#endif
#define RECOVERY byte c, p, ok, k, i, j, s; short m; \
  bool mine, again, found, no_room, last, alone WAS_DEAD PUTTING
#ifdef CLOSE
#define CLOSER_DONE done[4]
#else
#define CLOSER_DONE true
#endif
#define WORKERS_DONE (done[0] && (!SECOND_THREAD || done[3]) && CLOSER_DONE)

proctype R2() {
  RECOVERY;
  dead[1];
  do
  :: last = WORKERS_DONE;
     sweep(2);
#ifdef RECOVERERS
     if :: again :: else -> break fi
#else
     if :: again || (no_room && !last) :: else -> break fi
#endif
  od;
  vacant = !no_room;
  done[2] = true;
gone:
  forget(); i = 0; j = 0; s = 0;
  mine = false; again = false; found = false; no_room = false; last = false
}
#ifdef RECOVERERS
proctype R3() {
  RECOVERY;
  dead[1] || vacant;
#ifdef EARLY_LIFE
  was_dead = dead[1];
#endif
  do
  :: atomic { alone = done[2] || dead[2]; last = WORKERS_DONE };
     sweep(3);
     if :: again || !alone || (no_room && !last) :: else -> break fi
  od;
  done[3] = true;
gone:
  skip
}
#endif
#ifdef REUSE
/* Has the lock, then clears what the dead process announced. */
proctype New() {
  LOCALS;
  vacant;
  dead[1] = false;
  announced[1] = 0;
  work(NEW_W1, OPS1);
  done[5] = true;
gone:
  skip
}
#endif

#ifdef TSO
proctype Buffers() {
  do
  :: atomic { buffer[0]?at, stored -> apply() }
  :: atomic { buffer[1]?at, stored -> apply() }
  :: atomic { buffer[2]?at, stored -> apply() }
#if SEATS > 3
  :: atomic { buffer[3]?at, stored -> apply() }
#endif
  :: over -> break
  od
}
#endif

#ifdef FAIR
ltl ends { <> over }
#endif

init {
  byte k, j, n;
  atomic {
    do :: k == CELLS -> break :: else -> VALUE(FREE, k) = k; mark[k] = k; k++ od;
    tail[FREE] = CELLS;
    k = 0;
    run W0();
#ifdef TSO
    run Buffers();
#endif
#ifdef TWO
    run W3();
#endif
#ifdef CLOSE
    run C();
#endif
#ifdef REUSE
    run New();
#endif
    run R2();
#ifdef RECOVERERS
    run R3();
#endif
    run W1()
  }
  atomic {
    done[0] && (done[2] || dead[2]);
#if defined(TWO) || defined(RECOVERERS)
    done[3];
#endif
#ifdef REUSE
    done[5];
#endif
    over = true;
    k = 0;
    do
    :: k == CELLS -> break
    :: else ->
       n = 0;
       j = head[FREE];
       do :: j == tail[FREE] -> break :: else -> n = n + (VALUE(FREE, j) == k -> 1 : 0); j++ od;
       j = head[FILLED];
       do
       :: j == tail[FILLED] -> break
       :: else -> n = n + (VALUE(FILLED, j) == k -> 1 : 0); j++
       od;
#ifdef REDELIVER
       /* No room: the cell waits for a later sweep. */
       if
       :: n == 0 && RING(mark[k]) == FILLED && tail[FILLED] - head[FILLED] == CAP -> n = 1
       :: else
       fi;
#endif
       assert(n == 1);
       k++
    od;
#ifdef ITEMS
    k = 1;
    do
    :: k > items -> break
    :: else ->
       n = ((got & BIT(k)) -> 1 : 0) + ((dropped & BIT(k)) -> 1 : 0);
       j = 0;
       do :: j == CELLS -> break :: else -> n = n + (content[j] == k -> 1 : 0); j++ od;
       assert(n <= 1 && (n == 1 || !(accepted & BIT(k))));
       k++
    od
#endif
  }
}
