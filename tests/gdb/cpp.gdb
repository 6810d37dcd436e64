# Prints the objects of queues.cpp.
frame function main
echo ---\n
print bits
print copies
print cells
print aligned
print spsc
print pool
print boxes
print deque
print batcher
print owners
print bytes
print spsc_bytes
print priority_bytes
print deque_bytes
print batcher_bytes
print stealer
print bytes_stealer
print *pointer
print reference
print popped
print nothing
print unexpected
print view
