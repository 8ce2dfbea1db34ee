// SPDX-License-Identifier: MIT
/* A run: one call of fit. Its own trainer thread lives until the run is released; the run holds references to all that it
 * uses. Commands take effect at step boundaries (control.h); this header adds what needs models and tensors.
 *
 * Steady state: a step allocates nothing and takes no lock that a watcher could hold. */
#ifndef TRAIN_RUN_H
#define TRAIN_RUN_H

#include "nn/augment.h"
#include "train/compile.h"
#include "train/control.h"

/* Callbacks: built-in ones in C, or one that hands each event to Lua. All calls on the trainer thread, at boundaries. */
typedef struct RunCallback {
    const char *name;
    void *ctx;
    struct Callback *builtin; /* callback.h: its state is saved and goes back with the run; NULL: one in Lua */
    bool waits;  /* may wait for Lua: the run's state says so */
    bool (*train_begin)(void *ctx, Run *run, Err *err);
    bool (*epoch_begin)(void *ctx, Run *run, int epoch, Err *err);
    bool (*batch_begin)(void *ctx, Run *run, int64_t step_in_epoch, Err *err); /* from 1, as those that follow */
    bool (*batch_end)(void *ctx, Run *run, int64_t step_in_epoch, const double *logs, Err *err);
    bool (*test_begin)(void *ctx, Run *run, Err *err); /* of validation, before its first batch */
    bool (*test_batch_begin)(void *ctx, Run *run, int64_t batch, Err *err);
    bool (*test_batch_end)(void *ctx, Run *run, int64_t batch, const double *logs, Err *err);
    bool (*test_end)(void *ctx, Run *run, const double *logs, Err *err);
    bool (*epoch_end)(void *ctx, Run *run, int epoch, const double *logs, const double *validation, Err *err);
    bool (*train_end)(void *ctx, Run *run, Err *err);
    void (*release)(void *ctx);
} RunCallback;

#define FIT_CALLBACKS 16

typedef struct FitOptions {
    Samples data;                      /* borrowed; run_new takes references */
    Samples validation;                /* n_x 0: none */
    double validation_split;           /* the last fraction, before shuffling; 0: none */
    int batch_size;                    /* 32 */
    int64_t steps_per_epoch;           /* updates of an epoch; the next goes on in the data where this one ended. 0: all rows */
    int64_t validation_steps;          /* batches of a validation, always from its first row; 0: all */
    int validation_batch_size;         /* 0: batch_size */
    int validation_freq;               /* validate at the end of every so many epochs; 0 or 1: of each */
    const int *validation_epochs;      /* or of these, counted from 1; copied; NULL: as validation_freq says */
    int n_validation_epochs;
    int epochs;                        /* 1 */
    int initial_epoch;                 /* 0 */
    bool shuffle;                      /* true */
    const real *class_weight;          /* [n_classes] or NULL; copied; models with one output */
    int n_classes;                     /* 0: from the labels */
    const char *const *class_names;    /* n_classes, or NULL; copied */
    uint64_t seed;
    size_t snapshot_budget;            /* bytes for the ring; 0: 256 MB */
    bool autosave;                     /* to the run's folder, once a minute and at each event */
    const char *resume;                /* a file to go on from, or NULL; it compiles a model that is not compiled yet */
    RunCallback callbacks[FIT_CALLBACKS];         /* taken over */
    int n_callbacks;
    Layer *augment[AUGMENT_MOST]; /* borrowed; what changes the images of x[0] while training, see nn/augment.h */
    int n_augment;
    Rate *rate;                        /* borrowed: a schedule in place of the optimizer's; NULL: its own */
    bool start_paused;
    bool fail_on_trouble; /* nobody can resume (a script): NaN or a callback's error ends the run as RUN_FAILED */
} FitOptions;

void fit_options_init(FitOptions *options); /* Keras's defaults */

/* Check everything, start the trainer. One reference. Fails before anything changes: ERR_STATE (not compiled; a layer already
 * trains: names the run), ERR_SHAPE, ERR_DATA (empty data, labels out of range), ERR_MEM. */
MUST_USE Run *run_new(Model *model, FitOptions *options, Err *err);

/* Wait until the run has ended, paused by itself, or `seconds` have passed (negative: for ever). *stop ends the wait with
 * ERR_INTERRUPT. serve (may be NULL) is called meanwhile, several times a second and whenever wake_waiters was called: it
 * runs queued callbacks. */
MUST_USE bool run_wait(Run *run, double seconds, const _Atomic bool *stop, void (*serve)(void *), void *ctx, Err *err);

/* Look again: end the sleep of everybody who waits for a run (a callback was queued, an interrupt came). Any thread. */
void run_wake_waiters(void);

/* What this thread does while it waits in run_do, model_do, run_rewind, run_set_epochs, run_branch, run_save: serve is called
 * several times a second and at each run_wake_waiters. The lua thread runs queued callbacks there. NULL: nothing. */
void run_set_serve(void (*serve)(void *ctx), void *ctx);

/* Inside a callback that is answered by another thread: serve run_do requests (and only these; others wait for the boundary)
 * until *done. The answering thread sets it, then calls run_answered. False when the run is to quit at once: the callback must
 * then withdraw its question and return. */
MUST_USE bool run_await(Run *run, const _Atomic bool *done);
void run_answered(Run *run);

/* The same for the step of a job (job.h), which is training: only while nobody has begun with it does the state say that it waits. No
 * request is served: the models are those of whoever does the step. That thread sets *begun from STEP_OPEN to STEP_BEGUN first, and does
 * nothing when it is STEP_GONE. */
enum { STEP_OPEN, STEP_BEGUN, STEP_TOLD, STEP_GONE };
MUST_USE bool run_await_step(Run *run, _Atomic int *begun, const _Atomic bool *done);
bool run_in_callback(Run *run); /* its trainer stands inside a callback */

/* Wait until all that was asked before has taken effect, at a boundary: not inside a callback of the run. */
MUST_USE bool run_settle(Run *run, const _Atomic bool *stop, Err *err);

/* Have fn called on the trainer thread at a boundary and wait for it; at once where the trainer has ended. For predict,
 * evaluate, save, looking at weights of a model under training. */
typedef bool (*RunFn)(void *ctx, Err *err);
MUST_USE bool run_do(Run *run, RunFn fn, void *ctx, const _Atomic bool *stop, Err *err);

/* The same by model: through its run if it has one, else fn is called here. */
MUST_USE bool model_do(Model *model, RunFn fn, void *ctx, const _Atomic bool *stop, Err *err);

/* Back by epochs (to the end of that epoch) or to a step; waits until done, the run is then paused. Exact: weights, optimizer,
 * random state, data position. Fails: ERR_ARG, ERR_STATE (older than the oldest snapshot: says which is the oldest). */
MUST_USE bool run_rewind(Run *run, int epochs, const _Atomic bool *stop, Err *err);
MUST_USE bool run_rewind_to(Run *run, int64_t step, const _Atomic bool *stop, Err *err);

/* A new run from the present state of this one with a copy of the model (paused); the old one stays as it is. */
MUST_USE Run *run_branch(Run *run, Model **model_copy, Err *err);

MUST_USE bool run_set_epochs(Run *run, int epochs, Err *err); /* train longer or shorter; an ended run goes on */
MUST_USE bool run_set_budget(Run *run, size_t bytes, Err *err);

/* Model, optimizer, history and position in one file; nn.load and FitOptions.resume go on exactly there. */
MUST_USE bool run_save(Run *run, const char *path, Err *err);

Model *run_model(Run *run);           /* borrowed; of a job: its first */
bool run_trains(const Run *run, const Model *model); /* it is one of its models */
const char *run_folder(const Run *run); /* where the recorder writes; "" when nothing is recorded */

/* The live history: rows of epochs in order, those of abandoned branches left out. Borrowed rows; returns how many there are
 * (also when more than `most`). */
int run_history(Run *run, const Fact **rows, int most);

/* When a change posted now takes effect, as a sentence: "takes effect at the next step (step 391)". */
void run_when(Run *run, Buf *out);

#endif
