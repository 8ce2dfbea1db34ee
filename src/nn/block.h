// SPDX-License-Identifier: MIT
/* What TransformerEncoder and TransformerDecoder are composed of: residual steps, each with its normalisation before or behind, in
 * the order and under the names of KerasHub's layers. */
#ifndef NN_BLOCK_H
#define NN_BLOCK_H

#include "nn/compose.h"

#define BLOCK_ARGS 8
extern const ArgSpec block_args[BLOCK_ARGS]; /* the arguments of both */

/* x + dropout(attention(x, value, mask)); value NULL: x looks at itself. `mask` may be NULL. */
Symbol *block_attend(Compose *c, const char *name, Symbol *x, Symbol *value, Symbol *mask, bool causal);

/* x + dropout(dense(dense(x))) */
Symbol *block_feed(Compose *c, Symbol *x);

/* Whether an input is a sequence that the heads can share: (time, features), features a multiple of num_heads. */
MUST_USE bool block_check(const Layer *layer, const Shape *in, Err *err);

#endif
