// SPDX-License-Identifier: MIT
/* Going on from a file: whether it fits is found out first, and all that can fail; then the run stands where the saved one stood. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "tensor/kern.h"
#include "train/slots.h"

static double number_of(const json_t *value)
{
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static void read_numbers(const json_t *in, double *out, int n)
{
    for (int i = 0; i < n; i++)
        out[i] = number_of(json_array_get(in, (size_t)i));
}

static int64_t whole(const json_t *root, const char *key)
{
    return json_integer_value(json_object_get(root, key));
}

/* The same data, cut into the same batches, in the same order. */
static bool check_same(const Run *run, const json_t *root, Err *err)
{
    char data[24];
    const char *saved_data = json_string_value(json_object_get(root, "data"));
    snprintf(data, sizeof data, "%016" PRIx64, run->data_hash);
    if (whole(root, "version") != RUN_VERSION)
        return err_set(err, ERR_DATA, "its run is not one that this version reads");
    if (whole(root, "batch_size") != run->batch_size)
        return err_set(err, ERR_ARG, "it was trained with batch_size = %lld, not %d", (long long)whole(root, "batch_size"), run->batch_size);
    if (whole(root, "rows") != run->feed.n)
        return err_set(err, ERR_ARG, "it was trained on %lld samples, this is %lld", (long long)whole(root, "rows"), (long long)run->feed.n);
    if (whole(root, "batches") != trainer_batches(run))
        return err_set(err, ERR_ARG, "it was trained with steps_per_epoch = %lld, not %lld", (long long)whole(root, "batches"),
                       (long long)trainer_batches(run));
    if (json_is_true(json_object_get(root, "shuffle")) != run->feed.shuffle)
        return err_set(err, ERR_ARG, "it was trained with shuffle = %s", run->feed.shuffle ? "false" : "true");
    if (json_is_true(json_object_get(root, "scheduled")) && !run->schedule)
        return err_set(err, ERR_ARG, "its learning rate followed a schedule that fit was given; give it again: schedule = nn.CosineDecay(…)");
    if (!saved_data || strcmp(saved_data, data))
        return err_set(err, ERR_DATA, "it was trained on other data: going on would give something else; to train these weights on new data use nn.load and fit");
    if ((int)json_array_size(json_object_get(root, "validation")) != run->n_metrics)
        return err_set(err, ERR_ARG, "it was trained with other metrics; compile with the same");
    int64_t epoch = whole(root, "epoch"), batch = whole(root, "batch"), step = whole(root, "step");
    int64_t first_epoch = whole(root, "first_epoch"), first_step = whole(root, "first_step"); /* rows are counted from there */
    if (epoch > INT32_MAX || first_epoch < 0 || first_epoch > epoch || batch < 0 || batch > trainer_batches(run) || first_step < 0 ||
        first_step > step || whole(root, "updates") < 0)
        return err_set(err, ERR_DATA, "its position makes no sense");
    return true;
}

static void read_history(Run *run, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        Fact fact = { .kind = FACT_EPOCH, .epoch = (int)whole(row, "epoch"), .step = whole(row, "step"), .branch = run->branch };
        fact.learning_rate = number_of(json_object_get(row, "rate"));
        for (int k = 0; k < TELE_METRICS; k++)
            fact.metrics[k] = fact.validation[k] = (double)NAN;
        read_numbers(json_object_get(row, "metrics"), fact.metrics, run->n_metrics);
        read_numbers(json_object_get(row, "validation"), fact.validation, run->n_metrics);
        telemetry_add_fact(run->tele, &fact);
    }
}

static void take_position(Run *run, const json_t *root)
{
    Position *at = &run->at;
    const char *seed = json_string_value(json_object_get(root, "seed"));
    at->epoch = (int)whole(root, "epoch");
    at->batch = whole(root, "batch");
    at->step = whole(root, "step");
    at->validating = json_is_true(json_object_get(root, "validating"));
    at->scheduled = run->schedule && json_is_true(json_object_get(root, "scheduled"));
    const json_t *sums = json_object_get(root, "sums"); /* none: the file is of an epoch's start */
    if (json_array_size(sums) == run->sums.n)
        read_numbers(sums, run->sums.v, (int)run->sums.n);
    read_numbers(json_object_get(root, "validation"), at->validation, run->n_metrics);
    run->first_epoch = (int)whole(root, "first_epoch");
    run->first_step = whole(root, "first_step");
    run->branch = (int)whole(root, "branch");
    run->begun = at->batch > 0 ? at->epoch : -1;
    if (seed && sscanf(seed, "%" SCNu64, &run->seed) == 1)
        run->feed.seed = run->seed;
    run->optimizer->t = whole(root, "updates");
    run->optimizer->learning_rate = number_of(json_object_get(root, "learning_rate"));
    read_history(run, json_object_get(root, "history"));
    const char *core = json_string_value(json_object_get(root, "core"));
    report_event(run, false, "resumed", "goes on at step %lld%s%s", (long long)at->step + 1,
                 core && strcmp(core, kern_blas_core()) ? "; another processor's kernels made the file, last bits will differ: " : "",
                 core && strcmp(core, kern_blas_core()) ? core : "");
}

static bool take_callback(Run *run, int i, const json_t *row, const SafeTensors *file, Err *err)
{
    const char *name = json_string_value(json_object_get(row, "name"));
    const json_t *list = json_object_get(row, "state");
    double state[CALLBACK_STATE];
    char tensor_name[48];
    if (!name || json_array_size(list) != CALLBACK_STATE)
        return err_set(err, ERR_DATA, "the state of its callback %d makes no sense", i + 1);
    for (size_t k = 0; k < CALLBACK_STATE; k++) {
        const char *text = json_string_value(json_array_get(list, k));
        state[k] = text ? strtod(text, NULL) : (double)NAN;
    }
    if (!(state[CALLBACK_KEPT] >= 0))
        return callbacks_take_up(run, i, name, state, NULL, err);
    snprintf(tensor_name, sizeof tensor_name, "callback/%d/kept", i);
    const SafeEntry *entry = safetensors_find(file, tensor_name);
    Shape shape = SHAPE((int64_t)callbacks_weights(run));
    Tensor kept = { 0 };
    if (!entry || !entry->readable || !shape_same(&entry->shape, &shape))
        return err_set(err, ERR_DATA, "%s is missing or has another size", tensor_name);
    bool ok = tensor_new(&kept, DTYPE_FLOAT32, shape, err) && safetensors_read(file, entry, &kept, err) &&
              callbacks_take_up(run, i, name, state, &kept, err);
    tensor_unref(&kept);
    return ok;
}

static bool take_callbacks(Run *run, const json_t *root, const SafeTensors *file, Err *err)
{
    const json_t *list = json_object_get(root, "callbacks");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!take_callback(run, (int)i, json_array_get(list, i), file, err))
            return false;
    return true;
}

bool checkpoint_load(Run *run, const char *path, Err *err)
{
    Err own = ERR_INIT;
    err = err ? err : &own;
    Slots slots = { 0 };
    SafeTensors *file = safetensors_open(path, err);
    const char *text = file ? safetensors_meta(file, RUN_KEY) : NULL;
    json_t *root = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    bool ok = file && (json_is_object(root) || err_set(err, ERR_DATA, text ? "its run cannot be read" : "it holds a model, but no run to go on from"));
    ok = ok && check_same(run, root, err) && slots_stage(&slots, run->optimizer, file, err) && take_callbacks(run, root, file, err) &&
         model_load_weights(run->model, path, NULL, NULL, err);
    if (ok) {
        slots_commit(&slots);
        take_position(run, root);
        ok = callbacks_mark(run, err);
    } else {
        err_name(err, path);
        err_wrap(err, "resume");
    }
    slots_fini(&slots);
    json_decref(root);
    safetensors_free(file);
    return ok;
}
