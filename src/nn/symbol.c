// SPDX-License-Identifier: MIT
/* The functional way: layers are called on symbols, and a model is cut out of what hangs together. Nodes run in the order in
 * which their symbols were made, which always has inputs before their uses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "nn/graph.h"

extern const LayerKind layer_input;

static _Atomic int last_id;

static Symbol *symbol_new(Layer *layer, Err *err)
{
    Symbol *symbol = mem_zero(1, sizeof *symbol, err);
    if (!symbol)
        return NULL;
    atomic_init(&symbol->refs, 1);
    symbol->layer = layer_ref(layer);
    symbol->id = atomic_fetch_add(&last_id, 1) + 1;
    return symbol;
}

Symbol *symbol_ref(Symbol *symbol)
{
    if (symbol)
        atomic_fetch_add_explicit(&symbol->refs, 1, memory_order_relaxed);
    return symbol;
}

static bool last_ref(Symbol *symbol)
{
    return symbol && atomic_fetch_sub_explicit(&symbol->refs, 1, memory_order_acq_rel) == 1;
}

/* A list instead of recursion: chains may be thousands of layers long. */
void symbol_unref(Symbol *symbol)
{
    if (!last_ref(symbol))
        return;
    symbol->dead = NULL;
    while (symbol) {
        Symbol *dead = symbol->dead;
        for (int i = 0; i < symbol->n_in; i++)
            if (last_ref(symbol->in[i])) {
                symbol->in[i]->dead = dead;
                dead = symbol->in[i];
            }
        layer_unref(symbol->layer);
        mem_free(symbol);
        symbol = dead;
    }
}

static Layer *input_layer(Shape shape, DType dtype, const char *name, Err *err)
{
    double sizes[SHAPE_MOST];
    char text[SHAPE_TEXT];
    if (shape.rank < 1 || shape.rank >= SHAPE_MOST) {
        err_set(err, ERR_SHAPE, "Input: a sample has 1 to %d axes, got shape %s", SHAPE_MOST - 1, shape_text(&shape, text));
        return NULL;
    }
    for (int i = 0; i < shape.rank; i++)
        sizes[i] = (double)shape.d[i];
    Args args;
    args_init(&args, layer_input.args, layer_input.n_args);
    if (!args_set_numbers(&args, args_find(&args, "shape"), sizes, shape.rank, "Input", err) ||
        !args_set_text(&args, args_find(&args, "dtype"), dtype_name(dtype), "Input", err))
        return NULL;
    return layer_new(&layer_input, &args, name, err);
}

Symbol *symbol_input(Shape shape, DType dtype, const char *name, Err *err)
{
    Layer *layer = input_layer(shape, dtype, name, err);
    Symbol *symbol = layer ? symbol_call(layer, NULL, 0, err) : NULL;
    layer_unref(layer);
    return symbol;
}

/* Shapes are worked out before memory for weights is taken. */
static bool make(Symbol *symbol, bool allocate, GraphNode outputs[LAYER_OUTPUTS], Err *err)
{
    Layer *layer = symbol->layer;
    Shape shapes[OP_IN_MOST];
    DType dtypes[OP_IN_MOST];
    for (int i = 0; i < symbol->n_in; i++) {
        shapes[i] = symbol->in[i]->shape;
        dtypes[i] = symbol->in[i]->dtype;
        symbol->batch = symbol->in[i]->batch ? symbol->in[i]->batch : symbol->batch;
    }
    if (!layer->built)
        layer->batch = symbol->batch;
    bool done = layer_plan(layer, shapes, symbol->n_in, err) && graph_infer(layer, shapes, dtypes, symbol->n_in, outputs, err) &&
                (!allocate || layer_allocate(layer, model_default_seed(), true, err));
    if (!done) {
        layer_rollback(layer);
        return false;
    }
    if (allocate)
        layer_commit(layer);
    if (layer->kind->is_input)
        symbol->batch = layer->batch;
    symbol->shape = outputs[0].shape;
    symbol->dtype = outputs[0].dtype;
    return true;
}

static Symbol *call(Layer *layer, Symbol *const *in, int n_in, bool allocate, GraphNode outputs[LAYER_OUTPUTS], Err *err)
{
    if (n_in > OP_IN_MOST) {
        err_set(err, ERR_ARG, "%s: a layer takes at most %d inputs, got %d", layer->name, OP_IN_MOST, n_in);
        return NULL;
    }
    Symbol *symbol = symbol_new(layer, err);
    if (!symbol)
        return NULL;
    for (int i = 0; i < n_in; i++)
        symbol->in[symbol->n_in++] = symbol_ref(in[i]);
    if (make(symbol, allocate, outputs, err))
        return symbol;
    symbol_unref(symbol);
    return NULL;
}

static Symbol *pick(Symbol *from, int which, const GraphNode *output, bool allocate, Err *err)
{
    char name[LAYER_NAME];
    GraphNode made[LAYER_OUTPUTS] = { { 0 } };
    snprintf(name, sizeof name, "%.*s_%d", LAYER_NAME - 13, from->layer->name, which + 1);
    Layer *layer = pick_new(which, output, allocate ? NULL : name, err);
    Symbol *symbol = layer ? call(layer, &from, 1, allocate, made, err) : NULL;
    layer_unref(layer);
    return symbol;
}

static int call_all(Layer *layer, Symbol *const *in, int n_in, Symbol *out[LAYER_OUTPUTS], bool allocate, Err *err)
{
    GraphNode outputs[LAYER_OUTPUTS] = { { 0 } };
    if (!(out[0] = call(layer, in, n_in, allocate, outputs, err)))
        return 0;
    int n = layer_n_outputs(layer);
    for (int i = 1; i < n; i++)
        if (!(out[i] = pick(out[0], i, &outputs[i], allocate, err))) {
            while (i > 0)
                symbol_unref(out[--i]);
            return 0;
        }
    return n;
}

Symbol *symbol_call(Layer *layer, Symbol *const *in, int n_in, Err *err)
{
    GraphNode outputs[LAYER_OUTPUTS] = { { 0 } };
    return call(layer, in, n_in, true, outputs, err);
}

int symbol_call_all(Layer *layer, Symbol *const *in, int n_in, Symbol *out[LAYER_OUTPUTS], Err *err)
{
    return call_all(layer, in, n_in, out, true, err);
}

int symbol_plan(Layer *layer, Symbol *const *in, int n_in, Symbol *out[LAYER_OUTPUTS], Err *err)
{
    return call_all(layer, in, n_in, out, false, err);
}

/* ---- cutting a model out ---- */

typedef struct Cut {
    Symbol **found; /* owned; borrowed symbols, at last in the order of their making */
    int n, room;
    Symbol *const *inputs;
    int n_inputs;
} Cut;

static int by_id(const void *a, const void *b)
{
    int x = (*(Symbol *const *)a)->id, y = (*(Symbol *const *)b)->id;
    return (x > y) - (x < y);
}

static bool is_input(const Cut *cut, const Symbol *symbol)
{
    for (int i = 0; i < cut->n_inputs; i++)
        if (cut->inputs[i] == symbol)
            return true;
    return false;
}

static bool find(Cut *cut, Symbol *symbol, Err *err)
{
    for (int i = 0; i < cut->n; i++)
        if (cut->found[i] == symbol)
            return true;
    if (cut->n == MODEL_NODES_MOST)
        return err_set(err, ERR_ARG, "a model has at most %d layers", MODEL_NODES_MOST);
    if (cut->n == cut->room) {
        int room = cut->room ? 2 * cut->room : 64;
        Symbol **grown = mem_grow(cut->found, (size_t)room, sizeof *grown, err);
        if (!grown)
            return false;
        cut->found = grown;
        cut->room = room;
    }
    cut->found[cut->n++] = symbol;
    return true;
}

/* The list grows while it is walked: what the ends need, down to the inputs. */
static bool collect(Cut *cut, Symbol *const *outputs, int n_outputs, Err *err)
{
    for (int i = 0; i < cut->n_inputs; i++)
        if (!find(cut, cut->inputs[i], err))
            return false;
    for (int i = 0; i < n_outputs; i++)
        if (!find(cut, outputs[i], err))
            return false;
    for (int k = 0; k < cut->n; k++) {
        Symbol *symbol = cut->found[k];
        if (is_input(cut, symbol))
            continue;
        if (symbol->layer->kind->is_input)
            return err_set(err, ERR_ARG, "an output depends on %s, which is not among the model's inputs: add it to them",
                           symbol->layer->name);
        for (int i = 0; i < symbol->n_in; i++)
            if (!find(cut, symbol->in[i], err))
                return false;
    }
    qsort(cut->found, (size_t)cut->n, sizeof *cut->found, by_id);
    return true;
}

static int index_of(const Cut *cut, Symbol *symbol)
{
    Symbol **at = bsearch(&symbol, cut->found, (size_t)cut->n, sizeof *cut->found, by_id);
    return (int)(at - cut->found);
}

/* Inputs may be symbols within another model's graph: data enters there by an Input of its own. */
static bool append(Model *model, const Cut *cut, Symbol *symbol, Err *err)
{
    if (is_input(cut, symbol) && !symbol->layer->kind->is_input)
        return graph_append_input(model, symbol->shape, symbol->dtype, NULL, err);
    int in[OP_IN_MOST];
    for (int i = 0; i < symbol->n_in; i++)
        in[i] = index_of(cut, symbol->in[i]);
    return graph_append(model, symbol->layer, in, symbol->n_in, err);
}

static bool cut_model(Model *model, Cut *cut, Symbol *const *outputs, int n_outputs, bool allocate, Err *err)
{
    if (!collect(cut, outputs, n_outputs, err))
        return false;
    for (int i = 0; i < cut->n; i++)
        if (!append(model, cut, cut->found[i], err))
            return false;
    if (allocate && !graph_allocate(model, true, err))
        return false;
    for (int i = 0; i < cut->n_inputs; i++)
        model->inputs[model->n_inputs++] = index_of(cut, cut->inputs[i]);
    for (int i = 0; i < n_outputs; i++)
        model->outputs[model->n_outputs++] = index_of(cut, outputs[i]);
    model->built = true;
    return true;
}

static bool check_ends(Symbol *const *inputs, int n_inputs, int n_outputs, Err *err)
{
    if (n_inputs < 1 || n_inputs > MODEL_INPUTS || n_outputs < 1 || n_outputs > MODEL_INPUTS)
        return err_set(err, ERR_ARG, "a model has 1 to %d inputs and outputs, got %d and %d", MODEL_INPUTS, n_inputs, n_outputs);
    for (int i = 0; i < n_inputs; i++)
        for (int j = 0; j < i; j++)
            if (inputs[i] == inputs[j])
                return err_set(err, ERR_ARG, "%s is given twice among the model's inputs", inputs[i]->layer->name);
    return true;
}

static Model *from_ends(Symbol *const *inputs, int n_inputs, Symbol *const *outputs, int n_outputs, const char *name, bool allocate,
                        Err *err)
{
    Model *model = check_ends(inputs, n_inputs, n_outputs, err) ? model_new("functional", name, err) : NULL;
    if (!model)
        return NULL;
    Cut cut = { .inputs = inputs, .n_inputs = n_inputs };
    bool done = cut_model(model, &cut, outputs, n_outputs, allocate, err);
    mem_free(cut.found);
    if (done)
        return model;
    model_unref(model);
    return NULL;
}

Model *model_functional(Symbol *const *inputs, int n_inputs, Symbol *const *outputs, int n_outputs, const char *name, Err *err)
{
    return from_ends(inputs, n_inputs, outputs, n_outputs, name, true, err);
}

Model *model_plan(Symbol *const *inputs, int n_inputs, Symbol *const *outputs, int n_outputs, const char *name, Err *err)
{
    return from_ends(inputs, n_inputs, outputs, n_outputs, name, false, err);
}
