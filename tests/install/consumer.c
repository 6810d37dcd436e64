/* A program outside the tree: passes one item through a queue and prints the version, if the header
 * and the library have the same. */
#include <queues.h>
#include <stdio.h>
#include <string.h>

#define TEXT(number) #number
#define DOTTED(major, minor, patch) TEXT(major) "." TEXT(minor) "." TEXT(patch)

int main(void) {
    queues_mpmc_options_t options = {.struct_size = sizeof options, .capacity = 1};
    queues_mpmc_t *queue = NULL;
    int sent = 0;
    void *got = NULL;
    if (queues_mpmc_create(&options, &queue) != QUEUES_OK ||
        queues_mpmc_try_put(queue, &sent) != QUEUES_OK ||
        queues_mpmc_try_get(queue, &got) != QUEUES_OK || got != &sent) {
        fputs("the item that was got is not the item that was put\n", stderr);
        return 1;
    }
    queues_mpmc_release(queue);
    const char *parts = DOTTED(QUEUES_VERSION_MAJOR, QUEUES_VERSION_MINOR, QUEUES_VERSION_PATCH);
    if (strcmp(queues_version(), QUEUES_VERSION) != 0 || strcmp(parts, QUEUES_VERSION) != 0) {
        fprintf(stderr, "versions differ: header %s and %s, library %s\n", QUEUES_VERSION, parts,
                queues_version());
        return 1;
    }
    puts(queues_version());
    return 0;
}
