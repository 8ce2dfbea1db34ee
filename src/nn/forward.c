// SPDX-License-Identifier: MIT
/* One pass through the graph. The list of the nodes' values stands in the tape's arena, so that a step allocates nothing. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "nn/graph.h"
#include "nn/ops.h"

/* Who sees input i first, for messages. */
static const char *reader_name(const Model *model, int input)
{
    for (int i = 0; i < model->n_nodes; i++)
        for (int k = 0; k < model->nodes[i].n_in; k++)
            if (model->nodes[i].in[k] == model->inputs[input])
                return model->nodes[i].layer->name;
    return model->name;
}

/* got is want without its batch: a single sample. */
static bool is_sample(const Shape *want, const Shape *got)
{
    bool same = got->rank == want->rank - 1;
    for (int i = 0; same && i < got->rank; i++)
        same = got->d[i] == want->d[i + 1];
    return same;
}

static bool refuse_input(const Model *model, int input, const Shape *got, Err *err)
{
    const Shape *want = &model->nodes[model->inputs[input]].shape;
    const char *reader = reader_name(model, input);
    char wanted[SHAPE_TEXT], given[SHAPE_TEXT], remedy[LAYER_REMEDY];
    if (is_sample(want, got)) {
        shape_text(got, given);
        return err_set(err, ERR_SHAPE, "%s wants batches of shape %s, got one sample of shape %s; put the batch in front: x:reshape({1, %.*s})",
                       reader, shape_text(want, wanted), given, (int)strlen(given) - 2, given + 1);
    }
    return err_set(err, ERR_SHAPE, "%s wants inputs of shape %s, got %s%s", reader, layer_shape_text(want, wanted),
                   layer_shape_text(got, given), layer_remedy(want, got, remedy));
}

/* Equal but for the batch, or but for a last axis of size 1 that one of them lacks. */
static bool fits(const Shape *want, const Shape *got)
{
    int rank = want->rank < got->rank ? want->rank : got->rank, longest = want->rank + got->rank - rank;
    for (int i = 1; i < rank; i++)
        if (want->d[i] != got->d[i])
            return false;
    return got->rank > 0 && (longest == rank || (longest == rank + 1 && (want->rank > rank ? want : got)->d[rank] == 1));
}

bool forward_check(const Model *model, int input, const Shape *shape, Err *err)
{
    return fits(&model->nodes[model->inputs[input]].shape, shape) || refuse_input(model, input, shape, err);
}

static Node *enter(Model *model, Tape *tape, int input, Node *x, Err *err)
{
    const GraphNode *node = &model->nodes[model->inputs[input]];
    Node *mask = x->mask;
    if (!forward_check(model, input, &x->value.shape, err))
        return NULL;
    if (x->value.dtype != node->dtype) {
        Args args;
        args_init(&args, op_cast.args, op_cast.n_args);
        if (!args_set_text(&args, 0, dtype_name(node->dtype), "cast", err) || !(x = tape_op(tape, &op_cast, &x, 1, &args, err)))
            return NULL;
    }
    if (x->value.shape.rank != node->shape.rank) {
        Shape shape = node->shape;
        shape.d[0] = x->value.shape.d[0];
        if (!(x = ops_reshape(tape, x, &shape, err)))
            return NULL;
    }
    x->mask = mask;
    return x;
}

static bool enter_all(Model *model, Tape *tape, Node *const *in, Node **values, Err *err)
{
    int64_t rows = -1;
    for (int i = 0; i < model->n_inputs; i++) {
        Node *x = enter(model, tape, i, in[i], err);
        if (!x)
            return false;
        if (i > 0 && x->value.shape.d[0] != rows)
            return err_set(err, ERR_SHAPE, "the inputs of %s have different numbers of samples: %" PRId64 " and %" PRId64, model->name, rows,
                           x->value.shape.d[0]);
        rows = x->value.shape.d[0];
        values[model->inputs[i]] = x;
    }
    return true;
}

bool model_forward(Model *model, Tape *tape, Node *const *in, Node **out, ModelHook hook, void *ctx, Err *err)
{
    if (!model->built)
        return err_set(err, ERR_STATE, "%s is not built yet: give its first layer an input_shape, or fit or predict once", model->name);
    Node **values = arena_zero(&tape->arena, (size_t)model->n_nodes * sizeof *values, err);
    if (!values || !enter_all(model, tape, in, values, err))
        return false;
    for (int i = 0; i < model->n_nodes; i++) {
        const GraphNode *node = &model->nodes[i];
        Node *inputs[OP_IN_MOST];
        for (int k = 0; k < node->n_in; k++)
            inputs[k] = values[node->in[k]];
        if (!values[i] && !(values[i] = layer_forward(node->layer, tape, inputs, node->n_in, err)))
            return false;
        if (hook)
            hook(ctx, i, values[i]);
    }
    for (int i = 0; i < model->n_outputs; i++)
        out[i] = values[model->outputs[i]];
    return true;
}
