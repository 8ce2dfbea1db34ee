// SPDX-License-Identifier: MIT
/* Nodes are run in the order in which they were recorded, each once; all references but the result's are given back at the end. */
#include "autograd/replay.h"

#include "base/mem.h"

typedef struct Pair {
    const Node *node;
    Var *var; /* reference */
} Pair;

static Var *find(const Pair *pairs, int n, const Node *node)
{
    for (int i = 0; i < n; i++)
        if (pairs[i].node == node)
            return pairs[i].var;
    return NULL;
}

static Var *constant(const Node *node, Err *err)
{
    Tensor copy;
    return tensor_copy(&copy, &node->value, err) ? var_new(&copy, false, err) : NULL;
}

static Var *again(const Node *node, const Pair *pairs, int n, Err *err)
{
    Var *in[OP_IN_MOST];
    if (!node->call)
        return constant(node, err);
    for (int i = 0; i < node->call->n_in; i++)
        in[i] = node->in[i] ? find(pairs, n, node->in[i]) : NULL;
    return var_op(node->call->op, in, node->call->n_in, node->call->args, false, node->call->seed, err);
}

Var *replay(const Tape *tape, const Node *result, Node *const *inputs, Var *const *vars, int n, Err *err)
{
    Pair *pairs = mem_zero((size_t)tape->n_nodes, sizeof *pairs, err);
    int at = tape->n_nodes;
    if (!pairs)
        return NULL;
    for (const Node *node = tape->last; node && at > 0; node = node->before)
        pairs[--at].node = node;
    bool ok = true;
    for (int i = at; ok && i < tape->n_nodes; i++) {
        for (int k = 0; k < n; k++)
            if (inputs[k] == pairs[i].node)
                pairs[i].var = var_ref(vars[k]);
        if (!pairs[i].var)
            ok = (pairs[i].var = again(pairs[i].node, pairs, i, err)) != NULL;
    }
    Var *out = ok ? var_ref(find(pairs, tape->n_nodes, result)) : NULL;
    for (int i = 0; i < tape->n_nodes; i++)
        var_unref(pairs[i].var);
    mem_free(pairs);
    return out;
}
