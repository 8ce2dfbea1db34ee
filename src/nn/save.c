// SPDX-License-Identifier: MIT
/* Weights stand under the path of their layer, so that any program can read them; the architecture is a text beside them.
 * What other rooms add is listed by the beginnings of its names, so that a reader can tell it from weights that no layer has. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "formats/safetensors.h"
#include "nn/graph.h"
#include "nn/weights.h"

#define NOTE_KEY 48

typedef struct Saving {
    NamedTensor *items; /* owned */
    char (*names)[WEIGHT_NAME]; /* owned */
    SafeMeta *meta; /* owned */
    char (*keys)[NOTE_KEY]; /* owned: of the notes */
    int n_items, n_meta;
    Buf json, prefixes;
} Saving;

void weight_name(const ModelLeaf *leaf, int param, char out[WEIGHT_NAME])
{
    snprintf(out, WEIGHT_NAME, "%s/%s", leaf->path, leaf->layer->params[param].name);
}

static void add_weights(Saving *s, const Model *model)
{
    for (int i = 0; i < model->n_leaves; i++)
        for (int k = 0; k < model->leaves[i].layer->n_params; k++) {
            weight_name(&model->leaves[i], k, s->names[s->n_items]);
            s->items[s->n_items] = (NamedTensor){ s->names[s->n_items], model->leaves[i].layer->params[k].value };
            s->n_items++;
        }
}

/* "optimizer/" once, whatever number of tensors begin with it. */
static void add_prefix(Buf *prefixes, const char *name)
{
    const char *slash = strchr(name, '/'), *known = buf_text(prefixes);
    size_t n = slash ? (size_t)(slash - name) + 1 : strlen(name);
    while (*known) {
        size_t size = strcspn(known, "\n");
        if (size == n && !strncmp(known, name, n))
            return;
        known += size + (known[size] == '\n');
    }
    if (prefixes->size > 0)
        buf_put(prefixes, '\n');
    buf_write(prefixes, name, n);
}

static void add_extra(Saving *s, const ModelExtra *extra)
{
    for (int i = 0; i < extra->n_tensors; i++) {
        s->items[s->n_items++] = (NamedTensor){ extra->names[i], extra->tensors[i] };
        add_prefix(&s->prefixes, extra->names[i]);
    }
    for (int i = 0; i < extra->n_keys; i++)
        s->meta[s->n_meta++] = (SafeMeta){ extra->keys[i], extra->values[i] };
}

static int count_notes(const Model *model)
{
    int n = 0;
    for (const ModelNote *note = model->notes; note; note = note->next)
        n++;
    return n;
}

static void add_notes(Saving *s, const Model *model)
{
    int n = 0;
    for (const ModelNote *note = model->notes; note; note = note->next, n++) {
        snprintf(s->keys[n], NOTE_KEY, WEIGHTS_NOTE_KEY "%s", note->name);
        s->meta[s->n_meta++] = (SafeMeta){ s->keys[n], note->text };
    }
}

static bool prepare(Saving *s, Model *model, const ModelExtra *extra, Err *err)
{
    size_t n_weights = 0, n_extra = extra ? (size_t)extra->n_tensors : 0;
    size_t n_keys = extra ? (size_t)extra->n_keys : 0, n_notes = (size_t)count_notes(model);
    for (int i = 0; i < model->n_leaves; i++)
        n_weights += (size_t)model->leaves[i].layer->n_params;
    if (!(s->items = mem_zero(n_weights + n_extra + 1, sizeof *s->items, err)) || !(s->names = mem_zero(n_weights + 1, sizeof *s->names, err)) ||
        !(s->meta = mem_zero(n_keys + n_notes + 2, sizeof *s->meta, err)) || !(s->keys = mem_zero(n_notes + 1, NOTE_KEY, err)))
        return false;
    add_weights(s, model);
    add_notes(s, model);
    if (extra)
        add_extra(s, extra);
    if (!buf_ok(&s->prefixes, err))
        return false;
    s->meta[s->n_meta++] = (SafeMeta){ WEIGHTS_MODEL_KEY, buf_text(&s->json) };
    if (n_extra > 0)
        s->meta[s->n_meta++] = (SafeMeta){ WEIGHTS_EXTRA_KEY, buf_text(&s->prefixes) };
    return true;
}

bool model_save(Model *model, const char *path, const ModelExtra *extra, Err *err)
{
    Saving s = { .json = BUF_INIT, .prefixes = BUF_INIT };
    bool done = model_to_json(model, &s.json, err) && prepare(&s, model, extra, err) &&
                safetensors_save(path, s.items, s.n_items, s.meta, s.n_meta, 0666, err);
    mem_free(s.items);
    mem_free(s.names);
    mem_free(s.meta);
    mem_free(s.keys);
    buf_fini(&s.json);
    buf_fini(&s.prefixes);
    return done;
}
