"""Printing a queue returns a text whatever its memory holds: each word gets several bad values.

Run by gdb after debug/queues-gdb.py.
"""

import struct

import gdb

print("---")
inferior = gdb.selected_inferior()
BAD = [0, 1, 0x5555, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF]
NAMES = [
    family + payload
    for family in ("mpmc", "spsc", "priority", "deque", "batch")
    for payload in ("", "_blobs")
] + ["mpmc_shared", "spsc_shared", "event"]
prints = changed = 0


def show(name):
    return gdb.execute("output *%s" % name, to_string=True)


def corrupt(name, start, count):
    global prints, changed
    before = show(name)
    for i in range(count):
        old = bytes(inferior.read_memory(start + 8 * i, 8))
        for bad in BAD:
            inferior.write_memory(start + 8 * i, struct.pack("@Q", bad))
            texts = show(name), gdb.execute("output %s" % name, to_string=True)
            for text in texts:
                is_named = any(word in text for word in ("queue", "deque", "event"))
                if not is_named or len(text) > 1500 or "Error" in text or "Traceback" in text:
                    print("WRONG: %s, word %d, %#x: %s" % (name, i, bad, text))
            prints, changed = prints + 1, changed + (texts[0] != before)
        inferior.write_memory(start + 8 * i, old)
    if show(name) != before:
        print("WRONG: %s is not restored" % name)


for name in NAMES:
    handle = int(gdb.parse_and_eval(name))
    corrupt(name, handle, 180)
    queue = Queue(handle)  # noqa: F821, of queues-gdb.py
    for array in {"slots", "cells", "heap", "buffer", "ends", "records"} & set(queue.plan):
        corrupt(name, queue.size_at(array), 12)
    if "of_cells" in queue.plan:
        corrupt(name, queue.memory.address(queue.size_at("buffer") + queue.plan["of_cells"]), 12)
# So that the test has tried much, and much of it showed.
print("printed often: %s, changed often: %s" % (prints > 8000, changed > 800))
