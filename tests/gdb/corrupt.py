"""Whatever lies in a queue's memory, printing it ends with a text: each word in turn holds something else."""

import struct

import gdb

print("---")
inferior = gdb.selected_inferior()
BAD = [0, 1, 0x5555, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF]
NAMES = "mpmc mpmc_blobs spsc spsc_blobs priority priority_blobs deque deque_blobs batch batch_blobs".split()
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
                is_said = "queue" in text or "deque" in text
                if not is_said or len(text) > 1500 or "Error" in text or "Traceback" in text:
                    print("WRONG: %s, word %d, %#x: %s" % (name, i, bad, text))
            prints, changed = prints + 1, changed + (texts[0] != before)
        inferior.write_memory(start + 8 * i, old)
    if show(name) != before:
        print("WRONG: %s is not as before" % name)


for name in NAMES:
    handle = int(gdb.parse_and_eval(name))
    corrupt(name, handle, 120)
    # Of the script, which has been loaded.
    queue = Queue(handle)  # noqa: F821
    for behind in {"slots", "cells", "heap", "buffer"} & set(queue.plan):
        corrupt(name, queue.size_at(behind), 12)
    if "of_cells" in queue.plan:
        corrupt(name, queue.memory.address(queue.size_at("buffer") + queue.plan["of_cells"]), 12)
print("printed often: %s, seen often: %s" % (prints > 8000, changed > 800))
