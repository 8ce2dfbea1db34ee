// SPDX-License-Identifier: MIT
/* All is checked before anything changes: the architecture is planned without memory for weights, every weight is looked up in
 * the file's header by name and shape, and only then is memory taken, which is thus bounded by the file's own size. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "formats/safetensors.h"
#include "nn/graph.h"
#include "nn/weights.h"

typedef struct Loading {
    SafeTensors *file;  /* owned */
    const char *path;
    Model *model;
    const Model *names; /* whose paths the file uses; the model itself, or one planned from the file */
    LoadOptions options;
    int n_loaded;
} Loading;

/* ---- checking ---- */

static const SafeEntry *entry_of(const Loading *l, int leaf, int param, char name[WEIGHT_NAME])
{
    weight_name(&l->names->leaves[leaf], param, name);
    return safetensors_find(l->file, name);
}

/* NULL when entry can be read into the parameter, else a reason in text. */
static const char *misfit(const SafeEntry *entry, const Param *param, char *text, size_t size)
{
    char want[SHAPE_TEXT], got[SHAPE_TEXT];
    if (!entry)
        return "is missing in the file";
    if (!entry->readable || entry->dtype != DTYPE_FLOAT32)
        snprintf(text, size, "has type %.20s in the file, which is no floating-point number that weights can have", entry->type_name);
    else if (!shape_same(&entry->shape, &param->value.shape))
        snprintf(text, size, "has shape %s in the file, the model wants %s", shape_text(&entry->shape, got),
                 shape_text(&param->value.shape, want));
    else
        return NULL;
    return text;
}

typedef struct Trouble {
    int n;
    char first[WEIGHT_NAME + 200];
} Trouble;

static bool is_allowed(const LoadOptions *o, LoadKind kind)
{
    return kind == LOAD_MATCHED || (kind == LOAD_MISFIT ? o->skip_mismatch : o->by_name || o->skip_mismatch);
}

static void note(const Loading *l, Trouble *trouble, LoadKind kind, const char *name, const char *reason)
{
    if (!is_allowed(&l->options, kind) && trouble->n++ == 0)
        snprintf(trouble->first, sizeof trouble->first, "%.*s %s", WEIGHT_NAME, name, reason);
    if (l->options.tell)
        l->options.tell(l->options.ctx, kind, name, reason);
}

static void check_weights(const Loading *l, Trouble *trouble)
{
    char name[WEIGHT_NAME], text[400];
    for (int i = 0; i < l->model->n_leaves; i++)
        for (int k = 0; k < l->model->leaves[i].layer->n_params; k++) {
            const SafeEntry *entry = entry_of(l, i, k, name);
            const char *reason = misfit(entry, &l->model->leaves[i].layer->params[k], text, sizeof text);
            note(l, trouble, !reason ? LOAD_MATCHED : entry ? LOAD_MISFIT : LOAD_MISSING, name, reason ? reason : "");
        }
}

static bool is_weight(const Loading *l, const char *name)
{
    char own[WEIGHT_NAME];
    for (int i = 0; i < l->names->n_leaves; i++) {
        const ModelLeaf *leaf = &l->names->leaves[i];
        size_t n = strlen(leaf->path);
        for (int k = 0; k < leaf->layer->n_params && !strncmp(leaf->path, name, n); k++) {
            weight_name(leaf, k, own);
            if (!strcmp(own, name))
                return true;
        }
    }
    return false;
}

static bool is_extra(const Loading *l, const char *name)
{
    const char *prefix = safetensors_meta(l->file, WEIGHTS_EXTRA_KEY);
    while (prefix && *prefix) {
        size_t n = strcspn(prefix, "\n");
        if (n > 0 && !strncmp(prefix, name, n) && (prefix[n - 1] == '/' || !name[n]))
            return true;
        prefix += n + (prefix[n] == '\n');
    }
    return false;
}

static void check_surplus(const Loading *l, Trouble *trouble)
{
    for (int i = 0; i < safetensors_count(l->file); i++) {
        const char *name = safetensors_at(l->file, i)->name;
        if (!is_weight(l, name) && !is_extra(l, name))
            note(l, trouble, LOAD_SURPLUS, name, "stands in the file, but no layer of the model has it");
    }
}

static bool check(const Loading *l, Err *err)
{
    Trouble trouble = { 0 };
    check_weights(l, &trouble);
    check_surplus(l, &trouble);
    if (trouble.n == 0)
        return true;
    char more[40] = "";
    if (trouble.n > 1)
        snprintf(more, sizeof more, " (and %d more)", trouble.n - 1);
    return err_set(err, ERR_DATA, "%s does not fit %s: %.300s%s", l->path, l->model->name, trouble.first, more);
}

/* ---- reading ---- */

static bool read_weights(Loading *l, Err *err)
{
    char name[WEIGHT_NAME], text[400];
    for (int i = 0; i < l->model->n_leaves; i++)
        for (int k = 0; k < l->model->leaves[i].layer->n_params; k++) {
            Param *param = &l->model->leaves[i].layer->params[k];
            const SafeEntry *entry = entry_of(l, i, k, name);
            if (misfit(entry, param, text, sizeof text))
                continue;
            if (!safetensors_read(l->file, entry, &param->value, err))
                return false;
            l->n_loaded++;
        }
    return true;
}

static Model *plan_from(const SafeTensors *file, Err *err)
{
    const char *json = safetensors_meta(file, WEIGHTS_MODEL_KEY);
    if (json)
        return json_plan(json, strlen(json), err);
    err_set(err, ERR_DATA, "the file holds tensors but no model of hebb; make the model, then model:load_weights reads them");
    return NULL;
}

static bool read_notes(const SafeTensors *file, Model *model, Err *err)
{
    size_t n = strlen(WEIGHTS_NOTE_KEY);
    for (int i = 0; i < safetensors_meta_count(file); i++) {
        const SafeMeta *meta = safetensors_meta_at(file, i);
        if (!strncmp(meta->key, WEIGHTS_NOTE_KEY, n) && !model_set_note(model, meta->key + n, meta->value, err))
            return false;
    }
    return true;
}

static Model *load_from(SafeTensors *file, const char *path, Err *err)
{
    Model *model = plan_from(file, err);
    if (!model) {
        err_wrap(err, "%s", path);
        return NULL;
    }
    Loading l = { .file = file, .path = path, .model = model, .names = model };
    if (check(&l, err) && graph_allocate(model, false, err) && read_weights(&l, err) && read_notes(file, model, err))
        return model;
    graph_rollback(model);
    model_unref(model);
    return NULL;
}

Model *model_load(const char *path, Err *err)
{
    Err own = ERR_INIT;
    err = err ? err : &own;
    SafeTensors *file = safetensors_open(path, err);
    Model *model = file ? load_from(file, path, err) : NULL;
    safetensors_free(file);
    return model;
}

bool model_load_key(const char *path, const char *key, Buf *out, Err *err)
{
    err_clear(err);
    SafeTensors *file = safetensors_open(path, err);
    const char *value = file ? safetensors_meta(file, key) : NULL;
    if (value)
        buf_puts(out, value);
    bool found = value && buf_ok(out, err);
    safetensors_free(file);
    return found;
}

/* ---- weights into a model that stands ---- */

/* The same layers in the same order, whatever they are called. */
static bool same_build(const Model *a, const Model *b)
{
    bool same = a->n_leaves == b->n_leaves;
    for (int i = 0; same && i < a->n_leaves; i++) {
        const Layer *x = a->leaves[i].layer, *y = b->leaves[i].layer;
        same = x->kind == y->kind && x->n_params == y->n_params;
        for (int k = 0; same && k < x->n_params; k++)
            same = !strcmp(x->params[k].name, y->params[k].name) && shape_same(&x->params[k].value.shape, &y->params[k].value.shape);
    }
    return same;
}

static bool has_named_weight(const Loading *l)
{
    char name[WEIGHT_NAME];
    for (int i = 0; i < l->model->n_leaves; i++)
        if (l->model->leaves[i].layer->n_params > 0 && entry_of(l, i, 0, name))
            return true;
    return false;
}

/* Automatic names count on within a process: "dense" in the file may be "dense_2" now. When names do not all match but the file's
 * own model is built alike, its order counts. NULL: go by the names. */
static Model *plan_alike(const Loading *l)
{
    Trouble trouble = { 0 };
    Loading quiet = *l;
    quiet.options = (LoadOptions){ 0 };
    check_weights(&quiet, &trouble);
    Model *planned = trouble.n > 0 && safetensors_meta(l->file, WEIGHTS_MODEL_KEY) ? plan_from(l->file, NULL) : NULL;
    if (planned && same_build(planned, l->model))
        return planned;
    model_unref(planned);
    return NULL;
}

static void free_blocks(real **kept, int n)
{
    for (int i = 0; i < n; i++)
        mem_free(kept[i]);
    mem_free(kept);
}

/* Copies of all blocks, so that a file that cannot be read to its end leaves the model as it was. */
static real **keep_blocks(const Model *model, Err *err)
{
    real **kept = mem_zero((size_t)model->n_leaves + 1, sizeof *kept, err);
    for (int i = 0; kept && i < model->n_leaves; i++) {
        const Layer *layer = model->leaves[i].layer;
        if (layer->n_elements == 0)
            continue;
        if (!(kept[i] = mem_alloc(layer->n_elements, sizeof(real), err))) {
            free_blocks(kept, model->n_leaves);
            return NULL;
        }
        memcpy(kept[i], layer->block, layer->n_elements * sizeof(real));
    }
    return kept;
}

static bool read_or_restore(Loading *l, Err *err)
{
    real **kept = keep_blocks(l->model, err);
    if (!kept)
        return false;
    bool done = read_weights(l, err);
    for (int i = 0; !done && i < l->model->n_leaves; i++)
        if (kept[i])
            memcpy(l->model->leaves[i].layer->block, kept[i], l->model->leaves[i].layer->n_elements * sizeof(real));
    free_blocks(kept, l->model->n_leaves);
    return done;
}

static bool load_into(Loading *l, Err *err)
{
    Model *alike = l->options.by_name ? NULL : plan_alike(l);
    if (alike) {
        l->names = alike;
        if (l->options.tell)
            l->options.tell(l->options.ctx, LOAD_ORDER, "", "names differ: weights are taken in the order of the layers");
    }
    bool done = check(l, err);
    if (done && (l->options.skip_mismatch || l->options.by_name) && !has_named_weight(l))
        done = err_set(err, ERR_DATA, "%s: no weight of the file has a name of %s", l->path, l->model->name);
    done = done && read_or_restore(l, err);
    model_unref(alike);
    return done;
}

bool model_load_weights(Model *model, const char *path, const LoadOptions *options, int *n_loaded, Err *err)
{
    if (n_loaded)
        *n_loaded = 0;
    if (!model->built)
        return err_set(err, ERR_STATE, "%s is not built yet: give its first layer an input_shape, or fit or predict once", model->name);
    Loading l = { .path = path, .model = model, .names = model };
    if (options)
        l.options = *options;
    if (!(l.file = safetensors_open(path, err)))
        return false;
    bool done = load_into(&l, err);
    safetensors_free(l.file);
    if (n_loaded)
        *n_loaded = l.n_loaded;
    return done;
}
