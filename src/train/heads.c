// SPDX-License-Identifier: MIT
/* What a layer with attention looks at. Attention itself never holds its weights (autograd/ops/attention.c); they are made
 * again from its queries and keys, which the tape still has, for one sample only. Nothing depends on which layer it is. */
#include "train/heads.h"

#include "nn/ops.h"

/* The newest op of attention that the value depends on and no value before it has made. */
static const Node *newest_attention(const Node *value, Node *const *values, int n)
{
    for (const Node *node = value; node; node = node->before) {
        for (int i = 0; i < n && node != value; i++)
            if (values[i] == node)
                return NULL;
        if (node->call && (node->call->op == &op_attention || node->call->op == &op_attention_weights))
            return node;
    }
    return NULL;
}

/* One sample of [B, …]; what has no B of its own serves all. */
static Tensor one_sample(const Tensor *from, int64_t batch, int64_t sample)
{
    Shape shape = from->shape;
    int64_t size = shape_count_from(&shape, 1);
    bool own = shape.d[0] == batch;
    shape.d[0] = 1;
    return tensor_borrow(from->dtype, shape, tensor_real(from) + (own ? sample * size : 0));
}

/* The same arguments, as far as the other op has them. */
static Args same_args(const OpCall *call)
{
    Args args;
    args_init(&args, op_attention_weights.args, op_attention_weights.n_args);
    for (int i = 0; i < args.n; i++) {
        int from = args_find(call->args, args.specs[i].name);
        if (from >= 0)
            args.v[i] = call->args->v[from];
    }
    return args;
}

bool heads_of(Tape *tape, const Node *value, Node *const *values, int n, int64_t sample, Tensor *out)
{
    const Node *node = newest_attention(value, values, n);
    Err err;
    if (!node)
        return false;
    const Op *op = node->call->op;
    int64_t batch = node->in[0]->value.shape.d[0];
    if (op == &op_attention_weights) {
        *out = one_sample(&node->value, batch, sample);
        return true;
    }
    Tensor parts[3] = { one_sample(&node->in[0]->value, batch, sample), one_sample(&node->in[1]->value, batch, sample) };
    Node *in[3] = { NULL, NULL, NULL }, *mask = node->in[3];
    int n_in = mask ? 3 : 2;
    if (mask)
        parts[2] = one_sample(&mask->value, batch, sample);
    for (int i = 0; i < n_in; i++)
        if (!(in[i] = tape_input(tape, &parts[i], &err)))
            return false;
    Args args = same_args(node->call);
    Node *weights = tape_op(tape, &op_attention_weights, in, n_in, &args, &err);
    if (weights)
        *out = weights->value;
    return weights != NULL;
}
