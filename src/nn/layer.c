// SPDX-License-Identifier: MIT
/* The block of a layer: trainable parameters in the order they were declared, then the others, without gaps. */
#include "nn/layer.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/name.h"
#include "nn/graph.h"
#include "nn/init.h"
#include "nn/made.h"
#include "nn/ops.h"
#include "nn/traced.h"

#define ROW(file) extern const LayerKind layer_##file;
#include "gen/layers.h"
#undef ROW

static const LayerKind *const table[] = {
#define ROW(file) &layer_##file,
#include "gen/layers.h"
#undef ROW
    NULL,
};

const LayerKind *layer_at(int i)
{
    return i >= 0 && i < (int)(sizeof table / sizeof *table) ? table[i] : NULL;
}

const LayerKind *layer_find(const char *name, Err *err)
{
    NameSearch search;
    char hint[96];
    name_search(&search, name);
    for (int i = 0; table[i]; i++) {
        if (!strcmp(table[i]->name, name))
            return table[i];
        name_offer(&search, table[i]->name);
    }
    if (!strcmp(name, layer_kind_pick.name))
        return &layer_kind_pick;
    err_set(err, ERR_NAME, "there is no layer \"%.60s\"%s", name, name_hint(&search, hint));
    return NULL;
}

/* ---- messages ---- */

const char *layer_shape_text(const Shape *shape, char out[SHAPE_TEXT])
{
    Shape sample = { .rank = shape->rank > 0 ? shape->rank - 1 : 0 };
    for (int i = 0; i < sample.rank; i++)
        sample.d[i] = shape->d[i + 1];
    return shape_text(&sample, out);
}

const char *layer_remedy(const Shape *want, const Shape *got, char out[LAYER_REMEDY])
{
    out[0] = '\0';
    if (want->rank < 2 || got->rank < 1 || shape_count_from(want, 1) != shape_count_from(got, 1))
        return out;
    char text[SHAPE_TEXT];
    layer_shape_text(want, text);
    if (want->rank == 2)
        snprintf(out, LAYER_REMEDY, "; add nn.Flatten() before it");
    else
        snprintf(out, LAYER_REMEDY, "; add nn.Reshape({%.*s}) before it", (int)strlen(text) - 2, text + 1);
    return out;
}

bool layer_refuse(const Layer *layer, Err *err, const char *format, ...)
{
    char text[sizeof err->text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return err_set(err, ERR_SHAPE, "%s %s", layer->name, text);
}

/* ---- arguments ---- */

#define N_KINDS (sizeof table / sizeof *table)
#define ROW_NAME 48

static ArgSpec rows[N_KINDS][ARG_MOST];
static char row_names[N_KINDS][ARG_MOST][ROW_NAME];
static int n_rows[N_KINDS];

static void add_row(size_t k, const char *stem, int stem_size, const char *what, const char *const *names, const char *help)
{
    int i = n_rows[k];
    if (i == ARG_MOST)
        return;
    snprintf(row_names[k][i], ROW_NAME, "%.*s_%s", stem_size, stem, what);
    rows[k][i] = (ArgSpec){ .name = row_names[k][i], .type = ARG_TEXT, .fallback = "nil", .choices = names, .help = help };
    n_rows[k]++;
}

/* "kernel_initializer": 6; 0 for other arguments and for what is not trained. */
static int stem_of(const char *name)
{
    const char *end = strstr(name, "_initializer");
    return end && !end[12] && strncmp(name, "moving_", 7) ? (int)(end - name) : 0;
}

static void join_rows(void)
{
    for (size_t k = 0; table[k]; k++) {
        const LayerKind *kind = table[k];
        bool weights = false;
        for (n_rows[k] = 0; n_rows[k] < kind->n_args; n_rows[k]++)
            rows[k][n_rows[k]] = kind->args[n_rows[k]];
        for (int i = 0; i < kind->n_args; i++) {
            int stem = stem_of(kind->args[i].name);
            if (!stem)
                continue;
            weights = !kind->composite; /* whose layers within are given the rest, see compose.c */
            add_row(k, kind->args[i].name, stem, "regularizer", regularizer_names, "penalty on this weight, added to the loss: \"l2(0.01)\"");
            add_row(k, kind->args[i].name, stem, "constraint", constraint_names, "kept after each update: \"max_norm(2)\"");
        }
        if (weights)
            add_row(k, "activity", 8, "regularizer", regularizer_names, "penalty on what comes out");
    }
}

const ArgSpec *layer_args(const LayerKind *kind, int *n)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, join_rows);
    for (size_t k = 0; table[k]; k++)
        if (table[k] == kind) {
            *n = n_rows[k];
            return rows[k];
        }
    *n = kind->n_args; /* one outside the table */
    return kind->args;
}

void layer_args_init(Args *args, const LayerKind *kind)
{
    int n;
    const ArgSpec *specs = layer_args(kind, &n);
    args_init(args, specs, n);
}

/* A regulariser or constraint of this weight: "kernel_regularizer", also for query/kernel, "recurrent_regularizer" for
 * recurrent_kernel. NULL: none. */
static const char *rule_text(const Layer *layer, const char *weight, const char *what)
{
    char name[ROW_NAME];
    const char *within = strrchr(weight, '/');
    weight = within ? within + 1 : weight;
    snprintf(name, sizeof name, "%s_%s", weight, what);
    int row = args_find(&layer->args, name);
    if (row < 0 && strrchr(weight, '_')) {
        snprintf(name, sizeof name, "%.*s_%s", (int)(strrchr(weight, '_') - weight), weight, what);
        row = args_find(&layer->args, name);
    }
    return row >= 0 && layer->args.v[row].given ? layer->args.v[row].u.text : NULL;
}

static bool set_rules(const Layer *layer, Param *param, Err *err)
{
    const char *penalty = rule_text(layer, param->name, "regularizer"), *limit = rule_text(layer, param->name, "constraint");
    return (!penalty || regularizer_parse(penalty, &param->regularizer, err)) && (!limit || constraint_parse(limit, &param->constraint, err)) &&
           constraint_check(&param->constraint, &param->value.shape, err);
}

/* Initialisers are texts with arguments, so are regularisers and constraints: read them now, where the user can see which line gave
 * them. */
static bool check_initializers(const Args *args, const char *who, Err *err)
{
    for (int i = 0; i < args->n; i++) {
        const Initializer *init;
        Args own;
        bool names_one = args->specs[i].choices == initializer_names && args->v[i].given;
        Regularization penalty;
        Restriction limit;
        bool penalizes = args->specs[i].choices == regularizer_names && args->v[i].given;
        bool limits = args->specs[i].choices == constraint_names && args->v[i].given;
        if ((names_one && !init_parse(args->v[i].u.text, &init, &own, err)) ||
            (penalizes && !regularizer_parse(args->v[i].u.text, &penalty, err)) || (limits && !constraint_parse(args->v[i].u.text, &limit, err)))
            return err_wrap(err, "%s: %s", who, args->specs[i].name);
    }
    return true;
}

/* ---- life ---- */

Layer *layer_new(const LayerKind *kind, const Args *args, const char *name, Err *err)
{
    if (name && !name_check("layer", name, err))
        return NULL;
    if (args && (!args_complete(args, kind->name, err) || !check_initializers(args, kind->name, err)))
        return NULL;
    Layer *layer = mem_zero(1, sizeof *layer, err);
    if (!layer)
        return NULL;
    atomic_init(&layer->refs, 1);
    layer->kind = kind;
    made_ref(kind);
    layer->trainable = true;
    layer->rate = 1;
    layer->input_dtype = DTYPE_FLOAT32;
    if (args)
        layer->args = *args;
    else
        layer_args_init(&layer->args, kind);
    if (!args && !args_complete(&layer->args, kind->name, err)) {
        made_unref(kind);
        mem_free(layer);
        return NULL;
    }
    layer->named = name != NULL;
    if (name)
        snprintf(layer->name, sizeof layer->name, "%s", name);
    else
        name_next(kind->prefix, layer->name);
    return layer;
}

Layer *layer_ref(Layer *layer)
{
    if (layer)
        atomic_fetch_add_explicit(&layer->refs, 1, memory_order_relaxed);
    return layer;
}

void layer_unref(Layer *layer)
{
    if (!layer || atomic_fetch_sub_explicit(&layer->refs, 1, memory_order_acq_rel) > 1)
        return;
    if (layer_is_model(layer))
        atomic_fetch_sub_explicit(&layer->inner->wrapped, 1, memory_order_relaxed);
    model_unref(layer->inner);
    for (int i = 0; i < LAYER_WRAPS; i++)
        layer_unref(layer->wrapped[i]);
    traced_unref(layer->traced);
    trace_source_unref(layer->source);
    mem_free(layer->block);
    made_unref(layer->kind);
    mem_free(layer);
}

Layer *layer_like(const Layer *layer, const char *name, Err *err)
{
    Layer *made = layer_new(layer->kind, &layer->args, name, err);
    if (!made)
        return NULL;
    made->trainable = layer->trainable;
    made->rate = layer->rate;
    for (int i = 0; i < LAYER_WRAPS; i++)
        made->wrapped[i] = layer_ref(layer->wrapped[i]);
    made->source = trace_source_ref(layer->source);
    made->traced = layer->source ? NULL : traced_ref(layer->traced);
    return made;
}

bool layer_wrap(Layer *layer, int i, Layer *wrapped, Err *err)
{
    if (i < 0 || i >= LAYER_WRAPS || !layer->kind->wraps || layer->built || layer->wrapped[i])
        return err_set(err, ERR_BUG, "%s cannot be given a layer here", layer->name);
    if (layer_is_model(wrapped) || wrapped->kind->is_input)
        return err_set(err, ERR_ARG, "%s wraps a layer, got %s, which is %s", layer->name, wrapped->name,
                       wrapped->inner ? "a model" : "an Input");
    if (wrapped->kind->traced)
        return err_set(err, ERR_ARG, "%s wraps layers whose arguments say all; %s has a function: use it beside the wrapper", layer->name,
                       wrapped->name);
    if (wrapped->built)
        return err_set(err, ERR_ARG, "%s wraps a new layer, but %s is in use elsewhere: make one for it alone", layer->name, wrapped->name);
    layer->wrapped[i] = layer_ref(wrapped);
    return true;
}

bool layer_is_model(const Layer *layer)
{
    return layer->inner && !layer->kind->composite;
}

int layer_n_outputs(const Layer *layer)
{
    return layer->kind->n_outputs ? layer->kind->n_outputs(layer) : 1;
}

void layer_set_trainable(Layer *layer, bool trainable)
{
    layer->trainable = trainable;
    for (int i = 0; layer->inner && i < layer->inner->n_nodes; i++)
        layer_set_trainable(layer->inner->nodes[i].layer, trainable);
}

void layer_set_rate(Layer *layer, double rate)
{
    layer->rate = rate;
    for (int i = 0; layer->inner && i < layer->inner->n_nodes; i++)
        layer_set_rate(layer->inner->nodes[i].layer, rate);
}

void layer_reset_states(Layer *layer)
{
    for (int i = 0; i < layer->n_params; i++)
        if (layer->params[i].state && layer->block)
            memset(layer->params[i].value.data, 0, tensor_size(&layer->params[i].value));
    for (int i = 0; layer->inner && i < layer->inner->n_leaves; i++)
        layer_reset_states(layer->inner->leaves[i].layer);
}

/* ---- building ---- */

bool layer_add_param(Layer *layer, const char *name, Shape shape, const char *init, bool trainable, Err *err)
{
    if (layer->n_params == LAYER_PARAMS)
        return err_set(err, ERR_BUG, "%s: more than %d parameters", layer->name, LAYER_PARAMS);
    const Initializer *filled_by;
    Args its_args;
    if (!shape_check(&shape, err) || !init_parse(init, &filled_by, &its_args, err) || !init_check(filled_by, &shape, err))
        return err_wrap(err, "%s", name);
    Param *param = &layer->params[layer->n_params++];
    *param = (Param){ .trainable = trainable };
    param->value = tensor_borrow(DTYPE_FLOAT32, shape, NULL);
    param->fans = shape;
    snprintf(param->name, sizeof param->name, "%s", name);
    snprintf(param->init, sizeof param->init, "%s", init);
    return !trainable || set_rules(layer, param, err);
}

bool layer_add_kernel(Layer *layer, const char *name, Shape shape, int n_in, const char *init, Err *err)
{
    if (!layer_add_param(layer, name, shape, init, true, err))
        return false;
    Shape fans = SHAPE(1, 1);
    for (int i = 0; i < shape.rank; i++)
        fans.d[i >= n_in] *= shape.d[i];
    layer->params[layer->n_params - 1].fans = fans;
    return true;
}

static void lay_out(Layer *layer)
{
    layer->n_elements = layer->n_trainable = 0;
    for (int pass = 1; pass >= 0; pass--)
        for (int i = 0; i < layer->n_params; i++)
            if (layer->params[i].trainable == pass) {
                layer->params[i].offset = layer->n_elements;
                layer->n_elements += (size_t)tensor_count(&layer->params[i].value);
                layer->n_trainable += pass ? (size_t)tensor_count(&layer->params[i].value) : 0;
            }
}

bool layer_check_count(const Layer *layer, int n_in, Err *err)
{
    const LayerKind *kind = layer->kind;
    if (n_in >= kind->in_least && n_in <= kind->in_most)
        return true;
    bool few = n_in < kind->in_least;
    int bound = few ? kind->in_least : kind->in_most;
    const char *about = kind->in_least == kind->in_most ? "" : few ? "at least " : "at most ";
    return err_set(err, ERR_ARG, "%s wants %s%d input%s, got %d", layer->name, about, bound, bound == 1 ? "" : "s", n_in);
}

/* What a composite's build made, or a trace. */
static void drop_inner(Layer *layer)
{
    if (layer->source) {
        traced_unref(layer->traced);
        layer->traced = NULL;
    }
    if (!layer->kind->composite)
        return;
    model_unref(layer->inner);
    layer->inner = NULL;
}

static bool plan(Layer *layer, const Shape *in, int n_in, Err *err)
{
    layer->n_params = 0;
    const char *activity = rule_text(layer, "activity", "regularizer");
    if (activity && !regularizer_parse(activity, &layer->activity, err))
        return err_name(err, layer->name);
    if (!layer->kind->build(layer, in, n_in, err)) {
        layer->n_params = 0;
        drop_inner(layer);
        return err_name(err, layer->name);
    }
    lay_out(layer);
    layer->built_for = n_in > 0 ? in[0] : (Shape){ 0 };
    layer->built = layer->tentative = true;
    return true;
}

static bool same_params(const Layer *a, const Layer *b)
{
    bool same = a->n_params == b->n_params && (a->inner == NULL) == (b->inner == NULL);
    for (int i = 0; same && i < a->n_params; i++)
        same = shape_same(&a->params[i].value.shape, &b->params[i].value.shape);
    if (!same || !a->inner || a->inner == b->inner)
        return same;
    same = a->inner->n_leaves == b->inner->n_leaves;
    for (int i = 0; same && i < a->inner->n_leaves; i++)
        same = same_params(a->inner->leaves[i].layer, b->inner->leaves[i].layer);
    return same;
}

/* Would it be built for these inputs just as it is? Tried on a copy without parameters. */
static bool check_again(const Layer *layer, const Shape *in, int n_in, Err *err)
{
    Layer trial;
    memset(&trial, 0, sizeof trial);
    trial.kind = layer->kind;
    trial.args = layer->args;
    trial.inner = layer_is_model(layer) ? layer->inner : NULL;
    trial.traced = layer->traced; /* without its source: it serves the shapes that it was traced for */
    memcpy(trial.wrapped, layer->wrapped, sizeof trial.wrapped);
    trial.batch = layer->batch;
    memcpy(trial.name, layer->name, sizeof trial.name);
    if (!plan(&trial, in, n_in, err))
        return false;
    bool same = same_params(&trial, layer);
    drop_inner(&trial);
    if (same)
        return true;
    char want[SHAPE_TEXT], got[SHAPE_TEXT], remedy[LAYER_REMEDY];
    layer_remedy(&layer->built_for, &in[0], remedy);
    return layer_refuse(layer, err, "wants inputs of shape %s, got %s%s", layer_shape_text(&layer->built_for, want),
                        layer_shape_text(&in[0], got), remedy[0] ? remedy : "; its weights were made for the former: use a new layer");
}

bool layer_plan(Layer *layer, const Shape *in, int n_in, Err *err)
{
    if (!layer_check_count(layer, n_in, err))
        return false;
    if (layer->kind->wraps && !layer->wrapped[0])
        return err_set(err, ERR_ARG, "%s has no layer to wrap: nn.%s(nn.Dense(8))", layer->name, layer->kind->name);
    return layer->built ? check_again(layer, in, n_in, err) : plan(layer, in, n_in, err);
}

void layer_commit(Layer *layer)
{
    layer->tentative = false;
    for (int i = 0; layer->kind->composite && layer->inner && i < layer->inner->n_leaves; i++)
        layer_commit(layer->inner->leaves[i].layer);
}

void layer_rollback(Layer *layer)
{
    if (!layer->tentative)
        return;
    drop_inner(layer);
    mem_free(layer->block);
    layer->block = NULL;
    layer->built = layer->tentative = false;
    layer->n_params = 0;
    layer->n_elements = layer->n_trainable = 0;
    layer->built_for = (Shape){ 0 };
}

bool layer_allocated(const Layer *layer)
{
    return layer->block || layer->n_elements == 0;
}

/* Values from the seed and the names alone, so that they do not depend on the order in which layers are built. */
static bool fill_params(Layer *layer, Err *err)
{
    for (int i = 0; i < layer->n_params; i++) {
        Param *param = &layer->params[i];
        const Initializer *init;
        Args args;
        if (!init_parse(param->init, &init, &args, err))
            return err_name(err, layer->name);
        Rng rng;
        rng_init(&rng, rng_mix_text(layer->seed, param->name), RNG_INIT_WEIGHTS, 0);
        init_fill(init, &args, tensor_real(&param->value), &param->fans, &rng);
    }
    if (layer->kind->fill)
        layer->kind->fill(layer);
    return true;
}

/* The layers of a composite: their names are its own matter, so its name counts for their values. */
static bool allocate_inner(Layer *layer, uint64_t seed, bool fill, Err *err)
{
    for (int i = 0; i < layer->inner->n_leaves; i++)
        if (!layer_allocate(layer->inner->leaves[i].layer, leaf_seed(rng_mix_text(seed, layer->name), layer->inner->leaves[i].path), fill, err))
            return err_name(err, layer->name);
    return true;
}

uint64_t leaf_seed(uint64_t seed, const char *path)
{
    for (const char *end; (end = strchr(path, '/')); path = end + 1) {
        char name[LAYER_PATH];
        snprintf(name, sizeof name, "%.*s", (int)(end - path), path);
        seed = rng_mix_text(seed, name);
    }
    return seed;
}

bool layer_allocate(Layer *layer, uint64_t seed, bool fill, Err *err)
{
    if (layer->kind->composite && layer->inner)
        return allocate_inner(layer, seed, fill, err);
    if (layer->block)
        return true;
    layer->seed = rng_mix_text(seed, layer->name);
    if (layer_allocated(layer))
        return true;
    real *block = fill ? mem_alloc(layer->n_elements, sizeof(real), err) : mem_zero(layer->n_elements, sizeof(real), err);
    if (!block)
        return err_name(err, layer->name);
    layer->block = block;
    for (int i = 0; i < layer->n_params; i++)
        layer->params[i].value.data = block + layer->params[i].offset;
    return !fill || fill_params(layer, err);
}

bool layer_build(Layer *layer, const Shape *in, int n_in, uint64_t seed, Err *err)
{
    if (!layer_plan(layer, in, n_in, err))
        return false;
    if (!layer_allocate(layer, seed, true, err)) {
        layer_rollback(layer);
        return false;
    }
    layer_commit(layer);
    return true;
}
