// SPDX-License-Identifier: MIT
/* What compile was given, as text and back: names, and arguments as text, so that defaults may change safely. */
#include "train/custom.h"
#include "train/saved.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define VERSION 1

/* jansson says nothing about what failed: it is memory. */
bool saved_finish(json_t *root, bool ok, Buf *out, Err *err)
{
    char *text = ok && root ? json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    if (text)
        buf_puts(out, text);
    free(text);
    json_decref(root);
    if (!text)
        return err_set(err, ERR_MEM, "out of memory while writing the training's state");
    return buf_ok(out, err);
}

static json_t *args_json(const Args *args)
{
    json_t *out = json_object();
    for (int i = 0; i < args->n; i++) {
        Buf text = BUF_INIT;
        args_write(&text, args, i);
        json_object_set_new(out, args->specs[i].name, json_string(buf_text(&text)));
        buf_fini(&text);
    }
    return out;
}

static json_t *rate_json(const Rate *rate)
{
    json_t *out = json_pack("{s:s, s:o}", "name", rate->schedule->name, "args", args_json(&rate->args));
    if (rate->after && out)
        json_object_set_new(out, "after", rate_json(rate->after));
    return out;
}

/* What a function of the user was traced to, beside its name. */
static bool put_ops(json_t *row, const Custom *custom)
{
    return !custom_is(custom) || json_object_set_new(row, "ops", custom_json(custom)) == 0;
}

bool compiled_to_json(const Compiled *compiled, Buf *out, Err *err)
{
    const Optimizer *optimizer = compiled->optimizer;
    json_t *metrics = json_array();
    bool ok = true;
    for (int i = 0; i < compiled->n_metrics; i++) {
        json_t *row = json_pack("{s:s, s:s, s:b, s:o}", "name", compiled->metrics[i]->name, "as", compiled->metric_names[i], "weighted",
                                compiled->metric_weighted[i], "args", args_json(&compiled->metric_args[i]));
        ok = put_ops(row, &compiled->metric_custom[i]) && ok;
        ok = json_array_append_new(metrics, row) == 0 && ok;
    }
    json_t *root = json_pack("{s:i, s:{s:s, s:o, s:f, s:I}, s:{s:s, s:o}, s:o}", "version", VERSION, "optimizer", "name", optimizer->kind->name,
                             "args", args_json(&optimizer->args), "learning_rate", optimizer->learning_rate, "updates", (json_int_t)optimizer->t,
                             "loss", "name", compiled->loss->name, "args", args_json(&compiled->loss_args), "metrics", metrics);
    if (optimizer->rate && root)
        json_object_set_new(json_object_get(root, "optimizer"), "schedule", rate_json(optimizer->rate));
    ok = put_ops(json_object_get(root, "loss"), &compiled->custom) && ok;
    return saved_finish(root, ok, out, err);
}

static bool args_from(Args *args, const ArgSpec *specs, int n, const json_t *in, const char *who, Err *err)
{
    args_init(args, specs, n);
    for (int i = 0; i < n; i++) {
        const char *text = json_string_value(json_object_get(in, specs[i].name));
        if (text && !args_parse(args, i, text, who, err))
            return false;
    }
    return args_complete(args, who, err);
}

static bool named_from(const json_t *in, const char **name, const json_t **args, Err *err)
{
    *name = json_string_value(json_object_get(in, "name"));
    *args = json_object_get(in, "args");
    return *name || err_set(err, ERR_DATA, "the training's state lacks a name");
}

static bool metrics_from(const json_t *list, Compiled *out, Err *err)
{
    const char *name;
    const json_t *args;
    if (json_array_size(list) > COMPILE_METRICS)
        return err_set(err, ERR_DATA, "more than %d metrics", COMPILE_METRICS);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        const char *as = json_string_value(json_object_get(row, "as"));
        json_t *ops = json_object_get(row, "ops");
        if (ops && !custom_read(ops, &out->metric_custom[i], err))
            return false;
        if (!named_from(row, &name, &args, err) || !(out->metrics[i] = ops ? &metric_custom : metric_find(name, err)) ||
            !args_from(&out->metric_args[i], out->metrics[i]->args, out->metrics[i]->n_args, args, name, err))
            return false;
        snprintf(out->metric_names[i], sizeof out->metric_names[i], "%s", as ? as : name);
        out->metric_weighted[i] = json_is_true(json_object_get(row, "weighted"));
        out->n_metrics++;
    }
    return true;
}

#define RATE_DEPTH 16 /* schedules that stand before one another, in a file */

static Rate *rate_from(const json_t *in, int depth, Err *err)
{
    const char *name;
    const json_t *args, *next = json_object_get(in, "after");
    Args values;
    if (!named_from(in, &name, &args, err))
        return NULL;
    const Schedule *schedule = schedule_find(name, err);
    if (!schedule || !args_from(&values, schedule->args, schedule->n_args, args, name, err))
        return NULL;
    if (depth == RATE_DEPTH) {
        err_set(err, ERR_DATA, "more than %d schedules stand before one another", RATE_DEPTH);
        return NULL;
    }
    Rate *after = next ? rate_from(next, depth + 1, err) : NULL;
    Rate *rate = next && !after ? NULL : rate_new(schedule, &values, after, err);
    rate_unref(after);
    return rate;
}

static bool compiled_from(const json_t *root, Compiled *out, Err *err)
{
    const char *name;
    const json_t *args, *given = json_object_get(root, "optimizer");
    Args values;
    if (!named_from(given, &name, &args, err))
        return false;
    const OptimizerKind *kind = optimizer_find(name, err);
    int n_rows = 0;
    const ArgSpec *rows = kind ? optimizer_args(kind, &n_rows) : NULL;
    if (!kind || !args_from(&values, rows, n_rows, args, name, err) || !(out->optimizer = optimizer_new(kind, &values, err)))
        return false;
    double rate = json_number_value(json_object_get(given, "learning_rate"));
    if (rate >= 0)
        out->optimizer->learning_rate = rate;
    json_int_t updates = json_integer_value(json_object_get(given, "updates"));
    out->optimizer->t = updates > 0 ? updates : 0;
    const json_t *schedule = json_object_get(given, "schedule");
    if (schedule && !(out->optimizer->rate = rate_from(schedule, 0, err)))
        return false;
    json_t *loss = json_object_get(root, "loss"), *ops = json_object_get(loss, "ops");
    if (!named_from(loss, &name, &args, err) || !(out->loss = ops ? &loss_custom : loss_find(name, err)) ||
        (ops && !custom_read(ops, &out->custom, err)))
        return false;
    return args_from(&out->loss_args, out->loss->args, out->loss->n_args, args, name, err) &&
           metrics_from(json_object_get(root, "metrics"), out, err);
}

bool compiled_from_json(const char *json, Compiled *out, Err *err)
{
    *out = (Compiled){ 0 };
    json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
    bool ok = json_is_object(root) && json_integer_value(json_object_get(root, "version")) == VERSION;
    if (!ok)
        err_set(err, ERR_DATA, "the training's state is not one that this version reads");
    ok = ok && compiled_from(root, out, err);
    json_decref(root);
    if (!ok) {
        optimizer_unref(out->optimizer);
        compiled_unref_custom(out);
        *out = (Compiled){ 0 };
    }
    return ok;
}

