// SPDX-License-Identifier: MIT
/* Optimizers: one const record a file in train/optimizers (see README.md there), and an optimizer with its state for one model.
 * What is the same for all of them (weight decay, clipping, moving averages of the weights, accumulated gradients, compat) is
 * done around the record's step by update.c, and its arguments are appended to the record's own rows here, not there.
 *
 * An Optimizer is counted; one thread at a time: the run's trainer, or the caller where there is no run. */
#ifndef TRAIN_OPTIMIZER_H
#define TRAIN_OPTIMIZER_H

#include "nn/model.h"
#include "tensor/kern.h"
#include "train/schedule.h"

#define OPTIMIZER_OWN 3   /* slots that a kind can have … */
#define OPTIMIZER_SLOTS 5 /* … and two that all have when asked for: SLOT_SUM, SLOT_AVERAGE */
enum { SLOT_SUM = OPTIMIZER_OWN, SLOT_AVERAGE };

/* One update: what is the same for all its elements. */
typedef struct Update {
    const Args *args; /* of the kind: own rows, then the common ones */
    double learning_rate;
    int64_t t;        /* updates, this one included: from 1 */
    bool torch;       /* compat = "torch" */
    real c[8];        /* what begin worked out for step */
} Update;

typedef struct OptimizerKind {
    const char *name;       /* "adam": in compile and in files */
    const char *class_name; /* "Adam": Keras's class, Lua's nn.Adam */
    const char *doc, *example;
    const ArgSpec *own_args; /* learning_rate first; the common rows follow, see optimizer_args */
    int n_own_args;
    const char *slot_names[OPTIMIZER_OWN]; /* "momentum", "velocity": in files; blocks of the parameters' shape */
    unsigned (*slots_used)(const Args *args); /* bit s: slot s is used with these arguments; NULL: all that have a name */
    double (*slot_start)(const Args *args, int slot); /* NULL: all begin with 0 */
    bool decoupled; /* weight decay is never part of the gradient, compat or not (AdamW, Lion) */
    /* Constants of this update, once; may be NULL. */
    void (*begin)(Update *u);
    /* n elements: w -= …; g is the gradient, s[i] the slots (NULL: not used). Vectorised; called for pieces of a block, by several
     * workers at once, so it must work element by element. */
    void (*step)(const Update *u, real *restrict w, const real *restrict g, real *const *s, size_t n);
} OptimizerKind;

const OptimizerKind *optimizer_find(const char *name, Err *err);
const OptimizerKind *optimizer_at(int i);

/* Own rows and the common ones that the kind does not have itself (AdamW has its own weight_decay). Program lifetime. */
const ArgSpec *optimizer_args(const OptimizerKind *kind, int *n);
void optimizer_args_init(Args *args, const OptimizerKind *kind); /* all defaults */

/* State of one layer. */
typedef struct OptimizerBlock {
    Layer *layer; /* reference */
    char path[LAYER_PATH]; /* "inner/dense": in files */
    real *grad;   /* owned, [n_trainable] */
    size_t aimed; /* apply.c: how many of its numbers get a gradient now */
    real *slots[OPTIMIZER_SLOTS]; /* owned, [n_trainable]; NULL: not used */
} OptimizerBlock;

typedef struct Optimizer {
    _Atomic int refs;
    const OptimizerKind *kind;
    Args args;
    double learning_rate; /* in force now; args hold what it began with */
    int64_t t;            /* gradients taken (Keras's iterations): with accumulation several make one update */
    Rate *rate;           /* reference; sets learning_rate by t; NULL: constant */
    OptimizerBlock *blocks; /* owned; made when it is bound to a model */
    int n_blocks;
} Optimizer;

/* Arguments complete, and none that exclude one another. Fails: ERR_ARG. */
MUST_USE bool optimizer_check(const OptimizerKind *kind, const Args *args, Err *err);

/* Fails: what optimizer_check says, ERR_MEM. */
MUST_USE Optimizer *optimizer_new(const OptimizerKind *kind, const Args *args, Err *err);
Optimizer *optimizer_ref(Optimizer *optimizer);
void optimizer_unref(Optimizer *optimizer);
MUST_USE bool optimizer_bind(Optimizer *optimizer, Model *model, Err *err); /* blocks for every trainable layer */
MUST_USE bool optimizer_bind_all(Optimizer *optimizer, Model *const *models, int n, Err *err); /* of several models together */
unsigned optimizer_slots(const Optimizer *optimizer);         /* bit s: slot s is in use */
const char *optimizer_slot_name(const OptimizerKind *kind, int slot);
void optimizer_attach(Optimizer *optimizer, int run_id); /* layers' grad point here … */
void optimizer_detach(Optimizer *optimizer);             /* … and no more */
bool optimizer_finite(const Optimizer *optimizer, const char **where); /* gradients; names the first bad layer */

/* The learning rate, and momentum where the schedule has a say in it, for the gradient to come. */
void optimizer_follow(Optimizer *optimizer, const Rate *rate);

/* ---- update.c ----
 * Take the gradients of all blocks: one update, or, while gradients accumulate, a part of one; t + 1. Gradients may be changed
 * (clipped, decayed) on the way. Cannot fail; the same bits for any number of threads. */
void optimizer_apply(Optimizer *optimizer);

/* With use_ema: the weights become their moving averages, as Keras does at the end of fit. False: nothing to do. */
bool optimizer_finish(Optimizer *optimizer);

KERN_INLINE real real_root(real x)
{
#ifdef HEBB_F64
    return __builtin_sqrt(x);
#else
    return __builtin_sqrtf(x);
#endif
}

#endif
