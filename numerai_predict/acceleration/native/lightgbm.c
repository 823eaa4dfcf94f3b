/* Reads the text of a LightGBM model, as `Booster.model_to_string` writes it. */
#define _GNU_SOURCE
#include "forest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OUTPUTS 1024
#define MAX_TREES 10000000

typedef struct {
    const char *at, *end;
} text;

/* The values of one tree's lines; NULL where the line is missing. */
typedef struct {
    const char *leaves, *cats, *feature, *threshold, *decision, *left, *right, *leaf, *boundaries, *categories;
    const char *is_linear, *constant, *counts, *linear_features, *coefficients;
} tree_lines;

typedef struct {
    raw_forest raw;
    linear_leaves linear;
    int64_t nodes, leaves, words, coefficients; /* so far */
    int64_t node_space, leaf_space, word_space, set_space, coefficient_space;
    int has_linear;
    char *reason;
} reader;

static const char *value_of(const char *line, const char *name)
{
    size_t length = strlen(name);
    return strncmp(line, name, length) == 0 && line[length] == '=' ? line + length + 1 : NULL;
}

static int next_line(text *t, const char **line)
{
    if (t->at >= t->end)
        return 0;
    *line = t->at;
    const char *end = memchr(t->at, '\n', (size_t)(t->end - t->at));
    t->at = end ? end + 1 : t->end;
    return 1;
}

static int64_t integer(const char *value)
{
    double number = value ? read_number(&value) : 0;
    return number > -1e15 && number < 1e15 ? (int64_t)number : -1;
}

static int grow(void **array, int64_t space, size_t size)
{
    void *larger = realloc(*array, (size_t)space * size);
    if (larger)
        *array = larger;
    return larger != NULL;
}

#define GROW(array, space) grow((void **)&(array), space, sizeof *(array))

static int make_space(reader *r, int64_t leaves)
{
    raw_forest *raw = &r->raw;
    if (r->nodes + leaves > r->node_space) {
        r->node_space = 2 * (r->nodes + leaves);
        if (!GROW(raw->feature, r->node_space) || !GROW(raw->left, r->node_space) ||
            !GROW(raw->right, r->node_space) || !GROW(raw->threshold, r->node_space) ||
            !GROW(raw->kind, r->node_space))
            return refuse(r->reason, "too little memory");
    }
    if (r->leaves + leaves > r->leaf_space) {
        r->leaf_space = 2 * (r->leaves + leaves);
        if (!GROW(raw->leaf, r->leaf_space) || !GROW(r->linear.first, r->leaf_space + 1) ||
            !GROW(r->linear.constant, r->leaf_space))
            return refuse(r->reason, "too little memory");
    }
    return 1;
}

/* `count` integers of a line. */
static int integers(const char *value, int64_t count, int32_t *into)
{
    for (int64_t i = 0; i < count; i++) {
        while (*value == ' ')
            value++;
        int negative = *value == '-';
        const char *from = value += negative;
        int64_t number = 0;
        for (; *value >= '0' && *value <= '9' && value - from < 10; value++)
            number = number * 10 + (*value - '0');
        if (value == from || number > INT32_MAX || (*value != ' ' && *value != '\n' && *value != '\0'))
            return 0;
        into[i] = (int32_t)(negative ? -number : number);
    }
    return 1;
}

/* `count` numbers of a line. Thresholds repeat: the last ones are remembered by their text. */
static int numbers(const char *value, int64_t count, double *into)
{
    static const size_t most = 24;
    struct { char text[24]; double number; } known[64];
    memset(known, 0, sizeof known);
    for (int64_t i = 0; i < count; i++) {
        while (*value == ' ')
            value++;
        size_t length = 0;
        uint32_t hash = 0;
        while (length < most && value[length] != ' ' && value[length] != '\n' && value[length])
            hash = hash * 31 + (unsigned char)value[length++];
        if (length == 0)
            return 0;
        size_t place = (hash ^ hash >> 7) & 63;
        if (length < most && memcmp(known[place].text, value, length) == 0 && !known[place].text[length]) {
            into[i] = known[place].number;
            value += length;
            continue;
        }
        const char *from = value;
        into[i] = read_number(&value);
        if (value == from || (*value != ' ' && *value != '\n' && *value != '\0'))
            return 0;
        if (length < most) {
            memcpy(known[place].text, from, length);
            known[place].text[length] = '\0';
            known[place].number = into[i];
        }
    }
    return 1;
}

/* The kind of a node from LightGBM's decision type: bit 0 categorical, bit 1 default left, bits 2 and 3 missing. */
static uint8_t kind_of(int32_t decision, double threshold)
{
    int left = decision & 2, missing = decision >> 2 & 3;
    if (decision & 1)
        return CATEGORICAL;
    if (missing == 2)
        return left ? NAN_LEFT : 0;
    if (missing == 1)
        return left ? ZERO_LEFT : ZERO_RIGHT;
    return threshold >= 0 ? NAN_LEFT : 0; /* a missing value counts as 0 */
}

/* The sets of categories of a tree; its nodes then name sets of the whole forest. */
static int read_sets(reader *r, const tree_lines *l, int64_t sets, int64_t base, int64_t nodes)
{
    raw_forest *raw = &r->raw;
    if (sets < 0 || sets > nodes || !l->boundaries || !l->categories)
        return 0;
    if (raw->sets + sets + 2 > r->set_space) {
        r->set_space = 2 * (raw->sets + sets + 2);
        if (!GROW(raw->first_word, r->set_space))
            return 0;
    }
    int32_t *ends = zeroed((size_t)sets + 1, sizeof *ends);
    int ok = ends && integers(l->boundaries, sets + 1, ends) && ends[0] == 0;
    for (int64_t i = 0; ok && i < sets; i++)
        ok = ends[i + 1] >= ends[i];
    ok = ok && ends[sets] <= 100000000 && (size_t)ends[sets] <= strcspn(l->categories, "\n");
    if (ok && r->words + ends[sets] > r->word_space) {
        r->word_space = 2 * (r->words + ends[sets]);
        ok = GROW(raw->words, r->word_space);
    }
    const char *value = l->categories;
    for (int64_t i = 0; ok && i < ends[sets]; i++) {
        while (*value == ' ')
            value++;
        const char *from = value;
        double number = read_number(&value);
        ok = value != from && number >= 0 && number <= UINT32_MAX;
        raw->words[r->words + i] = ok ? (uint32_t)number : 0;
    }
    for (int64_t i = 0; ok && i < nodes; i++)
        if (raw->kind[base + i] & CATEGORICAL) {
            double set = raw->threshold[base + i];
            ok = set >= 0 && set < (double)sets;
            raw->threshold[base + i] = (double)((int64_t)(ok ? set : 0) + raw->sets);
        }
    for (int64_t i = 0; ok && i < sets; i++)
        raw->first_word[raw->sets + i] = r->words + ends[i];
    if (ok) {
        raw->sets += (int32_t)sets, r->words += ends[sets];
        raw->first_word[raw->sets] = r->words;
    }
    free(ends);
    return ok;
}

static int read_linear(reader *r, const tree_lines *l, int64_t leaves)
{
    linear_leaves *linear = &r->linear;
    if (!l->constant || !l->counts || !l->linear_features || !l->coefficients)
        return 0;
    int32_t *counts = zeroed((size_t)leaves, sizeof *counts);
    int ok = counts && integers(l->counts, leaves, counts) &&
             numbers(l->constant, leaves, linear->constant + r->leaves);
    int64_t total = 0;
    for (int64_t i = 0; ok && i < leaves; i++) {
        ok = counts[i] >= 0;
        linear->first[r->leaves + i] = r->coefficients + total;
        total += counts[i];
    }
    ok = ok && (size_t)total <= strcspn(l->coefficients, "\n");
    if (ok && r->coefficients + total > r->coefficient_space) {
        r->coefficient_space = 2 * (r->coefficients + total);
        ok = GROW(linear->feature, r->coefficient_space) && GROW(linear->coefficient, r->coefficient_space);
    }
    ok = ok && (total == 0 || (integers(l->linear_features, total, linear->feature + r->coefficients) &&
                               numbers(l->coefficients, total, linear->coefficient + r->coefficients)));
    for (int64_t i = 0; ok && i < total; i++)
        ok = linear->feature[r->coefficients + i] >= 0;
    r->coefficients += ok ? total : 0;
    free(counts);
    return ok;
}

/* The nodes of a tree; `raw.sets` of nodes without categories stay as they are. */
static int read_nodes(reader *r, const tree_lines *l, int64_t nodes)
{
    raw_forest *raw = &r->raw;
    int64_t base = r->nodes;
    int32_t *decision = zeroed((size_t)nodes, sizeof *decision);
    int ok = decision && l->feature && l->threshold && l->left && l->right && l->decision &&
             integers(l->feature, nodes, raw->feature + base) && integers(l->left, nodes, raw->left + base) &&
             integers(l->right, nodes, raw->right + base) && integers(l->decision, nodes, decision) &&
             numbers(l->threshold, nodes, raw->threshold + base);
    for (int64_t i = 0; ok && i < nodes; i++)
        raw->kind[base + i] = kind_of(decision[i], raw->threshold[base + i]);
    free(decision);
    int64_t sets = integer(l->cats);
    return ok && (sets == 0 || read_sets(r, l, sets, base, nodes));
}

static int read_tree(reader *r, const tree_lines *l)
{
    raw_forest *raw = &r->raw;
    int64_t leaves = integer(l->leaves);
    if (leaves < 1 || leaves > MAX_LEAVES || !l->leaf)
        return refuse(r->reason, "its text has a tree that is incomplete or too large");
    if (!make_space(r, leaves))
        return 0;
    for (int64_t i = 0; i < leaves; i++)
        r->linear.first[r->leaves + i] = r->coefficients;
    int linear = integer(l->is_linear) == 1;
    int ok = (leaves == 1 || read_nodes(r, l, leaves - 1)) && numbers(l->leaf, leaves, raw->leaf + r->leaves) &&
             (!linear || read_linear(r, l, leaves));
    if (!ok)
        return refuse(r->reason, "its text has a tree that cannot be read");
    r->linear.is_linear[raw->trees] = (uint8_t)linear;
    r->has_linear |= linear;
    r->nodes += leaves - 1, r->leaves += leaves;
    r->linear.first[r->leaves] = r->coefficients;
    raw->trees++;
    raw->first_node[raw->trees] = r->nodes, raw->first_leaf[raw->trees] = r->leaves;
    return 1;
}

/* The lines up to the next tree; returns whether there was a line. */
static int collect(text *t, tree_lines *l)
{
    static const struct { const char *name; size_t offset; } fields[] = {
        {"num_leaves", offsetof(tree_lines, leaves)}, {"num_cat", offsetof(tree_lines, cats)},
        {"split_feature", offsetof(tree_lines, feature)}, {"threshold", offsetof(tree_lines, threshold)},
        {"decision_type", offsetof(tree_lines, decision)}, {"left_child", offsetof(tree_lines, left)},
        {"right_child", offsetof(tree_lines, right)}, {"leaf_value", offsetof(tree_lines, leaf)},
        {"cat_boundaries", offsetof(tree_lines, boundaries)}, {"cat_threshold", offsetof(tree_lines, categories)},
        {"is_linear", offsetof(tree_lines, is_linear)}, {"leaf_const", offsetof(tree_lines, constant)},
        {"num_features", offsetof(tree_lines, counts)}, {"leaf_features", offsetof(tree_lines, linear_features)},
        {"leaf_coeff", offsetof(tree_lines, coefficients)}};
    memset(l, 0, sizeof *l);
    int any = 0;
    const char *line;
    while (t->at < t->end && strncmp(t->at, "Tree=", 5) != 0 && strncmp(t->at, "end of trees", 12) != 0 &&
           next_line(t, &line)) {
        any = 1;
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
            const char *value = value_of(line, fields[i].name);
            if (value) {
                memcpy((char *)l + fields[i].offset, &value, sizeof value);
                break;
            }
        }
    }
    return any;
}

static int read_objective(forest *f, const char *value, char *reason)
{
    char name[64] = "", rest[128] = "";
    if (!value)
        return 1;
    sscanf(value, "%63[^ \n]%127[^\n]", name, rest);
    const char *sigmoid = strstr(rest, "sigmoid:");
    const char *number = sigmoid ? sigmoid + 8 : NULL;
    static const char *const plain[] = {"regression", "regression_l1", "huber",       "fair",   "quantile",
                                        "mape",       "lambdarank",    "rank_xendcg", "custom", "none"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (strcmp(name, plain[i]) == 0) {
            f->transform = strstr(rest, " sqrt") ? SQUARE : IDENTITY;
            return 1;
        }
    if (strcmp(name, "poisson") == 0 || strcmp(name, "gamma") == 0 || strcmp(name, "tweedie") == 0)
        f->transform = EXPONENTIAL;
    else if (strcmp(name, "cross_entropy") == 0)
        f->transform = SIGMOID;
    else if (strcmp(name, "cross_entropy_lambda") == 0)
        f->transform = LOG1P_EXP;
    else if (strcmp(name, "multiclass") == 0)
        f->transform = SOFTMAX;
    else if ((strcmp(name, "binary") == 0 || strcmp(name, "multiclassova") == 0) && number)
        f->transform = SIGMOID, f->sigmoid = read_number(&number);
    else
        return refuse(reason, "its objective is not supported");
    return 1;
}

typedef struct {
    int64_t per_iteration, classes, max_feature;
    int average;
    const char *objective;
} header;

static void read_header(text *t, header *h)
{
    const char *line, *value;
    h->per_iteration = h->classes = 1, h->max_feature = -1;
    while (t->at < t->end && strncmp(t->at, "Tree=", 5) != 0 && next_line(t, &line)) {
        if ((value = value_of(line, "num_tree_per_iteration")))
            h->per_iteration = integer(value);
        else if ((value = value_of(line, "num_class")))
            h->classes = integer(value);
        else if ((value = value_of(line, "max_feature_idx")))
            h->max_feature = integer(value);
        else if ((value = value_of(line, "objective")))
            h->objective = value;
        else if (strncmp(line, "average_output", 14) == 0)
            h->average = 1;
    }
}

/* Read the trees of the iterations from `start` on; `count` of them, all if it is not positive. */
static int read_trees(reader *r, text *t, const header *h, int64_t start, int64_t count)
{
    int64_t first = start * h->per_iteration, tree = 0;
    int64_t end = count > 0 && count < MAX_TREES ? first + count * h->per_iteration : INT64_MAX;
    const char *line;
    while (t->at < t->end && strncmp(t->at, "Tree=", 5) == 0 && next_line(t, &line)) {
        tree_lines lines;
        if (tree >= end)
            break;
        collect(t, &lines);
        if (tree++ >= first && !read_tree(r, &lines))
            return 0;
    }
    return r->raw.trees > 0 || refuse(r->reason, "it has no trees");
}

static int64_t count_trees(const text *t)
{
    int64_t trees = 0;
    for (const char *at = t->at; (at = memmem(at, (size_t)(t->end - at), "\nTree=", 6)) != NULL; at += 6)
        trees++;
    return trees;
}

static void free_reader(reader *r)
{
    free_raw(&r->raw);
    free(r->linear.first), free(r->linear.feature), free(r->linear.coefficient), free(r->linear.constant);
    free(r->linear.is_linear);
}

static forest *finish(reader *r, const header *h, int raw_score)
{
    int64_t trees = r->raw.trees;
    raw_forest *raw = &r->raw;
    forest *f = NULL;
    int linear_valid = 1;
    for (int64_t i = 0; i < r->coefficients; i++)
        linear_valid &= r->linear.feature[i] <= h->max_feature;
    if (!linear_valid || trees % h->per_iteration)
        refuse(r->reason, "its text is inconsistent");
    else if (GROW(raw->leaf, r->leaves + BLOCK)) /* the evaluator needs no more than that */
        f = build_forest(raw, r->reason);
    if (!f)
        return NULL;
    f->outputs = (int32_t)h->per_iteration;
    f->flush_tiny = 1, f->sigmoid = 1;
    if (h->max_feature + 1 < f->features || !read_objective(f, raw_score ? NULL : h->objective, r->reason) ||
        (f->transform == SOFTMAX && h->classes != h->per_iteration)) {
        refuse(r->reason, "its text is inconsistent");
        f->outputs = 0;
    }
    f->features = (int32_t)(h->max_feature + 1);
    f->average_of = h->average && !raw_score ? (int32_t)(trees / h->per_iteration) : 0;
    if (r->has_linear) {
        f->linear = r->linear;
        memset(&r->linear, 0, sizeof r->linear);
    }
    return f;
}


/* The forest of a text that ends with a zero byte, `size` bytes without it; NULL with a reason if there is none. */
EXPORT forest *ne_read_lightgbm(const char *model, int64_t size, int64_t start, int64_t count, int raw_score,
                                char *reason)
{
    text t = {model, model + size};
    header h = {0};
    reader r = {.reason = reason};
    forest *f = NULL;
    int64_t trees = count_trees(&t);
    reason[0] = '\0';
    read_header(&t, &h);
    if (trees < 1 || trees > MAX_TREES || h.per_iteration < 1 || h.per_iteration > MAX_OUTPUTS || start < 0 ||
        start > MAX_TREES || h.max_feature < 0 || h.max_feature > 100000000) {
        refuse(reason, "its text has no valid header");
        return NULL;
    }
    r.raw.first_node = zeroed((size_t)trees + 1, sizeof(int64_t));
    r.raw.first_leaf = zeroed((size_t)trees + 1, sizeof(int64_t));
    r.linear.is_linear = zeroed((size_t)trees + 1, 1);
    if (!r.raw.first_node || !r.raw.first_leaf || !r.linear.is_linear)
        refuse(reason, "too little memory");
    else if (read_trees(&r, &t, &h, start, count))
        f = finish(&r, &h, raw_score);
    if (f && reason[0]) {
        ne_free(f);
        f = NULL;
    }
    free_reader(&r);
    return f;
}
