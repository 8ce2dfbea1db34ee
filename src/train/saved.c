// SPDX-License-Identifier: MIT
/* Writing and reading what stands in the metadata, and the slots. */
#include "train/saved.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "formats/safetensors.h"
#include "tensor/kern.h"

#define TRAIN_KEY "hebb.train"
#define RUN_KEY "hebb.run"
#define VERSION 1
#define NAME_ROOM 192

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static double number_of(const json_t *value)
{
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

/* ---- slots ---- */

typedef struct Slots {
    int n;
    char (*names)[NAME_ROOM]; /* owned */
    const char **list;        /* owned */
    Tensor *tensors;          /* owned array of borrowed views */
    real *staged;             /* owned: what was read and is not taken over yet, one tensor behind the other; may be NULL */
} Slots;

static void slots_fini(Slots *slots)
{
    mem_free(slots->names);
    mem_free(slots->list);
    mem_free(slots->tensors);
    mem_free(slots->staged);
}

static void slots_add(Slots *slots, const Optimizer *optimizer, int block_index)
{
    const OptimizerBlock *block = &optimizer->blocks[block_index];
    for (int p = 0; p < block->layer->n_params; p++) {
        const Param *param = &block->layer->params[p];
        for (int s = 0; s < OPTIMIZER_SLOTS && param->offset < block->layer->n_trainable; s++) {
            if (!block->slots[s])
                continue;
            if (slots->names) {
                snprintf(slots->names[slots->n], NAME_ROOM, "optimizer/%s/%s/%s", block->path, param->name, optimizer_slot_name(optimizer->kind, s));
                slots->list[slots->n] = slots->names[slots->n];
                slots->tensors[slots->n] = tensor_borrow(DTYPE_FLOAT32, param->value.shape, block->slots[s] + param->offset);
            }
            slots->n++;
        }
    }
}

/* Weights that a callback keeps, as one row of numbers. */
static void slots_add_kept(Slots *slots, const CallbackSaved *callback, int i)
{
    if (callback->state[CALLBACK_KEPT] < 0)
        return;
    snprintf(slots->names[slots->n], NAME_ROOM, "callback/%d/kept", i);
    slots->list[slots->n] = slots->names[slots->n];
    slots->tensors[slots->n++] = tensor_borrow(DTYPE_FLOAT32, SHAPE((int64_t)callback->n_kept), callback->kept);
}

/* With room for what callbacks keep. */
static bool slots_init(Slots *slots, const Optimizer *optimizer, Err *err)
{
    *slots = (Slots){ .n = FIT_CALLBACKS };
    for (int i = 0; i < optimizer->n_blocks; i++)
        slots_add(slots, optimizer, i);
    size_t n = (size_t)slots->n;
    slots->names = mem_alloc(n, NAME_ROOM, err);
    slots->list = mem_alloc(n, sizeof *slots->list, err);
    slots->tensors = mem_alloc(n, sizeof *slots->tensors, err);
    if (!slots->names || !slots->list || !slots->tensors) {
        slots_fini(slots);
        *slots = (Slots){ 0 };
        return false;
    }
    slots->n = 0;
    for (int i = 0; i < optimizer->n_blocks; i++)
        slots_add(slots, optimizer, i);
    return true;
}

/* Into memory of its own, so that the optimizer stays as it is until slots_commit. The caller ends slots, also on failure. */
static bool slots_stage(Slots *slots, const Optimizer *optimizer, const SafeTensors *file, Err *err)
{
    if (!slots_init(slots, optimizer, err))
        return false;
    size_t n = 0;
    for (int i = 0; i < slots->n; i++) {
        const SafeEntry *entry = safetensors_find(file, slots->list[i]);
        if (!entry || !entry->readable || !shape_same(&entry->shape, &slots->tensors[i].shape))
            return err_set(err, ERR_DATA, "%s is missing or has another shape: the file's optimizer does not fit", slots->list[i]);
        n += (size_t)tensor_count(&slots->tensors[i]);
    }
    if (!(slots->staged = mem_alloc(n, sizeof *slots->staged, err)))
        return false;
    real *to = slots->staged;
    for (int i = 0; i < slots->n; i++) {
        Tensor part = tensor_borrow(DTYPE_FLOAT32, slots->tensors[i].shape, to);
        if (!safetensors_read(file, safetensors_find(file, slots->list[i]), &part, err))
            return false;
        to += tensor_count(&part);
    }
    return true;
}

static void slots_commit(const Slots *slots)
{
    const real *from = slots->staged;
    for (int i = 0; i < slots->n; i++) {
        int64_t n = tensor_count(&slots->tensors[i]);
        kern_copy(tensor_real(&slots->tensors[i]), from, n);
        from += n;
    }
}

/* ---- files ---- */

static bool write_file(Model *model, const Saved *saved, const char *run_json, const char *path, Err *err)
{
    const Compiled *compiled = compiled_of(model, err);
    Buf train = BUF_INIT;
    Slots slots;
    bool ok = compiled && compiled_to_json(compiled, &train, err);
    if (ok && (ok = slots_init(&slots, compiled->optimizer, err))) {
        for (int i = 0; saved && i < saved->n_callbacks; i++)
            slots_add_kept(&slots, &saved->callbacks[i], i);
        const char *keys[2] = { TRAIN_KEY, RUN_KEY }, *values[2] = { buf_text(&train), run_json };
        ModelExtra extra = { slots.n, slots.list, slots.tensors, run_json ? 2 : 1, keys, values };
        ok = model_save(model, path, &extra, err);
        slots_fini(&slots);
    }
    buf_fini(&train);
    return ok;
}

bool compile_save(Model *model, const char *path, Err *err)
{
    return model->compiled ? write_file(model, NULL, NULL, path, err) : model_save(model, path, NULL, err);
}

/* Compile the model as the file says. *found: it says something. */
static bool compile_as(Model *model, const char *path, bool *found, Err *err)
{
    Buf json = BUF_INIT;
    Compiled compiled;
    *found = model_load_key(path, TRAIN_KEY, &json, err);
    bool ok = *found ? compiled_from_json(buf_text(&json), model, &compiled, err) && compile_model(model, &compiled, err) : err->code == ERR_OK;
    buf_fini(&json);
    return ok;
}

/* The slots of the model's optimizer from its file. */
static bool load_slots(Model *model, const char *path, Err *err)
{
    Slots slots = { 0 };
    Optimizer *optimizer = compiled_of(model, err)->optimizer;
    SafeTensors *file = safetensors_open(path, err);
    bool ok = file != NULL;
    if (ok && safetensors_count(file) > 0 && model_count_params(model, true) > 0 && optimizer->t > 0) {
        ok = optimizer_bind(optimizer, model, err) && slots_stage(&slots, optimizer, file, err);
        if (ok)
            slots_commit(&slots);
        slots_fini(&slots);
    }
    safetensors_free(file);
    return ok;
}

Model *compile_load(const char *path, Err *err)
{
    Err own = ERR_INIT;
    err = err ? err : &own;
    bool found = false;
    Model *model = model_load(path, err);
    if (model && compile_as(model, path, &found, err) && (!found || load_slots(model, path, err)))
        return model;
    err_wrap(err, "%s", path);
    model_unref(model);
    return NULL;
}

bool compile_from_file(Model *model, const char *path, Err *err)
{
    Err own = ERR_INIT;
    err = err ? err : &own;
    bool found, ok = compile_as(model, path, &found, err);
    if (ok && !found)
        ok = err_set(err, ERR_DATA, "it holds no state of training; first model:compile{optimizer = \"adam\", loss = …}");
    return ok || (err_wrap(err, "resume %s", path), false);
}

/* ---- a copy of the model ---- */

Model *replica_new(Model *model, const Compiled *compiled, Err *err)
{
    Buf json = BUF_INIT, train = BUF_INIT;
    Compiled copy;
    Model *replica = model_to_json(model, &json, err) ? model_from_json(buf_text(&json), err) : NULL;
    bool ok = replica && compiled_to_json(compiled, &train, err) && compiled_from_json(buf_text(&train), replica, &copy, err) && model_copy_notes(replica, model, err) &&
              compile_model(replica, &copy, err) && optimizer_bind(compiled_of(replica, err)->optimizer, replica, err);
    buf_fini(&json);
    buf_fini(&train);
    if (ok)
        return replica;
    model_unref(replica);
    return NULL;
}

typedef struct Fill {
    Run *run;
    int n;
} Fill;

static bool fill_layer(void *ctx, Layer *layer, const char *path)
{
    Fill *fill = ctx;
    (void)path;
    if (layer->n_elements)
        kern_copy(layer->block, fill->run->layers[fill->n]->block, (int64_t)layer->n_elements);
    fill->n++;
    return true;
}

void replica_fill(Model *replica, Run *run)
{
    Fill fill = { run, 0 };
    Optimizer *to = compiled_of(replica, NULL)->optimizer;
    const Optimizer *from = run->optimizer;
    model_each_layer(replica, fill_layer, &fill);
    for (int i = 0; i < to->n_blocks; i++)
        for (int s = 0; s < OPTIMIZER_SLOTS; s++)
            if (to->blocks[i].slots[s])
                kern_copy(to->blocks[i].slots[s], from->blocks[i].slots[s], (int64_t)to->blocks[i].layer->n_trainable);
    to->t = from->t;
    to->learning_rate = from->learning_rate;
}

/* ---- where a run stands ---- */

/* Rows, sizes, and every k-th row: enough to notice other data. */
uint64_t saved_hash_data(const Feed *feed)
{
    uint64_t hash = 14695981039346656037u ^ (uint64_t)feed->n;
    for (int i = 0; i < feed->all.n_x + feed->all.n_y; i++) {
        const Tensor *tensor = i < feed->all.n_x ? &feed->all.x[i] : &feed->all.y[i - feed->all.n_x];
        if (!tensor->data)
            continue;
        size_t size = (size_t)shape_count_from(&tensor->shape, 1) * dtype_size(tensor->dtype);
        int64_t every = feed->n / 64 + 1;
        for (int64_t row = feed->first; row < feed->first + feed->n; row += every)
            for (size_t k = 0; k < size; k++)
                hash = (hash ^ ((const unsigned char *)tensor->data)[(size_t)row * size + k]) * 0x100000001B3u;
    }
    return hash;
}

void saved_fini(Saved *saved)
{
    mem_free(saved->sums);
    saved->sums = NULL;
    callbacks_saved_fini(saved->callbacks, saved->n_callbacks);
    saved->callbacks = NULL;
    saved->n_callbacks = 0;
}

bool saved_take(const Run *run, Saved *out, Err *err)
{
    double *sums = out->sums = out->sums ? out->sums : mem_alloc(run->sums.n, sizeof *sums, err);
    if (!sums || !callbacks_save(run, &out->callbacks, &out->n_callbacks, err))
        return false;
    memcpy(sums, run->sums.v, run->sums.n * sizeof *sums);
    *out = (Saved){ .at = run->at, .learning_rate = run->optimizer->learning_rate, .t = run->optimizer->t, .first_step = run->first_step,
                    .rows = run->feed.n, .batches = trainer_batches(run), .seed = run->seed, .data_hash = run->data_hash,
                    .first_epoch = run->first_epoch, .epochs = run->epochs, .batch_size = run->batch_size, .branch = run->branch,
                    .n_metrics = run->n_metrics, .shuffle = run->feed.shuffle, .n_facts = telemetry_facts(run->tele), .sums = sums, .n_sums = run->sums.n,
                    .callbacks = out->callbacks, .n_callbacks = out->n_callbacks };
    return true;
}

static json_t *numbers(const double *values, int n)
{
    json_t *out = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(out, number(values[i]));
    return out;
}

/* As text: JSON has no infinity and no NaN. */
static json_t *state_json(const double *state)
{
    json_t *out = json_array();
    for (int i = 0; i < CALLBACK_STATE; i++) {
        char text[32];
        snprintf(text, sizeof text, "%.17g", state[i]);
        json_array_append_new(out, json_string(text));
    }
    return out;
}

static json_t *history_json(const Saved *saved, Telemetry *tele)
{
    json_t *out = json_array();
    int n = history_rows(tele, saved->n_facts, NULL, 0);
    const Fact **rows = mem_alloc((size_t)n, sizeof *rows, NULL);
    if (rows)
        n = history_rows(tele, saved->n_facts, rows, n);
    for (int i = 0; rows && i < n; i++)
        json_array_append_new(out, json_pack("{s:i, s:I, s:o, s:o, s:o}", "epoch", rows[i]->epoch, "step", (json_int_t)rows[i]->step, "rate",
                                             number(rows[i]->learning_rate), "metrics", numbers(rows[i]->metrics, saved->n_metrics),
                                             "validation", numbers(rows[i]->validation, saved->n_metrics)));
    mem_free(rows);
    return rows ? out : (json_decref(out), NULL);
}

static json_t *callbacks_json(const Saved *saved)
{
    json_t *out = json_array();
    for (int i = 0; i < saved->n_callbacks; i++)
        json_array_append_new(out, json_pack("{s:s, s:o}", "name", saved->callbacks[i].name, "state",
                                             state_json(saved->callbacks[i].state)));
    return out;
}

bool saved_write(const Saved *saved, Telemetry *tele, Model *model, const char *path, Err *err)
{
    const Position *at = &saved->at;
    char seed[24], data[24];
    snprintf(seed, sizeof seed, "%" PRIu64, saved->seed);
    snprintf(data, sizeof data, "%016" PRIx64, saved->data_hash);
    json_t *sums = numbers(saved->sums, (int)(at->batch > 0 ? saved->n_sums : 0)); /* a new epoch begins with none */
    json_t *root = json_pack("{s:i, s:i, s:I, s:I, s:b, s:b, s:o, s:o, s:f, s:I}", "version", VERSION, "epoch", at->epoch, "batch",
                             (json_int_t)at->batch, "step", (json_int_t)at->step, "validating", at->validating, "scheduled", at->scheduled, "sums",
                             sums, "validation", numbers(at->validation, saved->n_metrics), "learning_rate", saved->learning_rate, "updates",
                             (json_int_t)saved->t);
    json_t *rest = json_pack("{s:i, s:I, s:i, s:b, s:s, s:s, s:I, s:I, s:i, s:s, s:o}", "first_epoch", saved->first_epoch, "first_step",
                             (json_int_t)saved->first_step, "batch_size", saved->batch_size, "shuffle", saved->shuffle, "seed", seed, "data", data,
                             "rows", (json_int_t)saved->rows, "batches", (json_int_t)saved->batches, "branch", saved->branch, "core",
                             kern_blas_core(), "history", history_json(saved, tele));
    bool ok = root && rest && !json_object_update(root, rest);
    json_decref(rest);
    if (ok && saved->n_callbacks > 0)
        ok = !json_object_set_new(root, "callbacks", callbacks_json(saved));
    Buf text = BUF_INIT;
    ok = saved_finish(root, ok, &text, err) && write_file(model, saved, buf_text(&text), path, err);
    buf_fini(&text);
    return ok;
}

/* ---- going on ---- */

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
    if (whole(root, "version") != VERSION)
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
    if (!saved_data || strcmp(saved_data, data))
        return err_set(err, ERR_DATA, "it was trained on other data: going on would give something else; to train these weights on new data use nn.load and fit");
    if ((int)json_array_size(json_object_get(root, "validation")) != run->n_metrics)
        return err_set(err, ERR_ARG, "it was trained with other metrics; compile with the same");
    int64_t epoch = whole(root, "epoch"), batch = whole(root, "batch"), step = whole(root, "step");
    if (epoch < 0 || epoch > INT32_MAX || batch < 0 || batch > trainer_batches(run) || step < 0 || whole(root, "updates") < 0)
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
        err_wrap(err, "resume %s", path);
    }
    slots_fini(&slots);
    json_decref(root);
    safetensors_free(file);
    return ok;
}
