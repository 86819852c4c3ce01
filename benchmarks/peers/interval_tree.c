// SPDX-License-Identifier: Apache-2.0
//
// The mapping table of virtio-iommu on GLib's balanced binary tree, which is what QEMU keeps it in: one node and two
// allocated blocks a mapping, and a comparator by which two intervals are equal if they overlap.
//
//     interval_tree KEYS
//
// reads the file that KeyFile.java writes and describes, makes its mappings, and says "ready". Then it takes commands,
// one a line, and answers each by a line: "check 0" by a sum that must be the same in all programs, and "lookup S",
// "pair S", "walk S", "unmapAll S" and "replay S", which do that for about S seconds, by nanoseconds an operation.

#include <glib.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAGIC UINT64_C(0x3173796534766f76)
#define READ_WRITE 3u
/* So many operations between two readings of the clock. */
#define CHUNK 1024
#define MOST_REFUSALS 1000

enum { MAP, UNMAP, TRANSLATE };

typedef struct {
    uint64_t low;
    uint64_t high;
} interval;

typedef struct {
    uint64_t physical;
    uint32_t flags;
} mapping;

/* A mapping to make. */
typedef struct {
    uint64_t first;
    uint64_t last;
    uint64_t physical;
} key;

/* One request, or one translation of the address first. */
typedef struct {
    uint64_t kind;
    key of;
} step;

static key *keys;
static uint64_t *addresses;
static step *steps;
static size_t key_count;
static size_t address_count;
static size_t step_count;
static GTree *tree;
/* Where results go, lest the work be left out. */
static volatile uint64_t sink;

static void fail(const char *what)
{
    printf("interval_tree: %s\n", what);
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double) time.tv_sec + (double) time.tv_nsec * 1e-9;
}

/* ---- the table ---- */

static gint compare(gconstpointer left, gconstpointer right, gpointer unused)
{
    const interval *a = left;
    const interval *b = right;
    (void) unused;
    if (a->high < b->low) {
        return -1;
    }
    return b->high < a->low ? 1 : 0;
}

/* A MAP: refused if anything overlaps. */
static bool insert(const key *of)
{
    interval wanted = {of->first, of->last};
    if (g_tree_lookup(tree, &wanted) != NULL) {
        return false;
    }
    interval *where = g_new0(interval, 1);
    mapping *what = g_new0(mapping, 1);
    *where = wanted;
    what->physical = of->physical;
    what->flags = READ_WRITE;
    g_tree_insert(tree, where, what);
    return true;
}

/* Whether the mapping that holds an address, if one does, reaches beyond a range. */
static bool straddles(uint64_t address, uint64_t first, uint64_t last)
{
    interval at = {address, address};
    gpointer where;
    gpointer what;
    return g_tree_lookup_extended(tree, &at, &where, &what)
            && (((interval *) where)->low < first || ((interval *) where)->high > last);
}

/*
 * An UNMAP: all that lies inside goes, one by one as in QEMU, unless a mapping would be split. QEMU finds that out on
 * the way and has removed some by then; a device must look at both ends first. A mapping that is the whole range, which
 * is what Linux removes, needs neither that nor QEMU's last search.
 */
static size_t take_away(uint64_t first, uint64_t last)
{
    interval range = {first, last};
    gpointer where;
    gpointer what;
    size_t removed = 0;
    if (!g_tree_lookup_extended(tree, &range, &where, &what)) {
        return 0;
    }
    if (((interval *) where)->low == first && ((interval *) where)->high == last) {
        g_tree_remove(tree, where);
        return 1;
    }
    if (straddles(first, first, last) || straddles(last, first, last)) {
        return 0;
    }
    while (g_tree_lookup_extended(tree, &range, &where, &what)) {
        g_tree_remove(tree, where);
        removed++;
    }
    return removed;
}

static uint64_t translate(uint64_t address)
{
    interval at = {address, address};
    gpointer where;
    gpointer what;
    if (!g_tree_lookup_extended(tree, &at, &where, &what)) {
        return 0;
    }
    const mapping *found = what;
    if ((found->flags & READ_WRITE) != READ_WRITE) {
        return 0;
    }
    return found->physical + (address - ((interval *) where)->low);
}

static gboolean add_up(gpointer where, gpointer what, gpointer sum)
{
    *(uint64_t *) sum += ((interval *) where)->high ^ ((mapping *) what)->physical;
    return FALSE;
}

static void fill(void)
{
    for (size_t i = 0; i < key_count; i++) {
        if (!insert(&keys[i])) {
            fail("the table refused a mapping");
        }
    }
}

/* ---- kinds of work; each gives the number of operations ---- */

typedef size_t work(void);

/* Each look-up waits for the one before: the top bit of what that found, which is never set, is in its address. */
static size_t look_up(void)
{
    static size_t next;
    uint64_t found = 0;
    for (size_t i = next; i < next + CHUNK; i++) {
        found = translate(addresses[i + (found >> 63)]);
    }
    sink = found;
    next = next + CHUNK == address_count ? 0 : next + CHUNK;
    return CHUNK;
}

static size_t pair(void)
{
    static size_t next;
    for (size_t i = 0; i < CHUNK; i++) {
        const key *of = &keys[next];
        if (take_away(of->first, of->last) != 1 || !insert(of)) {
            fail("the table refused to remove or to insert");
        }
        next = next + 1 == key_count ? 0 : next + 1;
    }
    return CHUNK;
}

static size_t walk(void)
{
    uint64_t sum = 0;
    g_tree_foreach(tree, add_up, &sum);
    sink = sum;
    return key_count;
}

static uint64_t run_step(const step *one)
{
    switch (one->kind) {
    case MAP:
        return insert(&one->of);
    case UNMAP:
        return take_away(one->of.first, one->of.last);
    default:
        return translate(one->of.first);
    }
}

/* All steps, from an empty table to an empty table. */
static size_t replay(void)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < step_count; i++) {
        sum += run_step(&steps[i]);
    }
    take_away(0, UINT64_MAX);
    sink = sum;
    return step_count;
}

static double timed(work *does, double seconds)
{
    /* A quarter first, so that what others have driven out of the caches is back. */
    double until = now() + seconds / 4;
    while (now() < until) {
        does();
    }
    size_t operations = 0;
    double started = now();
    double took;
    do {
        operations += does();
        took = now() - started;
    } while (took < seconds);
    return took * 1e9 / (double) operations;
}

/* Takes everything away and, untimed, makes it again. */
static double timed_unmap_all(double seconds)
{
    double until = now() + seconds;
    double took = 0;
    size_t operations = 0;
    do {
        double started = now();
        size_t removed = take_away(0, UINT64_MAX);
        took += now() - started;
        if (removed != key_count) {
            fail("the table did not remove everything");
        }
        operations += removed;
        fill();
    } while (now() < until);
    return took * 1e9 / (double) operations;
}

/* ---- what must be so before times mean anything ---- */

static void refuses(const key *of)
{
    if (insert(of) || take_away(of->first, of->last - 1) != 0 || take_away(of->first + 1, of->last) != 0) {
        fail("the table accepted what a device must refuse");
    }
}

static uint64_t check(void)
{
    for (size_t i = 0; i < key_count && i < MOST_REFUSALS; i++) {
        refuses(&keys[i]);
    }
    walk();
    uint64_t sum = sink;
    for (size_t i = 0; i < address_count; i++) {
        sum += translate(addresses[i]);
    }
    if (step_count != 0) {
        replay();
        sum += sink;
    }
    return sum;
}

/* ---- commands ---- */

static void answer(const char *command, double seconds)
{
    if (strcmp(command, "check") == 0) {
        printf("%" PRIu64 "\n", check());
    } else if (strcmp(command, "lookup") == 0) {
        printf("%.3f\n", timed(look_up, seconds));
    } else if (strcmp(command, "pair") == 0) {
        printf("%.3f\n", timed(pair, seconds));
    } else if (strcmp(command, "walk") == 0) {
        printf("%.3f\n", timed(walk, seconds));
    } else if (strcmp(command, "replay") == 0) {
        printf("%.3f\n", timed(replay, seconds));
    } else if (strcmp(command, "unmapAll") == 0) {
        printf("%.3f\n", timed_unmap_all(seconds));
    } else {
        fail("an unknown command");
    }
    fflush(stdout);
}

static void *read_all(FILE *file, size_t count, size_t size)
{
    /* One more than there are, for the look-up that never comes. */
    void *all = calloc(count + 1, size);
    if (all == NULL || fread(all, size, count, file) != count) {
        fail("the file of keys is too short, or too long for the memory");
    }
    return all;
}

static void read_keys(const char *name)
{
    FILE *file = fopen(name, "rb");
    uint64_t head[4];
    if (file == NULL || fread(head, sizeof head[0], 4, file) != 4 || head[0] != MAGIC) {
        fail("the file of keys cannot be read");
    }
    key_count = head[1];
    address_count = head[2];
    step_count = head[3];
    keys = read_all(file, key_count, sizeof *keys);
    addresses = read_all(file, address_count, sizeof *addresses);
    steps = read_all(file, step_count, sizeof *steps);
    fclose(file);
    if (address_count % CHUNK != 0) {
        fail("the look-ups come in no whole chunks");
    }
}

int main(int count, char **arguments)
{
    char line[64];
    char command[32];
    double seconds;
    if (count != 2) {
        fail("expected a file of keys");
    }
    read_keys(arguments[1]);
    tree = g_tree_new_full(compare, NULL, g_free, g_free);
    fill();
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (sscanf(line, "%31s %lf", command, &seconds) != 2) {
            fail("a command is a word and a number");
        }
        answer(command, seconds);
    }
    return 0;
}
