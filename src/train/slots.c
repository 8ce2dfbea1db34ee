// SPDX-License-Identifier: MIT
/* Files of compiled models, and a compiled copy of a model. */
#include "train/slots.h"

#include <stdio.h>

#include "base/mem.h"
#include "tensor/kern.h"

/* ---- slots ---- */

void slots_fini(Slots *slots)
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
                snprintf(slots->names[slots->n], SLOT_NAME, "optimizer/%s/%s/%s", block->path, param->name, optimizer_slot_name(optimizer->kind, s));
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
    snprintf(slots->names[slots->n], SLOT_NAME, "callback/%d/kept", i);
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
    slots->names = mem_alloc(n, SLOT_NAME, err);
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

bool slots_stage(Slots *slots, const Optimizer *optimizer, const SafeTensors *file, Err *err)
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

void slots_commit(const Slots *slots)
{
    const real *from = slots->staged;
    for (int i = 0; i < slots->n; i++) {
        int64_t n = tensor_count(&slots->tensors[i]);
        kern_copy(tensor_real(&slots->tensors[i]), from, n);
        from += n;
    }
}

/* ---- files ---- */

bool slots_write(Model *model, const Saved *saved, const char *run_json, const char *path, Err *err)
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
    return model->compiled ? slots_write(model, NULL, NULL, path, err) : model_save(model, path, NULL, err);
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
    err_name(err, path);
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
    return ok || (err_name(err, path), err_wrap(err, "resume"));
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
