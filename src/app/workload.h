// SPDX-License-Identifier: MIT
/* The benchmark's networks and batches. */
#ifndef APP_WORKLOAD_H
#define APP_WORKLOAD_H

#include "train/compile.h"
#include "train/step.h"

typedef struct Workload {
    const char *name;
    int64_t batch;
    bool infer;            /* predict only */
    const char *loss;
    const char *optimizer; /* name and arguments: "sgd learning_rate=0.1 momentum=0.9" */
    Model *(*build)(Err *err);
    Shape sample;          /* of one row of x */
    int n_classes;         /* labels 0 … n_classes-1; 1: targets 0 or 1 of shape [B, 1] */
    int n_tokens;          /* > 0: x holds token ids below it, and y a label for each of them */
} Workload;

const Workload *workload_at(int i); /* NULL behind the last */

/* Model built and compiled, one batch of random data. Ends by workload_fini. */
typedef struct Ready {
    const Workload *workload;
    Model *model;
    Compiled *compiled; /* the model's */
    Tensor x, y;
    Batch batch;
    Tape tape;
    uint64_t step;
} Ready;
MUST_USE bool workload_init(Ready *ready, const Workload *workload, Err *err);
void workload_fini(Ready *ready);

/* One step, as runs do it. */
MUST_USE bool workload_step(Ready *ready, Err *err);

/* Multiply-adds of a step: three times forward when it trains. */
double workload_flops(const Ready *ready);

#endif
