// SPDX-License-Identifier: MIT
#include "nn/traced.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "nn/init.h"

/* ---- life ---- */

TraceSource *trace_source_ref(TraceSource *source)
{
    if (source)
        atomic_fetch_add_explicit(&source->refs, 1, memory_order_relaxed);
    return source;
}

void trace_source_unref(TraceSource *source)
{
    if (source && atomic_fetch_sub_explicit(&source->refs, 1, memory_order_acq_rel) == 1)
        source->free(source);
}

Traced *traced_ref(Traced *traced)
{
    if (traced)
        atomic_fetch_add_explicit(&traced->refs, 1, memory_order_relaxed);
    return traced;
}

void traced_unref(Traced *traced)
{
    if (!traced || atomic_fetch_sub_explicit(&traced->refs, 1, memory_order_acq_rel) > 1)
        return;
    program_unref(traced->infer);
    program_unref(traced->train);
    mem_free(traced);
}

/* ---- tracing ---- */

static bool is_name(const char *name)
{
    bool good = isalpha((unsigned char)*name) || *name == '_';
    for (const char *c = name; good && *c; c++)
        good = isalnum((unsigned char)*c) || *c == '_';
    return good;
}

bool traced_add_param(Traced *traced, const char *name, Shape shape, const char *init, bool trainable, Err *err)
{
    const Initializer *filled_by;
    Args its_args;
    TracedParam *param = &traced->params[traced->n_params];
    if (traced->n_params == LAYER_PARAMS)
        return err_set(err, ERR_ARG, "a layer has at most %d weights", LAYER_PARAMS);
    if (!is_name(name) || strlen(name) >= sizeof param->name)
        return err_set(err, ERR_ARG, "the name of a weight has 1 to %zu letters, digits and _, got \"%.40s\"", sizeof param->name - 1, name);
    for (int i = 0; i < traced->n_params; i++)
        if (!strcmp(traced->params[i].name, name))
            return err_set(err, ERR_ARG, "there are two weights called \"%s\"", name);
    if (strlen(init) >= sizeof param->init)
        return err_set(err, ERR_ARG, "the initializer of %s is too long: \"%.60s…\"", name, init);
    if (!shape_check(&shape, err) || !init_parse(init, &filled_by, &its_args, err) || !init_check(filled_by, &shape, err))
        return err_wrap(err, "%s", name);
    *param = (TracedParam){ .shape = shape, .trainable = trainable };
    snprintf(param->name, sizeof param->name, "%s", name);
    snprintf(param->init, sizeof param->init, "%s", init);
    traced->n_params++;
    return true;
}

const int64_t trace_batches[TRACE_BATCHES] = { 2, 3, 5 };

static bool check_rows(Var *const out[TRACE_BATCHES], Err *err)
{
    char text[SHAPE_TEXT];
    for (int i = 0; i < TRACE_BATCHES; i++) {
        const Shape *shape = &out[i]->value.shape;
        bool fits = shape->rank > 0 && shape->d[0] == trace_batches[i] && shape->rank == out[0]->value.shape.rank;
        for (int k = 1; fits && k < shape->rank; k++)
            fits = shape->d[k] == out[0]->value.shape.d[k];
        if (!fits)
            return err_set(err, ERR_SHAPE, "the function must keep the batch as its first axis, one row for each sample; a batch of %d gave "
                           "shape %s", (int)trace_batches[i], shape_text(shape, text));
    }
    return true;
}

Program *traced_program(Var *const out[TRACE_BATCHES], Var *const *const in[TRACE_BATCHES], int n_in, Var *const *params, int n_params,
                        bool rows, Err *err)
{
    Program *p[TRACE_BATCHES] = { NULL };
    bool ok = !rows || check_rows(out, err);
    for (int i = 0; ok && i < TRACE_BATCHES; i++)
        ok = (p[i] = program_of(out[i], in[i], n_in, params, n_params, err)) != NULL;
    ok = ok && program_settle(p[0], trace_batches[0], p[1], trace_batches[1], p[2], trace_batches[2], err);
    for (int i = ok ? 1 : 0; i < TRACE_BATCHES; i++)
        program_unref(p[i]);
    return ok ? p[0] : NULL;
}

/* ---- as a layer ---- */

static bool trace(Layer *layer, const Shape *in, int n_in, Err *err)
{
    Traced *made = mem_zero(1, sizeof *made, err);
    if (!made)
        return false;
    atomic_init(&made->refs, 1);
    made->n_in = n_in;
    for (int i = 0; i < n_in; i++)
        made->in[i] = in[i];
    if (!layer->source->trace(layer->source, layer, in, n_in, made, err)) {
        traced_unref(made);
        return false;
    }
    traced_unref(layer->traced);
    layer->traced = made;
    return true;
}

static bool check_inputs(const Layer *layer, const Shape *in, int n_in, Err *err)
{
    const Traced *traced = layer->traced;
    char want[SHAPE_TEXT], got[SHAPE_TEXT], remedy[LAYER_REMEDY];
    if (traced->n_in != n_in)
        return layer_refuse(layer, err, "wants %d inputs, got %d", traced->n_in, n_in);
    for (int i = 0; i < n_in; i++) {
        layer_remedy(&traced->in[i], &in[i], remedy);
        if (!shape_same(&traced->in[i], &in[i]))
            return layer_refuse(layer, err, "wants inputs of shape %s, got %s%s", layer_shape_text(&traced->in[i], want),
                                layer_shape_text(&in[i], got), *remedy ? remedy : "; it was traced for the former: use a new layer");
    }
    return true;
}

bool traced_build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    if (!layer->source && !layer->traced)
        return err_set(err, ERR_STATE, "%s has no function; make it with nn.%s", layer->name, layer->kind->name);
    if (layer->source && !trace(layer, in, n_in, err))
        return false;
    const Traced *traced = layer->traced;
    if (!check_inputs(layer, in, n_in, err))
        return false;
    for (int i = 0; i < traced->n_params; i++) {
        const TracedParam *param = &traced->params[i];
        if (!layer_add_param(layer, param->name, param->shape, param->init, param->trainable, err))
            return false;
    }
    return true;
}

/* The promise that was made to the layers behind it: a row for each sample, of the shape that the other program gives too. */
static bool check_result(const Layer *layer, const Node *out, int64_t batch, Err *err)
{
    const Shape *got = &out->value.shape, *want = &layer->traced->out;
    char text[SHAPE_TEXT], wanted[SHAPE_TEXT];
    bool fits = out->value.dtype == DTYPE_FLOAT32 && got->rank == want->rank && got->rank > 0 && got->d[0] == batch;
    for (int i = 1; fits && i < got->rank; i++)
        fits = got->d[i] == want->d[i];
    return fits || layer_refuse(layer, err, "gives float32 of shape %s, its ops made %s of shape %s", shape_text(want, wanted),
                                dtype_name(out->value.dtype), shape_text(got, text));
}

Node *traced_forward(Layer *layer, Tape *tape, Node *const *in, int n_in, Err *err)
{
    Node *params[LAYER_PARAMS];
    const Traced *traced = layer->traced;
    (void)n_in;
    for (int i = 0; i < traced->n_params; i++)
        if (!(params[i] = layer_param(layer, tape, i, err)))
            return NULL;
    Node *out = program_run(tape->mode == TAPE_TRAIN ? traced->train : traced->infer, tape, in, params, err);
    return out && check_result(layer, out, in[0]->value.shape.rank ? in[0]->value.shape.d[0] : 1, err) ? out : NULL;
}

/* ---- as JSON ---- */

static void put(json_t *object, const char *key, json_t *take, bool *ok)
{
    *ok = json_object_set_new(object, key, take) == 0 && *ok;
}

static void add(json_t *array, json_t *take, bool *ok)
{
    *ok = json_array_append_new(array, take) == 0 && *ok;
}

static json_t *shape_json(const Shape *shape, bool *ok)
{
    json_t *out = json_array();
    for (int i = 0; i < shape->rank; i++)
        add(out, json_integer(shape->d[i]), ok);
    return out;
}

json_t *traced_json(const Traced *traced)
{
    bool ok = true;
    json_t *out = json_object(), *in = json_array(), *weights = json_array();
    for (int i = 0; i < traced->n_in; i++)
        add(in, shape_json(&traced->in[i], &ok), &ok);
    for (int i = 0; i < traced->n_params; i++) {
        const TracedParam *param = &traced->params[i];
        add(weights, json_pack("{s:s,s:o,s:s,s:b}", "name", param->name, "shape", shape_json(&param->shape, &ok), "init", param->init,
                               "trainable", param->trainable), &ok);
    }
    put(out, "in", in, &ok);
    put(out, "out", shape_json(&traced->out, &ok), &ok);
    put(out, "weights", weights, &ok);
    put(out, "infer", program_json(traced->infer), &ok);
    if (traced->train != traced->infer)
        put(out, "train", program_json(traced->train), &ok);
    if (ok)
        return out;
    json_decref(out);
    return NULL;
}

static bool bad(Err *err, const char *what)
{
    return err_set(err, ERR_DATA, "the layer's list of ops is damaged: %s", what);
}

/* batch: the first size is -1. */
static bool read_shape(json_t *in, bool batch, Shape *shape)
{
    size_t n = json_array_size(in);
    if (!json_is_array(in) || n > SHAPE_MOST || (batch && n == 0))
        return false;
    *shape = (Shape){ .rank = (int)n };
    for (size_t i = 0; i < n; i++) {
        json_t *size = json_array_get(in, i);
        if (!json_is_integer(size) || (json_integer_value(size) < 0) != (batch && i == 0))
            return false;
        shape->d[i] = batch && i == 0 ? 1 : json_integer_value(size);
    }
    if (!shape_check(shape, NULL))
        return false;
    if (batch)
        shape->d[0] = -1;
    return true;
}

static bool read_weights(Traced *traced, json_t *in, Err *err)
{
    size_t i;
    json_t *weight;
    if (!json_is_array(in))
        return bad(err, "it needs a list of weights");
    json_array_foreach(in, i, weight)
    {
        const char *name = json_string_value(json_object_get(weight, "name")), *init = json_string_value(json_object_get(weight, "init"));
        Shape shape;
        if (!name || !init || !read_shape(json_object_get(weight, "shape"), false, &shape))
            return bad(err, "a weight needs its name, its shape and its initializer");
        if (!traced_add_param(traced, name, shape, init, !json_is_false(json_object_get(weight, "trainable")), err))
            return false;
    }
    return true;
}

static bool read_all(Traced *traced, json_t *in, Err *err)
{
    json_t *inputs = json_object_get(in, "in"), *train = json_object_get(in, "train");
    size_t n_in = json_array_size(inputs);
    if (n_in < 1 || n_in > OP_IN_MOST)
        return bad(err, "it needs the shapes of its inputs");
    traced->n_in = (int)n_in;
    for (size_t i = 0; i < n_in; i++)
        if (!read_shape(json_array_get(inputs, i), true, &traced->in[i]))
            return bad(err, "an input's shape begins with -1, the batch");
    if (!read_shape(json_object_get(in, "out"), true, &traced->out))
        return bad(err, "its output's shape begins with -1, the batch");
    if (!read_weights(traced, json_object_get(in, "weights"), err))
        return false;
    if (!(traced->infer = program_read(json_object_get(in, "infer"), traced->n_in, traced->n_params, err)))
        return false;
    traced->train = train ? program_read(train, traced->n_in, traced->n_params, err) : program_ref(traced->infer);
    return traced->train != NULL;
}

Traced *traced_read(json_t *in, Err *err)
{
    Traced *traced = mem_zero(1, sizeof *traced, err);
    if (!traced)
        return NULL;
    atomic_init(&traced->refs, 1);
    if (read_all(traced, in, err))
        return traced;
    traced_unref(traced);
    return NULL;
}
