/* The rules of the ABI that hold for the FIFO families: bad input is refused and changes nothing,
 * and structures may grow. Then the functions that belong to no family: version, texts of statuses,
 * and statistics as JSON and for Prometheus. */
#include "check.h"

enum { BLOB = 16 << 20 };

#define FAMILY mpmc
#define OTHER spsc
#define FLAGS 0
#include "invalid.h"
#undef FAMILY
#undef OTHER
#undef FLAGS
#define FAMILY spsc
#define OTHER mpmc
#define FLAGS QUEUES_SPSC_CHECKED
#include "invalid.h"
#undef FAMILY
#undef OTHER
#undef FLAGS

static void the_version_is_that_of_the_header(void) {
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", QUEUES_VERSION_MAJOR, QUEUES_VERSION_MINOR,
             QUEUES_VERSION_PATCH);
    CHECK(strcmp(version, QUEUES_VERSION) == 0);
    CHECK(strcmp(version, queues_version()) == 0);
}

/* For any integer: a program may pass a status that only a later version knows. */
static const char *text_of(int status) {
    const char *text = queues_status_string((queues_status_t)status);
    CHECK(text);
    return text;
}

static void every_status_has_a_text(void) {
    const char *unknown = text_of(INT32_MIN);
    CHECK(*unknown);
    for (int a = -1000; a <= 1000; a++) {
        bool known = a >= QUEUES_CORRUPT && a <= QUEUES_TOO_SMALL;
        CHECK_EQ(strcmp(text_of(a), unknown) != 0, known);
        for (int b = QUEUES_CORRUPT; known && b < a; b++)
            CHECK(strcmp(text_of(a), text_of(b)) != 0);
    }
    CHECK(strcmp(text_of(INT32_MAX), unknown) == 0);
}

static void stats_json_writes_every_counter(void) {
    static const struct {
        queues_stats_t stats;
        const char *json;
    } cases[] = {
        {{.struct_size = sizeof(queues_stats_t)},
         "{\"enqueued\":0,\"dequeued\":0,\"failed_enqueue\":0,\"failed_dequeue\":0,\"peak_size\":0,"
         "\"current_size\":0,\"capacity\":0,\"stolen\":0,\"attached\":0,\"recovered\":0}"},
        {{sizeof(queues_stats_t), UINT64_MAX, 1, 22, 333, 4444, 55555, 666666, 7777777, 88888888,
          999999999},
         "{\"enqueued\":18446744073709551615,\"dequeued\":1,\"failed_enqueue\":22,"
         "\"failed_dequeue\":333,\"peak_size\":4444,\"current_size\":55555,\"capacity\":666666,"
         "\"stolen\":7777777,\"attached\":88888888,\"recovered\":999999999}"}};
    for (size_t i = 0; i < LENGTH(cases); i++) {
        size_t needed = strlen(cases[i].json), len;
        char buffer[512];
        for (size_t capacity = 0; capacity <= needed; capacity++) {
            memset(buffer, 0x7E, sizeof buffer);
            len = SIZE_MAX;
            CHECK_STATUS(queues_stats_json(&cases[i].stats, buffer, capacity, &len),
                         QUEUES_TOO_SMALL);
            CHECK_EQ(len, needed);
            for (size_t k = 0; k < sizeof buffer; k++)
                CHECK_EQ(buffer[k], 0x7E);
        }
        CHECK_OK(queues_stats_json(&cases[i].stats, buffer, needed + 1, &len));
        CHECK_EQ(len, needed);
        CHECK(strcmp(buffer, cases[i].json) == 0);
        CHECK_EQ(buffer[needed + 1], 0x7E);
        CHECK_OK(queues_stats_json(&cases[i].stats, buffer, sizeof buffer, &len));
        CHECK(strcmp(buffer, cases[i].json) == 0);
        CHECK_STATUS(queues_stats_json(&cases[i].stats, NULL, 0, &len), QUEUES_TOO_SMALL);
        CHECK_EQ(len, needed);
    }
}

static void stats_prometheus_writes_every_counter(void) {
    const queues_stats_t stats[] = {
        {sizeof(queues_stats_t), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
        {.struct_size = sizeof(queues_stats_t), .enqueued = UINT64_MAX}};
    const char *const names[] = {"intake", "a \"quote\", a \\ and a\nline: \xC3\xA9"};
    char text[4096];
    size_t len = 0, again = 0;
    CHECK_OK(queues_stats_prometheus(stats, names, 2, text, sizeof text, &len));
    CHECK_EQ(len, strlen(text));
    static const char head[] =
        "# HELP queues_enqueued_total Items put into the queue.\n"
        "# TYPE queues_enqueued_total counter\n"
        "queues_enqueued_total{queue=\"intake\"} 1\n"
        "queues_enqueued_total{queue=\"a \\\"quote\\\", a \\\\ and a\\nline: \xC3\xA9\"} "
        "18446744073709551615\n"
        "# HELP queues_dequeued_total ";
    CHECK(strncmp(text, head, sizeof head - 1) == 0);
    static const char *const lines[] = {
        "\nqueues_dequeued_total{queue=\"intake\"} 2\n",
        "\nqueues_failed_enqueue_total{queue=\"intake\"} 3\n",
        "\nqueues_failed_dequeue_total{queue=\"intake\"} 4\n",
        "\n# TYPE queues_peak_size gauge\nqueues_peak_size{queue=\"intake\"} 5\n",
        "\nqueues_current_size{queue=\"intake\"} 6\n",
        "\nqueues_capacity{queue=\"intake\"} 7\n",
        "\n# TYPE queues_stolen_total counter\nqueues_stolen_total{queue=\"intake\"} 8\n",
        "\n# TYPE queues_attached gauge\nqueues_attached{queue=\"intake\"} 9\n",
        "\nqueues_recovered_total{queue=\"intake\"} 10\n"};
    for (size_t i = 0; i < LENGTH(lines); i++)
        CHECK(strstr(text, lines[i]) != NULL);
    CHECK_EQ(text[len - 1], '\n');

    text[0] = 'x';
    CHECK_STATUS(queues_stats_prometheus(stats, names, 2, text, len, &again), QUEUES_TOO_SMALL);
    CHECK_EQ(again, len);
    CHECK_EQ(text[0], 'x');
    CHECK_STATUS(queues_stats_prometheus(stats, names, 2, NULL, 0, &again), QUEUES_TOO_SMALL);
    CHECK_EQ(again, len);
    CHECK_OK(queues_stats_prometheus(stats, names, 2, text, len + 1, &again));
    CHECK_OK(queues_stats_prometheus(NULL, NULL, 0, text, 1, &again));
    CHECK_EQ(again, 0);
    CHECK_EQ(text[0], 0);
}

static void stats_prometheus_checks_its_arguments(void) {
    queues_stats_t stats[2] = {{.struct_size = sizeof *stats}, {.struct_size = sizeof *stats}};
    const char *names[] = {"one", "two"};
    char text[4096];
    size_t len = 7;
    CHECK_STATUS(queues_stats_prometheus(NULL, names, 2, text, sizeof text, &len), QUEUES_INVALID);
    CHECK_STATUS(queues_stats_prometheus(stats, NULL, 2, text, sizeof text, &len), QUEUES_INVALID);
    CHECK_STATUS(queues_stats_prometheus(stats, names, 2, NULL, 1, &len), QUEUES_INVALID);
    CHECK_STATUS(queues_stats_prometheus(stats, names, 2, text, sizeof text, NULL), QUEUES_INVALID);
    names[1] = NULL;
    CHECK_STATUS(queues_stats_prometheus(stats, names, 2, text, sizeof text, &len), QUEUES_INVALID);
    names[1] = "no UTF-8: \xFF";
    CHECK_STATUS(queues_stats_prometheus(stats, names, 2, text, sizeof text, &len), QUEUES_INVALID);
    names[1] = "two";
    static const size_t sizes[] = BAD_SIZES(queues_stats_t);
    for (size_t i = 0; i < LENGTH(sizes); i++)
        for (size_t k = 0; k < 2; k++) {
            stats[k].struct_size = sizes[i];
            CHECK_STATUS(queues_stats_prometheus(stats, names, 2, text, sizeof text, &len),
                         QUEUES_INVALID);
            stats[k].struct_size = sizeof *stats;
        }
    CHECK_EQ(len, 7);
}

static void stats_json_checks_its_arguments(void) {
    struct {
        queues_stats_t known;
        unsigned char unknown[8];
    } later = {.known = {.struct_size = sizeof later}};
    char buffer[512] = {0};
    size_t len = 7;
    CHECK_STATUS(queues_stats_json(NULL, buffer, sizeof buffer, &len), QUEUES_INVALID);
    CHECK_STATUS(queues_stats_json(&later.known, buffer, sizeof buffer, NULL), QUEUES_INVALID);
    CHECK_STATUS(queues_stats_json(&later.known, NULL, sizeof buffer, &len), QUEUES_INVALID);
    for (size_t i = 0; i < sizeof later.unknown; i++) {
        later.unknown[i] = 1;
        CHECK_STATUS(queues_stats_json(&later.known, buffer, sizeof buffer, &len), QUEUES_INVALID);
        later.unknown[i] = 0;
    }
    static const size_t sizes[] = BAD_SIZES(queues_stats_t);
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        queues_stats_t stats = {.struct_size = sizes[i]};
        CHECK_STATUS(queues_stats_json(&stats, buffer, sizeof buffer, &len), QUEUES_INVALID);
    }
    CHECK_EQ(len, 7);
    CHECK_EQ(buffer[0], 0);
    CHECK_OK(queues_stats_json(&later.known, buffer, sizeof buffer, &len));
}

/* Pointers, NULL and queues of other families have no item size. */
#define CHECK_ITEM_SIZE(family, foreign)                                                           \
    do {                                                                                           \
        queues_##family##_t *pointers, *blobs;                                                     \
        CREATE(family, &pointers, ROOM(family, 2));                                                \
        CREATE(family, &blobs, ROOM(family, 2), .item_size = 13);                                  \
        CHECK_EQ(queues_##family##_item_size(pointers), 0);                                        \
        CHECK_EQ(queues_##family##_item_size(blobs), 13);                                          \
        CHECK_EQ(queues_##family##_item_size(NULL), 0);                                            \
        CHECK_EQ(queues_##family##_item_size((void *)(foreign)), 0);                               \
        queues_##family##_release(pointers);                                                       \
        queues_##family##_release(blobs);                                                          \
    } while (false)

static void sizes_are_those_of_the_options(void) {
    queues_mpmc_t *mpmc;
    queues_spsc_t *spsc;
    CREATE(mpmc, &mpmc, .capacity = 1, .item_size = 5);
    CREATE(spsc, &spsc, .capacity = 1, .item_size = 5, .flags = QUEUES_SPSC_CHECKED);
    CHECK_EQ(queues_spsc_item_size(spsc), 5);
    CHECK_ITEM_SIZE(mpmc, spsc);
    CHECK_ITEM_SIZE(spsc, mpmc);
    CHECK_ITEM_SIZE(priority, mpmc);
    CHECK_ITEM_SIZE(deque, mpmc);
    CHECK_ITEM_SIZE(batch, mpmc);
    for (size_t item_size = 0; item_size <= 8; item_size += 8) {
        queues_batch_t *batch;
        CREATE(batch, &batch, .max_pending = 100, .batch_size = 7, .item_size = item_size);
        CHECK_EQ(queues_batch_batch_size(batch), 7);
        queues_batch_release(batch);
        CREATE(batch, &batch, .item_size = item_size);
        CHECK_EQ(queues_batch_batch_size(batch), QUEUES_BATCH_DEFAULT_SIZE);
        queues_batch_release(batch);
    }
    CHECK_EQ(queues_batch_batch_size(NULL), 0);
    CHECK_EQ(queues_batch_batch_size((void *)mpmc), 0);
    queues_mpmc_release(mpmc);
    queues_spsc_release(spsc);
}

int main(void) {
    mpmc_run();
    spsc_run();
    RUN(the_version_is_that_of_the_header);
    RUN(every_status_has_a_text);
    RUN(sizes_are_those_of_the_options);
    RUN(stats_json_writes_every_counter);
    RUN(stats_json_checks_its_arguments);
    RUN(stats_prometheus_writes_every_counter);
    RUN(stats_prometheus_checks_its_arguments);
    return 0;
}
