// SPDX-License-Identifier: MIT
/* A job: a run whose step somebody else does, with as many models and optimizers as it likes: loops that fit does not fit. It is a Run
 * like any other (run.h, control.h): watched, paused, stepped, stopped; but it cannot be rewound, branched or saved as one file, because
 * what the step keeps for itself is not known here.
 *
 * The trainer thread calls the step at each boundary and waits; whoever does the step may touch the models until it returns. Where another
 * thread does it, that thread goes on with the next steps by itself for a while (job_more), so that short steps are not spent on waking
 * one another; it is the trainer then. */
#ifndef TRAIN_JOB_H
#define TRAIN_JOB_H

#include "train/run.h"
#include "train/step.h"

#define JOB_MODELS 8
#define JOB_OPTIMIZERS 8

typedef struct Job {
    Model *models[JOB_MODELS]; /* references */
    char names[JOB_MODELS][TELE_NAME];
    int n_models;
    Optimizer *optimizers[JOB_OPTIMIZERS]; /* references; as they come: job_adopt */
    int n_optimizers;
    char metrics[TELE_METRICS][TELE_VALUE];
    int n_metrics;
    bool named;     /* the list of metrics is complete: it was given, or the first step is over */
    bool look;      /* somebody looks at this step: the probe was told of its beginning */
    double burst_s; /* when the first of the steps began that are done in one go */
    double values[TELE_METRICS]; /* logged in this step; NaN: not */
    double sums[TELE_METRICS];   /* of this epoch */
    int64_t counts[TELE_METRICS]; /* samples that they are of: an epoch's mean is weighted by them, as in fit */
    /* Do one step on this batch (n_x 0: there are no data), which lives until it returns. ERR_NUMERIC pauses the run where somebody can
     * resume it, other errors end it. */
    bool (*step)(void *ctx, Run *run, const Batch *batch, Err *err);
    void (*release)(void *ctx);
    void *ctx;
} Job;

typedef struct JobOptions {
    Model *models[JOB_MODELS]; /* borrowed; built */
    const char *names[JOB_MODELS];
    int n_models;
    Tensor data[MODEL_INPUTS]; /* references are taken; n_data 0: none */
    int n_data;
    const char *metrics[TELE_METRICS]; /* names of the curves; n_metrics 0: those that the first step logs */
    int n_metrics;
    int batch_size, epochs;
    int64_t steps_per_epoch; /* 0: all batches of the data; else epochs go through the data one behind the other */
    bool shuffle, start_paused, fail_on_trouble, autosave;
    uint64_t seed;
    RunCallback callbacks[FIT_CALLBACKS]; /* taken over */
    int n_callbacks;
    bool (*step)(void *ctx, Run *run, const Batch *batch, Err *err); /* as in Job; ctx is taken over */
    void (*release)(void *ctx);
    void *ctx;
} JobOptions;

/* Check everything, start the trainer. Where the names of the curves are not given, the first step is done here, in the caller's thread.
 * One reference. Fails: ERR_ARG, ERR_STATE (a model is not built, or trains already), ERR_SHAPE, what the first step says, ERR_MEM. */
MUST_USE Run *job_new(JobOptions *options, Err *err);

/* The job of a run, NULL where it is one of fit. */
Job *run_job(Run *run);

/* By the thread that does the step, around it: what it asks of the run meanwhile is done at once, where it is. */
void job_enter(Run *run);
void job_leave(Run *run);

/* By that thread, after a step that went well: the next batch, when it may go on at once; NULL: back to the trainer. */
const Batch *job_more(Run *run);

/* Inside a step: one of its models is called on this. For the pictures. */
void job_given(Run *run, const Model *model, const Tensor *x, int n_x);

/* Inside a step: the seed of its random numbers, the steps that were done before it, the epoch (from 1). */
uint64_t job_seed(const Run *run);
int64_t job_steps(const Run *run);
int job_epoch(const Run *run);

/* Inside a step: a value of the curve of that name. Fails: ERR_NAME when it is none, ERR_ARG (too many, too long a name). */
MUST_USE bool job_log(Run *run, const char *name, double value, Err *err);

/* Inside a step: this optimizer is one of the job's from now on. Fails: ERR_ARG when there are too many. */
MUST_USE bool job_adopt(Run *run, Optimizer *optimizer, Err *err);

#endif
