// SPDX-License-Identifier: Apache-2.0

/*
 * MAP and UNMAP as a plain C loop: what is left of a virtio-iommu device when nothing but the work itself remains. It
 * is the yardstick for the product's own ring, device and mapping table, and does the same: it reads the same ring
 * layout, makes the same checks in the same order, and keeps the mappings in a B-tree.
 *
 *     map_loop KEYS
 *     map_loop check
 *
 * The first reads the file that KeyFile.java writes and describes, and says "ready". Then it takes commands, one a
 * line, and answers each by a line: "check 0" by the number of mappings that were made and removed again, "map S" and
 * "unmap S", which make all mappings and remove them for about S seconds, by nanoseconds a request of that kind. The
 * second tries the tree against a model and the ring against broken chains, and says "ok" or stops.
 *
 * Geometry. Guest RAM: 1 MiB at guest-physical 0. One split ring of 256 entries: descriptor table at 0, available ring
 * at 0x1000, used ring at 0x2000; VERSION_1 and EVENT_IDX negotiated, indirect descriptors not. Each request is two
 * descriptors chained by NEXT: 36 readable bytes for a MAP, 28 for an UNMAP, and 4 writable ones for the status; 64
 * bytes from one request to the next, 128 requests that are used in turn. A batch is 64 requests. One round maps all
 * that is in the file, in batches, and unmaps all, in the same order.
 *
 * Tree. Nodes of 384 bytes. A leaf has 15 slots in no order; a mapping comes or goes by one release store of its first
 * page, and a slot that was left rests until the next grace period. Inner nodes have up to 31 children and are copied
 * to be changed; what they replaced waits for a grace period. The way to the last leaf is kept for the next request.
 *
 * The time of a request begins when its batch is made available and ends when all of the batch is answered. Writing
 * requests and looking at answers is not in it.
 */

#define _GNU_SOURCE
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#if !defined(__OPTIMIZE__) || defined(__OPTIMIZE_SIZE__)
#error "build with -O2 at least; figures of another build compare with nothing"
#endif

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

static void require(bool holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "map_loop: %s\n", what);
        exit(1);
    }
}

/* ---- Nodes ------------------------------------------------------------------------------------------------------- */

enum { LEAF_CAPACITY = 15, INNER_CAPACITY = 31, MAX_LEVELS = 10, MAX_NODES = 1 << 15 };

/* Pages are addresses divided by 4096. NONE is above every page, near enough for distances to be shifted by a slot. */
static const u64 PAGES = 1ull << 52;
static const u64 NONE = 2ull << 52;

struct leaf {
    u64 first[LEAF_CAPACITY];       /* NONE in a slot that holds no mapping */
    u16 used;                       /* one bit a slot */
    u16 freed;                      /* slots that were left in this epoch */
    u32 epoch;
    struct {
        u64 last;
        u64 target;                 /* guest-physical start, flags in the low bits */
    } value[LEAF_CAPACITY];
};

struct inner {
    u64 separator[INNER_CAPACITY];  /* lower bound of the child behind; NONE where there is none */
    u64 count;
    u32 child[INNER_CAPACITY];
};

union node {
    struct leaf leaf;
    struct inner inner;
    u8 size[384];
};
_Static_assert(sizeof(union node) == 384, "a node is six cache lines");

static union node *nodes;           /* node 0 is the empty leaf that every empty tree has for a root */
static u32 freed_nodes[MAX_NODES];
static u32 retired_nodes[MAX_NODES];
static u32 touched, freed, retired;
static u32 epoch;

static inline struct leaf *leaf_at(u32 node) {
    return &nodes[node].leaf;
}

static inline struct inner *inner_at(u32 node) {
    return &nodes[node].inner;
}

/* What the longest change may take must be free before it begins. */
static inline bool has_room(void) {
    return MAX_NODES - touched + freed >= 2 * MAX_LEVELS + 2 + 64;
}

static u32 allocate(void) {
    return freed != 0 ? freed_nodes[--freed] : touched++;
}

static void retire(u32 node) {
    if (node != 0) {
        retired_nodes[retired++] = node;
    }
}

/* After a grace period. */
static void reclaim(void) {
    memcpy(freed_nodes + freed, retired_nodes, retired * sizeof *freed_nodes);
    freed += retired;
    retired = 0;
    epoch++;
}

static void clear_leaf(struct leaf *leaf) {
    for (int slot = 0; slot < LEAF_CAPACITY; slot++) {
        leaf->first[slot] = NONE;
    }
    leaf->used = 0;
    leaf->freed = 0;
    leaf->epoch = 0;
}

static void close_inner(struct inner *inner, int count) {
    for (int slot = count - 1; slot < INNER_CAPACITY; slot++) {
        inner->separator[slot] = NONE;
    }
    inner->count = count;
}

/* ---- Search ------------------------------------------------------------------------------------------------------ */

/* The child that holds what is known about a page: whole cache lines by their last slot, then slots of one line. */
static inline int child_for(const struct inner *inner, u64 page) {
    int at = 8 * ((inner->separator[7] <= page) + (inner->separator[15] <= page) + (inner->separator[23] <= page));
    int within = 0;
    for (int slot = 0; slot < 7; slot++) {
        within += inner->separator[at + slot] <= page;
    }
    return at + within;
}

/* The mapping that begins at a page or nearest below it: its distance above its slot. UINT64_MAX if there is none. */
static inline u64 floor_of(const struct leaf *leaf, u64 page) {
    u64 least = UINT64_MAX;
    for (int slot = 0; slot < LEAF_CAPACITY; slot++) {
        u64 distance = (page - leaf->first[slot]) << 4 | (u64) slot;
        least = distance < least ? distance : least;
    }
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return least < PAGES << 4 ? least : UINT64_MAX;
}

/* Whether a mapping begins at or below a page and reaches another. */
static inline bool reaches(const struct leaf *leaf, u64 from, u64 page) {
    u64 floor = floor_of(leaf, from);
    return floor != UINT64_MAX && leaf->value[floor & 15].last >= page;
}

static u64 lowest(const struct leaf *leaf) {
    u64 least = NONE;
    for (int slot = 0; slot < LEAF_CAPACITY; slot++) {
        least = leaf->first[slot] < least ? leaf->first[slot] : least;
    }
    return least;
}

/* ---- A tree and the writer's way into it ------------------------------------------------------------------------- */

enum { RECENT = 16 };

struct tree {
    u32 root;
    int height;
    u64 size;

    /* The way to the last leaf: the node, the slot that was taken and the first page behind, for each level. */
    bool current;
    u32 node[MAX_LEVELS];
    int slot[MAX_LEVELS];
    u64 fence[MAX_LEVELS];
    u64 begin;

    u64 recent[RECENT];
    u32 insertions;
};

static void descend_from_root(struct tree *tree, u64 page) {
    u32 node = tree->root;
    u64 begin = 0;
    u64 fence = PAGES;
    int level = tree->height;
    tree->node[level] = node;
    tree->fence[level] = fence;
    while (level > 0) {
        const struct inner *inner = inner_at(node);
        int slot = child_for(inner, page);
        tree->slot[level] = slot;
        fence = inner->separator[slot] < fence ? inner->separator[slot] : fence;
        begin = slot == 0 ? begin : inner->separator[slot - 1];
        node = inner->child[slot];
        level--;
        tree->node[level] = node;
        tree->fence[level] = fence;
    }
    tree->begin = begin;
    tree->current = true;
}

static inline void descend(struct tree *tree, u64 page) {
    if (!tree->current || page < tree->begin || page >= tree->fence[0]) {
        descend_from_root(tree, page);
    }
}

static u32 leaf_for(const struct tree *tree, u64 page) {
    u32 node = tree->root;
    for (int level = tree->height; level > 0; level--) {
        node = inner_at(node)->child[child_for(inner_at(node), page)];
    }
    return node;
}

static void publish_root(struct tree *tree, u32 node, int height) {
    tree->height = height;
    tree->node[height] = node;
    tree->current = false;
    __atomic_store_n(&tree->root, node, __ATOMIC_RELEASE);
}

static void replace(struct tree *tree, int level, u32 node) {
    if (level == tree->height) {
        publish_root(tree, node, level);
        return;
    }
    u32 *child = &inner_at(tree->node[level + 1])->child[tree->slot[level + 1]];
    __atomic_store_n(child, node, __ATOMIC_RELEASE);
    tree->node[level] = node;
    tree->current = tree->current && level == 0;
}

/* ---- Insertion --------------------------------------------------------------------------------------------------- */

enum result { DONE, OVERLAP, WOULD_SPLIT, FULL };

static inline u32 resting(const struct leaf *leaf) {
    return leaf->epoch == epoch ? leaf->freed : 0;
}

static bool insert_into_slot(struct leaf *leaf, u64 first, u64 last, u64 target) {
    u32 rest = resting(leaf);
    u32 usable = ~(leaf->used | rest) & ((1u << LEAF_CAPACITY) - 1);
    if (usable == 0) {
        return false;
    }
    int slot = __builtin_ctz(usable);
    leaf->value[slot].last = last;
    leaf->value[slot].target = target;
    __atomic_store_n(&leaf->first[slot], first, __ATOMIC_RELEASE);
    leaf->used |= 1u << slot;
    leaf->freed = rest;
    leaf->epoch = epoch;
    return true;
}

static void append(struct leaf *leaf, u64 first, u64 last, u64 target) {
    int slot = __builtin_popcount(leaf->used);
    leaf->first[slot] = first;
    leaf->value[slot].last = last;
    leaf->value[slot].target = target;
    leaf->used |= 1u << slot;
}

static void append_all(struct leaf *leaf, const struct leaf *from) {
    for (u32 left = from->used; left != 0; left &= left - 1) {
        int slot = __builtin_ctz(left);
        append(leaf, from->first[slot], from->value[slot].last, from->value[slot].target);
    }
}

/* Part of an inner node that has two children in place of the one in a slot, both counted. */
static u32 inner_part(u32 node, int from, int to, int slot, u32 left, u64 separator, u32 right) {
    u32 part = allocate();
    const struct inner *old = inner_at(node);
    struct inner *inner = inner_at(part);
    for (int i = from; i < to; i++) {
        inner->child[i - from] = i == slot ? left : i == slot + 1 ? right : old->child[i < slot ? i : i - 1];
    }
    for (int i = from; i < to - 1; i++) {
        inner->separator[i - from] = i == slot ? separator : old->separator[i < slot ? i : i - 1];
    }
    close_inner(inner, to - from);
    return part;
}

static void new_root(struct tree *tree, int level, u32 left, u64 separator, u32 right) {
    u32 root = allocate();
    inner_at(root)->child[0] = left;
    inner_at(root)->child[1] = right;
    inner_at(root)->separator[0] = separator;
    close_inner(inner_at(root), 2);
    publish_root(tree, root, level + 1);
}

/* Puts two nodes where the way has its leaf, and splits as far up as needed. A node that one of them is stays. */
static void grow(struct tree *tree, u32 left, u64 separator, u32 right) {
    for (int level = 0;; level++) {
        u32 child = tree->node[level];
        if (child != left && child != right) {
            retire(child);
        }
        if (level == tree->height) {
            new_root(tree, level, left, separator, right);
            return;
        }
        u32 node = tree->node[level + 1];
        int slot = tree->slot[level + 1];
        int count = inner_at(node)->count;
        if (count < INNER_CAPACITY) {
            replace(tree, level + 1, inner_part(node, 0, count + 1, slot, left, separator, right));
            retire(node);
            return;
        }
        bool keep_left = left == child && slot == INNER_CAPACITY - 1;
        bool keep_right = right == child && slot == 0;
        int cut = keep_left ? INNER_CAPACITY : keep_right ? 1 : (INNER_CAPACITY + 1) / 2;
        u32 upper_left = keep_left ? node : inner_part(node, 0, cut, slot, left, separator, right);
        u32 upper_right = keep_right ? node : inner_part(node, cut, INNER_CAPACITY + 1, slot, left, separator, right);
        int at = cut - 1;
        separator = at == slot ? separator : inner_at(node)->separator[at < slot ? at : at - 1];
        left = upper_left;
        right = upper_right;
    }
}

struct mapping {
    u64 first;
    u64 last;
    u64 target;
};

static int sorted_with(const struct leaf *leaf, struct mapping mapping, struct mapping *all) {
    int count = 0;
    int at = 0;
    all[count++] = mapping;
    for (u32 left = leaf->used; left != 0; left &= left - 1) {
        int slot = __builtin_ctz(left);
        struct mapping next = {leaf->first[slot], leaf->value[slot].last, leaf->value[slot].target};
        int i = count++;
        while (i > 0 && all[i - 1].first > next.first) {
            all[i] = all[i - 1];
            i--;
        }
        all[i] = next;
    }
    while (all[at].first != mapping.first) {
        at++;
    }
    return at;
}

static bool is_recent(const struct tree *tree, u64 first) {
    bool recent = false;
    for (int i = 0; i < RECENT; i++) {
        recent |= tree->recent[i] == first;
    }
    return recent;
}

static int cut_at(int slot) {
    if (slot == 0) {
        return 1;
    }
    return slot > LEAF_CAPACITY ? LEAF_CAPACITY
            : slot < 3 ? 3
            : slot > LEAF_CAPACITY - 2 ? LEAF_CAPACITY - 2 : slot;
}

static u32 leaf_of(const struct mapping *mappings, int count) {
    u32 node = allocate();
    clear_leaf(leaf_at(node));
    for (int i = 0; i < count; i++) {
        append(leaf_at(node), mappings[i].first, mappings[i].last, mappings[i].target);
    }
    return node;
}

/* Cuts a full leaf where a run of addresses is, or in the middle; at the end of a run the leaf stays as it is. */
static void split_leaf(struct tree *tree, u32 leaf, struct mapping mapping) {
    struct mapping all[LEAF_CAPACITY + 1];
    int at = sorted_with(leaf_at(leaf), mapping, all);
    bool downward = at < LEAF_CAPACITY && is_recent(tree, all[at + 1].first);
    bool upward = at > 0 && is_recent(tree, all[at - 1].first);
    bool meeting = downward && upward;
    if (meeting) {
        downward = all[at + 1].first - mapping.first < mapping.first - all[at - 1].first;
        upward = !downward;
    }
    int cut = upward ? cut_at(at + 1) : downward ? cut_at(at) : (LEAF_CAPACITY + 1) / 2;
    u32 left = at == LEAF_CAPACITY && cut == LEAF_CAPACITY ? leaf : leaf_of(all, cut);
    u32 right = at == 0 && cut == 1 ? leaf : leaf_of(all + cut, LEAF_CAPACITY + 1 - cut);
    u64 after_left = all[cut - 1].last + 1;
    u64 first_right = all[cut].first;
    grow(tree, left, meeting ? (after_left + first_right) / 2 : downward ? after_left : first_right, right);
}

/* Moves the end of the leaf up, for a mapping that reaches beyond it; nothing is mapped in between. */
static void move_fence(struct tree *tree, u64 page) {
    int level = 1;
    while (tree->fence[level] == tree->fence[0]) {
        level++;
    }
    u32 old = tree->node[level];
    u32 moved = allocate();
    nodes[moved] = nodes[old];
    inner_at(moved)->separator[tree->slot[level]] = page;
    replace(tree, level, moved);
    retire(old);
}

static void insert_into_new(struct tree *tree, u32 leaf, struct mapping mapping) {
    if (mapping.last >= tree->fence[0]) {
        move_fence(tree, mapping.last + 1);
    }
    if (__builtin_popcount(leaf_at(leaf)->used) == LEAF_CAPACITY) {
        split_leaf(tree, leaf, mapping);
        return;
    }
    u32 fresh = allocate();
    clear_leaf(leaf_at(fresh));
    append_all(leaf_at(fresh), leaf_at(leaf));
    append(leaf_at(fresh), mapping.first, mapping.last, mapping.target);
    replace(tree, 0, fresh);
    retire(leaf);
}

static enum result insert(struct tree *tree, u64 first, u64 last, u64 target) {
    descend(tree, first);
    u32 leaf = tree->node[0];
    if (reaches(leaf_at(leaf), last, first)
            || (last >= tree->fence[0] && lowest(leaf_at(leaf_for(tree, tree->fence[0]))) <= last)) {
        return OVERLAP;
    }
    bool within = last < tree->fence[0] && leaf != 0;
    if (!within || !insert_into_slot(leaf_at(leaf), first, last, target)) {
        if (!has_room() || tree->height == MAX_LEVELS - 1) {
            return FULL;
        }
        insert_into_new(tree, leaf, (struct mapping) {first, last, target});
    }
    tree->recent[tree->insertions++ % RECENT] = first;
    tree->size++;
    return DONE;
}

/* ---- Removal ----------------------------------------------------------------------------------------------------- */

enum { LEAF_SPARSE = 5, LEAF_SPARSER = 1, LEAF_JOINED = 12, INNER_SPARSE = 8, INNER_JOINED = 24 };

static u32 without(u32 node, int dropped) {
    u32 rest = allocate();
    const struct inner *old = inner_at(node);
    struct inner *inner = inner_at(rest);
    int count = old->count;
    for (int i = 0; i < count - 1; i++) {
        inner->child[i] = old->child[i < dropped ? i : i + 1];
    }
    for (int i = 0; i < count - 2; i++) {
        inner->separator[i] = old->separator[i < dropped - 1 || (i < dropped && dropped == 0) ? i : i + 1];
    }
    close_inner(inner, count - 1);
    return rest;
}

static void lower_root(struct tree *tree) {
    int height = tree->height;
    u32 node = tree->node[height];
    while (height > 0 && inner_at(node)->count == 1) {
        retire(node);
        node = inner_at(node)->child[0];
        height--;
    }
    if (height < tree->height) {
        publish_root(tree, node, height);
    }
}

/* Takes the child that the way goes on with out of the node of a level; the node out of its parent, if none is left. */
static void unlink_child(struct tree *tree, int level) {
    while (level <= tree->height && inner_at(tree->node[level])->count == 1) {
        retire(tree->node[level]);
        level++;
    }
    if (level > tree->height) {
        publish_root(tree, 0, 0);
        return;
    }
    u32 node = tree->node[level];
    replace(tree, level, without(node, tree->slot[level]));
    retire(node);
    lower_root(tree);
}

static int count_of(u32 node, int level) {
    return level == 0 ? __builtin_popcount(leaf_at(node)->used) : (int) inner_at(node)->count;
}

static u32 join_leaves(u32 left, u32 right) {
    u32 joined = allocate();
    clear_leaf(leaf_at(joined));
    append_all(leaf_at(joined), leaf_at(left));
    append_all(leaf_at(joined), leaf_at(right));
    return joined;
}

static u32 join_inner(u32 left, u64 separator, u32 right) {
    u32 joined = allocate();
    struct inner *inner = inner_at(joined);
    *inner = *inner_at(left);
    int count = inner->count;
    int more = inner_at(right)->count;
    inner->separator[count - 1] = separator;
    memcpy(inner->separator + count, inner_at(right)->separator, (more - 1) * sizeof *inner->separator);
    memcpy(inner->child + count, inner_at(right)->child, more * sizeof *inner->child);
    close_inner(inner, count + more);
    return joined;
}

static bool join(struct tree *tree, int level, int slot) {
    u32 parent = tree->node[level + 1];
    u32 left = inner_at(parent)->child[slot];
    u32 right = inner_at(parent)->child[slot + 1];
    if (count_of(left, level) + count_of(right, level) > (level == 0 ? LEAF_JOINED : INNER_JOINED)) {
        return false;
    }
    u32 rest = without(parent, slot + 1);
    inner_at(rest)->child[slot] = level == 0
            ? join_leaves(left, right) : join_inner(left, inner_at(parent)->separator[slot], right);
    replace(tree, level + 1, rest);
    retire(left);
    retire(right);
    retire(parent);
    lower_root(tree);
    return true;
}

static bool join_with_neighbour(struct tree *tree, int level) {
    int slot = tree->slot[level + 1];
    int count = inner_at(tree->node[level + 1])->count;
    return (slot > 0 && join(tree, level, slot - 1)) || (slot + 1 < count && join(tree, level, slot));
}

static void join_sparse(struct tree *tree, u64 page, bool all_levels) {
    descend(tree, page);
    for (int level = 0; level < tree->height; level++) {
        bool sparse = count_of(tree->node[level], level) < (level == 0 ? LEAF_SPARSE : INNER_SPARSE);
        bool joined = sparse && join_with_neighbour(tree, level);
        if (!joined && !all_levels) {
            return;
        }
        descend(tree, page);
    }
}

static void take_from_leaf(struct tree *tree, u32 slots, u64 page) {
    u32 node = tree->node[0];
    struct leaf *leaf = leaf_at(node);
    int rest = __builtin_popcount(leaf->used) - __builtin_popcount(slots);
    tree->size -= __builtin_popcount(slots);
    if (rest == 0) {
        unlink_child(tree, 1);
        retire(node);
        join_sparse(tree, page, true);
        return;
    }
    for (u32 left = slots; left != 0; left &= left - 1) {
        __atomic_store_n(&leaf->first[__builtin_ctz(left)], NONE, __ATOMIC_RELEASE);
    }
    leaf->freed = resting(leaf) | slots;
    leaf->used &= ~slots;
    leaf->epoch = epoch;
    if (rest == LEAF_SPARSE - 1 || rest == LEAF_SPARSER) {
        join_sparse(tree, page, false);
    }
}

static u32 slots_between(const struct leaf *leaf, u64 first, u64 last) {
    u32 slots = 0;
    for (int slot = 0; slot < LEAF_CAPACITY; slot++) {
        slots |= (u32) (leaf->first[slot] >= first && leaf->first[slot] <= last) << slot;
    }
    return slots;
}

/* Whatever is not just one mapping: leaf after leaf. The timed loop never comes here. */
static enum result remove_range(struct tree *tree, u64 virt_start, u64 virt_end) {
    u64 first = (virt_start >> 12) + ((virt_start & 4095) != 0);
    u64 behind = (virt_end >> 12) + ((virt_end & 4095) == 4095);
    if (reaches(leaf_at(leaf_for(tree, virt_start >> 12)), first - 1, virt_start >> 12)
            || reaches(leaf_at(leaf_for(tree, virt_end >> 12)), virt_end >> 12, behind)) {
        return WOULD_SPLIT;
    }
    for (u64 at = first; at < behind;) {
        if (!has_room()) {
            return FULL;
        }
        descend(tree, at);
        u64 next = tree->fence[0];
        u32 slots = slots_between(leaf_at(tree->node[0]), first, behind - 1);
        if (slots != 0) {
            take_from_leaf(tree, slots, at);
        }
        at = next;
    }
    return DONE;
}

static enum result remove_mappings(struct tree *tree, u64 virt_start, u64 virt_end) {
    descend(tree, virt_start >> 12);
    const struct leaf *leaf = leaf_at(tree->node[0]);
    u64 floor = floor_of(leaf, virt_start >> 12);
    bool exact = floor < LEAF_CAPACITY && leaf->value[floor].last == virt_end >> 12
            && ((virt_start | ~virt_end) & 4095) == 0;
    if (!exact) {
        return remove_range(tree, virt_start, virt_end);
    }
    if (!has_room()) {
        return FULL;
    }
    take_from_leaf(tree, 1u << floor, virt_start >> 12);
    return DONE;
}

/* ---- Ring layout (virtio 1.4, section 2.7) ----------------------------------------------------------------------- */

enum { RING = 256, NEXT = 1, WRITE = 2, INDIRECT = 4 };

struct descriptor {
    u64 address;
    u32 length;
    u16 flags;
    u16 next;
};

struct available {
    u16 flags;
    u16 index;
    u16 ring[RING];
    u16 used_event;
};

struct used {
    u16 flags;
    u16 index;
    struct {
        u32 id;
        u32 length;
    } ring[RING];
    u16 available_event;
};

static const u64 RAM_START = 0;
static const u64 RAM_SIZE = 1 << 20;
enum { AVAILABLE_AT = 0x1000, USED_AT = 0x2000, REQUESTS_AT = 0x4000, REQUEST_STRIDE = 64, TAIL_AT = 48 };
enum { REQUESTS = RING / 2 };

static u8 *ram;

/* A piece of guest memory, or null if not all of it lies in RAM. */
static inline u8 *guest(u64 address, u64 length) {
    u64 offset = address - RAM_START;
    return offset < RAM_SIZE && length <= RAM_SIZE - offset ? ram + offset : NULL;
}

/* ---- Device: the queue ------------------------------------------------------------------------------------------- */

enum failure {
    NOT_BROKEN, INDEX_AHEAD, HEAD_RANGE, HEAD_IN_FLIGHT, NEXT_RANGE, CHAIN_LENGTH, CHAIN_ORDER, IS_INDIRECT
};

struct chain {
    u16 head;
    int count;
    int readable_count;
    u64 readable;
    u64 writable;
    u64 written;
    struct {
        u64 address;
        u32 length;
    } part[RING];
};

static struct {
    const struct descriptor *descriptors;
    const struct available *available;
    struct used *used;
    u16 available_index;            /* as last read */
    u16 next_available;
    u16 next_used;
    u16 published_used;
    u16 in_flight_count;
    u64 in_flight[RING / 64];
    enum failure failure;
    u64 interrupts;
} queue;

static bool fail(enum failure failure) {
    queue.failure = failure;
    return false;
}

static inline bool is_available(void) {
    if (queue.next_available != queue.available_index) {
        return true;
    }
    u16 index = __atomic_load_n(&queue.available->index, __ATOMIC_ACQUIRE);
    u16 added = index - queue.next_available;
    if (added > RING - queue.in_flight_count) {
        return fail(INDEX_AHEAD);
    }
    queue.available_index = index;
    return added != 0;
}

/* Each descriptor is two loads into locals: what is checked is what is used. */
static inline bool walk(struct chain *chain) {
    u16 index = chain->head;
    for (int count = 1; count <= RING; count++) {
        const u64 *words = (const u64 *) &queue.descriptors[index];
        u64 address = __atomic_load_n(words, __ATOMIC_RELAXED);
        u64 rest = __atomic_load_n(words + 1, __ATOMIC_RELAXED);
        u32 length = (u32) rest;
        u16 flags = rest >> 32;
        bool writable = (flags & WRITE) != 0;
        if ((flags & INDIRECT) != 0) {
            return fail(IS_INDIRECT);
        }
        if (!writable && chain->count > chain->readable_count) {
            return fail(CHAIN_ORDER);
        }
        if (length != 0) {
            chain->part[chain->count].address = address;
            chain->part[chain->count].length = length;
            chain->count++;
            chain->readable_count += !writable;
            chain->readable += writable ? 0 : length;
            chain->writable += writable ? length : 0;
        }
        if ((flags & NEXT) == 0) {
            return true;
        }
        index = rest >> 48;
        if (index >= RING) {
            return fail(NEXT_RANGE);
        }
    }
    return fail(CHAIN_LENGTH);
}

static inline bool poll(struct chain *chain) {
    if (queue.failure != NOT_BROKEN || !is_available()) {
        return false;
    }
    u16 head = __atomic_load_n(&queue.available->ring[queue.next_available % RING], __ATOMIC_RELAXED);
    if (head >= RING) {
        return fail(HEAD_RANGE);
    }
    u64 bit = 1ull << head % 64;
    if ((queue.in_flight[head / 64] & bit) != 0) {
        return fail(HEAD_IN_FLIGHT);
    }
    queue.in_flight[head / 64] |= bit;
    queue.in_flight_count++;
    chain->head = head;
    chain->count = chain->readable_count = 0;
    chain->readable = chain->writable = chain->written = 0;
    if (!walk(chain)) {
        return false;
    }
    queue.next_available++;
    return true;
}

static inline void complete(const struct chain *chain) {
    u64 element = (u64) chain->written << 32 | chain->head;
    memcpy(&queue.used->ring[queue.next_used % RING], &element, sizeof element);
    queue.in_flight[chain->head / 64] &= ~(1ull << chain->head % 64);
    queue.in_flight_count--;
    queue.next_used++;
}

static void publish(void) {
    u16 before = queue.published_used;
    if (queue.next_used == before) {
        return;
    }
    __atomic_store_n(&queue.used->index, queue.next_used, __ATOMIC_RELEASE);
    queue.published_used = queue.next_used;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    u16 event = __atomic_load_n(&queue.available->used_event, __ATOMIC_RELAXED);
    queue.interrupts += (u16) (queue.next_used - event - 1) < (u16) (queue.next_used - before);
}

static bool enable_notifications(void) {
    __atomic_store_n(&queue.used->available_event, queue.next_available, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return queue.failure == NOT_BROKEN
            && __atomic_load_n(&queue.available->index, __ATOMIC_ACQUIRE) != queue.next_available;
}

static inline bool copy_in(const struct chain *chain, u8 *to, u64 length) {
    for (int i = 0; length != 0; i++) {
        u64 piece = chain->part[i].length < length ? chain->part[i].length : length;
        const u8 *from = guest(chain->part[i].address, piece);
        if (from == NULL) {
            return false;
        }
        memcpy(to, from, piece);
        to += piece;
        length -= piece;
    }
    return true;
}

static inline void copy_out(struct chain *chain, const u8 *from, u64 length) {
    for (int i = chain->readable_count; length != 0; i++) {
        u64 piece = chain->part[i].length < length ? chain->part[i].length : length;
        u8 *to = guest(chain->part[i].address, piece);
        if (to == NULL) {
            return;
        }
        memcpy(to, from, piece);
        chain->written += piece;
        from += piece;
        length -= piece;
    }
}

/* ---- Device: the requests (virtio 1.4, section 5.13.6) ----------------------------------------------------------- */

enum type { TYPE_MAP = 3, TYPE_UNMAP = 4 };
enum status { OK = 0, INVAL = 4, RANGE = 5, NOENT = 6, NOMEM = 8, UNANSWERED = 0x100 };
enum { HEAD_SIZE = 4, MAP_SIZE = 36, UNMAP_SIZE = 28, TAIL_SIZE = 4, LONGEST = 72, DOMAINS = 64 };

struct domain {
    bool exists;
    bool bypass;
    u32 id;
    struct tree tree;
};

/* The numbers are variables because they are settings: a device does not know them when it is compiled. */
static struct {
    struct domain domains[DOMAINS];
    u32 map_flags;
    u64 granule_mask;
    u64 input_start;
    u64 input_end;
    u64 mappings;
    u64 most_mappings;
    int reserved_count;
    struct {
        u64 start;
        u64 end;
    } reserved[4];
    bool taken_away;
    u64 generation;
    u64 reader;                     /* odd inside a section; here nobody ever is in one */
    u64 answered[8];
    u64 refused;
} device;

static inline u64 load64(const u8 *from) {
    u64 value;
    memcpy(&value, from, sizeof value);
    return value;
}

static inline u32 load32(const u8 *from) {
    u32 value;
    memcpy(&value, from, sizeof value);
    return value;
}

static inline struct domain *domain_of(u32 id) {
    for (u32 at = id * 0x9e3779b9u >> 26;; at = (at + 1) % DOMAINS) {
        struct domain *domain = &device.domains[at];
        if (!domain->exists) {
            return NULL;
        }
        if (domain->id == id) {
            return domain;
        }
    }
}

static inline bool is_reserved(u64 virt_start, u64 virt_end) {
    for (int i = 0; i < device.reserved_count; i++) {
        if (virt_start <= device.reserved[i].end && virt_end >= device.reserved[i].start) {
            return true;
        }
    }
    return false;
}

/* After it, nobody uses what was taken away. */
static void grace_period(void) {
    device.generation++;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    while ((__atomic_load_n(&device.reader, __ATOMIC_ACQUIRE) & 1) != 0) {
        __builtin_ia32_pause();
    }
    device.taken_away = false;
    reclaim();
}

static enum status map(const u8 *request) {
    u32 flags = load32(request + 32);
    if ((flags & ~device.map_flags) != 0) {
        return INVAL;
    }
    struct domain *domain = domain_of(load32(request + 4));
    if (domain == NULL) {
        return NOENT;
    }
    if (domain->bypass) {
        return INVAL;
    }
    u64 virt_start = load64(request + 8);
    u64 virt_end = load64(request + 16);
    u64 phys_start = load64(request + 24);
    if (virt_end < virt_start || ((virt_start | phys_start | (virt_end + 1)) & device.granule_mask) != 0
            || phys_start + (virt_end - virt_start) < phys_start
            || virt_start < device.input_start || virt_end > device.input_end) {
        return RANGE;
    }
    if (is_reserved(virt_start, virt_end)) {
        return INVAL;
    }
    if (device.mappings >= device.most_mappings) {
        return NOMEM;
    }
    enum result result = insert(&domain->tree, virt_start >> 12, virt_end >> 12, phys_start | flags);
    if (result == FULL && retired != 0) {
        grace_period();
        result = insert(&domain->tree, virt_start >> 12, virt_end >> 12, phys_start | flags);
    }
    device.mappings += result == DONE;
    return result == DONE ? OK : result == OVERLAP ? INVAL : NOMEM;
}

static enum status unmap(const u8 *request) {
    if (load32(request + 24) != 0) {
        return INVAL;
    }
    struct domain *domain = domain_of(load32(request + 4));
    if (domain == NULL) {
        return NOENT;
    }
    if (domain->bypass) {
        return INVAL;
    }
    u64 virt_start = load64(request + 8);
    u64 virt_end = load64(request + 16);
    if (virt_end < virt_start) {
        return RANGE;
    }
    u64 before = domain->tree.size;
    enum result result = remove_mappings(&domain->tree, virt_start, virt_end);
    if (result == FULL) {
        grace_period();
        result = remove_mappings(&domain->tree, virt_start, virt_end);
    }
    device.mappings -= before - domain->tree.size;
    device.taken_away |= before != domain->tree.size;
    return result == DONE ? OK : RANGE;
}

static enum status execute(const struct chain *chain) {
    u8 request[LONGEST];
    u64 length = chain->readable < LONGEST ? chain->readable : LONGEST;
    if (chain->readable < HEAD_SIZE || chain->writable < TAIL_SIZE || !copy_in(chain, request, length)) {
        return UNANSWERED;
    }
    switch (request[0]) {
    case TYPE_MAP:
        return length < MAP_SIZE ? UNANSWERED : map(request);
    case TYPE_UNMAP:
        return length < UNMAP_SIZE ? UNANSWERED : unmap(request);
    default:
        return UNANSWERED;
    }
}

static void serve(struct chain *chain) {
    enum status status = execute(chain);
    if (status == UNANSWERED) {
        device.refused++;
    } else {
        device.answered[chain->readable < MAP_SIZE ? TYPE_UNMAP : TYPE_MAP]++;
        u32 tail = status;
        copy_out(chain, (const u8 *) &tail, sizeof tail);
    }
    complete(chain);
}

/* The doorbell: everything available is answered before it returns. */
static __attribute__((noinline)) void doorbell(void) {
    static struct chain chain;
    do {
        while (poll(&chain)) {
            serve(&chain);
        }
        if (device.taken_away || retired > 512) {
            grace_period();
        }
        publish();
    } while (enable_notifications());
}

static void start_device(void) {
    nodes = aligned_alloc(128, MAX_NODES * sizeof *nodes);
    ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require(nodes != NULL && ram != MAP_FAILED, "no memory");
    memset(nodes, 0, MAX_NODES * sizeof *nodes);
    clear_leaf(leaf_at(allocate()));
    queue.descriptors = (const struct descriptor *) ram;
    queue.available = (const struct available *) (ram + AVAILABLE_AT);
    queue.used = (struct used *) (ram + USED_AT);
    epoch = 1;
    device.map_flags = 3;
    device.granule_mask = 4095;
    device.input_end = UINT64_MAX;
    device.most_mappings = 1 << 20;
    struct domain *domain = &device.domains[1 * 0x9e3779b9u >> 26];
    domain->exists = true;
    domain->id = 1;
}

/* ---- Driver ------------------------------------------------------------------------------------------------------ */

enum { BATCH = 64 };
static const u64 MAGIC = 0x3173796534766f76;

/* A mapping to make. */
struct key {
    u64 first;
    u64 last;
    u64 physical;
};

static struct key *keys;
static u64 key_count;
static u16 driver_available;

static void store64(u8 *to, u64 value) {
    memcpy(to, &value, sizeof value);
}

static void store32(u8 *to, u32 value) {
    memcpy(to, &value, sizeof value);
}

/* Where the request lies that many entries behind the available index. */
static int slot_of(int behind) {
    return (u16) (driver_available + behind) % REQUESTS;
}

static void post(int slot, u32 readable) {
    struct descriptor *descriptors = (struct descriptor *) ram;
    u64 request = RAM_START + REQUESTS_AT + (u64) slot * REQUEST_STRIDE;
    int head = 2 * slot;
    descriptors[head] = (struct descriptor) {request, readable, NEXT, head + 1};
    descriptors[head + 1] = (struct descriptor) {request + TAIL_AT, TAIL_SIZE, WRITE, 0};
}

static void put_request(enum type type, int slot, u64 virt_start, u64 virt_end, u64 phys_start) {
    u8 *request = ram + REQUESTS_AT + slot * REQUEST_STRIDE;
    store32(request, type);
    store32(request + 4, 1);
    store64(request + 8, virt_start);
    store64(request + 16, virt_end);
    if (type == TYPE_MAP) {
        store64(request + 24, phys_start);
        store32(request + 32, 3);
    } else {
        store32(request + 24, 0);
    }
    request[TAIL_AT] = 0xff;
    post(slot, type == TYPE_MAP ? MAP_SIZE : UNMAP_SIZE);
}

static u64 now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000ull + time.tv_nsec;
}

/* Makes a batch available, waits for the answers and returns the nanoseconds of both. */
static u64 kick(int count) {
    struct available *available = (struct available *) (ram + AVAILABLE_AT);
    const struct used *used = (const struct used *) (ram + USED_AT);
    u64 before = now();
    driver_available += count;
    __atomic_store_n(&available->index, driver_available, __ATOMIC_RELEASE);
    doorbell();
    u64 nanos = now() - before;
    require(__atomic_load_n(&used->index, __ATOMIC_ACQUIRE) == driver_available, "a request did not come back");
    return nanos;
}

/* Requests of one kind for all keys; gives nanoseconds. */
static u64 pass(enum type type) {
    u64 nanos = 0;
    for (u64 i = 0; i < key_count; i += BATCH) {
        int count = key_count - i < BATCH ? key_count - i : BATCH;
        for (int at = 0; at < count; at++) {
            put_request(type, slot_of(at), keys[i + at].first, keys[i + at].last, keys[i + at].physical);
        }
        nanos += kick(count);
        for (int at = -count; at < 0; at++) {
            require(ram[REQUESTS_AT + slot_of(at) * REQUEST_STRIDE + TAIL_AT] == OK, "a request was refused");
        }
    }
    return nanos;
}

/* The driver names the same chains again and again, one after the other. */
static void fill_available(void) {
    struct available *available = (struct available *) (ram + AVAILABLE_AT);
    for (int i = 0; i < RING; i++) {
        available->ring[i] = 2 * (i % REQUESTS);
    }
}

/* ---- Measurement ------------------------------------------------------------------------------------------------- */

static u64 random_state = 88172645463325252ull;

static u64 next_random(u64 below) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

static void read_keys(const char *name) {
    FILE *file = fopen(name, "rb");
    u64 head[4];
    require(file != NULL && fread(head, sizeof *head, 4, file) == 4 && head[0] == MAGIC, "the file of keys cannot be read");
    key_count = head[1];
    keys = calloc(key_count, sizeof *keys);
    require(keys != NULL && fread(keys, sizeof *keys, key_count, file) == key_count, "the file of keys is too short");
    fclose(file);
}

/* What must be so before times mean anything. */
static u64 check_keys(void) {
    const struct tree *tree = &domain_of(1)->tree;
    pass(TYPE_MAP);
    require(tree->size == key_count && device.mappings == key_count, "a mapping is lost");
    for (u64 i = 0; i < key_count; i++) {
        u64 page = keys[i].first >> 12;
        require(reaches(leaf_at(leaf_for(tree, page)), page, keys[i].last >> 12), "a mapping is not where it was made");
    }
    pass(TYPE_UNMAP);
    require(tree->size == 0 && device.mappings == 0, "a mapping stayed");
    return key_count;
}

enum { MOST_ROUNDS = 1 << 16 };

static int ascending(const void *left, const void *right) {
    u64 a = *(const u64 *) left;
    u64 b = *(const u64 *) right;
    return (a > b) - (a < b);
}

/*
 * Rounds of both kinds; gives nanoseconds a request of one, those of the median round: one in which somebody else had
 * the processor says nothing. A fifth of the time first, so that what others have driven out of the caches is back.
 */
static double measure(enum type wanted, double seconds) {
    static u64 samples[MOST_ROUNDS];
    u64 begun = now();
    u64 took = 0;
    int rounds = 0;
    while (rounds == 0 || (took < seconds * 1e9 && rounds < MOST_ROUNDS)) {
        u64 map = pass(TYPE_MAP);
        u64 unmap = pass(TYPE_UNMAP);
        took = now() - begun;
        if (took >= seconds * 1e9 / 5) {
            samples[rounds++] = wanted == TYPE_MAP ? map : unmap;
        }
    }
    qsort(samples, rounds, sizeof *samples, ascending);
    return (double) samples[rounds / 2] / key_count;
}

static void answer(const char *command, double seconds) {
    if (strcmp(command, "check") == 0) {
        printf("%llu\n", (unsigned long long) check_keys());
    } else if (strcmp(command, "map") == 0) {
        printf("%.3f\n", measure(TYPE_MAP, seconds));
    } else {
        require(strcmp(command, "unmap") == 0, "a command is check, map or unmap");
        printf("%.3f\n", measure(TYPE_UNMAP, seconds));
    }
    fflush(stdout);
}

static void answer_all(void) {
    char line[64];
    char command[32];
    double seconds;
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        require(sscanf(line, "%31s %lf", command, &seconds) == 2, "a command is a word and a number");
        answer(command, seconds);
    }
}

/* ---- Check ------------------------------------------------------------------------------------------------------- */

enum { MODEL_PAGES = 1 << 14 };

/* The model: for each page the first page of the mapping that it belongs to, and NONE if it belongs to none. */
static u64 model[MODEL_PAGES];

static void check_insert(struct tree *tree, u64 first, u64 last) {
    bool free_pages = true;
    for (u64 page = first; page <= last; page++) {
        free_pages &= model[page] == NONE;
    }
    require(insert(tree, first, last, first << 12) == (free_pages ? DONE : OVERLAP), "insert differs from the model");
    for (u64 page = first; free_pages && page <= last; page++) {
        model[page] = first;
    }
}

static void check_remove(struct tree *tree, u64 first, u64 last) {
    bool cut = (first > 0 && model[first] != NONE && model[first] == model[first - 1])
            || (last + 1 < MODEL_PAGES && model[last] != NONE && model[last] == model[last + 1]);
    u64 count = 0;
    for (u64 page = first; page <= last; page++) {
        count += model[page] == page;
    }
    u64 before = tree->size;
    enum result result = remove_mappings(tree, first << 12, last << 12 | 4095);
    require(result == (cut ? WOULD_SPLIT : DONE), "remove differs from the model");
    require(before - tree->size == (cut ? 0 : count), "remove counts otherwise than the model");
    for (u64 page = first; !cut && page <= last; page++) {
        model[page] = NONE;
    }
}

static void check_all(const struct tree *tree) {
    for (u64 page = 0; page < MODEL_PAGES; page++) {
        const struct leaf *leaf = leaf_at(leaf_for(tree, page));
        u64 floor = floor_of(leaf, page);
        bool found = floor != UINT64_MAX && leaf->value[floor & 15].last >= page;
        require(found == (model[page] != NONE), "a look-up differs from the model");
        require(!found || leaf->value[floor & 15].target == model[page] << 12, "a target differs from the model");
    }
}

static void check_tree(struct tree *tree) {
    for (u64 page = 0; page < MODEL_PAGES; page++) {
        model[page] = NONE;
    }
    for (int step = 0; step < 600000; step++) {
        u64 first = next_random(MODEL_PAGES);
        bool flood = step / 50000 % 2 == 0;
        u64 length = next_random(10) < 7 ? 1 : next_random(flood ? 6 : 200) + 1;
        u64 last = first + length <= MODEL_PAGES ? first + length - 1 : MODEL_PAGES - 1;
        if (next_random(100) < (flood ? 85 : 25)) {
            check_insert(tree, first, last);
        } else {
            check_remove(tree, first, last);
        }
        if (step % 64 == 0) {
            reclaim();
        }
        if (step % 5000 == 0) {
            check_all(tree);
        }
    }
    require(remove_mappings(tree, 0, UINT64_MAX) == DONE && tree->size == 0 && tree->root == 0, "it did not get empty");
    reclaim();
    require(touched - freed == 1, "a node is lost");
}

static void check_broken(enum failure expected, int index, struct descriptor descriptor) {
    int slot = slot_of(0);
    put_request(TYPE_MAP, slot, 0x1000, 0x1fff, 0);
    ((struct descriptor *) ram)[2 * slot + index] = descriptor;
    ((struct available *) (ram + AVAILABLE_AT))->index = ++driver_available;
    doorbell();
    require(queue.failure == expected, "a broken chain was not recognised");
    memset(queue.in_flight, 0, sizeof queue.in_flight);
    queue.in_flight_count = 0;
    queue.failure = NOT_BROKEN;
    driver_available--;
    queue.available_index = queue.next_available = driver_available;
}

static void check_status(enum type type, u64 virt_start, u64 virt_end, enum status expected) {
    int slot = slot_of(0);
    put_request(type, slot, virt_start, virt_end, 0);
    kick(1);
    require(ram[REQUESTS_AT + slot * REQUEST_STRIDE + TAIL_AT] == expected, "a status differs from what is expected");
}

static void check_device(void) {
    u64 at = RAM_START + REQUESTS_AT;
    check_broken(NEXT_RANGE, 0, (struct descriptor) {at, MAP_SIZE, NEXT, RING});
    check_broken(CHAIN_LENGTH, 0, (struct descriptor) {at, MAP_SIZE, NEXT, 0});
    check_broken(CHAIN_LENGTH, 1, (struct descriptor) {at, 4, WRITE | NEXT, 1});
    check_broken(CHAIN_ORDER, 1, (struct descriptor) {at, 4, WRITE | NEXT, 0});
    check_broken(IS_INDIRECT, 0, (struct descriptor) {at, 16, INDIRECT, 0});
    check_status(TYPE_MAP, 0x1000, 0x2fff, OK);
    check_status(TYPE_MAP, 0x2000, 0x3fff, INVAL);
    check_status(TYPE_MAP, 0x4001, 0x5fff, RANGE);
    check_status(TYPE_MAP, 0x5000, 0x3fff, RANGE);
    check_status(TYPE_UNMAP, 0x1000, 0x1fff, RANGE);
    check_status(TYPE_UNMAP, 0x5000, 0x3fff, RANGE);
    check_status(TYPE_UNMAP, 0, UINT64_MAX, OK);
    require(device.mappings == 0, "the device has lost count");
}

int main(int count, char **arguments) {
    require(count == 2, "expected a file of keys, or check");
    start_device();
    fill_available();
    if (strcmp(arguments[1], "check") == 0) {
        check_tree(&domain_of(1)->tree);
        check_device();
        puts("ok");
    } else {
        read_keys(arguments[1]);
        answer_all();
    }
    return 0;
}
