// SPDX-License-Identifier: MIT
/* Layers that are made of layers (LayerKind.composite): a transformer block, a bidirectional or time-distributed wrapper. Their build
 * describes, with the shapes of the inputs known, a graph of layers of its own:
 *
 *   static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
 *   {
 *       Compose c;
 *       compose_begin(&c, layer, in, n_in, err);
 *       Symbol *x = compose_new(&c, "Dense", "hidden", c.in, 1, "units=%d activation=gelu", 256);
 *       x = compose_new(&c, "Add", "sum", (Symbol *[]){ x, c.in[0] }, 2, "");
 *       return compose_end(&c, &x, 1);
 *   }
 *   … .composite = true, .build = build, .forward = compose_forward
 *
 * After the first failure every call gives NULL and changes nothing; compose_end reports it. The names given are those in files,
 * below the layer's own: "transformer_encoder/hidden/kernel". All symbols live until compose_end. One thread. */
#ifndef NN_COMPOSE_H
#define NN_COMPOSE_H

#include "nn/model.h"

#define COMPOSE_MOST 96

typedef struct Compose {
    Layer *layer;
    Err *err;
    bool failed;
    Symbol *in[OP_IN_MOST]; /* the inputs, borrowed */
    int n_in;
    Symbol *made[COMPOSE_MOST]; /* owned */
    int n_made;
} Compose;

/* Inputs of these shapes (batch -1), float32. */
void compose_begin(Compose *c, Layer *layer, const Shape *in, int n_in, Err *err);

/* The first output of a new layer; args as "units=4 activation=relu" by printf, without spaces within a value. */
Symbol *compose_new(Compose *c, const char *kind, const char *name, Symbol *const *in, int n_in, const char *args, ...) PRINTF_LIKE(6, 7);

/* The same for a layer that is there (a second use shares it); takes over one reference. out[]: all its outputs, or NULL. */
Symbol *compose_call(Compose *c, Layer *take, Symbol *const *in, int n_in, Symbol *out[LAYER_OUTPUTS]);

/* A new layer like the i-th that the wrapper was given, under this name; NULL when that was not given (no failure). */
Layer *compose_wrapped(Compose *c, int i, const char *name);

/* Ends the description: true when all is well; layer->inner then stands. */
MUST_USE bool compose_end(Compose *c, Symbol *const *out, int n_out);

/* LayerKind.forward and .n_outputs of a composite whose inputs and outputs are those of its graph. */
Node *compose_forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err);

#endif
