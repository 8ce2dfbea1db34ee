// SPDX-License-Identifier: MIT
#include "app/workload.h"

#include <stdio.h>
#include <string.h>

#include "base/rng.h"

/* ---- building by name ---- */

/* "name=value name=value" into args. */
static bool parse_args(Args *args, const char *text, const char *who, Err *err)
{
    char word[128];
    while (text && *text) {
        size_t n = strcspn(text, " ");
        if (n >= sizeof word)
            return err_set(err, ERR_BUG, "%s: argument too long", who);
        memcpy(word, text, n);
        word[n] = '\0';
        text += n + (text[n] == ' ');
        char *equals = strchr(word, '=');
        if (!equals)
            return err_set(err, ERR_BUG, "%s: \"%s\" is no name=value", who, word);
        *equals = '\0';
        int i = args_find(args, word);
        if (i < 0 || !args_parse(args, i, equals + 1, who, err))
            return i >= 0 ? false : err_set(err, ERR_BUG, "%s has no argument %s", who, word);
    }
    return args_complete(args, who, err);
}

static Layer *make_layer(const char *kind_name, const char *text, Err *err)
{
    const LayerKind *kind = layer_find(kind_name, err);
    Args args;
    if (!kind)
        return NULL;
    layer_args_init(&args, kind);
    return parse_args(&args, text, kind->name, err) ? layer_new(kind, &args, NULL, err) : NULL;
}

static bool add(Model *model, const char *kind, const char *text, Err *err)
{
    Layer *layer = model ? make_layer(kind, text, err) : NULL;
    bool ok = layer && model_add(model, layer, err);
    layer_unref(layer);
    return ok;
}

/* x becomes kind(x): the old symbol's reference is given up, also on failure. */
static Symbol *then(Symbol *take, const char *kind, const char *text, Err *err)
{
    Layer *layer = take ? make_layer(kind, text, err) : NULL;
    Symbol *out = layer ? symbol_call(layer, &take, 1, err) : NULL;
    layer_unref(layer);
    symbol_unref(take);
    return out;
}

/* ---- the networks ---- */

typedef struct Row {
    const char *kind, *args;
} Row;

static Model *stack(const Row *rows, int n, Err *err)
{
    Model *model = model_sequential(NULL, err);
    for (int i = 0; i < n; i++)
        if (!add(model, rows[i].kind, rows[i].args, err)) {
            model_unref(model);
            return NULL;
        }
    return model;
}

static Model *build_xor(Err *err)
{
    static const Row rows[] = { { "Dense", "units=4 activation=relu" }, { "Dense", "units=1 activation=sigmoid" } };
    return stack(rows, 2, err);
}

static Model *build_mlp(Err *err)
{
    static const Row rows[] = { { "Dense", "units=512 activation=relu" }, { "Dropout", "rate=0.5" }, { "Dense", "units=256 activation=relu" },
                                { "Dropout", "rate=0.5" }, { "Dense", "units=10 activation=softmax" } };
    return stack(rows, 5, err);
}

static Model *build_cnn(Err *err)
{
    static const Row rows[] = { { "Conv2D", "filters=32 kernel_size=3 activation=relu" }, { "MaxPooling2D", "pool_size=2" },
                                { "Conv2D", "filters=64 kernel_size=3 activation=relu" }, { "MaxPooling2D", "pool_size=2" },
                                { "Conv2D", "filters=64 kernel_size=3 activation=relu" }, { "Flatten", NULL },
                                { "Dense", "units=64 activation=relu" }, { "Dense", "units=10 activation=softmax" } };
    return stack(rows, 8, err);
}

static Model *build_char_lstm(Err *err)
{
    static const Row rows[] = { { "Embedding", "input_dim=65 output_dim=64" }, { "LSTM", "units=256 return_sequences=true" },
                                { "Dense", "units=65 activation=softmax" } };
    return stack(rows, 3, err);
}

/* Four decoder blocks on learnt positions: width 128, 4 heads, feed-forward 512, causal. */
static Model *build_gpt(Err *err)
{
#define BLOCK { "TransformerDecoder", "intermediate_dim=512 num_heads=4 activation=gelu normalize_first=true" }
    static const Row rows[] = { { "TokenAndPositionEmbedding", "vocabulary_size=65 sequence_length=64 embedding_dim=128" },
                                BLOCK, BLOCK, BLOCK, BLOCK, { "Dense", "units=65 activation=softmax" } };
#undef BLOCK
    return stack(rows, 6, err);
}

static Symbol *conv(Symbol *take, int filters, int size, int stride, bool relu, bool norm, Err *err)
{
    char text[96];
    snprintf(text, sizeof text, "filters=%d kernel_size=%d strides=%d padding=same use_bias=false", filters, size, stride);
    Symbol *x = then(take, "Conv2D", text, err);
    if (norm)
        x = then(x, "BatchNormalization", NULL, err);
    return relu ? then(x, "Activation", "activation=relu", err) : x;
}

/* Two convolutions beside a shortcut, which is a convolution of size 1 where the shape changes. */
static Symbol *residual(Symbol *take, int filters, int stride, bool project, Err *err)
{
    if (!take)
        return NULL;
    Symbol *skip = symbol_ref(take), *body = conv(take, filters, 3, stride, true, true, err);
    body = conv(body, filters, 3, 1, false, true, err);
    if (project)
        skip = conv(skip, filters, 1, stride, false, false, err);
    Layer *sum = body && skip ? make_layer("Add", NULL, err) : NULL;
    Symbol *out = sum ? symbol_call(sum, (Symbol *[]){ body, skip }, 2, err) : NULL;
    layer_unref(sum);
    symbol_unref(body);
    symbol_unref(skip);
    return then(out, "Activation", "activation=relu", err);
}

static Model *build_resnet20(Err *err)
{
    Symbol *input = symbol_input(SHAPE(32, 32, 3), DTYPE_FLOAT32, NULL, err);
    Symbol *x = input ? conv(symbol_ref(input), 16, 3, 1, true, true, err) : NULL;
    for (int stage = 0; stage < 3; stage++)
        for (int block = 0; block < 3; block++)
            x = residual(x, 16 << stage, stage && !block ? 2 : 1, stage && !block, err);
    x = then(x, "GlobalAveragePooling2D", NULL, err);
    x = then(x, "Dense", "units=10 activation=softmax", err);
    Model *model = x ? model_functional(&input, 1, &x, 1, NULL, err) : NULL;
    symbol_unref(x);
    symbol_unref(input);
    return model;
}

#define SPARSE "sparse_categorical_crossentropy"
static const Workload table[] = {
    { "xor_b32", 32, false, "binary_crossentropy", "adam", build_xor, { 1, { 2 } }, 1, 0 },
    { "mlp_sgd_b32", 32, false, SPARSE, "sgd learning_rate=0.01", build_mlp, { 1, { 784 } }, 10, 0 },
    { "mlp_adam_b128", 128, false, SPARSE, "adam", build_mlp, { 1, { 784 } }, 10, 0 },
    { "cifar_cnn_b64", 64, false, SPARSE, "adam", build_cnn, { 3, { 32, 32, 3 } }, 10, 0 },
    { "resnet20_b64", 64, false, SPARSE, "sgd learning_rate=0.1 momentum=0.9 weight_decay=0.0005", build_resnet20, { 3, { 32, 32, 3 } }, 10, 0 },
    { "char_lstm_b32", 32, false, SPARSE, "adam", build_char_lstm, { 1, { 64 } }, 65, 65 },
    { "gpt_b16", 16, false, SPARSE, "adam", build_gpt, { 1, { 64 } }, 65, 65 },
    { "cifar_cnn_infer_b1", 1, true, SPARSE, "adam", build_cnn, { 3, { 32, 32, 3 } }, 10, 0 },
    { "cifar_cnn_infer_b256", 256, true, SPARSE, "adam", build_cnn, { 3, { 32, 32, 3 } }, 10, 0 },
};

const Workload *workload_at(int i)
{
    return i >= 0 && i < (int)(sizeof table / sizeof *table) ? &table[i] : NULL;
}

/* ---- a batch and its step ---- */

static bool make_batch(Ready *ready, Err *err)
{
    const Workload *workload = ready->workload;
    Shape shape = { .rank = workload->sample.rank + 1 };
    shape.d[0] = workload->batch;
    memcpy(shape.d + 1, workload->sample.d, (size_t)workload->sample.rank * sizeof *shape.d);
    bool labels = workload->n_classes > 1;
    Shape one_each = workload->n_tokens ? shape : SHAPE(workload->batch);
    if (!tensor_new(&ready->x, DTYPE_FLOAT32, shape, err))
        return false;
    if (!(labels ? tensor_new(&ready->y, DTYPE_INT32, one_each, err) : tensor_new(&ready->y, DTYPE_FLOAT32, SHAPE(workload->batch, 1), err)))
        return false;
    Rng rng;
    rng_init(&rng, 1, RNG_DATA, 0);
    for (int64_t i = 0; i < tensor_count(&ready->x); i++)
        tensor_set(&ready->x, i, workload->n_tokens ? (double)rng_below(&rng, (uint64_t)workload->n_tokens) : rng_uniform(&rng));
    for (int64_t i = 0; i < tensor_count(&ready->y); i++)
        tensor_set(&ready->y, i, labels ? (double)rng_below(&rng, (uint64_t)workload->n_classes) : (double)(rng_word(&rng) & 1));
    ready->batch = (Batch){ .n_x = 1, .n = workload->batch };
    ready->batch.x[0] = ready->x;
    ready->batch.y[0] = ready->y;
    return true;
}

static bool compile(Ready *ready, Err *err)
{
    const Workload *workload = ready->workload;
    Compiled compiled = { .n_outputs = 1 };
    Objective *objective = &compiled.outputs[0];
    *objective = (Objective){ .loss = loss_find(workload->loss, err), .weight = 1 };
    char name[32];
    size_t n = strcspn(workload->optimizer, " ");
    snprintf(name, sizeof name, "%.*s", (int)n, workload->optimizer);
    const OptimizerKind *kind = optimizer_find(name, err);
    if (!objective->loss || !kind)
        return false;
    Args args;
    args_init(&objective->args, objective->loss->args, objective->loss->n_args);
    optimizer_args_init(&args, kind);
    const char *rest = workload->optimizer + n;
    if (!parse_args(&args, *rest ? rest + 1 : NULL, kind->name, err))
        return false;
    compiled.optimizer = optimizer_new(kind, &args, err);
    if (!compiled.optimizer || !compile_model(ready->model, &compiled, err))
        return false;
    ready->compiled = compiled_of(ready->model, err);
    return ready->compiled && optimizer_bind(ready->compiled->optimizer, ready->model, err);
}

bool workload_init(Ready *ready, const Workload *workload, Err *err)
{
    *ready = (Ready){ .workload = workload };
    tape_init(&ready->tape);
    Shape shape = { .rank = workload->sample.rank + 1, .d = { -1 } };
    memcpy(shape.d + 1, workload->sample.d, (size_t)workload->sample.rank * sizeof *shape.d);
    ready->model = workload->build(err);
    if (!ready->model || !model_build(ready->model, &shape, 1, err) || !make_batch(ready, err) || !compile(ready, err))
        return false;
    optimizer_attach(ready->compiled->optimizer, 1);
    return true;
}

void workload_fini(Ready *ready)
{
    if (ready->compiled)
        optimizer_detach(ready->compiled->optimizer);
    tape_fini(&ready->tape);
    tensor_unref(&ready->x);
    tensor_unref(&ready->y);
    model_unref(ready->model);
}

bool workload_step(Ready *ready, Err *err)
{
    if (ready->workload->infer) {
        Tensor out = { 0 };
        bool ok = model_predict(ready->model, &ready->x, (int)ready->workload->batch, &out, NULL, err);
        tensor_unref(&out);
        return ok;
    }
    StepResult result;
    if (!step_train(ready->model, ready->compiled, &ready->tape, 1, &ready->batch, &result, err))
        return false;
    step_keep(ready->compiled, &ready->tape);
    return true;
}

double workload_flops(const Ready *ready)
{
    double sum = 0;
    for (int i = 0; i < ready->model->n_nodes; i++)
        sum += ready->model->nodes[i].flops;
    return sum * (double)ready->workload->batch * (ready->workload->infer ? 1 : 3);
}
