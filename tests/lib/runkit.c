// SPDX-License-Identifier: MIT
#include "runkit.h"

#include "check.h"

#include "base/clock.h"
#include "base/rng.h"
#include "train/trainer.h"

#define PATIENCE_S 20
#define FIRST 14695981039346656037u /* FNV-1a */

static const char *parse_args(Args *args, const char *words, char *text, size_t size)
{
    char *save = NULL;
    snprintf(text, size, "%s", words);
    strtok_r(text, " ", &save);
    for (char *word = strtok_r(NULL, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        Err err = ERR_INIT;
        char *value = strchr(word, '=');
        assert_non_null(value);
        *value = 0;
        assert_ok(args_parse(args, args_find(args, word), value + 1, words, &err));
    }
    return text;
}

static void name_of(const char *words, char *text, size_t size)
{
    snprintf(text, size, "%.*s", (int)strcspn(words, " "), words);
}

void kit_compile(Model *model, const char *optimizer, const char *loss, const char *metric)
{
    Err err = ERR_INIT;
    char text[200];
    Args args;
    Compiled compiled = { 0 };
    name_of(optimizer, text, sizeof text);
    const OptimizerKind *kind = optimizer_find(text, &err);
    assert_non_null(kind);
    optimizer_args_init(&args, kind);
    parse_args(&args, optimizer, text, sizeof text);
    compiled.optimizer = optimizer_new(kind, &args, &err);
    assert_non_null(compiled.optimizer);
    name_of(loss, text, sizeof text);
    Objective *objective = &compiled.outputs[compiled.n_outputs++];
    *objective = (Objective){ .loss = loss_find(text, &err), .weight = 1 };
    assert_non_null(objective->loss);
    args_init(&objective->args, objective->loss->args, objective->loss->n_args);
    parse_args(&objective->args, loss, text, sizeof text);
    if (metric) {
        Measure *measure = &compiled.metrics[compiled.n_metrics++];
        *measure = (Measure){ .metric = metric_find(metric, &err) };
        assert_non_null(measure->metric);
        args_init(&measure->args, measure->metric->args, measure->metric->n_args);
        snprintf(measure->name, sizeof measure->name, "%s", metric);
    }
    assert_ok(compile_model(model, &compiled, &err));
}

void kit_blobs(Tensor *x, Tensor *y, int64_t n, int64_t width, int classes, uint64_t seed)
{
    Err err = ERR_INIT;
    Rng rng;
    rng_init(&rng, seed, RNG_TEST, 0);
    assert_ok(tensor_new(x, DTYPE_FLOAT32, SHAPE(n, width), &err));
    assert_ok(tensor_new(y, DTYPE_INT32, SHAPE(n), &err));
    for (int64_t i = 0; i < n; i++) {
        int32_t k = (int32_t)rng_below(&rng, (uint64_t)classes);
        tensor_int(y)[i] = k;
        for (int64_t j = 0; j < width; j++)
            tensor_real(x)[i * width + j] = (real)(rng_normal(&rng) * 0.5 + (j % classes == k ? 2 : 0));
    }
}

void kit_xor(Tensor *x, Tensor *y)
{
    Err err = ERR_INIT;
    assert_ok(tensor_new(x, DTYPE_FLOAT32, SHAPE(4, 2), &err));
    assert_ok(tensor_new(y, DTYPE_FLOAT32, SHAPE(4, 1), &err));
    for (int i = 0; i < 4; i++) {
        tensor_real(x)[2 * i] = (real)(i & 1);
        tensor_real(x)[2 * i + 1] = (real)(i >> 1);
        tensor_real(y)[i] = (real)((i & 1) ^ (i >> 1));
    }
}

Samples kit_samples(const Tensor *x, const Tensor *y)
{
    Samples samples = { .n_x = 1, .n_y = 1 };
    samples.x[0] = *x;
    samples.y[0] = *y;
    return samples;
}

void kit_train_batch(Model *model, const Tensor *x, const Tensor *y, double *logs)
{
    Err err = ERR_INIT;
    Samples given = kit_samples(x, y);
    assert_ok(compile_train_batch(model, &given, NULL, 0, logs, &err));
}

FitOptions kit_options(const Tensor *x, const Tensor *y, int batch_size, int epochs)
{
    FitOptions options;
    fit_options_init(&options);
    options.data = kit_samples(x, y);
    options.batch_size = batch_size;
    options.epochs = epochs;
    options.autosave = false;
    options.seed = 7;
    return options;
}

Run *kit_fit(Model *model, FitOptions *options)
{
    Err err = ERR_INIT;
    Run *run = run_new(model, options, &err);
    if (!run)
        fail_msg("fit failed: %s", err.text);
    return run;
}

void kit_wait(Run *run)
{
    Err err = ERR_INIT;
    assert_ok(run_wait(run, PATIENCE_S, NULL, NULL, NULL, &err));
    RunState state = run_state(run);
    if (state != RUN_FINISHED && state != RUN_STOPPED && state != RUN_FAILED && state != RUN_TROUBLE)
        fail_msg("run %d is still %s after %d s", run_id(run), run_state_name(state), PATIENCE_S);
}

void kit_until(Run *run, RunState state)
{
    for (double end = clock_now() + PATIENCE_S; run_state(run) != state; clock_sleep(0.0005))
        if (clock_now() > end)
            fail_msg("run %d is %s, not %s, after %d s", run_id(run), run_state_name(run_state(run)), run_state_name(state), PATIENCE_S);
}

void kit_at(Run *run, int64_t step)
{
    for (double end = clock_now() + PATIENCE_S; run_state(run) != RUN_PAUSED || kit_now(run).step != step; clock_sleep(0.0005))
        if (clock_now() > end)
            fail_msg("run %d is %s at step %lld, wanted a pause at %lld", run_id(run), run_state_name(run_state(run)),
                     (long long)kit_now(run).step, (long long)step);
}

void kit_step(Run *run, int64_t n)
{
    Err err = ERR_INIT;
    int64_t at = kit_now(run).step;
    assert_ok(run_step(run, n, &err));
    kit_at(run, at + n);
}

static bool snapshot_every_step(void *ctx, Err *err)
{
    (void)err;
    ((Run *)ctx)->ring.every_s = 0;
    return true;
}

void kit_dense(Run *run)
{
    Err err = ERR_INIT;
    assert_ok(run_do(run, snapshot_every_step, run, NULL, &err));
}

typedef struct Hash {
    Model *model;
    uint64_t value;
    bool saved; /* rounded to float32 */
} Hash;

static void mix(Hash *hash, const void *data, size_t n)
{
    const unsigned char *byte = data;
    for (size_t i = 0; i < n; i++)
        hash->value = (hash->value ^ byte[i]) * 0x100000001B3u;
}

static void mix_reals(Hash *hash, const real *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        float rounded = (float)x[i];
        if (hash->saved)
            mix(hash, &rounded, sizeof rounded);
        else
            mix(hash, &x[i], sizeof x[i]);
    }
}

static bool hash_layer(void *ctx, Layer *layer, const char *path)
{
    (void)path;
    if (layer->n_elements)
        mix_reals(ctx, layer->block, (int64_t)layer->n_elements);
    return true;
}

static bool hash_all(void *ctx, Err *err)
{
    Hash *hash = ctx;
    model_each_layer(hash->model, hash_layer, hash);
    const Optimizer *optimizer = compiled_of(hash->model, err)->optimizer;
    mix(hash, &optimizer->t, sizeof optimizer->t);
    mix(hash, &optimizer->learning_rate, sizeof optimizer->learning_rate);
    for (int i = 0; i < optimizer->n_blocks; i++)
        for (int s = 0; s < OPTIMIZER_SLOTS; s++)
            if (optimizer->blocks[i].slots[s])
                mix_reals(hash, optimizer->blocks[i].slots[s], (int64_t)optimizer->blocks[i].layer->n_trainable);
    return true;
}

static uint64_t hash_of(Run *run, bool saved)
{
    Err err = ERR_INIT;
    Hash hash = { run_model(run), FIRST, saved };
    assert_ok(run_do(run, hash_all, &hash, NULL, &err));
    return hash.value;
}

uint64_t kit_hash_model(Model *model)
{
    Err err = ERR_INIT;
    Hash hash = { model, FIRST, false };
    hash_all(&hash, &err);
    return hash.value;
}

uint64_t kit_hash(Run *run)
{
    return hash_of(run, false);
}

uint64_t kit_hash_saved(Run *run)
{
    return hash_of(run, true);
}

TeleNow kit_now(Run *run)
{
    TeleNow now;
    telemetry_now(run_telemetry(run), &now);
    return now;
}

void kit_end(Run *run, Model *model)
{
    run_unref(run);
    model_unref(model);
}
