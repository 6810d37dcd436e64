/* What C++ and Go have in common: an item, and the function that Go calls. */
#include <queues.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint64_t number;
    uint32_t sensor;
    int32_t millidegrees;
} reading_t;

/* Puts the readings of all sensors, each in a thread of its own, and closes the queue. Takes over
 * the caller's reference. Returns when all readings are in the queue. */
void produce(queues_mpmc_t *queue, uint32_t sensors, uint64_t readings);

#ifdef __cplusplus
}
#endif
