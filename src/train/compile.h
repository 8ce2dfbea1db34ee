// SPDX-License-Identifier: MIT
/* What compile() hangs on a model: loss, metrics, optimizer. Losses, metrics and optimizers are one const record a file in
 * train/losses, train/metrics, train/optimizers; names, defaults and arithmetic are Keras's. */
#ifndef TRAIN_COMPILE_H
#define TRAIN_COMPILE_H

#include "nn/model.h"
#include "train/schedule.h"

/* ---- losses ---- */
typedef enum { TARGET_SAME, TARGET_LABELS } TargetKind; /* float targets of the output's shape; int32 class numbers */

typedef struct Loss {
    const char *name;      /* "sparse_categorical_crossentropy" */
    const char *short_name; /* "mse", or NULL */
    const char *doc, *example;
    const ArgSpec *args;   /* from_logits, label_smoothing … */
    int n_args;
    TargetKind target;
    bool classes;          /* about classes: a confusion matrix makes sense */
    /* Mean over the batch (Keras's sum_over_batch_size) as a node; weight [B] or NULL multiplies each sample's part. When the
     * prediction comes from a softmax or sigmoid op, that op's input is used, as Keras does. */
    Node *(*apply)(const Args *args, Tape *tape, Node *prediction, Node *target, Node *weight, Err *err);
} Loss;
const Loss *loss_find(const char *name, Err *err);
const Loss *loss_at(int i);

/* ---- metrics: sums over an epoch, without the tape ---- */
typedef struct Metric {
    const char *name;  /* "accuracy" is resolved by the target's shape to binary_, categorical_ or sparse_categorical_ */
    const char *short_name; /* "acc" */
    const char *doc, *example;
    const ArgSpec *args;
    int n_args;
    /* Add a batch: prediction and target (float32 of the same shape, or int32 labels [B]); weight NULL. sums [4]. */
    void (*add)(const Args *args, double sums[4], const Tensor *prediction, const Tensor *target, const real *weight);
    double (*value)(const Args *args, const double sums[4]);
} Metric;
const Metric *metric_find(const char *name, Err *err);
const Metric *metric_at(int i);

/* ---- optimizers ---- */
typedef struct OptimizerKind {
    const char *name;       /* "adam": in compile and in files */
    const char *class_name; /* "Adam": Keras's class, Lua's nn.Adam */
    const char *doc, *example;
    const ArgSpec *args; /* learning_rate first */
    int n_args;
    int n_slots;         /* blocks of the parameters' shape: 0 … 3 */
    const char *slot_names[3]; /* "momentum", "velocity": in files */
    int (*slots_used)(const Args *args); /* with these arguments: 0 … n_slots, the others are NULL; NULL: all */
    /* One block: w -= …; g is the gradient, s[i] the slots; t counts updates from 1. Vectorised, split over the pool. */
    void (*update)(const Args *args, double learning_rate, int64_t t, real *w, const real *g, real *const *s, size_t n);
} OptimizerKind;
const OptimizerKind *optimizer_find(const char *name, Err *err);
const OptimizerKind *optimizer_at(int i);

/* An optimizer with its state for one model: gradients and slots, one block a layer. Counted. */
typedef struct OptimizerBlock {
    Layer *layer; /* reference */
    char path[96]; /* "inner/dense": in files */
    real *grad;   /* owned, [n_trainable] */
    real *slots[3];
} OptimizerBlock;

typedef struct Optimizer {
    _Atomic int refs;
    const OptimizerKind *kind;
    Args args;
    double learning_rate; /* in force now; args hold what it began with */
    int64_t t;            /* updates done */
    const Schedule *schedule; /* sets learning_rate by t; NULL: constant */
    Args schedule_args;
    OptimizerBlock *blocks; /* owned; made when it is bound to a model */
    int n_blocks;
} Optimizer;

MUST_USE Optimizer *optimizer_new(const OptimizerKind *kind, const Args *args, Err *err);
Optimizer *optimizer_ref(Optimizer *optimizer);
void optimizer_unref(Optimizer *optimizer);
MUST_USE bool optimizer_bind(Optimizer *optimizer, Model *model, Err *err); /* blocks for every trainable layer */
int optimizer_slots(const Optimizer *optimizer);         /* slots in use: 0 … 3 */
void optimizer_attach(Optimizer *optimizer, int run_id); /* layers' grad point here … */
void optimizer_detach(Optimizer *optimizer);             /* … and no more */
bool optimizer_finite(const Optimizer *optimizer, const char **where); /* gradients; names the first bad layer */
void optimizer_apply(Optimizer *optimizer);              /* one update of all blocks; t + 1 */

/* ---- compile ---- */
#define COMPILE_METRICS 8

typedef struct Compiled {
    const Loss *loss;
    Args loss_args;
    const Metric *metrics[COMPILE_METRICS]; /* as asked; "accuracy" resolved at the first data */
    Args metric_args[COMPILE_METRICS];
    char metric_names[COMPILE_METRICS][32];
    int n_metrics;
    Optimizer *optimizer; /* reference */
} Compiled;

/* Takes over what it is given, also on failure. Fails: ERR_STATE while a run trains the model. */
MUST_USE bool compile_model(Model *model, Compiled *take, Err *err);
Compiled *compiled_of(Model *model, Err *err); /* borrowed; ERR_STATE "compile it first: model:compile{…}" */

/* A file of model, optimizer, loss and metrics (a model that is not compiled: of the model alone), and back. Fails as model_save
 * and model_load do. A model under training is saved by run_save. */
MUST_USE bool compile_save(Model *model, const char *path, Err *err);
MUST_USE Model *compile_load(const char *path, Err *err);

/* One step's evaluation on given batches without a run, for train_on_batch, test_on_batch, evaluate. logs[0] is the loss, then the
 * metrics in order; values by Keras's arithmetic (an epoch's mean is weighted by samples). */
MUST_USE bool compile_train_batch(Model *model, const Tensor *x, const Tensor *y, const real *class_weight, int n_classes, double *logs, Err *err);
MUST_USE bool compile_evaluate(Model *model, const Tensor *x, const Tensor *y, int batch_size, double *logs, uint32_t *confusion,
                               int n_classes, const _Atomic bool *stop, Err *err);

#endif
