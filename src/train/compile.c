// SPDX-License-Identifier: MIT
/* What compile() hangs on a model. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "train/alone.h"
#include "train/custom.h"
#include "train/telemetry.h"

_Static_assert(COMPILE_NAME >= LAYER_NAME + 48, "an output's name and a metric's fit");

/* ---- names ----
 * Source: keras/src/trainers/compile_utils.py, CompileLoss.build and CompileMetrics.result */

/* Is a name among the first n values? */
static bool is_taken(const Compiled *c, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(c->values[i], name))
            return true;
    return false;
}

/* The metric's name with its output's before it; of two alike the second is told by its weights, or by a number. */
static void name_metric(Compiled *c, int n, const Measure *metric)
{
    char before[LAYER_NAME + 1] = "", out[COMPILE_NAME];
    if (c->n_outputs > 1)
        snprintf(before, sizeof before, "%s_", c->output_names[metric->output]);
    snprintf(out, sizeof out, "%s%s", before, metric->name);
    if (metric->weighted && is_taken(c, n, out))
        snprintf(out, sizeof out, "%sweighted_%s", before, metric->name);
    size_t length = strlen(out);
    for (int k = 1; is_taken(c, n, out); k++)
        snprintf(out + length, sizeof out - length, "_%d", k);
    memcpy(c->values[n], out, sizeof out);
}

static void name_values(Compiled *c, const Model *model)
{
    int n = 0;
    snprintf(c->values[n++], COMPILE_NAME, "loss");
    for (int i = 0; i < c->n_outputs; i++) {
        model_output_name(model, i, c->output_names[i]);
        if (c->n_losses > 1 && c->outputs[i].loss)
            strcat(strcpy(c->values[n++], c->output_names[i]), "_loss");
    }
    for (int i = 0; i < c->n_metrics; i++, n++)
        name_metric(c, n, &c->metrics[i]);
    c->n_values = n;
}

void compiled_list_outputs(const Compiled *compiled, char *out, size_t size)
{
    size_t at = 0;
    *out = 0;
    for (int i = 0; i < compiled->n_outputs && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%s", i ? ", " : "", compiled->output_names[i]);
}

/* ---- life ---- */

static void home_free(void *given)
{
    Home *home = given;
    if (!home)
        return;
    compiled_fini(&home->compiled);
    tape_fini(&home->tape);
    mem_free(home);
}

void compiled_copy(Compiled *to, const Compiled *from)
{
    *to = *from;
    optimizer_ref(to->optimizer);
    for (int i = 0; i < to->n_outputs; i++)
        custom_ref(&to->outputs[i].custom);
    for (int i = 0; i < to->n_metrics; i++)
        custom_ref(&to->metrics[i].custom);
}

void compiled_fini(Compiled *compiled)
{
    optimizer_unref(compiled->optimizer);
    for (int i = 0; i < MODEL_OUTPUTS; i++)
        custom_unref(&compiled->outputs[i].custom);
    for (int i = 0; i < COMPILE_METRICS; i++)
        custom_unref(&compiled->metrics[i].custom);
    *compiled = (Compiled){ 0 };
}

static bool check(const Model *model, const Compiled *c, Err *err)
{
    if (c->n_losses == 0 || !c->optimizer)
        return err_set(err, ERR_ARG, "compile wants an optimizer and a loss: model:compile{optimizer = \"adam\", loss = \"mse\"}");
    if (c->n_outputs != model->n_outputs)
        return err_set(err, ERR_ARG, "compile: %s has %d outputs, got losses for %d", model->name, model->n_outputs, c->n_outputs);
    if (1 + c->n_losses + c->n_metrics > TELE_METRICS)
        return err_set(err, ERR_ARG, "compile: at most %d losses and metrics in all, got %d", TELE_METRICS - 1, c->n_losses + c->n_metrics);
    for (int i = 0; i < c->n_metrics; i++)
        if (c->outputs[c->metrics[i].output].loss && c->outputs[c->metrics[i].output].loss->sequences)
            return err_set(err, ERR_ARG, "compile: %s compares steps with targets, and those of %s have lengths of their own; leave it out and "
                           "compare what nn.ctc_decode gives", c->metrics[i].name, c->outputs[c->metrics[i].output].loss->name);
    if (atomic_load(&model->owner))
        return err_set(err, ERR_STATE, "%s is being trained; stop its run before compiling it anew", model->name);
    return true;
}

bool compile_model(Model *model, Compiled *take, Err *err)
{
    take->n_losses = 0;
    for (int i = 0; i < take->n_outputs; i++)
        take->n_losses += take->outputs[i].loss != NULL;
    Home *home = check(model, take, err) ? mem_zero(1, sizeof *home, err) : NULL;
    if (!home) {
        compiled_fini(take);
        return false;
    }
    home->compiled = *take;
    *take = (Compiled){ 0 };
    name_values(&home->compiled, model);
    tape_init(&home->tape);
    compile_drop(model);
    model->compiled = home;
    model->compiled_free = home_free;
    return true;
}

void compile_drop(Model *model)
{
    if (model->compiled_free)
        model->compiled_free(model->compiled);
    model->compiled = NULL;
    model->compiled_free = NULL;
}

/* ---- looking ---- */

Compiled *compiled_of(Model *model, Err *err)
{
    if (model->compiled)
        return &((Home *)model->compiled)->compiled;
    err_set(err, ERR_STATE, "%s is not compiled; first model:compile{optimizer = \"adam\", loss = …}", model->name);
    return NULL;
}

bool compiled_wants_target(const Compiled *compiled, int output)
{
    bool wants = compiled->outputs[output].loss != NULL;
    for (int i = 0; i < compiled->n_metrics; i++)
        wants |= compiled->metrics[i].output == output;
    return wants;
}

bool compiled_falls(const Compiled *compiled, int value)
{
    int metric = value - (compiled->n_values - compiled->n_metrics);
    return metric < 0 || compiled->metrics[metric].metric->falls;
}
