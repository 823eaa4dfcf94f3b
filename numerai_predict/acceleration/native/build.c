/* Validates trees, and gives every distinct decision one slot. */
#include "forest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *zeroed(size_t count, size_t size) { return calloc(count ? count : 1, size); }

int refuse(char *reason, const char *text)
{
    if (!reason[0])
        snprintf(reason, REASON_SIZE, "%s", text);
    return 0;
}

void free_raw(raw_forest *raw)
{
    free(raw->first_node), free(raw->first_leaf), free(raw->feature), free(raw->left), free(raw->right);
    free(raw->threshold), free(raw->kind), free(raw->leaf), free(raw->first_word), free(raw->words);
    memset(raw, 0, sizeof *raw);
}

EXPORT void ne_free(forest *f)
{
    if (!f)
        return;
    free(f->first_node), free(f->first_leaf), free(f->nodes), free(f->leaf), free(f->slot), free(f->used_feature);
    free(f->first_slot), free(f->first_word), free(f->words), free(f->linear.first), free(f->linear.feature);
    free(f->linear.coefficient), free(f->linear.constant), free(f->linear.is_linear), free(f);
}

/* Every node and leaf has one parent, of a lower number: no cycle, nothing out of range. */
static int valid_tree(const raw_forest *raw, int32_t tree, uint8_t *seen)
{
    int64_t base = raw->first_node[tree], nodes = raw->first_node[tree + 1] - base;
    int64_t leaves = raw->first_leaf[tree + 1] - raw->first_leaf[tree];
    if (nodes < 0 || leaves != nodes + 1 || leaves > MAX_LEAVES)
        return 0;
    memset(seen, 0, (size_t)(nodes + leaves));
    for (int64_t i = 0; i < nodes; i++) {
        for (int side = 0; side < 2; side++) {
            int32_t child = side ? raw->right[base + i] : raw->left[base + i];
            int64_t place = child >= 0 ? child : nodes + ~child;
            if ((child >= 0 && (child <= i || child >= nodes)) || place >= nodes + leaves || seen[place]++)
                return 0;
        }
        if (raw->feature[base + i] < 0 || isnan(raw->threshold[base + i]))
            return 0;
        if (raw->kind[base + i] & CATEGORICAL) {
            double set = raw->threshold[base + i];
            if (!(set >= 0 && set < raw->sets))
                return 0;
        }
    }
    return 1;
}

static int valid(const raw_forest *raw, char *reason)
{
    uint8_t *seen = zeroed(2 * MAX_LEAVES, 1);
    int ok = seen != NULL;
    for (int32_t tree = 0; ok && tree < raw->trees; tree++)
        ok = valid_tree(raw, tree, seen);
    free(seen);
    return ok || refuse(reason, "its trees are invalid or have more than 65,536 leaves");
}

static int by_feature(const void *a, const void *b)
{
    const slot *x = a, *y = b;
    if (x->feature != y->feature)
        return x->feature < y->feature ? -1 : 1;
    if (x->threshold != y->threshold)
        return x->threshold < y->threshold ? -1 : 1;
    return (int)x->kind - (int)y->kind;
}

static uint64_t mixed(int32_t feature, double threshold, uint8_t kind)
{
    uint64_t bits;
    memcpy(&bits, &threshold, sizeof bits);
    bits ^= ((uint64_t)(uint32_t)feature << 8 | kind) * 0x9e3779b97f4a7c15u;
    bits *= 0xff51afd7ed558ccdu;
    return bits ^ bits >> 29;
}

/* The largest float32 and the largest integer that is at most the threshold. */
static void round_down(slot *s)
{
    float single = (float)s->threshold;
    s->threshold32 = (double)single > s->threshold ? nextafterf(single, -INFINITY) : single;
    double whole = floor(s->threshold);
    s->threshold8 = whole < -129 ? -129 : whole > 127 ? 127 : (int32_t)whole;
}

typedef struct {
    slot *slots;
    uint32_t *of_node, *table;
    uint64_t mask;
    uint32_t count;
} slot_table;

static int find_slots(const raw_forest *raw, slot_table *t)
{
    int64_t nodes = raw->first_node[raw->trees];
    uint64_t size = 1024;
    while (size < 2 * (uint64_t)nodes)
        size *= 2;
    t->slots = zeroed((size_t)nodes, sizeof *t->slots);
    t->of_node = zeroed((size_t)nodes, sizeof *t->of_node);
    t->table = zeroed(size, sizeof *t->table);
    if (!t->slots || !t->of_node || !t->table)
        return 0;
    t->mask = size - 1;
    for (int64_t i = 0; i < nodes; i++) {
        double threshold = raw->threshold[i] == 0 ? 0.0 : raw->threshold[i]; /* -0.0 is 0.0 */
        uint64_t at = mixed(raw->feature[i], threshold, raw->kind[i]) & t->mask;
        for (; t->table[at]; at = (at + 1) & t->mask) {
            const slot *s = &t->slots[t->table[at] - 1];
            if (s->feature == raw->feature[i] && s->threshold == threshold && s->kind == raw->kind[i])
                break;
        }
        if (!t->table[at]) {
            slot *s = &t->slots[t->count];
            s->feature = raw->feature[i], s->threshold = threshold, s->kind = raw->kind[i];
            round_down(s);
            t->table[at] = ++t->count;
        }
        t->of_node[i] = t->table[at] - 1;
    }
    return 1;
}

/* Put the slots in the order of their features; `threshold8` holds the old number meanwhile. */
static int sort_slots(forest *f, slot_table *t)
{
    uint32_t *moved = zeroed(t->count, sizeof *moved);
    if (!moved)
        return 0;
    for (uint32_t i = 0; i < t->count; i++)
        t->slots[i].threshold8 = (int32_t)i;
    qsort(t->slots, t->count, sizeof *t->slots, by_feature);
    int32_t used = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        moved[t->slots[i].threshold8] = i;
        round_down(&t->slots[i]);
        if (i == 0 || t->slots[i].feature != t->slots[i - 1].feature) {
            f->used_feature[used] = t->slots[i].feature;
            f->first_slot[used++] = (int32_t)i;
        }
    }
    f->used = used;
    f->first_slot[used] = (int32_t)t->count;
    for (int64_t i = 0; i < f->first_node[f->trees]; i++)
        f->nodes[i].slot = moved[t->of_node[i]];
    free(moved);
    return 1;
}

static int fill(forest *f, raw_forest *raw, slot_table *t)
{
    int64_t nodes = raw->first_node[raw->trees];
    if (!find_slots(raw, t))
        return 0;
    f->nodes = zeroed((size_t)nodes, sizeof *f->nodes);
    f->used_feature = zeroed(t->count, sizeof *f->used_feature);
    f->first_slot = zeroed(t->count + 1, sizeof *f->first_slot);
    if (!f->nodes || !f->used_feature || !f->first_slot)
        return 0;
    for (int64_t i = 0; raw->left && i < nodes; i++)
        f->nodes[i].left = raw->left[i], f->nodes[i].right = raw->right[i];
    f->trees = raw->trees;
    f->first_node = raw->first_node, f->first_leaf = raw->first_leaf, f->leaf = raw->leaf;
    f->first_word = raw->first_word, f->words = raw->words;
    raw->first_node = raw->first_leaf = raw->first_word = NULL;
    raw->leaf = NULL, raw->words = NULL;
    for (int32_t tree = 0; tree < f->trees; tree++) {
        int64_t n = f->first_node[tree + 1] - f->first_node[tree];
        int64_t leaves = f->first_leaf[tree + 1] - f->first_leaf[tree];
        f->max_nodes = n > f->max_nodes ? (int32_t)n : f->max_nodes;
        f->max_leaves = leaves > f->max_leaves ? (int32_t)leaves : f->max_leaves;
    }
    if (!sort_slots(f, t))
        return 0;
    f->slot = t->slots, f->slots = (int32_t)t->count;
    f->features = f->used ? f->used_feature[f->used - 1] + 1 : 0;
    t->slots = NULL;
    return 1;
}

static int valid_oblivious(const raw_forest *raw, char *reason)
{
    for (int32_t tree = 0; tree < raw->trees; tree++) {
        int64_t depth = raw->first_node[tree + 1] - raw->first_node[tree];
        int64_t leaves = raw->first_leaf[tree + 1] - raw->first_leaf[tree];
        if (depth < 0 || depth > MAX_DEPTH_OBLIVIOUS || leaves != (int64_t)1 << depth)
            return refuse(reason, "its trees are invalid or deeper than 16");
        for (int64_t i = raw->first_node[tree]; i < raw->first_node[tree + 1]; i++)
            if (raw->feature[i] < 0 || isnan(raw->threshold[i]) || raw->kind[i] & CATEGORICAL)
                return refuse(reason, "its trees are invalid");
    }
    return 1;
}

forest *build_forest(raw_forest *raw, char *reason)
{
    int oblivious = raw->left == NULL;
    forest *f = NULL;
    if (oblivious ? valid_oblivious(raw, reason) : valid(raw, reason)) {
        slot_table t = {0};
        f = zeroed(1, sizeof *f);
        if (f) {
            f->outputs = 1, f->scale = 1, f->oblivious = oblivious;
            if (!fill(f, raw, &t)) {
                refuse(reason, "too little memory");
                ne_free(f);
                f = NULL;
            }
        }
        free(t.slots), free(t.of_node), free(t.table);
    }
    free_raw(raw);
    return f;
}

/* Trees whose nodes of a level are the same: one node per level, the lowest bit of a leaf's number first. */
EXPORT forest *ne_make_oblivious(int32_t trees, const int64_t *first_node, const int64_t *first_leaf,
                                 const int32_t *feature, const double *threshold, const double *leaf,
                                 int32_t features, double scale, double bias, char *reason)
{
    raw_forest raw = {.trees = trees};
    size_t count = (size_t)trees + 1, nodes = (size_t)first_node[trees], leaves = (size_t)first_leaf[trees];
    reason[0] = '\0';
    raw.first_node = zeroed(count, sizeof(int64_t)), raw.first_leaf = zeroed(count, sizeof(int64_t));
    raw.feature = zeroed(nodes, sizeof(int32_t)), raw.threshold = zeroed(nodes, sizeof(double));
    raw.kind = zeroed(nodes, 1), raw.leaf = zeroed(leaves, sizeof(double));
    if (!raw.first_node || !raw.first_leaf || !raw.feature || !raw.threshold || !raw.kind || !raw.leaf) {
        free_raw(&raw);
        refuse(reason, "too little memory");
        return NULL;
    }
    memcpy(raw.first_node, first_node, count * sizeof(int64_t));
    memcpy(raw.first_leaf, first_leaf, count * sizeof(int64_t));
    memcpy(raw.feature, feature, nodes * sizeof(int32_t)), memcpy(raw.threshold, threshold, nodes * sizeof(double));
    memcpy(raw.leaf, leaf, leaves * sizeof(double));
    forest *f = build_forest(&raw, reason);
    if (f && f->features > features) {
        refuse(reason, "its trees are invalid");
        ne_free(f);
        return NULL;
    }
    if (f)
        f->features = features, f->scale = scale, f->bias = bias;
    return f;
}
