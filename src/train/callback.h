// SPDX-License-Identifier: MIT
/* Callbacks built in: one const record a file in train/callbacks/. Names, arguments and decisions are Keras's. They run on the
 * trainer thread at boundaries and never wait for anybody. What they decide by stands in `state`: plain numbers, of which a copy
 * is kept for each epoch, so that a rewind, a branch and a resumed run decide as an unbroken one does. Weights that a callback
 * keeps are known by their step and made anew by replay when a rewind goes back behind it. */
#ifndef TRAIN_CALLBACK_H
#define TRAIN_CALLBACK_H

#include "base/arg.h"
#include "train/run.h"
#include "train/sink.h"

#define CALLBACK_STATE 8
#define CALLBACK_SINKS 2
#define CALLBACK_PATH 1024
#define CALLBACK_KEPT (CALLBACK_STATE - 1) /* the number of state that says of which step the kept weights are; -1: none */

typedef struct Callback Callback;

typedef struct CallbackKind {
    const char *name;       /* "early_stopping": in files */
    const char *class_name; /* "ReduceLROnPlateau" where that is not the name with capitals, else NULL */
    const char *doc, *example;
    const char *file, *file_fallback; /* the argument that names a file or folder, the first one; its default, NULL: must be given */
    const ArgSpec *args;    /* those named monitor and mode are understood by callback_bind */
    int n_args;
    bool (*check)(const Args *args, Err *err); /* NULL, or what the rows cannot say */
    bool (*bind)(Callback *callback, Run *run, Err *err); /* NULL, or refuse before the run starts; numbers of state are 0 */
    bool (*batch_end)(Callback *callback, Run *run, const double *logs, Err *err); /* any of these may be NULL */
    bool (*epoch_end)(Callback *callback, Run *run, int epoch, const double *logs, const double *validation, Err *err);
    /* Behind the epoch's end: the run stands at the next one's start, all callbacks have decided. For what saves the run. */
    bool (*epoch_done)(Callback *callback, Run *run, Err *err);
    bool (*train_end)(Callback *callback, Run *run, Err *err); /* run->outcome says how */
    const char *(*resume)(Callback *callback); /* NULL, or the file that the run goes on from, NULL: none; after bind */
    const char *monitor_if; /* the flag without which nothing is monitored; NULL: always */
    bool ends_on_nan;       /* NaN in a step ends the run instead of pausing it */
} CallbackKind;

typedef struct CallbackMark {
    int64_t step;
    double state[CALLBACK_STATE];
} CallbackMark;

struct Callback {
    const CallbackKind *kind;
    Args args;
    char monitor[ARG_TEXT_MOST];
    int metric;        /* index of what is monitored, validation values if `validation`; -1: nothing */
    bool validation, larger; /* larger: is better */
    char *file;        /* owned; NULL where the kind has none */
    bool fenced;       /* files only below the folder that the program was started in (--safe) */
    Sink *sinks[CALLBACK_SINKS]; /* references, closed with the callback; what cannot be written is told as an event */
    struct Deposit *deposit;     /* the same (deposit.h) */
    bool due;                    /* the kind's: epoch_done has something to do */
    Buf room;          /* owned: for what goes into a sink */
    double state[CALLBACK_STATE];
    real *kept;        /* owned: weights of all layers of the run, in its order; NULL: none */
    int64_t kept_step; /* of which step they are */
    CallbackMark *marks; /* owned, by rising step */
    int n_marks, marks_room;
};

const CallbackKind *callback_find(const char *name, Err *err);
const CallbackKind *callback_at(int i);

/* For FitOptions.callbacks; file: copied; NULL: its default, or the kind has none. Fails: ERR_ARG, ERR_MEM. */
MUST_USE bool callback_new(const CallbackKind *kind, const Args *args, const char *file, RunCallback *out, Err *err);

/* What of one must be saved to go on exactly: plain data, for another thread to write. */
typedef struct CallbackSaved {
    const char *name; /* of the kind */
    double state[CALLBACK_STATE];
    real *kept;       /* owned [n_kept]; meaningful where state[CALLBACK_KEPT] is not negative */
    size_t n_kept;
} CallbackSaved;

/* ---- for the records ---- */

/* Better than `best` by more than min_delta (NaN best: everything is). Compared in float32, as Keras does. */
bool callback_better(const Callback *callback, double value, double best, double min_delta);
double callback_best(const Callback *callback, double value); /* to be kept as best: nothing is better than a NaN, as in Keras */
/* Is the monitored value known: one of validation is not in epochs that validation_freq leaves out, nor at a batch. */
bool callback_knows(const Callback *callback, const double *validation);
double callback_value(const Callback *callback, const double *logs, const double *validation);
MUST_USE bool callback_keep(Callback *callback, Run *run, Err *err); /* the weights of this moment */
void callback_restore(Callback *callback, Run *run);                 /* back to them, if there are any */
bool callback_may_write(const Callback *callback, const char *path, Err *err); /* fenced ones: ERR_IO outside */
MUST_USE bool callback_sink(Callback *callback, int i, const char *path, bool append, Err *err); /* in bind: open sinks[i] */
MUST_USE bool callback_set_rate(Run *run, double learning_rate, const char *why, Err *err);
MUST_USE bool callback_stop(Run *run, const char *why, Err *err); /* at the next boundary */

/* ---- for the trainer ---- */

MUST_USE bool callbacks_bind(Run *run, Err *err);  /* monitors are found, or refused by name: ERR_ARG */
MUST_USE bool callbacks_copy(Run *run, const Run *from, Err *err); /* of a branch; before it starts */
MUST_USE bool callbacks_epoch_done(Run *run, Err *err);
const char *callbacks_resume(Run *run);            /* the file that one of them goes on from, or NULL */
MUST_USE bool callbacks_mark(Run *run, Err *err);  /* their state belongs to this step */
void callbacks_return(Run *run);                   /* the run was rewound: their state of then */
bool callbacks_end_on_nan(const Run *run);
/* Into out[], which is NULL or what an earlier call gave; *n: how many. False: memory ran out. */
MUST_USE bool callbacks_save(const Run *run, CallbackSaved **out, int *n, Err *err);
void callbacks_saved_fini(CallbackSaved *saved, int n);
/* Take up what was saved for the `i`-th built-in callback; kept: its weights, or NULL. */
MUST_USE bool callbacks_take_up(Run *run, int i, const char *name, const double *state, const Tensor *kept, Err *err);
size_t callbacks_weights(const Run *run); /* numbers that are kept weights */
/* The step whose weights a callback must hold once the run stands at `step`, and does not: the lowest such; -1: none is missing. */
int64_t callbacks_missing(const Run *run, int64_t step);
void callbacks_refill(Run *run); /* the run stands at such a step in replay: take the weights */

#endif
