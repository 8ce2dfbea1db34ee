// SPDX-License-Identifier: MIT
/* What save.c and load.c share: names in files. */
#ifndef NN_WEIGHTS_H
#define NN_WEIGHTS_H

#include "nn/model.h"

#define WEIGHTS_MODEL_KEY "hebb.model" /* metadata: the architecture, see json.c */
#define WEIGHTS_EXTRA_KEY "hebb.extra" /* metadata: beginnings of the names that are no weights, one a line */
#define WEIGHTS_NOTE_KEY "hebb.note."   /* metadata: beginning of the keys of notes */
#define WEIGHT_NAME (LAYER_PATH + 24)

/* "inner/dense/kernel" */
void weight_name(const ModelLeaf *leaf, int param, char out[WEIGHT_NAME]);

#endif
