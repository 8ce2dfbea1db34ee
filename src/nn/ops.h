// SPDX-License-Identifier: MIT
/* The ops that layers are composed of, by their records: resolved by the linker, not by name in each step. And what layers
 * use to set an op's arguments from their own, once, in build. */
#ifndef NN_OPS_H
#define NN_OPS_H

#include "nn/layer.h"

#define ROW(name) extern const Op op_##name;
#include "gen/ops.h"
#undef ROW

/* layer->op_args: all defaults of the op that does the work. */
void ops_begin(Layer *layer, const Op *op);

/* The value of the layer's argument `from` as the op's argument `to`; a value that is not given leaves the op's default.
 * Fails: what the op's own range says. */
MUST_USE bool ops_hand_down(Layer *layer, const char *from, const char *to, Err *err);

/* Both at once: begin, then every argument of the layer that the op has under the same name. Fails as ops_hand_down does. */
MUST_USE bool ops_set(Layer *layer, const Op *op, Err *err);

/* x in another shape of as many elements; its mask goes with it where batch and time stay. */
MUST_USE Node *ops_reshape(Tape *tape, Node *x, const Shape *shape, Err *err);

/* x repeated to this shape. */
MUST_USE Node *ops_broadcast(Tape *tape, Node *x, const Shape *shape, Err *err);

/* x with its axes in another order: order[i] is where axis i comes from. */
MUST_USE Node *ops_transpose(Tape *tape, Node *x, const int64_t *order, Err *err);

/* Run a random op on x with op_args. The layer's argument seed, where it is given, takes the place of the tape's for this op alone;
 * the step still changes what is drawn. */
MUST_USE Node *ops_random(Layer *layer, Tape *tape, const Op *op, Node *x, Err *err);

/* True for images (batch, height, width, channels). Fails: ERR_SHAPE with a remedy. */
MUST_USE bool ops_want_images(const Layer *layer, const Shape *in, Err *err);

/* The layer's argument: one number, {height, width} or {top, bottom, left, right}, as the latter. Fails: ERR_ARG for other counts. */
MUST_USE bool ops_edges(const Layer *layer, const char *name, int64_t edge[4], Err *err);

/* A window of this size fits an image of this shape without padding. Fails: ERR_SHAPE with a remedy. */
MUST_USE bool ops_want_room(const Layer *layer, const Shape *in, const int64_t window[2], Err *err);

/* How many last axes of in the layer's argument `axis` names; 0, with a remedy in err, where it names others. */
MUST_USE int ops_last_axes(Layer *layer, const Shape *in, Err *err);

#endif
