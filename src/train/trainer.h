// SPDX-License-Identifier: MIT
/* Inside of a run; only for the files of train/. What has no lock or atomic beside it belongs to the trainer thread.
 *
 *   run.c       making and ending a run            requests.c  what others ask, waiting
 *   build.c     what it is built of                history.c   its epochs
 *   trainer.c   the thread: steps, epochs          serve.c     what it does about that
 *   snapshot.c  the ring, rewind                   health.c    what values say
 *   report.c    telemetry                          saved.c, slots.c, checkpoint.c  files to go on from
 *   feed.c      rows into batches                  probe.c, answer.c  pictures for watchers
 *   control.c   the runs of the process            recorder.c  the thread that writes files
 *   job.c       runs whose step is somebody else's */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H

#include <pthread.h>
#include <time.h>

#include "train/feed.h"
#include "train/run.h"
#include "train/step.h"

#define RUN_CALLBACKS FIT_CALLBACKS

/* Where training stands: with weights, slots and update count, all that a run needs to go on exactly. */
typedef struct Position {
    int epoch;        /* in progress, from 0; epochs done when batch is 0 */
    int64_t batch;    /* batches of it that are done */
    int64_t step;     /* updates since the run's start */
    bool validating;  /* all batches are done, validation is not */
    bool scheduled;   /* the schedule sets the learning rate */
    double validation[TELE_METRICS]; /* of the last epoch that has them */
} Position;

/* A change from outside that replay must repeat: before the update that follows `step`. */
typedef struct Change {
    int64_t step;
    double learning_rate;
    bool at_end; /* made by a built-in callback at the end of the epoch that ends here: a rewind to this step keeps it */
} Change;

typedef struct Snapshot {
    Position at;
    double learning_rate;
    int64_t t;
    int n_changes; /* of the log, that had happened */
    bool barrier;  /* weights were changed from outside here: replay cannot start before it */
    real *data;    /* owned: blocks of all layers, slots, sums */
} Snapshot;

typedef struct Ring {
    Snapshot *shots; /* owned, by rising step */
    int n, room;
    size_t budget, size; /* bytes: allowed in all, of one snapshot */
    size_t n_reals;
    real *spare;     /* owned: memory of a dropped one */
    double last_s, cost_s; /* when the newest was taken, how long that took */
    double every_s;  /* least time between two within an epoch */
    bool refused;    /* said that there is no room */
} Ring;

typedef enum { ASK_NOTHING, ASK_PAUSE, ASK_RESUME, ASK_STEP, ASK_STOP, ASK_RATE, ASK_DO, ASK_REWIND, ASK_EPOCHS, ASK_BUDGET } AskKind;

typedef struct Request {
    struct Request *next;
    AskKind kind;
    int64_t n;
    double value;
    RunFn fn;
    void *ctx;
    const _Atomic bool *stop;
    bool waited; /* stands on the waiter's stack; otherwise it is freed when served */
    bool done, ok; /* under the run's lock */
    Err err;
} Request;

typedef struct Recording Recording; /* recorder.c */
typedef struct Probe Probe;         /* probe.c */

struct Run {
    _Atomic int refs;
    int id;
    Model *model;        /* reference */
    Layer **layers;      /* owned list of references, in model_each_layer's order: what this run trains */
    int n_layers;
    struct Job *job;     /* owned: the step is somebody else's (job.h); then model is its first, compiled empty; or NULL */
    Compiled compiled;   /* a copy */
    Optimizer *optimizer; /* = compiled.optimizer */
    Telemetry *tele;     /* reference */
    int n_metrics;       /* = compiled.n_values */

    /* what fit was given */
    Feed feed, check;    /* training rows; validation rows (check.n 0: none) */
    Batch batch;
    real *class_weight, *weights; /* owned: [n_classes], [batch] */
    int n_classes, batch_size;
    int class_output;    /* which output the classes are of */
    int64_t steps_per_epoch, validation_steps; /* batches; never 0 where there are rows */
    int validation_freq, *validation_epochs, n_validation_epochs; /* owned; NULL: every validation_freq */
    int first_epoch, epochs;
    int64_t first_step;  /* step at the start of first_epoch */
    uint64_t seed, data_hash; /* data_hash: of the training rows, to know them again */
    RunCallback callbacks[RUN_CALLBACKS];
    int n_callbacks;
    Rate *schedule;      /* reference: the schedule that is followed, or NULL */
    bool fail_on_trouble, autosave;
    char (*class_names)[TELE_NAME]; /* owned, n_classes */

    /* training */
    Tape tape, look;     /* of the step; of validation and pictures */
    Position at;
    int64_t check_row;   /* of validation: rows done */
    Sums sums, batch_sums, check_sums; /* of this epoch, of one batch, of validation */
    uint32_t *confusion; /* owned [n_classes, n_classes], or NULL */
    bool silent;         /* replaying: no telemetry, no callbacks */
    bool going, ended, trouble_said;
    bool enough;         /* a callback saw to its end: nothing is left to do */
    RunState outcome;    /* once ended: of the end */
    int64_t steps_left;  /* of run_step; negative: no limit */
    int begun;           /* the epoch whose beginning was announced, -1: none */
    int64_t begun_step;  /* the same of the batch that follows this step */
    int branch;          /* of history */
    Change *changes;     /* owned */
    int n_changes, changes_room;
    Ring ring;
    double train_s, epoch_s, last_s, rate, told_s;
    TeleNow now;
    Recording *recording;
    Probe *probe;

    /* shared */
    pthread_t thread;
    _Atomic(pthread_t) stepper; /* of a job: who does the step now; 0: nobody */
    bool started;
    pthread_mutex_t lock; /* requests, quit */
    pthread_cond_t work, served;
    Request *first, *last;
    _Atomic bool pending, quit, in_callback;
    _Atomic bool abandon, stop_all; /* the process is asked to leave: questions to Lua end; the run stops */
    _Atomic int state;
    _Atomic int want_layer, want_sample; /* of run_choose_probe */
    _Atomic int64_t step_now;            /* for run_when */
    pthread_mutex_t model_lock; /* recursive; an ended run: held while its model is worked on */
    _Atomic bool retired;       /* another run has the layers since */
};

/* ---- run.c ---- */
MUST_USE Run *run_begin(Model *model, const Compiled *compiled, FitOptions *o, Err *err); /* half a run, to be ended by run_unref */
MUST_USE bool run_start(Run *run, const char *resume, Err *err); /* one that has claimed its layers; they are released when it fails */

/* ---- job.c ---- */
MUST_USE bool job_update(Run *run, Err *err); /* as trainer_update */
void job_means(const struct Job *job, double *out); /* of this epoch, so far */
void job_set_rate(struct Job *job, double learning_rate); /* of the first optimizer; the others keep their ratio to it */
void job_finish(struct Job *job);             /* the end: optimizers with use_ema */
void job_free(struct Job *job);

/* ---- control.c ---- */
int control_new_id(void);
MUST_USE bool control_reserve(Err *err); /* room in the list: the next control_add does not fail. ERR_MEM */
MUST_USE bool control_add(Run *run, Err *err); /* to the list, if it is not there: a run, or an ended one that goes on */
/* Make the run the owner of its model and layers; fails when a run has one of them: ERR_STATE naming it. */
MUST_USE bool control_claim(Run *run, Err *err);
void control_release(Run *run);
/* The run through which this model must be reached: its trainer, one that trains some of its layers, or the last that did and may
 * still look at it; NULL: none. With a reference. */
Run *control_reach(Model *model, bool *several);

/* ---- build.c ---- */
MUST_USE bool build_check(const FitOptions *o, Err *err); /* numbers */
MUST_USE bool build_run(Run *run, const FitOptions *o, Err *err);       /* of checked samples */
MUST_USE bool build_run_like(Run *run, const Run *from, Err *err);      /* the same data, classes and position as another run's */
MUST_USE bool build_layers(Run *run, Err *err); /* its list of them */
MUST_USE bool build_telemetry(Run *run, Err *err);
Model *const *run_models(const Run *run, int *n); /* all that it trains; borrowed */

/* ---- trainer.c ---- */
void *trainer_main(void *run);
/* One update, whatever is watched; false: trouble. Silent ones report nothing and call nobody. */
bool trainer_update(Run *run, Err *err);
void trainer_next_epoch(Run *run);
void trainer_trouble(Run *run, const Err *err);
void trainer_end(Run *run, RunState state, const char *reason);
int64_t trainer_batches(const Run *run); /* of an epoch */
bool trainer_validates(const Run *run);  /* at the end of the epoch in progress */
void trainer_take_batch(Run *run);        /* that is due, into run->batch */
void trainer_means(Run *run, double *out); /* of the metrics in this epoch, so far */

/* ---- serve.c, requests.c ---- */
void run_serve(Run *run); /* at a boundary: all that was asked; returns when there is training to do or the run is to quit */
MUST_USE bool run_ask(Run *run, Request *request, Err *err); /* post and wait */
void run_nudge(Run *run);
struct timespec run_moment(clockid_t clock, double seconds); /* from now, for timed waits */
/* Of an ended run: the model is its caller's, but not while the trainer draws a picture of it. */
bool run_do_here(Run *run, RunFn fn, void *ctx, Err *err);

/* ---- report.c ---- */
void report_state(Run *run, RunState state, const char *reason);
void report_now(Run *run);
void report_step(Run *run, const double *values);
void report_epoch(Run *run, const double *values, const double *validation);
void report_event(Run *run, bool by_user, const char *label, const char *format, ...) PRINTF_LIKE(4, 5);
void report_confusion(Run *run, bool validation);
const char *report_when(const Run *run, char out[80]); /* "takes effect at step 391" */

/* ---- snapshot.c ---- */
void ring_init(Run *run, size_t budget);
void ring_fini(Run *run);
void ring_take(Run *run, bool barrier); /* now */
void ring_epoch(Run *run);              /* at an epoch's end, if the newest is not of this moment */
void ring_step(Run *run);               /* within an epoch, if it is time */
void ring_limit(Run *run, size_t budget);
bool ring_rewind(Run *run, int64_t step, const _Atomic bool *stop, Err *err);
MUST_USE bool run_log_change(Run *run, double learning_rate, Err *err);
uint64_t run_weights_hash(const Run *run); /* to see whether a request changed them */
void run_state_copy(Run *run, real *data, bool restore); /* blocks, slots, sums: to data or back */

/* ---- probe.c ---- */
MUST_USE bool probe_add(Run *run, Err *err); /* run->probe; freed with the run, also after a failure */
void probe_free(Probe *probe);
bool probe_before_update(Run *run); /* keeps the weights when somebody looks; true: call probe_after_update */
void probe_after_update(Run *run);
void probe_idle(Run *run); /* while standing still */
void probe_given(Run *run, const Model *model, const Tensor *x, int n_x); /* of a job: what one of its models is called on, in a step */

/* ---- checkpoint.c, recorder.c ---- */
typedef enum { SAVE_MINUTE, SAVE_EVENT, SAVE_END } SaveReason;
MUST_USE bool checkpoint_load(Run *run, const char *path, Err *err); /* before the thread starts */
void recorder_add(Run *run, const char *resumed_from);
void recorder_step(Run *run);   /* cheap: an autosave when a minute has passed, troubles of the recorder as events */
void recorder_save(Run *run, SaveReason reason);
void recorder_drop(Run *run);
void recorder_wake(void);
bool recorder_finish(double seconds); /* everything handed over is on disk */

#endif
