/* Reads an XGBoost model in UBJSON, as `Booster.save_raw("ubj")` writes it. */
#include "forest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NESTING 64
#define MAX_NODES (2 * MAX_LEAVES - 1)

typedef struct {
    const uint8_t *at, *end;
} stream;

/* An array of numbers of one type, in big-endian order. */
typedef struct {
    const uint8_t *data;
    int64_t count;
    char type;
} numbers;

typedef struct {
    numbers left, right, feature, condition, default_left, split_type, categories;
    int64_t leaf_size;
} tree;

typedef struct {
    int64_t begin, end; /* iterations; end 0: all */
    stream trees;
    int64_t features, classes, targets, parallel, count;
    double base;
    int supported_booster, supported_objective, seen_trees;
} model;

static int size_of(char type)
{
    switch (type) {
    case 'i': case 'U': case 'C': return 1;
    case 'I': return 2;
    case 'l': case 'd': return 4;
    case 'L': case 'D': return 8;
    case 'Z': case 'T': case 'F': case 'N': return 0;
    default: return -1;
    }
}

static double number_at(const uint8_t *data, char type)
{
    uint64_t bits = 0;
    for (int i = 0; i < size_of(type); i++)
        bits = bits << 8 | data[i];
    float single;
    double full;
    uint32_t low = (uint32_t)bits;
    switch (type) {
    case 'i': return (int8_t)bits;
    case 'I': return (int16_t)bits;
    case 'l': return (int32_t)bits;
    case 'L': return (double)(int64_t)bits;
    case 'd': memcpy(&single, &low, 4); return single;
    case 'D': memcpy(&full, &bits, 8); return full;
    default: return (double)bits;
    }
}

/* A length or a count, from 0 to the bytes that are left. */
static int64_t length(stream *s)
{
    if (s->at >= s->end)
        return -1;
    char type = (char)*s->at++;
    int size = size_of(type);
    if (size < 1 || type == 'd' || type == 'D' || s->end - s->at < size)
        return -1;
    double value = number_at(s->at, type);
    s->at += size;
    return value >= 0 && value <= (double)(s->end - s->at) ? (int64_t)value : -1;
}

static int skip(stream *s, int nesting);

static int bytes(stream *s, const char **text, int64_t *size)
{
    if ((*size = length(s)) < 0)
        return 0;
    *text = (const char *)s->at;
    s->at += *size;
    return 1;
}

/* The header of an array: its type, 0 if its values have their own, and its count, -1 if it ends with `]`. */
static int array_header(stream *s, char *type, int64_t *count)
{
    *type = 0, *count = -1;
    if (s->end - s->at >= 2 && *s->at == '$')
        *type = (char)s->at[1], s->at += 2;
    if (s->at < s->end && *s->at == '#') {
        s->at++;
        return (*count = length(s)) >= 0 && (!*type || size_of(*type) >= 0) &&
               (!*type || *count * size_of(*type) <= s->end - s->at);
    }
    return !*type;
}

static int skip_array(stream *s, int nesting)
{
    char type;
    int64_t count;
    if (!array_header(s, &type, &count))
        return 0;
    if (type) {
        s->at += count * size_of(type);
        return 1;
    }
    for (int64_t i = 0; count < 0 || i < count; i++) {
        if (count < 0 && s->at < s->end && *s->at == ']') {
            s->at++;
            return 1;
        }
        if (!skip(s, nesting))
            return 0;
    }
    return 1;
}

/* The next key of an object; 0 at its end, -1 where it is invalid. */
static int next_key(stream *s, const char **key, int64_t *size)
{
    if (s->at >= s->end)
        return -1;
    if (*s->at == '}') {
        s->at++;
        return 0;
    }
    return bytes(s, key, size) ? 1 : -1;
}

static int skip(stream *s, int nesting)
{
    const char *text;
    int64_t size;
    if (nesting > MAX_NESTING || s->at >= s->end)
        return 0;
    char type = (char)*s->at++;
    if (type == 'S')
        return bytes(s, &text, &size);
    if (type == '[')
        return skip_array(s, nesting + 1);
    if (type == '{') {
        int more;
        while ((more = next_key(s, &text, &size)) == 1)
            if (!skip(s, nesting + 1))
                return 0;
        return more == 0;
    }
    int bytes_of = size_of(type);
    if (bytes_of < 0 || s->end - s->at < bytes_of)
        return 0;
    s->at += bytes_of;
    return 1;
}

static int is(const char *key, int64_t size, const char *name)
{
    return size == (int64_t)strlen(name) && memcmp(key, name, (size_t)size) == 0;
}

static int enter(stream *s, char type) { return s->at < s->end && *s->at == type ? (s->at++, 1) : 0; }

/* A number that is written as a string, like `3.7E-1` or `[3.7E-1]`. */
static int text_number(stream *s, double *value)
{
    const char *text;
    int64_t size;
    char copy[64];
    if (!enter(s, 'S') || !bytes(s, &text, &size) || size >= (int64_t)sizeof copy)
        return 0;
    memcpy(copy, text, (size_t)size);
    copy[size] = '\0';
    const char *at = copy + (copy[0] == '['), *from = at;
    *value = read_number(&at);
    return at != from && (*at == '\0' || (*at == ']' && copy[0] == '['));
}

static int text_integer(stream *s, int64_t *value)
{
    double number;
    if (!text_number(s, &number) || !(number >= 0 && number < 1e9))
        return 0;
    *value = (int64_t)number;
    return 1;
}

static int is_text(stream *s, const char *const *names)
{
    const char *text;
    int64_t size;
    if (!enter(s, 'S') || !bytes(s, &text, &size))
        return 0;
    for (; *names; names++)
        if (is(text, size, *names))
            return 2;
    return 1;
}

/* Walk over an object: `on` gets each key, reads its value and returns whether that was valid. */
typedef int (*on_key)(stream *s, const char *key, int64_t size, void *into);

static int walk(stream *s, on_key on, void *into)
{
    const char *key;
    int64_t size;
    int more;
    if (!enter(s, '{'))
        return 0;
    while ((more = next_key(s, &key, &size)) == 1)
        if (!on(s, key, size, into))
            return 0;
    return more == 0;
}

static int on_model_param(stream *s, const char *key, int64_t size, void *into)
{
    model *m = into;
    if (is(key, size, "base_score"))
        return text_number(s, &m->base);
    if (is(key, size, "num_class"))
        return text_integer(s, &m->classes);
    if (is(key, size, "num_feature"))
        return text_integer(s, &m->features);
    if (is(key, size, "num_target"))
        return text_integer(s, &m->targets);
    return skip(s, 0);
}

static int on_gbtree_param(stream *s, const char *key, int64_t size, void *into)
{
    model *m = into;
    return is(key, size, "num_parallel_tree") ? text_integer(s, &m->parallel) : skip(s, 0);
}

static int on_trees(stream *s, const char *key, int64_t size, void *into)
{
    model *m = into;
    if (is(key, size, "gbtree_model_param"))
        return walk(s, on_gbtree_param, m);
    if (is(key, size, "trees")) {
        char type;
        if (!enter(s, '[') || !array_header(s, &type, &m->count) || type || m->count < 0)
            return 0;
        m->trees = *s, m->seen_trees = 1;
        for (int64_t i = 0; i < m->count; i++)
            if (!skip(s, 0))
                return 0;
        return 1;
    }
    return skip(s, 0);
}

static int on_booster(stream *s, const char *key, int64_t size, void *into)
{
    static const char *const known[] = {"gbtree", NULL};
    model *m = into;
    if (is(key, size, "model"))
        return walk(s, on_trees, m);
    if (!is(key, size, "name"))
        return skip(s, 0);
    int found = is_text(s, known);
    m->supported_booster = found == 2;
    return found;
}

static int on_objective(stream *s, const char *key, int64_t size, void *into)
{
    static const char *const identity[] = {"reg:squarederror", "reg:linear", "reg:absoluteerror",
                                           "reg:pseudohubererror", "reg:quantileerror", "reg:squaredlogerror",
                                           "rank:pairwise", "rank:ndcg", "rank:map", NULL};
    model *m = into;
    if (!is(key, size, "name"))
        return skip(s, 0);
    int found = is_text(s, identity);
    m->supported_objective = found == 2;
    return found;
}

static int on_learner(stream *s, const char *key, int64_t size, void *into)
{
    model *m = into;
    if (is(key, size, "gradient_booster"))
        return walk(s, on_booster, m);
    if (is(key, size, "learner_model_param"))
        return walk(s, on_model_param, m);
    if (is(key, size, "objective"))
        return walk(s, on_objective, m);
    return skip(s, 0);
}

static int on_root(stream *s, const char *key, int64_t size, void *into)
{
    return is(key, size, "learner") ? walk(s, on_learner, into) : skip(s, 0);
}

static int on_tree_param(stream *s, const char *key, int64_t size, void *into)
{
    tree *t = into;
    return is(key, size, "size_leaf_vector") ? text_integer(s, &t->leaf_size) : skip(s, 0);
}

static int read_array(stream *s, numbers *n)
{
    if (!enter(s, '[') || !array_header(s, &n->type, &n->count))
        return 0;
    if (!n->type) /* an empty array has no type */
        return n->count == 0 || (n->count < 0 && enter(s, ']') && (n->count = 0) == 0);
    n->data = s->at;
    s->at += n->count * size_of(n->type);
    return size_of(n->type) > 0;
}

static int on_tree(stream *s, const char *key, int64_t size, void *into)
{
    tree *t = into;
    if (is(key, size, "left_children"))
        return read_array(s, &t->left);
    if (is(key, size, "right_children"))
        return read_array(s, &t->right);
    if (is(key, size, "split_indices"))
        return read_array(s, &t->feature);
    if (is(key, size, "split_conditions"))
        return read_array(s, &t->condition);
    if (is(key, size, "default_left"))
        return read_array(s, &t->default_left);
    if (is(key, size, "split_type"))
        return read_array(s, &t->split_type);
    if (is(key, size, "categories_nodes"))
        return read_array(s, &t->categories);
    if (is(key, size, "tree_param"))
        return walk(s, on_tree_param, t);
    return skip(s, 0);
}

static double at(const numbers *n, int64_t i) { return number_at(n->data + i * size_of(n->type), n->type); }

static int valid_lengths(const tree *t)
{
    int64_t nodes = t->left.count;
    return nodes >= 1 && nodes <= MAX_NODES && t->right.count == nodes && t->feature.count == nodes &&
           t->condition.count == nodes && t->default_left.count == nodes;
}

/* The largest float32 below the condition: x < condition is x <= that. */
static double below(double condition) { return nextafterf((float)condition, -INFINITY); }

typedef struct {
    int64_t old;
    int32_t parent, side;
} pending;

/* Number the nodes of a tree anew, parents before their children; every node is visited once. */
static int add_tree(raw_forest *raw, const tree *t, int64_t *nodes, int64_t *leaves, uint8_t *seen, pending *stack)
{
    int64_t base = *nodes, first_leaf = *leaves, waiting = 1;
    memset(seen, 0, (size_t)t->left.count);
    stack[0] = (pending){0, -1, 0};
    while (waiting) {
        pending p = stack[--waiting];
        if (p.old < 0 || p.old >= t->left.count || seen[p.old]++)
            return 0;
        double left = at(&t->left, p.old), right = at(&t->right, p.old), condition = at(&t->condition, p.old);
        int32_t number = left == -1 ? ~(int32_t)(*leaves - first_leaf) : (int32_t)(*nodes - base);
        if (p.parent >= 0)
            *(p.side ? &raw->right[base + p.parent] : &raw->left[base + p.parent]) = number;
        if (left == -1) {
            raw->leaf[(*leaves)++] = condition;
            continue;
        }
        double feature = at(&t->feature, p.old);
        if (!isfinite(condition) || !(feature >= 0 && feature < 1e9) || !(left >= 0 && right >= 0))
            return 0;
        raw->feature[*nodes] = (int32_t)feature;
        raw->threshold[*nodes] = below(condition);
        raw->kind[(*nodes)++] = at(&t->default_left, p.old) ? NAN_LEFT : 0;
        stack[waiting++] = (pending){(int64_t)right, number, 1};
        stack[waiting++] = (pending){(int64_t)left, number, 0};
    }
    return 1;
}

static int read_one(stream *s, tree *t, char *reason)
{
    memset(t, 0, sizeof *t);
    t->leaf_size = 1;
    if (!walk(s, on_tree, t) || !valid_lengths(t))
        return refuse(reason, "its trees are invalid or too large");
    if (t->categories.count)
        return refuse(reason, "it has categorical splits");
    return t->leaf_size <= 1 || refuse(reason, "its leaves are vectors");
}

/* Nodes of all trees from `first` to `last`, from the streams of their trees. */
static int64_t count_nodes(const model *m, int64_t last, char *reason)
{
    stream s = m->trees;
    int64_t nodes = 0;
    for (int64_t i = 0; i < last; i++) {
        tree t;
        if (!read_one(&s, &t, reason))
            return -1;
        nodes += t.left.count;
    }
    return nodes;
}

static int read_trees(const model *m, raw_forest *raw, int64_t first, int64_t last, char *reason)
{
    stream s = m->trees;
    int64_t nodes = 0, leaves = 0;
    uint8_t *seen = zeroed(MAX_NODES, 1);
    pending *stack = zeroed(2 * (size_t)MAX_NODES + 2, sizeof *stack);
    int ok = seen && stack;
    for (int64_t i = 0; ok && i < last; i++) {
        tree t;
        ok = read_one(&s, &t, reason);
        if (!ok || i < first)
            continue;
        ok = add_tree(raw, &t, &nodes, &leaves, seen, stack);
        raw->trees++;
        raw->first_node[raw->trees] = nodes, raw->first_leaf[raw->trees] = leaves;
    }
    free(seen), free(stack);
    return ok || refuse(reason, "its trees are invalid");
}

static int allocate(raw_forest *raw, int64_t trees, int64_t nodes)
{
    size_t count = (size_t)nodes;
    raw->first_node = zeroed((size_t)trees + 1, sizeof(int64_t));
    raw->first_leaf = zeroed((size_t)trees + 1, sizeof(int64_t));
    raw->feature = zeroed(count, sizeof(int32_t)), raw->left = zeroed(count, sizeof(int32_t));
    raw->right = zeroed(count, sizeof(int32_t)), raw->threshold = zeroed(count, sizeof(double));
    raw->kind = zeroed(count, 1), raw->leaf = zeroed(count, sizeof(double));
    return raw->first_node && raw->first_leaf && raw->feature && raw->left && raw->right && raw->threshold &&
           raw->kind && raw->leaf;
}

static int supported(const model *m, char *reason)
{
    if (!m->supported_booster)
        return refuse(reason, "its booster is not gbtree");
    if (!m->seen_trees || m->features < 1)
        return refuse(reason, "it has no trees");
    if (!m->supported_objective)
        return refuse(reason, "its objective is not supported");
    return (m->classes <= 1 && m->targets <= 1) || refuse(reason, "it has several outputs");
}

/* The forest of iterations `begin` to `end`, all for end 0; NULL with a reason if there is none. */
EXPORT forest *ne_read_xgboost(const void *ubj, int64_t size, int64_t begin, int64_t end, char *reason)
{
    stream s = {ubj, (const uint8_t *)ubj + size};
    model m = {.parallel = 1};
    raw_forest raw = {0};
    reason[0] = '\0';
    if (!walk(&s, on_root, &m)) {
        refuse(reason, "it is not valid UBJSON");
        return NULL;
    }
    if (!supported(&m, reason))
        return NULL;
    int64_t each = m.parallel > 0 ? m.parallel : 1, iterations = m.count / each;
    end = end ? end : iterations;
    if (begin < 0 || begin >= end || end > iterations) {
        refuse(reason, "iterations that it does not have");
        return NULL;
    }
    int64_t nodes = count_nodes(&m, end * each, reason);
    if (nodes < 0)
        return NULL;
    if (!allocate(&raw, (end - begin) * each, nodes) || !read_trees(&m, &raw, begin * each, end * each, reason)) {
        refuse(reason, "too little memory");
        free_raw(&raw);
        return NULL;
    }
    forest *f = build_forest(&raw, reason);
    if (f && f->features > m.features) {
        refuse(reason, "its trees are invalid");
        ne_free(f);
        return NULL;
    }
    if (f)
        f->single = 1, f->base[0] = m.base, f->features = (int32_t)m.features;
    return f;
}
