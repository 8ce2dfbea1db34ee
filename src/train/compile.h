// SPDX-License-Identifier: MIT
/* What compile() hangs on a model: loss, metrics, optimizer. Losses, metrics and optimizers are one const record a file in
 * train/losses, train/metrics, train/optimizers; names, defaults and arithmetic are Keras's. */
#ifndef TRAIN_COMPILE_H
#define TRAIN_COMPILE_H

#include "nn/model.h"
#include "nn/program.h"
#include "train/optimizer.h"
#include "train/samples.h"

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
    bool sequences;        /* labels [B, any], 0 is padding, for outputs [B, T, C]; metrics cannot compare the two step by step */
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
#define COMPILE_METRICS 16
#define COMPILE_VALUES (1 + MODEL_OUTPUTS + COMPILE_METRICS)
#define COMPILE_NAME 96

/* A loss or metric that is a function of (y_true, y_pred), composed of ops (custom.h): references to what it was traced to for targets
 * of the output's shape and for class numbers, NULL where it does not take them; both NULL: it is no function. */
typedef struct Custom {
    Program *by[2]; /* by TargetKind */
} Custom;

/* What one output of the model is trained for. */
typedef struct Objective {
    const Loss *loss; /* NULL: nothing, the output has no part in the loss */
    Args args;
    Custom custom;    /* where loss is loss_custom */
    double weight;    /* of its loss in the sum (loss_weights); 1 */
} Objective;

/* A metric of one output. */
typedef struct Measure {
    const Metric *metric; /* as asked; "accuracy" is resolved by the target's shape */
    Args args;
    Custom custom;     /* where the metric is metric_custom */
    char name[32];     /* as asked: "acc" */
    bool weighted;     /* by the weights of samples and classes (weighted_metrics) */
    int output;
} Measure;

typedef struct Compiled {
    Objective outputs[MODEL_OUTPUTS]; /* in the model's order */
    Measure metrics[COMPILE_METRICS];
    int n_outputs, n_metrics;
    Optimizer *optimizer; /* reference */
    /* What follows is compile_model's. A step's values, in order: the loss, that of each output where several have one (unweighted,
     * as Keras tells them), the metrics. Names are Keras's: "loss", "out_a_loss", "out_a_accuracy"; one output: "accuracy". */
    int n_losses, n_values;
    char values[COMPILE_VALUES][COMPILE_NAME];
    char output_names[MODEL_OUTPUTS][LAYER_NAME];
} Compiled;

/* Takes over what it is given, also on failure. Fails: ERR_STATE while a run trains the model, ERR_ARG where it does not fit the
 * model's outputs. */
MUST_USE bool compile_model(Model *model, Compiled *take, Err *err);
Compiled *compiled_of(Model *model, Err *err); /* borrowed; ERR_STATE "compile it first: model:compile{…}" */

/* Take off what compile_model hung on the model, if it has. No run trains it. */
void compile_drop(Model *model);

/* A file of model, optimizer, loss and metrics (a model that is not compiled: of the model alone), and back. Fails as model_save
 * and model_load do. A model under training is saved by run_save. */
MUST_USE bool compile_save(Model *model, const char *path, Err *err);
MUST_USE Model *compile_load(const char *path, Err *err);

/* A copy with references of its own; what a Compiled refers to, let go. */
void compiled_copy(Compiled *to, const Compiled *from);
void compiled_fini(Compiled *compiled);

void compiled_list_outputs(const Compiled *compiled, char *out, size_t size); /* their names: "a, b" */
bool compiled_wants_target(const Compiled *compiled, int output); /* a loss or a metric needs it */
bool compiled_falls(const Compiled *compiled, int value);         /* smaller is better */

/* One step on given samples without a run, for train_on_batch, test_on_batch, evaluate. logs[n_values]; by Keras's arithmetic (an
 * epoch's mean is weighted by samples). confusion: counts of the first output that classifies (target_classes), or NULL. */
MUST_USE bool compile_train_batch(Model *model, const Samples *given, const real *class_weight, int n_classes, double *logs, Err *err);
MUST_USE bool compile_evaluate(Model *model, const Samples *given, int batch_size, double *logs, uint32_t *confusion, int n_classes,
                               const _Atomic bool *stop, Err *err);

/* The same, told batch by batch: logs holds the means so far when hook->end is called. */
MUST_USE bool compile_evaluate_watched(Model *model, const Samples *given, int batch_size, double *logs, const _Atomic bool *stop, const BatchHook *hook,
                                       Err *err);

#endif
