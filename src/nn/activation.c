// SPDX-License-Identifier: MIT
/* Every op of autograd/activations/ serves by its name; "linear" is none. */
#include <string.h>

#include "base/name.h"
#include "nn/layer.h"
#include "nn/ops.h"

const char *const activation_list[] = {
    "linear",
#define ROW(name) #name,
#include "gen/activations.h"
#undef ROW
    NULL,
};

static const Op *const ops[] = {
    NULL,
#define ROW(name) &op_##name,
#include "gen/activations.h"
#undef ROW
};

const char *const *activation_names(void)
{
    return activation_list;
}

static int find(const char *name)
{
    for (int i = 0; activation_list[i]; i++)
        if (!strcmp(activation_list[i], name))
            return i;
    return strcmp(name, "nil") ? -1 : 0;
}

const Op *activation_op(const char *name)
{
    int i = find(name);
    return i < 0 ? NULL : ops[i];
}

static bool has_choice(const ArgSpec *spec, const char *name)
{
    for (int i = 0; spec->choices && spec->choices[i]; i++)
        if (!strcmp(spec->choices[i], name))
            return true;
    return false;
}

/* Sigmoid stays an op of its own: a loss on top of it goes back to its input (see train/compile.h). */
bool activation_settle(Layer *layer, Err *err)
{
    const char *name = args_choice(&layer->args, "activation");
    Args *to = &layer->op_args;
    int row = to->n > 0 ? args_find(to, "activation") : -1;
    layer->activation = activation_op(name);
    if (!layer->activation || row < 0 || !strcmp(name, "sigmoid") || !has_choice(&to->specs[row], name))
        return true;
    layer->activation = NULL;
    return args_set_text(to, row, name, layer->name, err);
}

Node *activation_finish(const Layer *layer, Tape *tape, Node *x, Err *err)
{
    return x && layer->activation ? tape_op(tape, layer->activation, &x, 1, NULL, err) : x;
}

Node *activation_apply(const char *name, Tape *tape, Node *x, Err *err)
{
    int i = find(name);
    if (i >= 0)
        return ops[i] ? tape_op(tape, ops[i], &x, 1, NULL, err) : x;
    NameSearch search;
    char hint[96];
    name_search(&search, name);
    for (int k = 0; activation_list[k]; k++)
        name_offer(&search, activation_list[k]);
    err_set(err, ERR_NAME, "there is no activation \"%.60s\"%s", name, name_hint(&search, hint));
    return NULL;
}
