// SPDX-License-Identifier: MIT
/* Recurrent ops, a whole sequence at once: what their files share. B batch, T steps, I features, U units, G = gates * U.
 *
 * Inside, steps come first: z [T, B, G], states [T + 1, B, U], so that a step's rows lie together. The input's products with the
 * kernel are one product for all steps, and so are the gradients of both kernels; in between, tiles of at most RECUR_ROWS rows of the
 * batch go through time each on its own, with the recurrent weights packed once. */
#ifndef AUTOGRAD_RECURRENT_H
#define AUTOGRAD_RECURRENT_H

#include "autograd/op.h"
#include "tensor/kern_rnn.h"

#define RECUR_ROWS 16

/* The inputs of every recurrent op. DROP multiplies the state where it enters the products (recurrent dropout). */
enum { RECUR_X, RECUR_KERNEL, RECUR_RECURRENT, RECUR_BIAS, RECUR_MASK, RECUR_DROP, RECUR_H0, RECUR_C0, RECUR_IN };
extern const char *const recur_in_names[];

typedef struct Recur {
    int64_t B, T, I, U, G;
    int states;       /* 1: h; 2: h and c */
    int bias_rows;    /* 1, or 2: one for the recurrent products (GRU with reset_after) */
    bool sequences, last, backwards, after, zero; /* arguments; after: reset_after, zero: zero_output_for_mask */
    KernAct act, rec;
    int64_t rows;     /* of one sample in out: [rows, U] */
    size_t n_tiles;   /* of the batch */
    const OpCall *call;
    real *z;          /* [T, B, G] activated gates; of an RNN without gates: h itself, from its second step on */
    real *h, *c;      /* [T + 1, B, U] */
    real *q;          /* [T, B, U], with `after`: the candidate's recurrent product, bias included */
    real *x;          /* [T, B, I] */
    real *in;         /* [B, U] forward: the state as it enters a product; [T, B, U] after backward: of all steps */
    RnnWeights weights[2]; /* forward: [U, ..]; backward: transposed */
    real *dz;         /* [T, B, G] */
    real *dq;         /* [T, B, U] GRU: of the candidate's recurrent product, or of r times the state */
    real *dh, *dc;    /* [B, U] */
    real *din;        /* [B, U] of `in` */
    real *spare;      /* [B, 2 U] */
    real *ddrop;      /* [B, U] */
    real *ones;       /* [T B] */
} Recur;

/* What differs. A step works on rows first … first+n-1 of the batch; rows that the mask leaves out keep their states. */
typedef struct RecurKind {
    int gates, states;
    void (*step)(const Recur *r, int64_t s, int64_t first, int64_t n);
    /* From r->dh, r->dc behind step s: r->dz of the step, and dh, dc in front of it. */
    void (*back)(const Recur *r, int64_t s, int64_t first, int64_t n);
} RecurKind;

bool recur_infer(const RecurKind *kind, OpCall *call, Err *err);
void recur_forward(const RecurKind *kind, OpCall *call);
void recur_backward(const RecurKind *kind, OpCall *call);
void recur_commit(const RecurKind *kind, OpCall *call); /* stateful: the last states become the first ones */
double recur_flops(const RecurKind *kind, const OpCall *call);

/* ---- inside a step ---- */

/* Does step s count for row b? */
bool recur_counts(const Recur *r, int64_t s, int64_t b);

/* The state before step s as it enters the products, [n, U]. */
const real *recur_in(const Recur *r, int64_t s, int64_t first, int64_t n);

/* Backward: r->din rows become a gradient of the state before step s: dh += din * drop. */
void recur_give_in(const Recur *r, int64_t s, int64_t first, int64_t n);

static inline int64_t recur_at(const Recur *r, int64_t s, int64_t b, int64_t width)
{
    return (s * r->B + b) * width;
}

#define RECUR_ARGS \
    { .name = "return_sequences", .type = ARG_BOOL, .fallback = "true", .help = "the results of all steps, not of the last alone" }, \
    { .name = "return_state", .type = ARG_BOOL, .fallback = "false", .help = "the last states as further rows of the result" }, \
    { .name = "go_backwards", .type = ARG_BOOL, .fallback = "false", .help = "from the last step to the first; results in that order" }, \
    { .name = "zero_output_for_mask", .type = ARG_BOOL, .fallback = "false", .help = "results of masked steps are 0, not those of the step before" }, \
    { .name = "stateful", .type = ARG_BOOL, .fallback = "false", .help = "a step of training that is kept writes the last states into the first ones" }

#endif
