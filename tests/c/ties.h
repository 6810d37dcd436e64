/* The priority queue as a FIFO family called `ties`: all items have the priority 0, and equal
 * priorities leave in order, so that the priority queue passes the tests of the FIFO families.
 * Loops stand in for put_many and get_many, which it does not have. */
#define queues_ties_t queues_priority_t
#define queues_ties_options_t queues_priority_options_t
#define queues_ties_create queues_priority_create
#define queues_ties_retain queues_priority_retain
#define queues_ties_release queues_priority_release
#define queues_ties_clear queues_priority_clear
#define queues_ties_close queues_priority_close
#define queues_ties_is_closed queues_priority_is_closed
#define queues_ties_size queues_priority_size
#define queues_ties_capacity queues_priority_capacity
#define queues_ties_stats queues_priority_stats

/* Both zeros are the same priority. */
#define ZERO(n) ((n)&1 ? -0.0 : 0.0)

static inline queues_status_t queues_ties_try_put(queues_priority_t *queue, void *item) {
    return queues_priority_try_put(queue, item, ZERO(queues_priority_size(queue)));
}
static inline queues_status_t queues_ties_put(queues_priority_t *queue, void *item,
                                              int64_t timeout) {
    return queues_priority_put(queue, item, ZERO(queues_priority_size(queue)), timeout);
}
static inline queues_status_t queues_ties_try_put_bytes(queues_priority_t *queue, const void *data,
                                                        size_t len) {
    return queues_priority_try_put_bytes(queue, data, len, ZERO(queues_priority_size(queue)));
}
static inline queues_status_t queues_ties_put_bytes(queues_priority_t *queue, const void *data,
                                                    size_t len, int64_t timeout) {
    return queues_priority_put_bytes(queue, data, len, ZERO(queues_priority_size(queue)), timeout);
}

/* The priority is written if and only if the call returns OK. */
static inline queues_status_t check_priority(queues_status_t status, double priority) {
    if (status == QUEUES_OK)
        CHECK(memcmp(&priority, &(double){0.0}, sizeof priority) == 0);
    else
        CHECK(memcmp(&priority, &(double){-7.0}, sizeof priority) == 0);
    return status;
}
#define CHECK_PRIORITY_OF(call)                                                                    \
    double priority = -7.0;                                                                        \
    queues_status_t status = call;                                                                 \
    return check_priority(status, priority)
static inline queues_status_t queues_ties_try_get(queues_priority_t *queue, void **item) {
    CHECK_PRIORITY_OF(queues_priority_try_get(queue, item, &priority));
}
static inline queues_status_t queues_ties_get(queues_priority_t *queue, void **item,
                                              int64_t timeout) {
    CHECK_PRIORITY_OF(queues_priority_get(queue, item, &priority, timeout));
}
static inline queues_status_t queues_ties_peek(queues_priority_t *queue, void **item) {
    CHECK_PRIORITY_OF(queues_priority_peek(queue, item, &priority));
}
static inline queues_status_t queues_ties_try_get_bytes(queues_priority_t *queue, void *buffer,
                                                        size_t capacity, size_t *len) {
    CHECK_PRIORITY_OF(queues_priority_try_get_bytes(queue, buffer, capacity, len, &priority));
}
static inline queues_status_t queues_ties_get_bytes(queues_priority_t *queue, void *buffer,
                                                    size_t capacity, size_t *len, int64_t timeout) {
    CHECK_PRIORITY_OF(queues_priority_get_bytes(queue, buffer, capacity, len, &priority, timeout));
}
static inline queues_status_t queues_ties_peek_bytes(queues_priority_t *queue, void *buffer,
                                                     size_t capacity, size_t *len) {
    CHECK_PRIORITY_OF(queues_priority_peek_bytes(queue, buffer, capacity, len, &priority));
}
#undef CHECK_PRIORITY_OF

/* Whether put_many and get_many would accept these arguments. */
static inline bool are_valid(queues_priority_t *queue, const void *items, size_t n, size_t *done) {
    void *item;
    double priority;
    return done && queues_priority_peek(queue, &item, &priority) != QUEUES_INVALID &&
           queues_priority_capacity(queue) > 0 && n <= PTRDIFF_MAX / sizeof(void *) &&
           (n == 0 || (items && (uintptr_t)items % sizeof(void *) == 0));
}
static inline queues_status_t queues_ties_put_many(queues_priority_t *queue, void *const *items,
                                                   size_t n, int64_t timeout, size_t *done) {
    queues_status_t status = QUEUES_OK;
    size_t i = 0;
    if (!are_valid(queue, items, n, done))
        return QUEUES_INVALID;
    while (i < n && (status = queues_ties_put(queue, items[i], timeout)) == QUEUES_OK)
        i++;
    *done = i;
    return status;
}
static inline queues_status_t queues_ties_get_many(queues_priority_t *queue, void **items, size_t n,
                                                   int64_t timeout, size_t *done) {
    queues_status_t status = QUEUES_OK;
    size_t i = 0;
    if (!are_valid(queue, items, n, done))
        return QUEUES_INVALID;
    if (n > 0 && (status = queues_ties_get(queue, items, timeout)) == QUEUES_OK)
        for (i = 1; i < n && queues_priority_size(queue) > 0 &&
                    queues_ties_try_get(queue, items + i) == QUEUES_OK;)
            i++;
    *done = i;
    return status;
}
