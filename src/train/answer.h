// SPDX-License-Identifier: MIT
/* The picture of what one layer answers to one sample: its maps, or where its attention looks; beside it the sample itself and what the
 * model says to it. The trainer draws it, of a forward pass that probe.c has made on run->look. */
#ifndef TRAIN_ANSWER_H
#define TRAIN_ANSWER_H

#include "train/trainer.h"

/* All borrowed. */
typedef struct Answer {
    int layer, n_layers, sample; /* which ones, from 0 */
    const char *name;            /* the layer's */
    const Batch *batch;          /* that the sample is of */
    const Node *value;           /* what the layer gave */
    Node *const *values;         /* what all layers gave */
    int n_values;
    const Node *end;             /* what the output gave that the classes are of */
} Answer;

/* Set PICTURE_PROBE. False: what the layer gives are no real numbers, or memory ran out. */
bool answer_draw(Run *run, const Answer *answer);

#endif
