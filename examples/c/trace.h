/* A trace of LLM requests: how it is read from its file, and what the demo records about each
 * request. */
#ifndef TRACE_H
#define TRACE_H

#include "serving.h"

#define TRACE_HEADER "TIMESTAMP,ContextTokens,GeneratedTokens"

/* The stages, in the order in which a request passes them. The time in a stage begins when the
   request is offered to it, so that a put that blocks counts for the stage that is full. */
enum stage { FRONTENDS, INTAKE, PRIORITY, BATCH, DEQUES, WORK, RESULTS, STAGES };

typedef struct {
    int64_t recorded_ns; /* its arrival, since 1970 */
    int64_t context_tokens, generated_tokens;
    /* Only the thread that holds the request reads or writes these. */
    int64_t at_ns[STAGES + 1]; /* when it entered each stage; first when it was due, last when
                                  it was collected */
    size_t batch;              /* the number of its batch */
    long owner, worker;        /* the workers that took the batch and that served the request */
} request_t;

typedef struct {
    request_t *requests;
    size_t len;
} trace_t;

static int64_t tokens(const request_t *r) { return r->context_tokens + r->generated_tokens; }

/* Far more than a valid line needs. */
enum { LINE_ROOM = 200 };

/* Reads the next line without its end and returns its length, -1 at the end of the file. A line
   that does not fit is cut off and ends with a newline, so that it is no valid line. */
static int line_read(FILE *file, char line[LINE_ROOM + 2]) {
    int len = 0, c = 0;
    while (len < LINE_ROOM && (c = getc(file)) != EOF && c != '\n')
        line[len++] = (char)c;
    if (c == EOF && (len == 0 || ferror(file)))
        return -1;
    if (c == '\n' && len > 0 && line[len - 1] == '\r')
        len--;
    if (len == LINE_ROOM)
        line[len++] = '\n';
    line[len] = '\0';
    return len;
}

static bool digits_read(const char **text, int least, int most, int64_t *value) {
    int n = 0;
    for (*value = 0; n < most && **text >= '0' && **text <= '9'; n++)
        *value = *value * 10 + (*(*text)++ - '0');
    return n >= least;
}

/* A line looks like this: 2023-11-16 18:15:46.6805900,374,44 */
static bool request_read(const char *line, int len, request_t *request) {
    const char *rest = line;
    int64_t date[6], fraction_ns = 0, context, generated;
    for (int i = 0; i < 6; i++) {
        if ((i > 0 && *rest++ != "-- ::"[i - 1]) ||
            !digits_read(&rest, i > 0 ? 2 : 4, i > 0 ? 2 : 4, &date[i]))
            return false;
    }
    if (*rest == '.') {
        const char *fraction = ++rest;
        rest += strspn(rest, "0123456789");
        if (rest == fraction)
            return false;
        for (int64_t unit = SECOND / 10; fraction < rest; unit /= 10)
            fraction_ns += (*fraction++ - '0') * unit;
    }
    if (*rest++ != ',' || !digits_read(&rest, 1, 9, &context) || *rest++ != ',' ||
        !digits_read(&rest, 1, 9, &generated) || rest != line + len)
        return false;
    struct tm given = {.tm_year = (int)date[0] - 1900,
                       .tm_mon = (int)date[1] - 1,
                       .tm_mday = (int)date[2],
                       .tm_hour = (int)date[3],
                       .tm_min = (int)date[4],
                       .tm_sec = (int)date[5]};
    struct tm real = given;
    *request = (request_t){
        .recorded_ns = (int64_t)timegm(&real) * SECOND + fraction_ns,
        .context_tokens = context,
        .generated_tokens = generated,
    };
    /* timegm turns 30 February into 1 March: such a date is refused. */
    return date[0] >= 1970 && date[0] <= 2100 && real.tm_mon == given.tm_mon &&
           real.tm_mday == given.tm_mday && real.tm_hour == given.tm_hour &&
           real.tm_min == given.tm_min && real.tm_sec == given.tm_sec;
}

/* Ends the program with a message if the trace is bad. */
static trace_t trace_read(const char *path) {
    trace_t trace = {0};
    FILE *file = fopen(path, "r");
    if (!file)
        fail(BAD_INPUT, "%s: %s", path, strerror(errno));
    char line[LINE_ROOM + 2];
    size_t number = 1, room = 0;
    for (int len; (len = line_read(file, line)) >= 0; number++) {
        found_t found_line = found(line, (size_t)len);
        if (number == 1) {
            if (len != sizeof TRACE_HEADER - 1 || memcmp(line, TRACE_HEADER, (size_t)len) != 0)
                fail(BAD_INPUT, "%s:1: expected %s, %s", path, TRACE_HEADER, found_line.text);
            continue;
        }
        if (trace.len == room) {
            room = room ? 2 * room : 1024;
            trace.requests = reallocarray(trace.requests, room, sizeof *trace.requests);
            if (!trace.requests)
                fail(EXIT_FAILURE, "%s:%zu: %s", path, number, strerror(errno));
        }
        request_t *request = &trace.requests[trace.len++];
        if (!request_read(line, len, request))
            fail(BAD_INPUT, "%s:%zu: expected YYYY-MM-DD hh:mm:ss.fraction,tokens,tokens, %s", path,
                 number, found_line.text);
        if (trace.len > 1 && request->recorded_ns < request[-1].recorded_ns)
            fail(BAD_INPUT, "%s:%zu: earlier than the line before, %s", path, number,
                 found_line.text);
    }
    if (ferror(file))
        fail(BAD_INPUT, "%s:%zu: %s", path, number, strerror(errno));
    if (trace.len == 0)
        fail(BAD_INPUT, "%s:%zu: expected %s, found the end of the file", path, number,
             number > 1 ? "a request" : TRACE_HEADER);
    fclose(file);
    return trace;
}

#endif
