// SPDX-License-Identifier: MIT
/* Where a run stands: taken as plain data at a boundary, written as text in the metadata. */
#include "train/saved.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "tensor/kern.h"
#include "train/slots.h"

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

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
    json_t *root = json_pack("{s:i, s:i, s:I, s:I, s:b, s:b, s:o, s:o, s:f, s:I}", "version", RUN_VERSION, "epoch", at->epoch, "batch",
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
    ok = saved_finish(root, ok, &text, err) && slots_write(model, saved, buf_text(&text), path, err);
    buf_fini(&text);
    return ok;
}
