// SPDX-License-Identifier: MIT
/* All that can be explained, in one walk over the descriptors: for help, completion, examples, and tests. Any thread. */
#ifndef SCRIPT_HELP_H
#define SCRIPT_HELP_H

#include "base/arg.h"
#include "nn/layer.h"

typedef struct HelpRow {
    const char *path;   /* "nn.Dense", "model:fit", "tour" */
    const char *kind;   /* "layer", "op", "loss", "method", "field", "function" … */
    const char *name;   /* the record's own name: "dense", "adam", "fit" */
    const char *values; /* as in a Verb; NULL: none */
    const ArgSpec *args;
    int n_args;
    const char *doc, *example; /* example may be NULL */
} HelpRow;

/* visit returns false to stop; the row is valid during the call. False: it was stopped. */
typedef bool (*HelpVisit)(void *ctx, const HelpRow *row);
bool help_each(HelpVisit visit, void *ctx);

/* "sparse_categorical_crossentropy" -> "SparseCategoricalCrossentropy", "sgd" -> "SGD": how nn.NAME is written. */
#define HELP_CLASS 64
const char *help_class(const char *class_name, const char *name, char out[HELP_CLASS]); /* class_name: where that differs, or NULL */

/* "units, {activation = nil, …}" */
void help_signature(Buf *out, const HelpRow *row);

/* Values that all tokenisers take. */
#define HELP_TOKENIZER_VALUES "text? *file *vocabulary"

/* Arguments that all layers have: name, trainable, input_shape, input_dtype. */
#define HELP_LAYER_VALUES "*name *trainable *input_shape *input_dtype"

/* These behind the layers that a wrapper is given. */
#define HELP_VALUES 128
const char *help_layer_values(const LayerKind *kind, char out[HELP_VALUES]);

#endif
