// SPDX-License-Identifier: MIT
/* What compile() hangs on a model: loss, metrics, optimizer. Losses, metrics and optimizers are one const record a file in
 * train/losses, train/metrics, train/optimizers; names, defaults and arithmetic are Keras's. */
#ifndef TRAIN_COMPILE_H
#define TRAIN_COMPILE_H

#include "nn/program.h"
#include "train/optimizer.h"

/* ---- losses ---- */
typedef enum { TARGET_SAME, TARGET_LABELS } TargetKind; /* float targets of the output's shape; int32 class numbers */

typedef struct Loss {
    const char *name;      /* "sparse_categorical_crossentropy" */
    const char *short_name; /* "mse", or NULL */
    const char *class_name; /* "KLDivergence" where that is not the name with capitals, else NULL */
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
    const char *class_name; /* "AUC" where that is not the name with capitals, else NULL */
    const char *doc, *example;
    bool falls;        /* smaller is better: for callbacks with mode "auto" */
    const ArgSpec *args;
    int n_args;
    /* How many numbers it keeps through an epoch, for predictions [.., width] of which an epoch has at most `values` rows; they begin
     * with 0. NULL: two, to which batches add up. */
    size_t (*state)(const Args *args, int64_t width, int64_t values);
    /* Add a batch: prediction and target (float32 of the same shape, or int32 labels [B]); weight [B] or NULL. */
    void (*add)(const Args *args, double *state, const Tensor *prediction, const Tensor *target, const real *weight);
    /* What they mean; may put the state into another order. */
    double (*value)(const Args *args, double *state, int64_t width);
} Metric;
const Metric *metric_find(const char *name, Err *err);
const Metric *metric_at(int i);

/* ---- compile ---- */
#define COMPILE_METRICS 8

/* A loss or metric that is a function of (y_true, y_pred), composed of ops (custom.h): references to what it was traced to for targets
 * of the output's shape and for class numbers, NULL where it does not take them; both NULL: it is no function. */
typedef struct Custom {
    Program *by[2]; /* by TargetKind */
} Custom;

typedef struct Compiled {
    const Loss *loss;
    Args loss_args;
    Custom custom; /* where loss is loss_custom */
    const Metric *metrics[COMPILE_METRICS]; /* as asked; "accuracy" resolved at the first data */
    Args metric_args[COMPILE_METRICS];
    Custom metric_custom[COMPILE_METRICS]; /* where the metric is metric_custom */
    char metric_names[COMPILE_METRICS][32];
    bool metric_weighted[COMPILE_METRICS]; /* by the weights of samples and classes (weighted_metrics) */
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
 * metrics in order; values by Keras's arithmetic (an epoch's mean is weighted by samples). weight [samples] or NULL. */
MUST_USE bool compile_train_batch(Model *model, const Tensor *x, const Tensor *y, const Tensor *weight, const real *class_weight, int n_classes,
                                  double *logs, Err *err);
MUST_USE bool compile_evaluate(Model *model, const Tensor *x, const Tensor *y, const Tensor *weight, int batch_size, double *logs,
                               uint32_t *confusion, int n_classes, const _Atomic bool *stop, Err *err);

#endif
