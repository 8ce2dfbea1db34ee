// SPDX-License-Identifier: MIT
/* Going on from a file. A compiled model's file holds beside the weights the optimizer's slots ("optimizer/dense/kernel/velocity")
 * and, in the metadata, "hebb.train": optimizer, loss and metrics with their arguments, and "hebb.run": where a run stood.
 * Numbers are written with 17 digits, so nothing is lost; no times, hosts or thread counts: same training, same bytes. */
#ifndef TRAIN_SAVED_H
#define TRAIN_SAVED_H

#include "train/callback.h"
#include "train/trainer.h"

struct json_t;

/* Where a run stands, as plain data: taken at a boundary, written by whatever thread. */
typedef struct Saved {
    Position at;
    double learning_rate;
    int64_t t, first_step, rows, batches;
    uint64_t seed, data_hash;
    int first_epoch, epochs, batch_size, branch, n_metrics;
    bool shuffle;
    size_t n_facts; /* of the telemetry, that had happened */
    double *sums;   /* owned [n_sums]: what the epoch has added up */
    size_t n_sums;
    CallbackSaved *callbacks; /* owned [n_callbacks]: of the built-in ones */
    int n_callbacks;
} Saved;

/* Into a Saved that is zero, or was taken of the same run before. Fails: ERR_MEM, the first time only. */
MUST_USE bool saved_take(const Run *run, Saved *out, Err *err);
void saved_fini(Saved *saved);
uint64_t saved_hash_data(const Feed *feed);

/* The JSON value as text into out; frees it. Fails: ERR_MEM, also when root is NULL or ok is false. */
MUST_USE bool saved_finish(struct json_t *root, bool ok, Buf *out, Err *err);

/* Model, optimizer and position. The model must be compiled; its optimizer's slots are written. Fails: ERR_IO, ERR_MEM. */
MUST_USE bool saved_write(const Saved *saved, Telemetry *tele, Model *model, const char *path, Err *err);

/* "hebb.train" as text, and back into a Compiled for this model with an optimizer of its own. */
MUST_USE bool compiled_to_json(const Compiled *compiled, Buf *out, Err *err);
MUST_USE bool compiled_from_json(const char *json, const Model *model, Compiled *out, Err *err);

/* Compile the model, which is not, as this file's training was. Fails: ERR_IO, ERR_DATA (it holds none, or one for other outputs). */
MUST_USE bool compile_from_file(Model *model, const char *path, Err *err);

/* A model with the same layers and a compiled optimizer of its own, weights and slots not yet copied. */
MUST_USE Model *replica_new(Model *model, const Compiled *compiled, Err *err);
void replica_fill(Model *replica, Run *run); /* at a boundary; allocates nothing */

/* Rows of the live history among the first n_facts facts; see run_history. */
int history_rows(Telemetry *tele, size_t n_facts, const Fact **rows, int most);

#endif
