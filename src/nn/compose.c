// SPDX-License-Identifier: MIT
/* The graph of a composite is planned like any other, on symbols; its layers get memory when the composite does. */
#include "nn/compose.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "nn/graph.h"
#include "nn/ops.h"

static Symbol *keep(Compose *c, Symbol *symbol)
{
    if (c->n_made == COMPOSE_MOST) {
        c->failed = true;
        err_set(c->err, ERR_BUG, "%s is composed of more than %d values", c->layer->name, COMPOSE_MOST);
        symbol_unref(symbol);
        return NULL;
    }
    c->made[c->n_made++] = symbol;
    return symbol;
}

void compose_begin(Compose *c, Layer *layer, const Shape *in, int n_in, Err *err)
{
    *c = (Compose){ .layer = layer, .err = err, .n_in = n_in };
    for (int i = 0; i < n_in && !c->failed; i++) {
        char name[LAYER_NAME];
        Shape sample = { .rank = in[i].rank - 1 };
        for (int k = 0; k < sample.rank; k++)
            sample.d[k] = in[i].d[k + 1];
        snprintf(name, sizeof name, "input_%d", i + 1);
        Symbol *symbol = symbol_input(sample, DTYPE_FLOAT32, name, err);
        c->failed = !symbol;
        if (symbol)
            symbol->batch = layer->batch;
        c->in[i] = symbol ? keep(c, symbol) : NULL;
    }
}

static bool ready(const Compose *c, Symbol *const *in, int n_in)
{
    bool all = !c->failed;
    for (int i = 0; all && i < n_in; i++)
        all = in[i] != NULL;
    return all;
}

Symbol *compose_call(Compose *c, Layer *take, Symbol *const *in, int n_in, Symbol *out[LAYER_OUTPUTS])
{
    Symbol *made[LAYER_OUTPUTS] = { NULL };
    int n = take && ready(c, in, n_in) ? symbol_plan(take, in, n_in, made, c->err) : 0;
    c->failed = c->failed || n == 0;
    for (int i = 0; i < n; i++)
        made[i] = keep(c, made[i]);
    layer_unref(take);
    if (out)
        memcpy(out, made, sizeof made);
    return c->failed ? NULL : made[0];
}

/* Regularisers and constraints that the composite was given go to the layers within that know them. */
static bool hand_rules(const Compose *c, Args *to, Err *err)
{
    const Args *from = &c->layer->args;
    for (int i = c->layer->kind->n_args; i < from->n; i++) {
        int row = from->v[i].given ? args_find(to, from->specs[i].name) : -1;
        if (row >= 0 && !args_set_text(to, row, from->v[i].u.text, from->specs[i].name, err))
            return false;
    }
    return true;
}

static Layer *new_layer(Compose *c, const char *kind_name, const char *name, const char *words)
{
    const LayerKind *kind = layer_find(kind_name, c->err);
    Args args;
    if (!kind)
        return NULL;
    layer_args_init(&args, kind);
    return args_parse_words(&args, words, kind->name, c->err) && hand_rules(c, &args, c->err) ? layer_new(kind, &args, name, c->err) : NULL;
}

Symbol *compose_new(Compose *c, const char *kind, const char *name, Symbol *const *in, int n_in, const char *args, ...)
{
    char words[512];
    va_list list;
    va_start(list, args);
    int n = vsnprintf(words, sizeof words, args, list);
    va_end(list);
    if (c->failed)
        return NULL;
    if (n >= (int)sizeof words) {
        c->failed = true;
        err_set(c->err, ERR_BUG, "%s: the arguments of %s are longer than %zu bytes", c->layer->name, name, sizeof words);
        return NULL;
    }
    Layer *layer = new_layer(c, kind, name, words);
    c->failed = !layer;
    return layer ? compose_call(c, layer, in, n_in, NULL) : NULL;
}

Layer *compose_wrapped(Compose *c, int i, const char *name)
{
    Layer *pattern = c->layer->wrapped[i], *made = NULL;
    if (c->failed || !pattern)
        return NULL;
    made = layer_like(pattern, name, c->err);
    c->failed = !made;
    return made;
}

bool compose_end(Compose *c, Symbol *const *out, int n_out)
{
    Model *model = ready(c, out, n_out) ? model_plan(c->in, c->n_in, out, n_out, c->layer->name, c->err) : NULL;
    for (int i = 0; i < c->n_made; i++)
        symbol_unref(c->made[i]);
    c->n_made = 0;
    c->layer->inner = model;
    return model != NULL;
}

Node *compose_forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    (void)n_in;
    Node *out[MODEL_INPUTS];
    Model *inner = layer->inner;
    if (!model_forward(inner, tape, in, out, NULL, NULL, err))
        return NULL;
    if (inner->n_outputs == 1)
        return out[0];
    Node *first = ops_reshape(tape, out[0], &out[0]->value.shape, err); /* out[0] may have outputs of the layer that made it */
    return first && layer_also(tape, first, out + 1, inner->n_outputs - 1, err) ? first : NULL;
}
