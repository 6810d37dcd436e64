"""Lets gdb print queues: `print *queue` for a handle in C or an object in C++.

`print-queue ADDRESS` prints any queue.

The script only reads memory, so it also works with core files, and it needs no debug information of
the library: a handle points to a table with the offsets of its fields (src/plan.rs). Memory may be
corrupt: every number that is read from it is bounded before it is used.

`make install` puts the script where gdb loads it with the library; docs/debugging.md names other
ways to load it.
"""

import re
import struct

import gdb
import gdb.printing

VERSION = 2  # of the tables that this script can read
TAG = 0x51554555  # the upper half of the tag of a live handle
LIVE, GONE, PLAN = 0x515545554C495645, 0x51554555474F4E45, 0x51554555504C414E
FAMILIES = {1: "mpmc", 2: "spsc", 3: "priority", 4: "deque", 5: "batch", 6: "event"}
CHECKED, WATCHED = 1 << 16, 1 << 17
SLEEPERS = (1 << 22) - 1  # in the word of the waiters

SHOWN_ITEMS = 8
SHOWN_BYTES = 16
MOST_STEPS = 500  # when an index is searched
MOST_ATTACHMENTS = 4096

CLOSED = 1 << 63  # in the sequence of a slot
POSITIONS = (1 << 62) - 1  # indices wrap around here
WORD = (1 << 64) - 1


class Unreadable(Exception):
    """Why a queue cannot be printed. The sentence is printed in its place."""


def signed(word):
    word &= WORD
    return word - (1 << 64) if word >> 63 else word


class NoTable(Exception):
    """Why the table of a queue cannot be used. The queue itself may be undamaged."""


class Memory:
    """Reads integers of the process or the core file."""

    def __init__(self):
        self.order = "big" if "big" in gdb.execute("show endian", to_string=True) else "little"
        self.word = 8

    def bytes(self, address, count):
        try:
            return bytes(gdb.selected_inferior().read_memory(address & WORD, count))
        except (gdb.error, OverflowError):
            raise Unreadable("memory at %#x cannot be read" % (address & WORD))

    def int(self, address, size):
        return int.from_bytes(self.bytes(address, size), self.order)

    def address(self, address):
        return self.int(address, self.word)


class Item:
    """An item in a queue. `at` is the address of its pointer or of its bytes."""

    def __init__(self, queue, at, length=None, priority=None):
        self.queue, self.at, self.length, self.priority = queue, at, length, priority

    def text(self, payload):
        text = None
        if payload:
            text = payload.text(self)
        if text is None:
            if self.length is None:
                text = "%#x" % self.queue.memory.address(self.at)
            else:
                text = blob_text(self.queue.memory, self.at, self.length)
        return text if self.priority is None else "%r: %s" % (self.priority, text)


def blob_text(memory, at, length):
    shown = memory.bytes(at, min(length, SHOWN_BYTES))
    printable = "".join(
        "\\" + chr(b) if chr(b) in '"\\' else chr(b) if 32 <= b < 127 else "\\x%02x" % b
        for b in shown
    )
    more = "..." if length > SHOWN_BYTES else ""
    return '%d byte%s "%s"%s' % (length, "" if length == 1 else "s", printable, more)


class Queue:
    """A queue, as its handle and its table describe it."""

    def __init__(self, address):
        self.memory = memory = Memory()
        tag, mark = memory.int(address, 8), memory.int(address + 64, 8)
        if mark == GONE and tag >> 32 != TAG:
            raise Unreadable("released queue")
        self.family = FAMILIES.get(tag >> 8 & 0xFF)
        if tag >> 32 != TAG or mark != LIVE or self.family is None:
            raise Unreadable("not a queue")
        self.tag, self.handle = tag, address
        try:
            self.read()
        except Unreadable as why:
            # A core file may lack the memory that processes share.
            what = "shared" if tag & 0xFF == 2 else "damaged"
            raise Unreadable("%s %s queue: %s" % (what, self.family, why))

    def read(self):
        memory = self.memory
        memory.word, start, references, getters, putters = (
            memory.int(self.handle + 72 + 4 * i, 4) for i in range(5)
        )
        if memory.word not in (4, 8):
            raise Unreadable("its addresses have %d bytes" % memory.word)
        self.start = self.handle + start
        self.references = memory.int(self.handle + references, 8)
        self.waiters = None
        if getters and putters:
            self.waiters = [memory.int(self.handle + at, 4) & SLEEPERS for at in (getters, putters)]
        self.plan = self.read_plan(memory.address(self.handle + 96))
        self.is_shared = self.tag & 0xFF == 2
        self.is_bytes = self.is_shared or self.tag & 0xFF == 1
        try:
            self.limit = self.size_at("limit") if self.is_bytes else None
            self.is_closed = None
            self.more = []
            getattr(self, "fill_" + self.family)()
            if self.is_shared:
                self.read_attachments()
        except KeyError as missing:
            raise Unreadable("its table has no %s" % missing)
        self.size = max(0, min(self.size, self.capacity))

    def read_plan(self, at):
        # A core file has no read-only data of libraries, or zeros in its place: gdb reads that data
        # from the library file.
        try:
            magic, version, count = (
                self.memory.int(at, 8),
                self.memory.int(at + 8, 4),
                self.memory.int(at + 12, 4),
            )
        except Unreadable:
            magic = None
        if magic != PLAN:
            raise NoTable(
                "%s queue whose table cannot be read: it is damaged, or gdb has not found the "
                "libqueues of the program" % self.family
            )
        if version != VERSION:
            raise NoTable(
                "%s queue of a library whose tables have version %d, and this script knows "
                "version %d: load the script that was installed with the library"
                % (self.family, version, VERSION)
            )
        if count > 64:
            raise Unreadable("its table has %d lines" % count)
        lines = (self.memory.bytes(at + 16 + 16 * i, 16) for i in range(count))
        return {
            line[:12].rstrip(b"\0").decode("latin-1"): int.from_bytes(line[12:], self.memory.order)
            for line in lines
        }

    def u64(self, name):
        return self.memory.int(self.start + self.plan[name], 8)

    def size_at(self, name):
        return self.memory.address(self.start + self.plan[name])

    def items(self):
        """The first items, in the order in which gets return them."""
        return getattr(self, "items_" + self.family)(min(self.size, SHOWN_ITEMS))

    def cell_item(self, cell, priority=None):
        return self.item_at(self.size_at("cells") + cell * self.cell_size(), priority)

    def cell_size(self):
        return self.plan.get("header", 0) + (
            (self.limit + 7 & ~7) + 8 if self.is_bytes else self.memory.word
        )

    def item_at(self, at, priority=None):
        at += self.plan.get("header", 0)
        if not self.is_bytes:
            return Item(self, at, priority=priority)
        return Item(self, at + 8, self.blob_length(at), priority)

    def blob_length(self, at):
        length = self.memory.int(at, 8)
        if length > self.limit:
            raise Unreadable("a blob of %d bytes: damaged, or a thread is writing it" % length)
        return length

    def read_attachments(self):
        """The handles of all processes, and the threads that sleep at the ends."""
        size, waits = self.plan["record"], self.plan["of_waits"]
        count = min(self.size_at("attachments"), MOST_ATTACHMENTS)
        records = self.memory.bytes(self.size_at("records"), count * size)
        attached, sleepers = 0, [0, 0]  # for items, for room
        for at in range(0, count * size, size):

            def number(offset, length):
                return int.from_bytes(records[at + offset :][:length], self.memory.order)

            if number(0, 8) & 3 == 1:
                attached += 1
                sleepers[0] += number(waits + 8, 4)
                sleepers[1] += number(waits, 4)
        self.waiters = sleepers
        self.more.append(("attached", "%d" % attached))

    # --- rings of slots: mpmc and batch

    def fill_mpmc(self):
        self.mask = self.u64("mask")
        self.capacity = self.u64("capacity")
        self.tail = self.end_from(self.state("tail"), lambda at: self.slot_at(at)[0] > 0)
        self.head = self.end_from(self.state("head"), lambda at: self.slot_at(at)[0] > 1)
        size = (self.tail - self.head) & POSITIONS
        self.size = 0 if size >> 61 else size
        self.is_closed = self.slot_at(self.tail)[1]

    def state(self, name, size=8):
        """A number that lies in the file if processes share the queue."""
        if self.is_shared:
            return self.memory.int(self.size_at("ends") + self.plan["of_" + name], size)
        return self.memory.int(self.start + self.plan[name], size)

    def fill_batch(self):
        self.fill_mpmc()
        self.more = [("batch_size", "%d" % self.u64("batch_size"))]

    def slot_at(self, position):
        """Reads the slot of an index.

        Returns how far its sequence is from "free at `position`" (1: full at `position`), whether
        it is marked as closed, its value, and the address of the value.
        """
        at = self.size_at("slots") + (position & self.mask) * self.plan["slot"]
        if self.plan["slot"] == 16:
            sequence, value = self.memory.int(at, 8), self.memory.int(at + 8, 8)
        else:
            word, field = self.memory.int(at, 8), (self.mask << 1) & WORD
            sequence, value = (word & ~field) | (position << 1 & field), (word & field) >> 1
        relative = signed((sequence - ((position << 1) & ~CLOSED)) << 1) >> 1
        return relative, bool(sequence & CLOSED), value, at + 8

    def end_from(self, hint, is_past):
        """The first index from `hint` on that is not past: what memory has may lag behind."""
        position, steps = hint, 0
        while is_past(position):
            position, step, steps = position + 1, 1, steps + 1
            while is_past(position + step) and steps < MOST_STEPS:
                position, step, steps = position + step + 1, step * 2, steps + 1
            while step > 1 and steps < MOST_STEPS:
                step, steps = step // 2, steps + 1
                if is_past(position + step):
                    position += step + 1
            if steps >= MOST_STEPS:
                raise Unreadable("its head or tail was not found")
        return position

    def items_mpmc(self, count):
        for position in range(self.head, self.head + count):
            relative, _, value, at = self.slot_at(position)
            if relative != 1:
                return
            yield self.cell_item(value) if "cells" in self.plan else Item(self, at)

    items_batch = items_mpmc

    # --- the other families

    def fill_spsc(self):
        self.capacity = self.u64("capacity")
        closed = self.state("closed", 4)
        self.is_closed = closed >= 2
        head = self.state("head")
        tail = self.state("drained" if closed == 4 else "tail")
        self.size = signed(tail - head)
        held = self.u64("held")
        self.front = held if signed(held - head) > 0 else head
        self.ready = signed(tail - self.front)

    def items_spsc(self, count):
        size = max(8, self.limit + 7 & ~7) if self.is_bytes else self.memory.word
        cells, capacity = self.size_at("cells"), max(1, self.capacity)
        for position in range(self.front, self.front + min(count, max(0, self.ready))):
            slot = (position - self.u64("origin") & WORD) % capacity
            at = cells + slot * size
            if not self.is_bytes:
                yield Item(self, at)
                continue
            # The lengths lie behind the cells. Blobs before a position have none.
            length = self.limit
            if signed(position - self.state("lengths")) >= 0:
                length = self.blob_length(cells + capacity * size + slot * 8)
            yield Item(self, at, length)

    def fill_priority(self):
        self.capacity = self.size_at("capacity")
        self.len = self.size_at("len")
        self.size = self.len + self.size_at("leaving")
        self.is_closed = self.memory.int(self.start + self.plan["closed"], 1) != 0
        if self.memory.int(self.start + self.plan["lock"], 4):
            self.more = [("locked", "yes")]

    def items_priority(self, count):
        heap, bits = self.size_at("heap") + self.plan["root"], self.memory.int(
            self.start + self.plan["cell_bits"], 4
        )

        def entry(i):
            return (self.memory.int(heap + 16 * i, 16), i)

        # The candidates are the root, or the children of the entries that were taken.
        candidates = [entry(0)] if self.len else []
        while candidates and count:
            least = min(candidates)
            candidates.remove(least)
            entries, i = least
            candidates += [
                entry(child)
                for child in range(4 * i + 1, 4 * i + 5)
                if child < min(self.len, self.capacity)
            ]
            key = entries >> 64
            number = key & ~CLOSED if key >> 63 else ~key & WORD
            (priority,) = struct.unpack("<d", struct.pack("<Q", number))
            yield self.cell_item(entries & ((1 << min(bits, 63)) - 1), priority)
            count -= 1

    def fill_deque(self):
        self.capacity = self.u64("capacity")
        self.top = self.u64("top")
        self.size = signed(self.u64("bottom") - self.top)
        if self.memory.int(self.start + self.plan["growable"], 1):
            self.more = [("growable", "yes")]

    def items_deque(self, count):
        buffer = self.size_at("buffer")
        cells, stride = (
            self.memory.address(buffer + self.plan[name]) for name in ("of_cells", "of_stride")
        )
        mask = self.memory.int(buffer + self.plan["of_mask"], 8)
        for position in range(self.top, self.top + count):
            yield self.item_at(cells + (position & mask) * stride)

    def fill_event(self):
        self.is_set = self.memory.int(self.start + self.plan["set"], 4) != 0
        self.size = self.capacity = 0

    # --- text

    def title(self, payload):
        if self.family == "event":
            return "event"
        if payload:
            what = str(payload.item)
        else:
            what = "blobs of up to %d bytes" % self.limit if self.is_bytes else "pointers"
        if self.is_shared:
            what += " that processes share"
        return "%s of %s" % ("deque" if self.family == "deque" else self.family + " queue", what)

    def summary(self):
        if self.family == "event":
            return "set" if self.is_set else "not set"
        return "%d of %d" % (self.size, self.capacity)

    def children(self, payload):
        if self.family == "event":
            yield "set", "yes" if self.is_set else "no"
            if self.waiters:
                yield "waiters", "%d" % self.waiters[0]
            yield "references", "%d" % self.references
            return
        yield "size", "%d" % self.size
        yield "capacity", "%d" % self.capacity
        if self.is_closed is not None:
            yield "closed", "yes" if self.is_closed else "no"
        if self.waiters:
            yield "waiters", "{get = %d, put = %d}" % tuple(self.waiters)
        yield "references", "%d" % self.references
        modes = [
            name for bit, name in ((CHECKED, "checked"), (WATCHED, "watched")) if self.tag & bit
        ]
        if modes:
            yield "modes", "{%s}" % ", ".join(modes)
        yield from self.more
        yield "items", self.items_text(payload)

    def items_text(self, payload):
        texts = []
        try:
            for item in self.items():
                texts.append(item.text(payload))
            if self.size > len(texts):
                texts.append("...")
        except KeyError as missing:
            texts.append("<the table has no %s>" % missing)
        except Unreadable as why:
            texts.append("<%s>" % why)
        return "{%s}" % ", ".join(texts)


class Printer:
    """Prints a queue with all its fields, or the sentence why it cannot."""

    def __init__(self, address, declared=None, payload=None):
        self.payload = payload
        try:
            self.queue = Queue(address)
            self.title = self.queue.title(payload)
            if declared and declared != self.queue.family:
                self.title += " (declared as %s)" % declared
        except (NoTable, Unreadable) as why:
            self.queue, self.title = None, "<%s>" % why

    def to_string(self):
        return self.title

    def children(self):
        return self.queue.children(self.payload) if self.queue else iter(())


class PointerPrinter:
    """Prints a pointer to a handle: the address and one line about the queue."""

    def __init__(self, address, declared):
        self.address, self.declared = address, declared

    def to_string(self):
        if not self.address:
            return "0x0"
        printer = Printer(self.address, self.declared)
        if printer.queue:
            return "%#x %s, %s" % (self.address, printer.title, printer.queue.summary())
        return "%#x %s" % (self.address, printer.title)


# --- C++


class Payload:
    """How the C++ binding stores an item of type T: the classes of payloads in queues::detail."""

    def __init__(self, kind, item):
        self.kind, self.item = kind, item

    def text(self, item):
        try:
            at = item.at
            if self.kind in ("by_box", "in_pool"):
                at = item.queue.memory.address(at)
            elif self.kind == "by_unique_ptr":
                return None
            if self.kind in ("in_cell", "in_pool") and self.item.alignof > 8:
                at += -at % self.item.alignof
            value = gdb.Value(at & WORD).cast(self.item.pointer()).dereference()
            return value.format_string(max_elements=SHOWN_BYTES)
        except (gdb.error, OverflowError, Unreadable):
            return None


def base_of(of, name, depth=8):
    """The base class whose name begins with `name`, also of base classes."""
    for field in of.fields() if depth else ():
        if field.is_base_class:
            base = field.type.strip_typedefs()
            found = base if (base.name or "").startswith(name) else base_of(base, name, depth - 1)
            if found:
                return found
    return None


def payload_of(of):
    view = base_of(of, "queues::detail::queue_view<")
    if view is None:
        return None
    payload = view.template_argument(1).strip_typedefs()
    kind = re.match(r"queues::detail::(\w+)<", payload.name or "")
    if kind and kind.group(1) != "by_blob":
        return Payload(kind.group(1), payload.template_argument(1).strip_typedefs())
    return None


class Children:
    def __init__(self, title, children=()):
        self.title, self.list = title, children

    def to_string(self):
        return self.title

    def children(self):
        return iter(self.list)


def expected(value):
    state = value["state_"]
    if any(field.name == "has_value_" for field in state.type.strip_typedefs().fields()):
        has_value = bool(state["has_value_"])
        held = ("value", state["value_"]) if has_value else ("error", state["error_"])
        return Children("expected", [held])
    index = int(state["_M_index"])  # of libstdc++; gdb prints any other variant by itself
    if index not in (0, 1):
        return None
    kind = value.type.strip_typedefs().template_argument(index)
    return Children(
        "expected",
        [("error" if index else "value", state.address.cast(kind.pointer()).dereference())],
    )


def view(value):
    return Children(blob_text(Memory(), int(value["data_"]), int(value["size_"])))


OBJECTS = re.compile(
    r"queues::((mpmc|spsc|priority|deque|batcher|shared_mpmc|shared_spsc)<.*>"
    r"|(mpmc|spsc|priority|deque|batcher)_bytes"
    r"|detail::(deque_stealer<.*>|bytes_stealer))$"
)
HANDLE = re.compile(r"(?:struct )?queues_(mpmc|spsc|priority|deque|batch|event)_t$")


class Lookup(gdb.printing.PrettyPrinter):
    def __init__(self):
        super().__init__("queues")

    def __call__(self, value):
        try:
            return self.find(value)
        except (gdb.error, Unreadable):
            return None

    def find(self, value):
        kind = value.type.strip_typedefs().unqualified()
        if kind.code == gdb.TYPE_CODE_PTR:
            target = kind.target().strip_typedefs().unqualified()
            handle = HANDLE.match(target.name or target.tag or "")
            return PointerPrinter(int(value), handle.group(1)) if handle else None
        if kind.code != gdb.TYPE_CODE_STRUCT:
            return None
        name = kind.name or kind.tag or ""
        handle = HANDLE.match(name)
        if handle:
            return Printer(int(value.address), handle.group(1))
        if not name.startswith("queues::"):
            return None
        if OBJECTS.match(name):
            return Printer(int(value["handle_"]["queue"]), payload=payload_of(kind))
        if name.startswith("queues::expected<"):
            return expected(value)
        if name.startswith("queues::unexpected<"):
            return Children("unexpected", [("error", value["error_"])])
        if name == "queues::bytes_view":
            return view(value)
        return None


class PrintQueue(gdb.Command):
    """Prints the queue whose handle is at an address, in any language: print-queue ADDRESS."""

    def __init__(self):
        super().__init__("print-queue", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        if not argument.strip():
            raise gdb.GdbError("no address of a queue: use print-queue ADDRESS")
        printer = Printer(int(gdb.parse_and_eval(argument)))
        print(printer.to_string())
        for name, text in printer.children():
            print("  %s = %s" % (name, text))


PrintQueue()
gdb.printing.register_pretty_printer(gdb.current_objfile(), Lookup(), replace=True)
