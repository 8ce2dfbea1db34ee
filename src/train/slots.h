// SPDX-License-Identifier: MIT
/* An optimizer's slots as tensors of a file ("optimizer/dense/kernel/velocity"), beside them weights that callbacks keep. Only for
 * the files of train/ that write and read files. */
#ifndef TRAIN_SLOTS_H
#define TRAIN_SLOTS_H

#include "formats/safetensors.h"
#include "train/saved.h"

#define SLOT_NAME 192
#define TRAIN_KEY "hebb.train"
#define RUN_KEY "hebb.run"
#define RUN_VERSION 1 /* of the text under RUN_KEY */

typedef struct Slots {
    int n;
    char (*names)[SLOT_NAME]; /* owned */
    const char **list;        /* owned */
    Tensor *tensors;          /* owned array of borrowed views */
    real *staged;             /* owned: what was read and is not taken over yet, one tensor behind the other; may be NULL */
} Slots;

/* Read into memory of its own, so that the optimizer stays as it is until slots_commit. slots needs slots_fini, also on failure.
 * Fails: ERR_DATA (missing, or another shape), ERR_IO, ERR_MEM. */
MUST_USE bool slots_stage(Slots *slots, const Optimizer *optimizer, const SafeTensors *file, Err *err);
void slots_commit(const Slots *slots); /* cannot fail */
void slots_fini(Slots *slots);

/* The model with its training's state; saved and run_json: where its run stands, or NULL. Fails: ERR_IO, ERR_MEM. */
MUST_USE bool slots_write(Model *model, const Saved *saved, const char *run_json, const char *path, Err *err);

#endif
