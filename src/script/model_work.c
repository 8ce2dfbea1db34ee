// SPDX-License-Identifier: MIT
/* evaluate, predict, save and their kin. Each long one is a job with its arguments in a struct, done by model_do where
 * the model may be touched; it polls Ctrl-C. */
#include <string.h>

#include "base/file.h"
#include "script/bind_model.h"
#include "script/watch.h"
#include "train/job.h"
#include "train/step.h"
#include "train/tally.h"

const ArgSpec model_batch_args[1] = {
    { .name = "batch_size",
      .type = ARG_INT,
      .fallback = "32",
      .least = 1,
      .most = 1e9,
      .help = "rows that are worked on together" },
};
const ArgSpec model_load_args[2] = {
    { .name = "by_name", .type = ARG_BOOL, .fallback = "false", .help = "by names alone; what the file or the model lacks is left out" },
    { .name = "skip_mismatch", .type = ARG_BOOL, .fallback = "false", .help = "leave out weights of other shapes" },
};

static void do_job(lua_State *L, Model *model, RunFn fn, void *job)
{
    Err err = ERR_INIT;
    if (!model_do(model, fn, job, &script_of(L)->stop, &err))
        bind_raise(L, &err);
}

/* ---- evaluate ---- */

typedef struct Evaluate {
    Model *model;
    Samples given;
    int batch_size, n_classes;
    const real *class_weight;
    int n_weights;
    double logs[COMPILE_VALUES];
    uint32_t *confusion;
    char output[LAYER_NAME]; /* that it is of, where the model has several */
    const _Atomic bool *stop;
    const BatchHook *hook;
} Evaluate;

static bool do_evaluate(void *ctx, Err *err)
{
    Evaluate *e = ctx;
    if (e->hook)
        return compile_evaluate_watched(e->model, &e->given, e->batch_size, e->logs, e->stop, e->hook, err);
    return compile_evaluate(e->model, &e->given, e->batch_size, e->logs, e->confusion, e->n_classes, e->stop, err);
}

void logs_push_of(lua_State *L, Model *model, const double *logs)
{
    Err err = ERR_INIT;
    const char *names[COMPILE_VALUES];
    const Compiled *compiled = compiled_of(model, &err);
    if (!compiled)
        bind_raise(L, &err);
    for (int i = 0; i < compiled->n_values; i++)
        names[i] = compiled->values[i];
    logs_push(L, names, logs, compiled->n_values);
}

int model_evaluate(lua_State *L)
{
    Args args;
    Evaluate job = { .model = model_check(L, 1, "evaluate"), .stop = &script_of(L)->stop };
    bind_take(L, 2, "evaluate", bind_verb(L), &args);
    samples_pair(L, 2, 3, job.model, &job.given, "evaluate");
    samples_weights(L, 4, job.model, &job.given, "evaluate: sample_weight");
    job.batch_size = (int)args_int(&args, "batch_size");
    Watch watch = { .verb = "test", .model = job.model, .logs = job.logs };
    watch_begin(L, 5, &watch);
    job.hook = watch.list ? &watch.hook : NULL;
    do_job(L, job.model, do_evaluate, &job);
    watch_end(&watch);
    logs_push_of(L, job.model, job.logs);
    return 1;
}

int model_test_on_batch(lua_State *L)
{
    Args args;
    Evaluate job = { .model = model_check(L, 1, "test_on_batch"), .stop = &script_of(L)->stop };
    bind_take(L, 2, "test_on_batch", bind_verb(L), &args);
    samples_pair(L, 2, 3, job.model, &job.given, "test_on_batch");
    samples_weights(L, 4, job.model, &job.given, "test_on_batch: sample_weight");
    int64_t rows = samples_rows(&job.given);
    job.batch_size = rows > 0 && rows < 1 << 30 ? (int)rows : 1;
    do_job(L, job.model, do_evaluate, &job);
    logs_push_of(L, job.model, job.logs);
    return 1;
}

typedef struct Count {
    Model *model;
    int64_t updates;
} Count;

static bool do_count(void *ctx, Err *err)
{
    Count *count = ctx;
    const Compiled *compiled = compiled_of(count->model, err);
    if (compiled)
        count->updates = compiled->optimizer->t;
    return compiled;
}

int model_iterations(lua_State *L)
{
    Count job = { .model = model_check(L, 1, "iterations") };
    if (!job.model->compiled)
        return 0;
    do_job(L, job.model, do_count, &job);
    lua_pushinteger(L, job.updates);
    return 1;
}

static bool do_train(void *ctx, Err *err)
{
    Evaluate *e = ctx;
    return compile_train_batch(e->model, &e->given, e->class_weight, e->n_weights, e->logs, err);
}

int model_train_on_batch(lua_State *L)
{
    Args args;
    Evaluate job = { .model = model_check(L, 1, "train_on_batch") };
    bind_take(L, 2, "train_on_batch", bind_verb(L), &args);
    Run *run = model_run(job.model);
    bool live = run && !run_has_ended(run);
    int id = run ? run_id(run) : 0;
    run_unref(run);
    if (live)
        return bind_error(L, ERR_STATE, "run %d trains %s; stop it before training by hand", id, job.model->name);
    samples_pair(L, 2, 3, job.model, &job.given, "train_on_batch");
    samples_weights(L, 4, job.model, &job.given, "train_on_batch: sample_weight");
    job.class_weight = fit_class_weight(L, 5, &job.n_weights);
    do_job(L, job.model, do_train, &job);
    logs_push_of(L, job.model, job.logs);
    return 1;
}

/* ---- confusion ---- */

static int confusion_tostring(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_getfield(L, 1, "text");
    return 1;
}

void confusion_push(lua_State *L, const uint32_t *counts, int n, const char *const *labels, const char *output)
{
    int64_t total = 0, right = confusion_right(counts, n, &total);
    Err err = ERR_INIT;
    lua_createtable(L, 0, 4);
    int table = lua_gettop(L);
    TensorBox *box = tensor_box(L);
    if (!tensor_new(&box->hold, DTYPE_INT32, SHAPE(n, n), &err))
        bind_raise(L, &err);
    for (int64_t i = 0; i < (int64_t)n * n; i++)
        tensor_set(&box->hold, i, counts[i]);
    tensor_done(L, box, false);
    lua_setfield(L, table, "matrix");
    ConfusionRow *rows = lua_newuserdatauv(L, (size_t)n * sizeof *rows + 1, 0);
    confusion_rows(rows, counts, n);
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        lua_createtable(L, 0, 5);
        if (labels)
            lua_pushstring(L, labels[i]);
        else
            lua_pushfstring(L, "%d", i);
        lua_setfield(L, -2, "name");
        lua_pushnumber(L, rows[i].precision);
        lua_setfield(L, -2, "precision");
        lua_pushnumber(L, rows[i].recall);
        lua_setfield(L, -2, "recall");
        lua_pushnumber(L, rows[i].f1);
        lua_setfield(L, -2, "f1");
        lua_pushinteger(L, rows[i].support);
        lua_setfield(L, -2, "support");
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, table, "classes");
    lua_pushnumber(L, total ? (double)right / (double)total : 0);
    lua_setfield(L, table, "accuracy");
    Buf *text = bind_buf(L);
    if (*output) {
        lua_pushstring(L, output);
        lua_setfield(L, table, "output");
        buf_printf(text, "output %s\n", output);
    }
    confusion_write(text, counts, n, labels);
    while (text->size && text->data[text->size - 1] == '\n')
        text->size--;
    bind_push_buf(L, text);
    lua_setfield(L, table, "text");
    lua_settop(L, table);
    if (luaL_newmetatable(L, "hebb.confusion")) {
        lua_pushcfunction(L, confusion_tostring);
        lua_setfield(L, -2, "__tostring");
    }
    lua_setmetatable(L, table);
}

#define LABELS_MOST 64

/* Names of classes that the model's last run was given, as a list in the collector's care, or NULL. */
static const char **label_list(lua_State *L, const Model *model, int n)
{
    char room[LABELS_MOST][TELE_NAME];
    Run *run = model_run(model);
    const TeleConfusion *picture = run ? telemetry_picture(run_telemetry(run), PICTURE_CONFUSION) : NULL;
    bool named = picture && picture->n == n && picture->labels && n <= LABELS_MOST;
    if (named)
        memcpy(room, picture->labels, (size_t)n * TELE_NAME);
    telemetry_picture_free(picture);
    run_unref(run); /* all is given back before anything can raise */
    if (!named)
        return NULL;
    char(*copy)[TELE_NAME] = lua_newuserdatauv(L, (size_t)n * TELE_NAME, 0);
    memcpy(copy, room, (size_t)n * TELE_NAME);
    const char **list = lua_newuserdatauv(L, (size_t)n * sizeof *list, 0);
    for (int i = 0; i < n; i++)
        list[i] = copy[i];
    return list;
}

static const char *first_loss(const Compiled *compiled)
{
    int i = 0;
    while (i < compiled->n_outputs - 1 && !compiled->outputs[i].loss)
        i++;
    return compiled->outputs[i].loss->name;
}

static bool do_build(void *ctx, Err *err)
{
    Evaluate *e = ctx;
    int output;
    const Compiled *compiled = compiled_of(e->model, err);
    if (!compiled || !samples_build(e->model, &e->given, "confusion", err))
        return false;
    e->n_classes = target_classes(compiled, e->model, &output);
    if (e->n_classes > 0 && compiled->n_outputs > 1)
        memcpy(e->output, compiled->output_names[output], LAYER_NAME);
    return e->n_classes > 0 || err_set(err, ERR_STATE, "%s with loss %s does not classify, so there is no confusion matrix",
                                       e->model->name, first_loss(compiled));
}

int model_confusion(lua_State *L)
{
    Args args;
    Evaluate job = { .model = model_check(L, 1, "confusion"), .stop = &script_of(L)->stop };
    bind_take(L, 2, "confusion", bind_verb(L), &args);
    samples_pair(L, 2, 3, job.model, &job.given, "confusion");
    job.batch_size = (int)args_int(&args, "batch_size");
    do_job(L, job.model, do_build, &job);
    size_t n = (size_t)job.n_classes;
    job.confusion = lua_newuserdatauv(L, n * n * sizeof *job.confusion, 0);
    memset(job.confusion, 0, n * n * sizeof *job.confusion);
    do_job(L, job.model, do_evaluate, &job);
    const char **labels = label_list(L, job.model, job.n_classes);
    confusion_push(L, job.confusion, job.n_classes, labels, job.output);
    return 1;
}

/* ---- predict ---- */

typedef struct Predict {
    Model *model;
    const Tensor *x[MODEL_INPUTS];
    int n_in, batch_size;
    Tensor *out;
    const _Atomic bool *stop;
    const BatchHook *hook;
} Predict;

static bool do_predict(void *ctx, Err *err)
{
    Predict *p = ctx;
    return model_predict_watched(p->model, p->x, p->n_in, p->batch_size, p->out, p->stop, p->hook, err);
}

#define OUTPUTS "hebb.outputs"

static int outputs_gc(lua_State *L)
{
    Tensor *out = luaL_checkudata(L, 1, OUTPUTS);
    for (int i = 0; i < MODEL_OUTPUTS; i++)
        tensor_unref(&out[i]);
    return 0;
}

int model_predict_at(lua_State *L, Model *model, int index, int batch_size, int callbacks)
{
    Predict job = { .model = model, .batch_size = batch_size, .stop = &script_of(L)->stop };
    Tensor x[MODEL_INPUTS];
    job.n_in = samples_inputs(L, index, model, x, "predict");
    for (int i = 0; i < job.n_in; i++)
        job.x[i] = &x[i];
    Tensor *out = lua_newuserdatauv(L, MODEL_OUTPUTS * sizeof *out, 0);
    memset(out, 0, MODEL_OUTPUTS * sizeof *out);
    if (luaL_newmetatable(L, OUTPUTS)) {
        lua_pushcfunction(L, outputs_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    job.out = out;
    Watch watch = { .verb = "predict", .model = model, .out = out };
    watch_begin(L, callbacks, &watch);
    job.hook = watch.list ? &watch.hook : NULL;
    do_job(L, model, do_predict, &job);
    watch_end(&watch);
    if (model->n_outputs > 1)
        lua_createtable(L, model->n_outputs, 0);
    for (int i = 0; i < model->n_outputs; i++) {
        TensorBox *box = tensor_box(L);
        box->hold = out[i];
        out[i] = (Tensor){ 0 };
        tensor_done(L, box, false);
        if (model->n_outputs > 1)
            lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

int model_predict_verb(lua_State *L)
{
    Args args;
    Model *model = model_check(L, 1, "predict");
    bind_take(L, 2, "predict", bind_verb(L), &args);
    const Kind *kind = bind_kind_of(L, 2);
    if (kind && !strcmp(kind->what, "dataset")) {
        lua_getfield(L, 2, "x");
        lua_replace(L, 2);
    }
    return model_predict_at(L, model, 2, (int)args_int(&args, "batch_size"), 3);
}

/* ---- files ---- */

typedef struct Files {
    Model *model;
    const char *path;
    bool skip, by_name;
    Buf *report;
    int n;
} Files;

static bool do_save(void *ctx, Err *err)
{
    Files *f = ctx;
    return compile_save(f->model, f->path, err);
}

int model_save_verb(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    Files job = { .model = model_check(L, 1, "save") };
    bind_take(L, 2, "save", bind_verb(L), &args);
    job.path = bind_path(L, 2, "save");
    Run *run = model_run(job.model); /* a run adds optimizer, history and position */
    bool whole = run && !run_job(run);
    bool ok = whole ? run_save(run, job.path, &err) : model_do(job.model, do_save, &job, &script_of(L)->stop, &err);
    run_unref(run);
    return ok ? 0 : bind_raise(L, &err);
}

/* Each weight as a line "kind name TAB reason" into the buffer; read back on the lua thread. */
static void note_weight(void *ctx, LoadKind kind, const char *name, const char *reason)
{
    buf_printf(ctx, "%d%s\t%s\n", kind, name, reason);
}

static bool do_load(void *ctx, Err *err)
{
    Files *f = ctx;
    LoadOptions options = { f->by_name, f->skip, note_weight, f->report };
    return model_load_weights(f->model, f->path, &options, &f->n, err);
}

static int loaded_tostring(lua_State *L)
{
    lua_getfield(L, 1, "text");
    return 1;
}

static const char *const load_kinds[] = { "matched", "missing", "surplus", "mismatched" };

/* Into the lists of the report at index: matched, missing, surplus are lists of names, mismatched holds reasons by name. */
static void sort_weights(lua_State *L, int report, const char *lines, Buf *text)
{
    for (const char *next; *lines; lines = next) {
        const char *tab = strchr(lines, '\t');
        int kind = *lines - '0';
        next = strchr(tab, '\n') + 1;
        if (kind != LOAD_MATCHED)
            buf_printf(text, "\n  %.*s%s%.*s", (int)(tab - lines - 1), lines + 1, tab > lines + 1 ? " " : "", (int)(next - tab - 2), tab + 1);
        if (kind > LOAD_MISFIT)
            continue;
        lua_getfield(L, report, load_kinds[kind]);
        lua_pushlstring(L, lines + 1, (size_t)(tab - lines - 1));
        if (kind == LOAD_MISFIT) {
            lua_pushlstring(L, tab + 1, (size_t)(next - tab - 2));
            lua_rawset(L, -3);
        } else {
            lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
        }
        lua_pop(L, 1);
    }
}

static void push_loaded(lua_State *L, const Files *job)
{
    Buf *text = bind_buf(L);
    lua_newtable(L);
    int report = lua_gettop(L), n = 0;
    for (int i = 0; i < COUNT_OF(load_kinds); i++) {
        lua_newtable(L);
        lua_setfield(L, report, load_kinds[i]);
    }
    for (const char *s = buf_text(job->report); *s; s = strchr(s, '\n') + 1)
        n += *s >= '0' + LOAD_MISSING && *s <= '0' + LOAD_MISFIT;
    buf_printf(text, "%s: %d weights are taken", job->path, job->n);
    if (n > 0)
        buf_printf(text, ", %d left out", n);
    sort_weights(L, report, buf_text(job->report), text);
    bind_push_buf(L, text);
    lua_setfield(L, report, "text");
    if (luaL_newmetatable(L, "hebb.loaded")) {
        lua_pushcfunction(L, loaded_tostring);
        lua_setfield(L, -2, "__tostring");
    }
    lua_setmetatable(L, report);
    if (strchr(buf_text(text), '\n')) {
        buf_put(text, '\n');
        script_say(script_of(L), SAY_NOTE, text->data, text->size);
    }
}

int model_load_weights_verb(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    Files job = { .model = model_check(L, 1, "load_weights") };
    bind_take(L, 2, "load_weights", bind_verb(L), &args);
    job.path = bind_path(L, 2, "load_weights");
    job.skip = args_bool(&args, "skip_mismatch");
    job.by_name = args_bool(&args, "by_name");
    job.report = bind_buf(L);
    do_job(L, job.model, do_load, &job);
    if (!buf_ok(job.report, &err))
        bind_raise(L, &err);
    push_loaded(L, &job);
    return 1;
}
