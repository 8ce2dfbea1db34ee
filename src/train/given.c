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
    return row && (!custom_is(custom) || !json_object_set_new(row, "ops", custom_json(custom)));
}

/* Null: the output has no loss. NULL: no memory. */
static json_t *loss_json(const Compiled *compiled, int i)
{
    const Objective *objective = &compiled->outputs[i];
    if (!objective->loss)
        return json_null();
    json_t *out = json_pack("{s:s, s:o}", "name", objective->loss->name, "args", args_json(&objective->args));
    if (put_ops(out, &objective->custom) && (objective->weight == 1 || !json_object_set_new(out, "weight", json_real(objective->weight))))
        return out;
    json_decref(out);
    return NULL;
}

/* One for one output, else by the outputs' names. */
static json_t *losses_json(const Compiled *compiled)
{
    if (compiled->n_outputs == 1)
        return loss_json(compiled, 0);
    json_t *by_name = json_object();
    bool ok = by_name != NULL;
    for (int i = 0; ok && i < compiled->n_outputs; i++)
        ok = !json_object_set_new(by_name, compiled->output_names[i], loss_json(compiled, i));
    if (ok)
        return json_pack("{s:o}", "outputs", by_name);
    json_decref(by_name);
    return NULL;
}

static json_t *metrics_json(const Compiled *compiled)
{
    json_t *out = json_array();
    bool ok = out != NULL;
    for (int i = 0; ok && i < compiled->n_metrics; i++) {
        const Measure *metric = &compiled->metrics[i];
        json_t *row = json_pack("{s:s, s:s, s:b, s:o}", "name", metric->metric->name, "as", metric->name, "weighted", metric->weighted, "args",
                                args_json(&metric->args));
        ok = put_ops(row, &metric->custom) &&
             (compiled->n_outputs == 1 || !json_object_set_new(row, "output", json_string(compiled->output_names[metric->output])));
        ok = !json_array_append_new(out, row) && ok;
    }
    if (ok)
        return out;
    json_decref(out);
    return NULL;
}

bool compiled_to_json(const Compiled *compiled, Buf *out, Err *err)
{
    const Optimizer *optimizer = compiled->optimizer;
    json_t *root = json_pack("{s:i, s:{s:s, s:o, s:f, s:I}, s:o, s:o}", "version", VERSION, "optimizer", "name", optimizer->kind->name,
                             "args", args_json(&optimizer->args), "learning_rate", optimizer->learning_rate, "updates", (json_int_t)optimizer->t,
                             "loss", losses_json(compiled), "metrics", metrics_json(compiled));
    if (optimizer->rate && root)
        json_object_set_new(json_object_get(root, "optimizer"), "schedule", rate_json(optimizer->rate));
    return saved_finish(root, true, out, err);
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

/* Which of the model's outputs has this name. */
static bool output_from(const Model *model, const char *name, int *out, Err *err)
{
    char known[LAYER_NAME];
    *out = 0;
    if (model->n_outputs == 1)
        return true;
    for (int i = 0; name && i < model->n_outputs; i++, *out = i) {
        model_output_name(model, i, known);
        if (!strcmp(known, name))
            return true;
    }
    return err_set(err, ERR_DATA, "a metric is of the output %s, which the model lacks", name ? name : "(none)");
}

static bool metric_from(const json_t *row, const Model *model, Measure *out, Err *err)
{
    const char *name, *as = json_string_value(json_object_get(row, "as"));
    const json_t *args;
    json_t *ops = json_object_get(row, "ops");
    if (ops && !custom_read(ops, &out->custom, err))
        return false;
    if (!named_from(row, &name, &args, err) || !(out->metric = ops ? &metric_custom : metric_find(name, err)) ||
        !args_from(&out->args, out->metric->args, out->metric->n_args, args, name, err))
        return false;
    snprintf(out->name, sizeof out->name, "%s", as ? as : name);
    out->weighted = json_is_true(json_object_get(row, "weighted"));
    return output_from(model, json_string_value(json_object_get(row, "output")), &out->output, err);
}

static bool metrics_from(const json_t *list, const Model *model, Compiled *out, Err *err)
{
    if (json_array_size(list) > COMPILE_METRICS)
        return err_set(err, ERR_DATA, "more than %d metrics", COMPILE_METRICS);
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!metric_from(json_array_get(list, i), model, &out->metrics[out->n_metrics++], err))
            return false;
    return true;
}

static bool loss_from(const json_t *in, Objective *out, Err *err)
{
    const char *name;
    const json_t *args, *weight = json_object_get(in, "weight");
    out->weight = json_is_number(weight) ? json_number_value(weight) : 1;
    json_t *ops = json_object_get(in, "ops");
    if (json_is_null(in))
        return true;
    if (ops && !custom_read(ops, &out->custom, err))
        return false;
    return named_from(in, &name, &args, err) && (out->loss = ops ? &loss_custom : loss_find(name, err)) &&
           args_from(&out->args, out->loss->args, out->loss->n_args, args, name, err);
}

static bool losses_from(const json_t *in, const Model *model, Compiled *out, Err *err)
{
    char name[LAYER_NAME];
    const json_t *by_name = json_object_get(in, "outputs");
    out->n_outputs = model->n_outputs;
    if (!by_name)
        return loss_from(in, &out->outputs[0], err);
    for (int i = 0; i < model->n_outputs; i++) {
        model_output_name(model, i, name);
        const json_t *one = json_object_get(by_name, name);
        if (!one)
            return err_set(err, ERR_DATA, "it says nothing of the loss of output %s", name);
        if (!loss_from(one, &out->outputs[i], err))
            return false;
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

static bool compiled_from(const json_t *root, const Model *model, Compiled *out, Err *err)
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
    return losses_from(json_object_get(root, "loss"), model, out, err) && metrics_from(json_object_get(root, "metrics"), model, out, err);
}

bool compiled_from_json(const char *json, const Model *model, Compiled *out, Err *err)
{
    *out = (Compiled){ 0 };
    json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
    bool ok = json_is_object(root) && json_integer_value(json_object_get(root, "version")) == VERSION;
    if (!ok)
        err_set(err, ERR_DATA, "the training's state is not one that this version reads");
    ok = ok && compiled_from(root, model, out, err);
    json_decref(root);
    if (!ok)
        compiled_fini(out);
    return ok;
}

