/* A forest of decision trees, and what its readers and its evaluator share. */
#ifndef NUMERAI_FOREST_H
#define NUMERAI_FOREST_H

#include <stddef.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))

/* Rows that are evaluated at a time, and the words and bytes of a mask with one bit per row. */
#define BLOCK 512
#define WORDS (BLOCK / 64)

#define MAX_LEAVES 65536
#define MAX_DEPTH_OBLIVIOUS 16
#define REASON_SIZE 160

/* How a node decides. `threshold` of a categorical node is the index of its set of categories. */
enum { CATEGORICAL = 1, NAN_LEFT = 2, ZERO_LEFT = 4, ZERO_RIGHT = 8 };

/* Trees as a reader found them. Children are numbers of nodes of the same tree; below 0: ~leaf. */
typedef struct {
    int32_t trees;
    int64_t *first_node; /* trees + 1 */
    int64_t *first_leaf; /* trees + 1 */
    int32_t *feature, *left, *right;
    double *threshold;
    uint8_t *kind;
    double *leaf;
    int32_t sets;
    int64_t *first_word; /* sets + 1: the bits of each set of categories */
    uint32_t *words;
} raw_forest;

typedef struct {
    uint32_t slot;
    int32_t left, right;
} node;

/* One mask: the rows that go left. Slots are in the order of their features. */
typedef struct {
    double threshold;
    float threshold32;
    int32_t feature;
    int32_t threshold8;
    uint8_t kind;
} slot;

/* A leaf that adds a linear function of features to its constant. */
typedef struct {
    int64_t *first;    /* leaves + 1 */
    int32_t *feature;
    double *coefficient;
    double *constant;  /* per leaf */
    uint8_t *is_linear; /* per tree */
} linear_leaves;

/* What becomes of a sum of leaves. */
enum { IDENTITY, SQUARE, EXPONENTIAL, SIGMOID, SOFTMAX, LOG1P_EXP };

typedef struct forest {
    int32_t trees, outputs, features, max_nodes, max_leaves;
    int32_t oblivious;    /* all nodes of a level share one slot; `nodes` has one per level */
    int32_t single;       /* sums are float32 */
    int32_t flush_tiny;   /* values of at most 1e-35 are 0, as for LightGBM */
    int32_t average_of;   /* iterations to divide by, 0: no average */
    int32_t transform;
    double sigmoid;
    double base[1];       /* where each sum begins */
    double scale, bias;   /* of oblivious trees */
    int64_t *first_node, *first_leaf;
    node *nodes;
    double *leaf;
    int32_t slots, used;
    slot *slot;
    int32_t *used_feature, *first_slot; /* used, used + 1 */
    int64_t *first_word;
    uint32_t *words;
    linear_leaves linear;
} forest;

void *zeroed(size_t count, size_t size);
int refuse(char *reason, const char *text);
double read_number(const char **at);

/* Takes over the arrays of `raw` that it keeps; frees the others. NULL: invalid, see `reason`. */
forest *build_forest(raw_forest *raw, char *reason);
void free_raw(raw_forest *raw);
void ne_free(forest *f);

#endif
