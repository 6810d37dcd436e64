/* A trace of LLM requests: what is recorded in its file, and what becomes of each request. */
#ifndef TRACE_H
#define TRACE_H

#include "serving.h"

#define TRACE_HEADER "TIMESTAMP,ContextTokens,GeneratedTokens"

/* Where a request can be, one after the other. A request is stamped when it is offered to a stage,
   so that a put that blocks counts as time spent in the stage that is full. */
enum stage { FRONTENDS, INTAKE, PRIORITY, BATCH, DEQUES, WORK, RESULTS, STAGES };

typedef struct {
    int64_t recorded_ns; /* its arrival, since 1970 */
    int64_t context_tokens, generated_tokens;
    /* All of these belong to whoever holds the request. */
    int64_t at_ns[STAGES + 1]; /* when it came to each stage; the first is when it was due, the
                                  last when it was collected */
    size_t batch;              /* the number of its batch */
    long owner, worker;        /* who took that batch, and who served the request */
} request_t;

typedef struct {
    request_t *requests;
    size_t len;
} trace_t;

static int64_t tokens(const request_t *r) { return r->context_tokens + r->generated_tokens; }

/* A line looks like this: 2023-11-16 18:15:46.6805900,374,44 */
static bool request_read(const char *line, request_t *request) {
    struct tm date = {0};
    int context, generated, end = 0;
    char *rest = strptime(line, "%Y-%m-%d %H:%M:%S", &date);
    double fraction = rest ? strtod(rest, &rest) : -1;
    if (!(fraction >= 0 && fraction < 1) || date.tm_year < 70 || date.tm_year > 200 ||
        sscanf(rest, ",%9d,%9d%n", &context, &generated, &end) != 2 || rest[end] || context < 0 ||
        generated < 0)
        return false;
    int day = date.tm_mday;
    *request = (request_t){
        .recorded_ns = (int64_t)timegm(&date) * SECOND + (int64_t)(fraction * SECOND),
        .context_tokens = context,
        .generated_tokens = generated,
    };
    return date.tm_mday == day; /* timegm makes 1 March of 30 February */
}

/* Ends the program with a message when there is something wrong. */
static trace_t trace_read(const char *path) {
    trace_t trace = {0};
    FILE *file = fopen(path, "r");
    if (!file)
        err(BAD_INPUT, "%s", path);
    char *line = NULL;
    size_t size = 0, number = 0;
    for (ssize_t len; (len = getline(&line, &size, file)) > 0;) {
        bool whole = !memchr(line, '\0', len);
        line[strcspn(line, "\r\n")] = '\0';
        if (++number == 1) {
            if (strcmp(line, TRACE_HEADER) != 0)
                errx(BAD_INPUT, "%s:1: expected %s, found: %s", path, TRACE_HEADER, line);
            continue;
        }
        trace.requests = reallocarray(trace.requests, number, sizeof *trace.requests);
        if (!trace.requests)
            err(BAD_INPUT, "%s:%zu", path, number);
        request_t *request = &trace.requests[trace.len++];
        if (!whole || !request_read(line, request))
            errx(BAD_INPUT,
                 "%s:%zu: expected YYYY-MM-DD hh:mm:ss.fraction,tokens,tokens, found: %s", path,
                 number, line);
        if (trace.len > 1 && request->recorded_ns < request[-1].recorded_ns)
            errx(BAD_INPUT, "%s:%zu: earlier than the line before: %s", path, number, line);
    }
    if (ferror(file))
        err(BAD_INPUT, "%s:%zu", path, number + 1);
    if (trace.len == 0)
        errx(BAD_INPUT, "%s:%zu: expected %s", path, number + 1,
             number ? "a request" : TRACE_HEADER);
    free(line);
    fclose(file);
    return trace;
}

#endif
