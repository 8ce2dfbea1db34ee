// SPDX-License-Identifier: MIT
/* Classes of layers made at run time: by nn.layer in Lua, or for a file that holds such a layer. Its layers are traced (traced.h);
 * arguments come from rows as everywhere. Counted: each layer holds a reference, so a class lives as long as its layers. */
#ifndef NN_MADE_H
#define NN_MADE_H

#include <jansson.h>

#include "nn/layer.h"

typedef struct MadeKind {
    LayerKind kind; /* first; .made is true, name, prefix, doc and args point into this block */
    _Atomic int refs;
    char name[LAYER_NAME], prefix[LAYER_NAME], doc[256];
    ArgSpec args[ARG_MOST];
    char arg_names[ARG_MOST][32], fallbacks[ARG_MOST][ARG_TEXT_MOST];
} MadeKind;

/* A class without arguments. Fails: ERR_ARG (no name of letters and digits, or one that hebb's own layers have), ERR_MEM. */
MUST_USE MadeKind *made_new(const char *name, const char *doc, Err *err);

/* One more argument with its default: ARG_INT, ARG_FLOAT, ARG_BOOL or ARG_TEXT. Before the first layer. Fails: ERR_ARG. */
MUST_USE bool made_add_arg(MadeKind *made, const char *name, ArgType type, const char *fallback, Err *err);

/* A kind as layers hold it: nothing where it is hebb's own. */
void made_ref(const LayerKind *kind);
void made_unref(const LayerKind *kind);

/* {"units":"int"}: types of the arguments by name, in order; and a class from that and the values in "args". */
json_t *made_json(const LayerKind *kind); /* NULL: memory ran out */
MUST_USE MadeKind *made_read(const char *name, json_t *types, json_t *values, Err *err);

#endif
