/* Evaluates a forest for 512 rows at a time.
 *
 * Every slot gets a mask of the rows that go left. A tree splits the mask of its root down to its leaves. Leaves
 * have numbers, and the masks of leaves with bit k in their number are joined to plane k: the bits of a row in all
 * planes are the number of its leaf. The values of leaves are added per row in the order of the trees, as the
 * libraries do: sums are equal to the last bit.
 */
#define _GNU_SOURCE
#include "forest.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define TINY ((double)1e-35f) /* LightGBM's kZeroThreshold */
#define MAX_THREADS 256
#define GROUP 32 /* features that are read together from a row */

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define CLONES __attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#define HAS_AVX512 1
#include <immintrin.h>
#else
#define CLONES
#endif

enum { INT8, FLOAT32, FLOAT64 };

typedef struct {
    const char *data;
    int32_t type;
    int64_t rows, row_stride, column_stride; /* strides in bytes */
} table;

typedef uint64_t mask_t[WORDS];

typedef struct {
    mask_t *masks, *reach;
    void *columns; /* GROUP * BLOCK values */
    double *sums;  /* outputs * BLOCK; float32 in the same space */
    uint16_t *leaf_of;
} scratch;

static const int64_t sizes[] = {1, 4, 8};

#ifdef HAS_AVX512
static int is_wide;
#endif

/* One byte of 8 bits to 8 bytes of one bit. */
static uint64_t spread[256];

static void prepare(void)
{
#ifdef HAS_AVX512
    is_wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
#endif
    for (int value = 0; value < 256; value++) {
        uint8_t bytes[8];
        for (int bit = 0; bit < 8; bit++)
            bytes[bit] = (uint8_t)(value >> bit & 1);
        memcpy(&spread[value], bytes, 8);
    }
}

/* 512 bytes of 0 or 1 to 512 bits. */
static inline void pack(const uint8_t *bytes, uint64_t *mask)
{
    uint8_t *packed = (uint8_t *)mask;
    for (int i = 0; i < BLOCK / 8; i++) {
        uint64_t eight = 0;
        for (int bit = 0; bit < 8; bit++)
            eight |= (uint64_t)bytes[8 * i + bit] << 8 * bit;
        packed[i] = (uint8_t)(eight * 0x0102040810204080u >> 56);
    }
}

#define AT_MOST(name, type, threshold_type)                                       \
    CLONES static void name(const type *x, threshold_type threshold, uint64_t *mask) \
    {                                                                             \
        uint8_t bytes[BLOCK];                                                     \
        for (int i = 0; i < BLOCK; i++)                                           \
            bytes[i] = x[i] <= threshold;                                         \
        pack(bytes, mask);                                                        \
    }

AT_MOST(at_most_8, int8_t, int8_t)
AT_MOST(at_most_32, float, float)
AT_MOST(at_most_64, double, double)

#ifdef HAS_AVX512
/* The processor compares 64 bytes at a time and gives one bit for each value. */
#define WIDE __attribute__((target("avx512f,avx512bw")))

WIDE static void at_most_8_wide(const int8_t *x, int8_t threshold, uint64_t *mask)
{
    __m512i limit = _mm512_set1_epi8(threshold);
    for (int i = 0; i < WORDS; i++)
        mask[i] = _mm512_cmple_epi8_mask(_mm512_loadu_si512(x + 64 * i), limit);
}

WIDE static void at_most_32_wide(const float *x, float threshold, uint64_t *mask)
{
    __m512 limit = _mm512_set1_ps(threshold);
    for (int i = 0; i < WORDS; i++) {
        uint64_t word = 0;
        for (int k = 0; k < 4; k++)
            word |= (uint64_t)_mm512_cmp_ps_mask(_mm512_loadu_ps(x + 64 * i + 16 * k), limit, _CMP_LE_OQ) << 16 * k;
        mask[i] = word;
    }
}

WIDE static void at_most_64_wide(const double *x, double threshold, uint64_t *mask)
{
    __m512d limit = _mm512_set1_pd(threshold);
    for (int i = 0; i < WORDS; i++) {
        uint64_t word = 0;
        for (int k = 0; k < 8; k++)
            word |= (uint64_t)_mm512_cmp_pd_mask(_mm512_loadu_pd(x + 64 * i + 8 * k), limit, _CMP_LE_OQ) << 8 * k;
        mask[i] = word;
    }
}

#define CALL(name, x, threshold, mask) (is_wide ? name##_wide(x, threshold, mask) : name(x, threshold, mask))
#else
#define CALL(name, x, threshold, mask) name(x, threshold, mask)
#endif

static double value_at(const void *x, int32_t type, int64_t i)
{
    if (type == INT8)
        return ((const int8_t *)x)[i];
    return type == FLOAT32 ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

static void select_rows(const void *x, int32_t type, int nan, uint64_t *mask)
{
    uint8_t bytes[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
        double value = value_at(x, type, i);
        bytes[i] = nan ? isnan(value) : isnan(value) || (value >= -TINY && value <= TINY);
    }
    pack(bytes, mask);
}

static int has_nan(const void *x, int32_t type)
{
    int found = 0;
    for (int i = 0; type == FLOAT32 && i < BLOCK; i++)
        found |= isnan(((const float *)x)[i]);
    for (int i = 0; type == FLOAT64 && i < BLOCK; i++)
        found |= isnan(((const double *)x)[i]);
    return found;
}

static void in_set(const forest *f, const slot *s, const void *x, int32_t type, uint64_t *mask)
{
    int64_t set = (int64_t)s->threshold, first = f->first_word[set], words = f->first_word[set + 1] - first;
    uint8_t bytes[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
        double value = value_at(x, type, i);
        bytes[i] = 0;
        if (value > -1 && value < 2147483648.0 && (int64_t)value / 32 < words)
            bytes[i] = f->words[first + (int64_t)value / 32] >> ((int64_t)value & 31) & 1;
    }
    pack(bytes, mask);
}

static void at_most(const slot *s, const void *x, int32_t type, uint64_t *mask)
{
    if (type == FLOAT32)
        CALL(at_most_32, x, s->threshold32, mask);
    else if (type == FLOAT64)
        CALL(at_most_64, x, s->threshold, mask);
    else if (s->threshold8 < -128)
        memset(mask, 0, sizeof(mask_t));
    else
        CALL(at_most_8, x, (int8_t)s->threshold8, mask);
}

/* The masks of all slots of a feature, from a column of 512 values. */
static void make_masks(const forest *f, int32_t used, const void *x, int32_t type, mask_t *masks)
{
    mask_t missing, zero;
    int nan = has_nan(x, type), zero_known = 0;
    if (nan)
        select_rows(x, type, 1, missing);
    for (int32_t i = f->first_slot[used]; i < f->first_slot[used + 1]; i++) {
        const slot *s = &f->slot[i];
        if (s->kind & CATEGORICAL) {
            in_set(f, s, x, type, masks[i]);
            continue;
        }
        at_most(s, x, type, masks[i]);
        if (nan && s->kind & NAN_LEFT)
            for (int w = 0; w < WORDS; w++)
                masks[i][w] |= missing[w];
        if (s->kind & (ZERO_LEFT | ZERO_RIGHT)) {
            if (!zero_known)
                select_rows(x, type, 0, zero), zero_known = 1;
            for (int w = 0; w < WORDS; w++)
                masks[i][w] = s->kind & ZERO_LEFT ? masks[i][w] | zero[w] : masks[i][w] & ~zero[w];
        }
    }
}

static void flush_tiny(void *x, int32_t type, int64_t count)
{
    for (int64_t i = 0; type == FLOAT32 && i < count; i++) {
        float v = ((float *)x)[i];
        ((float *)x)[i] = fabsf(v) <= 1e-35f ? 0.0f : v;
    }
    for (int64_t i = 0; type == FLOAT64 && i < count; i++) {
        double v = ((double *)x)[i];
        ((double *)x)[i] = fabs(v) <= TINY ? 0.0 : v;
    }
}

#define COPY(type)                                                                               \
    for (int64_t r = 0; r < count; r++) {                                                        \
        const char *row = t->data + (first + r) * t->row_stride;                                 \
        __builtin_prefetch(row + 8 * t->row_stride + features[0] * t->column_stride);             \
        __builtin_prefetch(row + 8 * t->row_stride + features[group / 2] * t->column_stride);     \
        __builtin_prefetch(row + 8 * t->row_stride + features[group - 1] * t->column_stride);     \
        for (int32_t c = 0; c < group; c++)                                                      \
            ((type *)into)[c * BLOCK + r] = *(const type *)(row + features[c] * t->column_stride); \
    }

/* Copy 512 rows of some features, each to a column; rows behind the last are 0. */
static void copy_columns(const table *t, int64_t first, const int32_t *features, int32_t group, void *into)
{
    int64_t count = t->rows - first < BLOCK ? t->rows - first : BLOCK, size = sizes[t->type];
    if (count < BLOCK)
        memset(into, 0, (size_t)(group * BLOCK * size));
    if (t->row_stride == size) {
        for (int32_t c = 0; c < group; c++)
            memcpy((char *)into + c * BLOCK * size, t->data + first * size + features[c] * t->column_stride,
                   (size_t)(count * size));
        return;
    }
    if (t->type == INT8) {
        COPY(int8_t)
    } else if (t->type == FLOAT32) {
        COPY(float)
    } else {
        COPY(double)
    }
}

static void all_masks(const forest *f, const table *t, int64_t first, scratch *s)
{
    for (int32_t used = 0; used < f->used; used += GROUP) {
        int32_t group = f->used - used < GROUP ? f->used - used : GROUP;
        copy_columns(t, first, f->used_feature + used, group, s->columns);
        if (f->flush_tiny)
            flush_tiny(s->columns, t->type, (int64_t)group * BLOCK);
        for (int32_t c = 0; c < group; c++)
            make_masks(f, used + c, (char *)s->columns + c * BLOCK * sizes[t->type], t->type, s->masks);
    }
}

static int bits_of(int64_t leaves)
{
    int bits = 0;
    while ((int64_t)1 << bits < leaves)
        bits++;
    return bits;
}

/* Join the masks of the leaves of a tree to the planes of their numbers. */
CLONES static void split_rows(const node *nodes, int64_t count, const mask_t *masks, mask_t *reach, mask_t *planes)
{
    memset(reach[0], 0xff, sizeof(mask_t));
    for (int64_t i = 0; i < count; i++) {
        const uint64_t *mask = masks[nodes[i].slot];
        for (int side = 0; side < 2; side++) {
            int32_t child = side ? nodes[i].right : nodes[i].left;
            mask_t rows;
            for (int w = 0; w < WORDS; w++)
                rows[w] = side ? reach[i][w] & ~mask[w] : reach[i][w] & mask[w];
            if (child >= 0) {
                memcpy(reach[child], rows, sizeof rows);
                continue;
            }
            for (uint32_t leaf = (uint32_t)~child; leaf; leaf &= leaf - 1) {
                uint64_t *plane = planes[__builtin_ctz(leaf)];
                for (int w = 0; w < WORDS; w++)
                    plane[w] |= rows[w];
            }
        }
    }
}

/* The numbers of the leaves of 8 rows, as 8 bytes, from up to 8 planes. */
static inline uint64_t eight_leaves(const mask_t *planes, int bits, int at)
{
    uint64_t leaves = 0;
    for (int k = 0; k < bits; k++)
        leaves |= spread[((const uint8_t *)planes[k])[at]] << k;
    return leaves;
}

#define ADD(name, type)                                                                             \
    CLONES static void name(const mask_t *planes, int bits, const double *leaf, type *sums)         \
    {                                                                                               \
        for (int at = 0; at < BLOCK / 8; at++) {                                                    \
            uint64_t low = eight_leaves(planes, bits < 8 ? bits : 8, at);                           \
            uint64_t high = bits > 8 ? eight_leaves(planes + 8, bits - 8, at) : 0;                  \
            for (int i = 0; i < 8; i++)                                                             \
                sums[8 * at + i] += (type)leaf[(low >> 8 * i & 255) | (high >> 8 * i & 255) << 8]; \
        }                                                                                           \
    }

ADD(add_double, double)
ADD(add_float, float)

/* The number of every row's leaf. */
static void leaf_numbers(const mask_t *planes, int bits, uint16_t *numbers)
{
    for (int at = 0; at < BLOCK / 8; at++) {
        uint64_t low = eight_leaves(planes, bits < 8 ? bits : 8, at);
        uint64_t high = bits > 8 ? eight_leaves(planes + 8, bits - 8, at) : 0;
        for (int i = 0; i < 8; i++)
            numbers[8 * at + i] = (uint16_t)((low >> 8 * i & 255) | (high >> 8 * i & 255) << 8);
    }
}

/* Leaves that are linear functions: their constant and coefficients, or their value where one is missing. */
static void add_linear(const forest *f, int32_t tree, const table *t, int64_t first, const uint16_t *numbers,
                       double *sums)
{
    const linear_leaves *l = &f->linear;
    for (int64_t r = 0; r < BLOCK && first + r < t->rows; r++) {
        int64_t leaf = f->first_leaf[tree] + numbers[r];
        double sum = l->constant[leaf];
        for (int64_t i = l->first[leaf]; i < l->first[leaf + 1]; i++) {
            double x = value_at(t->data + (first + r) * t->row_stride + l->feature[i] * t->column_stride, t->type, 0);
            if (isnan(x)) {
                sum = f->leaf[leaf];
                break;
            }
            sum += l->coefficient[i] * (fabs(x) <= TINY ? 0.0 : x);
        }
        sums[r] += sum;
    }
}

static void find_leaves(const forest *f, int32_t tree, scratch *s, mask_t *planes, int bits)
{
    int64_t base = f->first_node[tree], nodes = f->first_node[tree + 1] - base;
    if (f->oblivious) {
        for (int k = 0; k < bits; k++)
            for (int w = 0; w < WORDS; w++)
                planes[k][w] = ~s->masks[f->nodes[base + k].slot][w];
        return;
    }
    memset(planes, 0, (size_t)bits * sizeof(mask_t));
    split_rows(f->nodes + base, nodes, (const mask_t *)s->masks, s->reach, planes);
}

static void add_trees(const forest *f, const table *t, int64_t first, scratch *s)
{
    mask_t planes[16];
    for (int32_t tree = 0; tree < f->trees; tree++) {
        int64_t leaves = f->first_leaf[tree + 1] - f->first_leaf[tree];
        int bits = bits_of(leaves), output = (int)(tree % f->outputs);
        find_leaves(f, tree, s, planes, bits);
        const double *leaf = f->leaf + f->first_leaf[tree];
        if (f->linear.is_linear && f->linear.is_linear[tree]) {
            leaf_numbers((const mask_t *)planes, bits, s->leaf_of);
            add_linear(f, tree, t, first, s->leaf_of, s->sums + output * BLOCK);
        } else if (f->single) {
            add_float((const mask_t *)planes, bits, leaf, (float *)s->sums + output * BLOCK);
        } else {
            add_double((const mask_t *)planes, bits, leaf, s->sums + output * BLOCK);
        }
    }
}

static void transform_row(const forest *f, double *x)
{
    int n = f->outputs;
    if (f->transform == SOFTMAX) {
        double most = x[0], sum = 0;
        for (int k = 1; k < n; k++)
            most = x[k] > most ? x[k] : most;
        for (int k = 0; k < n; k++)
            sum += x[k] = exp(x[k] - most);
        for (int k = 0; k < n; k++)
            x[k] /= sum;
        return;
    }
    for (int k = 0; k < n; k++) {
        if (f->transform == SQUARE)
            x[k] = (double)((x[k] > 0) - (x[k] < 0)) * x[k] * x[k];
        else if (f->transform == EXPONENTIAL)
            x[k] = exp(x[k]);
        else if (f->transform == SIGMOID)
            x[k] = 1.0 / (1.0 + exp(-f->sigmoid * x[k]));
        else if (f->transform == LOG1P_EXP)
            x[k] = log1p(exp(x[k]));
    }
}

static void write_rows(const forest *f, const scratch *s, int64_t count, void *out, int64_t first)
{
    for (int64_t r = 0; r < count; r++) {
        int64_t at = (first + r) * f->outputs;
        if (f->single) {
            for (int k = 0; k < f->outputs; k++)
                ((float *)out)[at + k] = ((const float *)s->sums)[k * BLOCK + r];
            continue;
        }
        double *row = (double *)out + at;
        for (int k = 0; k < f->outputs; k++) {
            row[k] = s->sums[k * BLOCK + r];
            if (f->average_of)
                row[k] /= f->average_of;
            if (f->oblivious)
                row[k] = row[k] * f->scale + f->bias;
        }
        if (f->transform != IDENTITY)
            transform_row(f, row);
    }
}

static void block(const forest *f, const table *t, int64_t first, scratch *s, void *out)
{
    int64_t count = t->rows - first < BLOCK ? t->rows - first : BLOCK;
    for (int64_t i = 0; i < (int64_t)f->outputs * BLOCK; i++) {
        if (f->single)
            ((float *)s->sums)[i] = (float)f->base[0];
        else
            s->sums[i] = f->base[0];
    }
    all_masks(f, t, first, s);
    add_trees(f, t, first, s);
    write_rows(f, s, count, out, first);
}

static int allocate(const forest *f, scratch *s)
{
    size_t masks = (size_t)f->slots + 1, reach = (size_t)f->max_nodes + 1;
    s->masks = aligned_alloc(64, masks * sizeof(mask_t));
    s->reach = aligned_alloc(64, reach * sizeof(mask_t));
    s->columns = aligned_alloc(64, GROUP * BLOCK * sizeof(double));
    s->sums = aligned_alloc(64, (size_t)f->outputs * BLOCK * sizeof(double));
    s->leaf_of = aligned_alloc(64, BLOCK * sizeof(uint16_t));
    return s->masks && s->reach && s->columns && s->sums && s->leaf_of;
}

static void release(scratch *s) { free(s->masks), free(s->reach), free(s->columns), free(s->sums), free(s->leaf_of); }

typedef struct {
    const forest *f;
    const table *t;
    void *out;
    atomic_llong next;
    atomic_int failed;
} work;

static void *worker(void *argument)
{
    work *w = argument;
    scratch s = {0};
    if (!allocate(w->f, &s))
        atomic_store(&w->failed, 1);
    else
        for (int64_t first; (first = atomic_fetch_add(&w->next, BLOCK)) < w->t->rows;)
            block(w->f, w->t, first, &s, w->out);
    release(&s);
    return NULL;
}

static pthread_once_t prepared = PTHREAD_ONCE_INIT;

/* Predict rows into `out`: (rows, outputs) of float64, of float32 for a forest of float32 sums. 0 on success. */
EXPORT int ne_predict(const forest *f, const void *data, int32_t type, int64_t rows, int64_t row_stride,
                      int64_t column_stride, int threads, void *out)
{
    table t = {data, type, rows, row_stride, column_stride};
    work w = {f, &t, out, 0, 0};
    pthread_t started[MAX_THREADS];
    int count = 0, blocks = (int)((rows + BLOCK - 1) / BLOCK);
    pthread_once(&prepared, prepare);
    threads = threads > MAX_THREADS ? MAX_THREADS : threads;
    while (count + 1 < threads && count + 1 < blocks && pthread_create(&started[count], NULL, worker, &w) == 0)
        count++;
    worker(&w);
    for (int i = 0; i < count; i++)
        pthread_join(started[i], NULL);
    return atomic_load(&w.failed);
}


/* Rows of the 512 from `first` on that reach the rarest leaves of `count` trees, one row a tree. 0 on success. */
EXPORT int ne_rare_rows(const forest *f, const void *data, int32_t type, int64_t rows, int64_t row_stride,
                        int64_t column_stride, int64_t first, int count, int64_t *chosen)
{
    table t = {data, type, rows, row_stride, column_stride};
    scratch s = {0};
    int64_t here = rows - first < BLOCK ? rows - first : BLOCK;
    uint32_t *reached = zeroed((size_t)f->max_leaves, sizeof *reached);
    int ok = reached && allocate(f, &s);
    pthread_once(&prepared, prepare);
    if (ok)
        all_masks(f, &t, first, &s);
    for (int i = 0; ok && i < count; i++) {
        mask_t planes[16];
        int32_t tree = (int32_t)((int64_t)f->trees * i / count);
        int bits = bits_of(f->first_leaf[tree + 1] - f->first_leaf[tree]);
        find_leaves(f, tree, &s, planes, bits);
        leaf_numbers((const mask_t *)planes, bits, s.leaf_of);
        memset(reached, 0, (size_t)f->max_leaves * sizeof *reached);
        for (int64_t r = 0; r < here; r++)
            reached[s.leaf_of[r]]++;
        int64_t best = 0;
        for (int64_t r = 0; r < here; r++)
            best = reached[s.leaf_of[r]] < reached[s.leaf_of[best]] ? r : best;
        chosen[i] = first + best;
    }
    release(&s);
    free(reached);
    return !ok;
}

EXPORT int ne_shape(const forest *f, int64_t *shape)
{
    shape[0] = f->trees, shape[1] = f->outputs, shape[2] = f->features, shape[3] = f->slots;
    shape[4] = f->first_node[f->trees], shape[5] = f->first_leaf[f->trees];
    return 0;
}

EXPORT int ne_version(void) { return 3; }
