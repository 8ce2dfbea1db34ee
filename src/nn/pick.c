// SPDX-License-Identifier: MIT
/* What stands in a graph behind a layer with several outputs (LSTM's states, attention's scores) and gives one of the others, so
 * that each node of a graph has one value. Shape and type are arguments: a graph is planned node by node, from shapes alone. */
#include "nn/graph.h"

static const char *const dtypes[] = { "float32", "int32", "uint8", NULL };
enum { OUTPUT, SHAPE_ROW, DTYPE };
static const ArgSpec args[] = {
    { .name = "output", .type = ARG_INT, .least = 1, .most = LAYER_OUTPUTS - 1, .help = "which one: 1 is the one behind the first" },
    { .name = "shape", .type = ARG_INTS, .fallback = "nil", .least = 1, .most = 1 << 30, .help = "sizes of one sample, without the batch" },
    { .name = "dtype", .type = ARG_CHOICE, .fallback = "float32", .choices = dtypes, .help = "type of its elements" },
};

static Shape wanted(const Layer *layer)
{
    const ArgValue *sizes = &layer->args.v[SHAPE_ROW];
    Shape shape = { .rank = 1, .d = { -1 } };
    for (int i = 0; sizes->given && i < sizes->u.ints.n && shape.rank < SHAPE_MOST; i++)
        shape.d[shape.rank++] = sizes->u.ints.v[i];
    return shape;
}

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    (void)in, (void)n_in;
    Shape shape = wanted(layer);
    shape.d[0] = 1;
    return shape_check(&shape, err);
}

static Node *forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    (void)n_in;
    int which = layer_picks(layer);
    Shape shape = wanted(layer);
    shape.d[0] = in[0]->value.shape.rank ? in[0]->value.shape.d[0] : 1;
    if (in[0]->n_also >= which) {
        Node *node = in[0]->also[which - 1];
        if (shape_same(&node->value.shape, &shape))
            return node;
    } else if (tape->mode == TAPE_INFER) {
        DType dtype = DTYPE_FLOAT32;
        dtype_find(args_choice(&layer->args, "dtype"), &dtype);
        Tensor value = tensor_borrow(dtype, shape, NULL);
        return tape_input(tape, &value, err);
    }
    err_set(err, ERR_SHAPE, "%s: the layer before it has no output %d of this shape", layer->name, which + 1);
    return NULL;
}

const LayerKind layer_kind_pick = {
    .name = "Pick",
    .prefix = "pick",
    .doc = "One of the further outputs of the layer before it.",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .build = build,
    .forward = forward,
    .mask = LAYER_MASK_OWN,
};

bool layer_is_pick(const Layer *layer)
{
    return layer->kind == &layer_kind_pick;
}

int layer_picks(const Layer *layer)
{
    return (int)layer->args.v[OUTPUT].u.i;
}

Layer *pick_new(int which, const GraphNode *of, const char *name, Err *err)
{
    double sizes[SHAPE_MOST];
    Args given;
    args_init(&given, args, sizeof args / sizeof *args);
    for (int i = 1; i < of->shape.rank; i++)
        sizes[i - 1] = (double)of->shape.d[i];
    if (!args_set_number(&given, OUTPUT, which, "Pick", err) || !args_set_text(&given, DTYPE, dtype_name(of->dtype), "Pick", err) ||
        (of->shape.rank > 1 && !args_set_numbers(&given, SHAPE_ROW, sizes, of->shape.rank - 1, "Pick", err)))
        return NULL;
    return layer_new(&layer_kind_pick, &given, name, err);
}
