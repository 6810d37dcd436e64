# Prints the queues of queues.c.
echo ---\n
print *mpmc
print *full
print *empty
print *mpmc_blobs
print *mpmc_shared
print *shared_empty
print *spsc
print *spsc_blobs
print *spsc_shared
print *priority
print *priority_blobs
print *deque
print *deque_blobs
print *batch
print *batch_blobs
print *event
echo --- pointers\n
print mpmc
print mpmc_shared
print deque
print event
print none
echo --- not queues\n
print *released
print released
print *foreign
print foreign
print *none
print *unmapped
print *declared_wrongly
echo --- any address\n
print-queue untyped
print-queue 8
set print pretty on
print *spsc
