// SPDX-License-Identifier: MIT
/* What watchers of a run see: the dashboard, the progress line, the recorder, files. Plain data, no tensors.
 *
 * One writer (the run's trainer thread), any number of readers. The writer never waits:
 *   facts     appended, never lost: an epoch's row, an event. Blocks of rows with an atomic count.
 *   series    one value a step, folded into buckets of min, max, mean, last; buckets double when full. A sequence lock:
 *             a reader copies and tries again when the writer was faster.
 *   now       the state of this moment, under the same kind of lock.
 *   pictures  only the newest counts: an immutable, counted snapshot that is exchanged.
 * A reader holds a reference to the Telemetry; pictures are given out with a reference of their own. */
#ifndef TRAIN_TELEMETRY_H
#define TRAIN_TELEMETRY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define TELE_METRICS 24  /* most values of a run: the loss, those of its outputs, metrics */
#define TELE_BUCKETS 512 /* buckets of a series */
#define TELE_NAME 32
#define TELE_VALUE 96     /* a value's name: "out_a_sparse_categorical_accuracy" */
#define TELE_SENTENCE 400 /* bytes of an event's text */

typedef struct Telemetry Telemetry;

typedef enum {
    RUN_WAITING,  /* made, not yet at its first step */
    RUN_TRAINING,
    RUN_PAUSED,   /* at a step boundary, by the user */
    RUN_TROUBLE,  /* paused by itself: NaN, or an error in a callback; `reason` says which */
    RUN_CALLBACK, /* waits for a Lua callback */
    RUN_FINISHED,
    RUN_STOPPED,  /* by the user or a callback, before its last epoch */
    RUN_FAILED,   /* ended by an error */
} RunState;

const char *run_state_name(RunState state); /* "training", "paused", … */

/* What is fixed when the run starts. */
typedef struct TelePlan {
    int run_id;               /* 1, 2, … in this process */
    char model[TELE_NAME];    /* model's name */
    int n_metrics;            /* metrics[0] is "loss"; validation values have the same order */
    char metrics[TELE_METRICS][TELE_VALUE];
    bool validates;           /* there are validation values */
    int first_epoch, n_epochs; /* epochs count from 1; the last is n_epochs, at first */
    int64_t steps_per_epoch;
    int64_t samples_per_epoch;
    int batch_size;
    int n_classes;            /* 0: not a classification */
    int threads;
    uint64_t seed;
} TelePlan;

/* The state of this moment. */
typedef struct TeleNow {
    RunState state;
    int epoch;              /* the epoch in progress, from 1 */
    int n_epochs;           /* the last epoch now planned (the plan's, until the run is told otherwise) */
    int64_t step;           /* updates done since the run's start (all epochs) */
    int64_t step_in_epoch;
    double learning_rate;
    double rate;            /* samples a second, smoothed; 0 before it is known */
    double left_s;          /* seconds to the end at this rate; negative: unknown */
    double train_s;         /* seconds spent in training so far */
    double metrics[TELE_METRICS];     /* running means of this epoch, as Keras prints them */
    double validation[TELE_METRICS];  /* of the last epoch that has them; NaN before */
    size_t snapshot_bytes, snapshot_budget; /* ring of snapshots: in use, allowed */
    int n_snapshots;
    char reason[200];       /* why it waits or ended, "" when there is nothing to say */
} TeleNow;

typedef enum { FACT_EPOCH, FACT_EVENT } FactKind;

typedef struct Fact {
    FactKind kind;
    int epoch;
    int64_t step;             /* updates done when it happened */
    double wall_s;            /* seconds since 1970 */
    double learning_rate;
    double metrics[TELE_METRICS];    /* FACT_EPOCH: this epoch's means */
    double validation[TELE_METRICS]; /* NaN where there are none */
    double epoch_s;           /* FACT_EPOCH: seconds it took */
    int branch;               /* which branch of history: 0, and one more after each rewind */
    bool by_user;             /* FACT_EVENT: a change made from outside, to be marked on the curves */
    char label[24];           /* FACT_EVENT: short, for the mark: "lr 1e-4", "rewind" */
    char text[TELE_SENTENCE]; /* FACT_EVENT: one sentence */
} Fact;

typedef struct TeleBucket {
    int64_t first, n; /* steps first … first+n-1 */
    float min, max, mean, last; /* over finite values; NaN when there was none */
    int n_bad;        /* values that were NaN or infinite */
} TeleBucket;

typedef struct TeleSeries {
    int n;           /* buckets filled */
    int64_t width;   /* steps a full bucket holds */
    int64_t n_steps;
    TeleBucket buckets[TELE_BUCKETS];
} TeleSeries;

/* ---- pictures ---- */

typedef enum { HEALTH_UNKNOWN, HEALTH_GOOD, HEALTH_WATCH, HEALTH_TROUBLE } Health;

typedef struct TeleLayer {
    char name[TELE_NAME]; /* "conv2d_1" */
    char kind[TELE_NAME]; /* "Conv2D" */
    char shape[TELE_NAME]; /* output without the batch: "8x8x16" */
    int64_t n_params, n_trainable;
    float mean, deviation; /* of the output on the probe batch */
    float dead;            /* share of units that are zero for the whole probe batch, 0 … 1; negative: does not apply */
    float gradient;        /* root mean square of the kernel's gradient in the last looked-at step; negative: none */
    float update;          /* size of an update relative to the size of the weights; negative: none */
    float histogram[16];   /* output values between their min and max, shares that add to 1 */
    Health health;
} TeleLayer;

typedef struct TeleLayers {
    int64_t step;
    int n;
    char advice[200]; /* "dense: 41 % of its units never fire; lower the rate, or use leaky_relu", or "" */
    TeleLayer rows[]; /* n */
} TeleLayers;

typedef struct TeleConfusion {
    int epoch;
    bool validation; /* counted on validation data; false: on training data */
    char output[TELE_NAME]; /* which of the model's outputs; "": it has one */
    int n;           /* classes */
    int64_t total, right;
    char (*labels)[TELE_NAME]; /* n names; inside the same block */
    uint32_t *counts;          /* n x n; row: true class, column: predicted */
} TeleConfusion;

/* The chosen layer's answer to the chosen probe sample. */
typedef struct TeleProbe {
    int64_t step;
    int layer, n_layers;   /* index into TeleLayers.rows */
    char layer_name[TELE_NAME];
    int sample, n_samples; /* which of the probe samples */
    int label;             /* true class, -1: unknown */
    int n_classes;
    char (*labels)[TELE_NAME]; /* n_classes names */
    float *chances;        /* n_classes outputs of the model; NULL: not a classification */
    int in_h, in_w, in_c;  /* the input as an image; in_h 0: not an image */
    float *input;          /* in_h x in_w x in_c, scaled to 0 … 1 */
    int n_numbers;         /* the input as plain numbers: a row of a table, a text's tokens; 0: it is something else */
    float *numbers;
    int n_maps, h, w;      /* feature maps; h 1: a plain vector of w units */
    float *maps;           /* n_maps x h x w, each scaled to its own 0 … 1 */
    float *low, *high;     /* n_maps: the range that was scaled */
    bool heads;            /* the maps are heads of attention: a row is what one query looks at, a column a key */
} TeleProbe;

typedef enum { PICTURE_LAYERS, PICTURE_CONFUSION, PICTURE_PROBE, PICTURE_KINDS } PictureKind;

/* ---- life ---- */

/* Fails: ERR_MEM. One reference, the caller's. */
MUST_USE Telemetry *telemetry_new(const TelePlan *plan, Err *err);
Telemetry *telemetry_ref(Telemetry *tele);
void telemetry_unref(Telemetry *tele);

/* ---- reading: any thread ---- */

const TelePlan *telemetry_plan(const Telemetry *tele); /* borrowed, never changes */

/* Grows with every change; equal numbers mean that there is nothing new to draw. Asking arms the waker again (see below). */
uint64_t telemetry_version(const Telemetry *tele);

void telemetry_now(const Telemetry *tele, TeleNow *out);
int telemetry_last_epoch(const TelePlan *plan, const TeleNow *now); /* as planned now; not below the epoch in progress */
size_t telemetry_facts(const Telemetry *tele);                /* how many */
const Fact *telemetry_fact(const Telemetry *tele, size_t i);  /* borrowed for the Telemetry's life, never changes */

/* Series i of the plan's metrics (per-step training values); i == n_metrics is the learning rate. */
void telemetry_series(const Telemetry *tele, int i, TeleSeries *out);

/* The newest picture with a reference, or NULL. Cast by kind; give back with telemetry_picture_free. */
const void *telemetry_picture(Telemetry *tele, PictureKind kind);
void telemetry_picture_free(const void *picture);

/* Who looks: pictures are made only while somebody does. Counts up and down. */
void telemetry_watch(Telemetry *tele, PictureKind kind, bool on);
bool telemetry_watched(const Telemetry *tele, PictureKind kind);

/* ---- writing: the trainer thread ---- */

void telemetry_set_now(Telemetry *tele, const TeleNow *now);
void telemetry_add_step(Telemetry *tele, int64_t step, const double *metrics, double learning_rate);
void telemetry_add_fact(Telemetry *tele, const Fact *fact); /* out of memory: the fact is kept in a reserve of one and the
                                                               loss is reported by the next one */

/* After a rewind to step: series forget the steps after it. Facts stay. */
void telemetry_cut(Telemetry *tele, int64_t step);

/* Room for a picture of so many bytes, to be filled and given to telemetry_set_picture; NULL when memory ran out (the
 * picture is skipped). Not cleared, aligned to 64 bytes. Recycled: steady use allocates nothing. */
void *telemetry_picture_new(Telemetry *tele, PictureKind kind, size_t size);
void telemetry_set_picture(Telemetry *tele, PictureKind kind, void *take);

/* Called (on the trainer thread) after something new: the watcher should look again. One watcher per process. Steps are
 * coalesced: between two calls of telemetry_version (by anybody) they call it once; a new state, fact or picture always. */
void telemetry_set_waker(void (*wake)(void *ctx), void *ctx);

#endif
