// SPDX-License-Identifier: MIT
/* Layers at work on a tape: what happens around a kind's own forward, masks above all, and the leaves of parameters. */
#include <string.h>

#include "nn/graph.h"
#include "nn/ops.h"

bool layer_also(Tape *tape, Node *first, Node *const *further, int n, Err *err)
{
    Node **kept = arena_alloc(&tape->arena, (size_t)n * sizeof *kept, err);
    if (!kept)
        return false;
    memcpy(kept, further, (size_t)n * sizeof *kept);
    first->also = kept;
    first->n_also = n;
    return true;
}

bool layer_join_masks(Tape *tape, Node *out, Node *const *in, int n_in, Err *err)
{
    Node *mask = in[0]->mask;
    for (int i = 1; mask && i < n_in; i++) {
        Node *more = in[i]->mask;
        if (more && more != mask && !(more = tape_op(tape, &op_maximum, (Node *[]){ mask, more }, 2, NULL, err)))
            return false;
        mask = more;
    }
    out->mask = mask;
    return true;
}

static bool settle_mask(const Layer *layer, Tape *tape, Node *out, Node *const *in, int n_in, Err *err)
{
    bool fresh = true; /* a layer that does nothing gives its input itself */
    for (int i = 0; i < n_in; i++)
        fresh = fresh && out != in[i];
    if (!fresh || layer->kind->mask == LAYER_MASK_OWN || layer->inner)
        return true;
    if (layer->kind->mask == LAYER_MASK_PASS)
        return layer_join_masks(tape, out, in, n_in, err);
    out->mask = NULL;
    return true;
}

/* The tape's penalty and what the regulariser asks for x, times scale. */
static bool penalize(Tape *tape, const Regularization *rule, Node *x, double scale, Err *err)
{
    Node *more = rule->kind->penalty(rule->v, tape, x, err);
    if (more && scale != 1) {
        Args args;
        args_init(&args, op_scale.args, op_scale.n_args);
        more = args_set_number(&args, 0, scale, "scale", err) ? tape_op(tape, &op_scale, &more, 1, &args, err) : NULL;
    }
    Node *in[2] = { tape->penalty, more };
    if (more && tape->penalty)
        more = tape_op(tape, &op_add, in, 2, NULL, err);
    tape->penalty = more ? more : tape->penalty;
    return more != NULL;
}

Node *layer_forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    if (!layer->built || (!layer_allocated(layer) && tape->mode != TAPE_INFER)) {
        err_set(err, ERR_STATE, "%s is not built yet: its input's shape is not known", layer->name);
        return NULL;
    }
    if (!layer_check_count(layer, n_in, err))
        return NULL;
    const char *outer = tape->where;
    tape->where = layer->name;
    Node *out = layer->kind->forward(layer, tape, in, n_in, err);
    if (out && !settle_mask(layer, tape, out, in, n_in, err))
        out = NULL;
    bool counts = out && tape->penalize && layer->activity.kind && out->value.shape.rank > 0;
    if (counts && !penalize(tape, &layer->activity, out, 1 / (double)out->value.shape.d[0], err)) /* a sample's mean, as in Keras */
        out = NULL;
    tape->where = outer;
    if (!out)
        err_name(err, layer->name);
    return out;
}

Node *layer_param(Layer *layer, Tape *tape, int i, Err *err)
{
    Param *param = &layer->params[i];
    if (param->node && param->node_tape == tape && param->node_generation == tape->generation)
        return param->node;
    real *grad = layer->grad && layer->trainable && param->trainable ? layer->grad + param->offset : NULL;
    bool open = tape->open && layer->trainable && param->trainable;
    Node *node = open ? tape_open_param(tape, &param->value, err) : tape_param(tape, &param->value, grad, err);
    if (node) {
        param->node = node;
        param->node_tape = tape;
        param->node_generation = tape->generation;
    }
    bool counts = node && tape->penalize && param->regularizer.kind && layer->trainable;
    return !counts || penalize(tape, &param->regularizer, node, 1, err) ? node : NULL;
}

int layer_find_param(const Layer *layer, const char *name)
{
    for (int i = 0; i < layer->n_params; i++)
        if (!strcmp(layer->params[i].name, name))
            return i;
    return -1;
}
