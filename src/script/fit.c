// SPDX-License-Identifier: MIT
/* model:fit. Its arguments become FitOptions, which borrow from the stack; run_new takes what it keeps. */
#include <string.h>

#include "base/mem.h"
#include "script/bind_net.h"
#include "script/callbacks.h"

#define NAMES_MOST 1000
#define FREQ_MOST 100000

const ArgSpec fit_args[N_FIT_ARGS] = {
    { .name = "batch_size", .type = ARG_INT, .fallback = "32", .least = 1, .most = 1e9, .help = "samples of a step" },
    { .name = "epochs", .type = ARG_INT, .fallback = "1", .least = 1, .most = 1e9, .help = "the last epoch; they count from 1" },
    { .name = "validation_split",
      .type = ARG_FLOAT,
      .fallback = "0",
      .least = 0,
      .most = 1,
      .open_most = true,
      .help = "the last part of the rows is kept for validation" },
    { .name = "shuffle", .type = ARG_BOOL, .fallback = "true", .help = "another order of the rows in every epoch" },
    { .name = "initial_epoch", .type = ARG_INT, .fallback = "0", .least = 0, .most = 1e9, .help = "epochs that are done already" },
    { .name = "steps_per_epoch",
      .type = ARG_INT,
      .fallback = "nil",
      .least = 1,
      .most = 1e9,
      .help = "updates of an epoch; the next goes on in the rows where this one ended; nil: all rows" },
    { .name = "validation_steps",
      .type = ARG_INT,
      .fallback = "nil",
      .least = 1,
      .most = 1e9,
      .help = "batches of a validation, from its first row on; nil: all" },
    { .name = "validation_batch_size", .type = ARG_INT, .fallback = "nil", .least = 1, .most = 1e9, .help = "nil: batch_size" },
    { .name = "seed",
      .type = ARG_INT,
      .fallback = "nil",
      .least = 0,
      .most = 1e15,
      .help = "of the order and of dropout; nil: the session's" },
    { .name = "autosave",
      .type = ARG_BOOL,
      .fallback = "true",
      .help = "save to the run's folder once a minute and at each event" },
    { .name = "snapshots",
      .type = ARG_INT,
      .fallback = "256",
      .least = 1,
      .most = 1e6,
      .help = "MB of memory for going back (run:rewind)" },
    { .name = "paused", .type = ARG_BOOL, .fallback = "false", .help = "stand before the first step" },
};

/* Where FIT_VALUES stand on the stack. */
enum {
    AT_MODEL = 1,
    AT_X,
    AT_Y,
    AT_VALIDATION,
    AT_CLASS_WEIGHT,
    AT_CALLBACKS,
    AT_CLASS_NAMES,
    AT_VERBOSE,
    AT_WAIT,
    AT_RESUME,
    AT_SCHEDULE,
    AT_WEIGHT,
    AT_FREQ,
    AT_AUGMENT
};

/* ---- classes ---- */

real *fit_class_weight(lua_State *L, int index, int *n)
{
    char what[64];
    *n = 0;
    if (lua_isnil(L, index))
        return NULL;
    if (!lua_istable(L, index))
        bind_error(L, ERR_ARG, "class_weight wants a table by class number, {[0] = 1, [1] = 2.5}, got %s",
                   bind_what(L, index, what));
    lua_pushnil(L);
    while (lua_next(L, index)) {
        if (!lua_isinteger(L, -2) || lua_tointeger(L, -2) < 0 || lua_tointeger(L, -2) > 100000 || lua_type(L, -1) != LUA_TNUMBER ||
            !(lua_tonumber(L, -1) >= 0))
            bind_error(L, ERR_ARG, "class_weight: keys are class numbers from 0, values numbers of at least 0; found %s",
                       bind_what(L, -2, what));
        if (lua_tointeger(L, -2) + 1 > *n)
            *n = (int)lua_tointeger(L, -2) + 1;
        lua_pop(L, 1);
    }
    real *weights = lua_newuserdatauv(L, ((size_t)*n + 1) * sizeof *weights, 0);
    for (int i = 0; i < *n; i++) {
        lua_rawgeti(L, index, i);
        weights[i] = lua_isnil(L, -1) ? 1 : (real)lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
    return *n ? weights : NULL;
}

/* class_names = {"zero", "one", …}; classes[1] belongs to number 0. */
static void take_names(lua_State *L, FitOptions *options)
{
    char what[64];
    if (lua_isnil(L, AT_CLASS_NAMES))
        return;
    int n = lua_istable(L, AT_CLASS_NAMES) ? (int)lua_rawlen(L, AT_CLASS_NAMES) : 0;
    if (n < 1 || n > NAMES_MOST)
        bind_error(L, ERR_ARG, "fit: class_names wants a list of 1 to %d texts, got %s", NAMES_MOST,
                   bind_what(L, AT_CLASS_NAMES, what));
    const char **names = lua_newuserdatauv(L, (size_t)n * sizeof *names, 0);
    for (int i = 0; i < n; i++) {
        if (lua_rawgeti(L, AT_CLASS_NAMES, i + 1) != LUA_TSTRING)
            bind_error(L, ERR_ARG, "fit: class name %d is %s, not a text", i + 1, bind_what(L, -1, what));
        names[i] = lua_tostring(L, -1); /* kept alive by the table */
        lua_pop(L, 1);
    }
    options->class_names = names;
    options->n_classes = n;
}

/* ---- fit ---- */

static int64_t given_or_zero(const Args *args, const char *name)
{
    return args_given(args, name) ? args_int(args, name) : 0;
}

static void take_plain(Script *script, const Args *args, FitOptions *options)
{
    options->batch_size = (int)args_int(args, "batch_size");
    options->epochs = (int)args_int(args, "epochs");
    options->validation_split = args_float(args, "validation_split");
    options->steps_per_epoch = given_or_zero(args, "steps_per_epoch");
    options->validation_steps = given_or_zero(args, "validation_steps");
    options->validation_batch_size = (int)given_or_zero(args, "validation_batch_size");
    options->shuffle = args_bool(args, "shuffle");
    options->initial_epoch = (int)args_int(args, "initial_epoch");
    options->seed = args_given(args, "seed") ? (uint64_t)args_int(args, "seed") : script->options.seed;
    options->autosave = args_bool(args, "autosave") && !script->options.safe;
    options->snapshot_budget = (size_t)args_int(args, "snapshots") << 20;
    options->start_paused = args_bool(args, "paused");
    options->fail_on_trouble = !script->options.interactive;
}

static void serve(void *ctx)
{
    script_serve(ctx);
}

/* Wait for the run that stands on top of the stack; a failure is raised. */
void fit_wait(lua_State *L, Run *run)
{
    Script *script = script_of(L);
    Err err = ERR_INIT;
    TeleNow now;
    if (!run_wait(run, -1, &script->stop, serve, script, &err))
        bind_raise(L, &err);
    serve(script);
    if (run_state(run) != RUN_FAILED)
        return;
    telemetry_now(run_telemetry(run), &now);
    bind_error(L, ERR_NUMERIC, "run %d failed at step %lld: %s", run_id(run), (long long)now.step, now.reason);
}

bool fit_flag(lua_State *L, int index, const char *name, bool otherwise)
{
    if (lua_isnil(L, index))
        return otherwise;
    if (!lua_isboolean(L, index))
        bind_error(L, ERR_ARG, "%s is true or false", name);
    return lua_toboolean(L, index);
}

/* 0 silent, 1 with a progress bar, 2 a line an epoch. */
int fit_verbose(lua_State *L, int index)
{
    char what[64];
    if (lua_isnil(L, index) || lua_isboolean(L, index))
        return lua_isnil(L, index) || lua_toboolean(L, index);
    if (lua_type(L, index) == LUA_TSTRING && !strcmp(lua_tostring(L, index), "auto"))
        return 1;
    if (!lua_isinteger(L, index) || lua_tointeger(L, index) < 0 || lua_tointeger(L, index) > 2)
        bind_error(L, ERR_ARG, "verbose is \"auto\", 0, 1 or 2, got %s", bind_what(L, index, what));
    return (int)lua_tointeger(L, index);
}

/* Data of the call into options, borrowed from the stack. */
static void take_data(lua_State *L, const Model *model, FitOptions *options)
{
    int n_weights;
    samples_pair(L, AT_X, AT_Y, model, &options->data, "fit");
    samples_weights(L, AT_WEIGHT, model, &options->data, "fit: sample_weight");
    samples_validation(L, AT_VALIDATION, model, &options->validation, "fit: validation_data");
    options->class_weight = fit_class_weight(L, AT_CLASS_WEIGHT, &n_weights);
    take_names(L, options);
    if (options->class_weight && options->n_classes && options->n_classes != n_weights)
        bind_error(L, ERR_ARG, "fit: class_weight goes up to class %d, class_names has %d classes", n_weights - 1,
                   options->n_classes);
    if (options->class_weight)
        options->n_classes = n_weights;
}

/* validation_freq = 2, or a list of epochs. */
static void take_freq(lua_State *L, FitOptions *options)
{
    char what[64];
    if (lua_isnil(L, AT_FREQ))
        return;
    if (lua_isinteger(L, AT_FREQ) && lua_tointeger(L, AT_FREQ) >= 1 && lua_tointeger(L, AT_FREQ) <= 1000000000) {
        options->validation_freq = (int)lua_tointeger(L, AT_FREQ);
        return;
    }
    int n = lua_istable(L, AT_FREQ) ? (int)lua_rawlen(L, AT_FREQ) : 0;
    if (n < 1 || n > FREQ_MOST)
        bind_error(L, ERR_ARG, "fit: validation_freq wants a number of epochs of at least 1, or a list of epochs, got %s", bind_what(L, AT_FREQ, what));
    int *epochs = lua_newuserdatauv(L, (size_t)n * sizeof *epochs, 0);
    for (int i = 0; i < n; i++) {
        lua_rawgeti(L, AT_FREQ, i + 1);
        if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) < 1 || lua_tointeger(L, -1) > 1000000000)
            bind_error(L, ERR_ARG, "fit: validation_freq lists epochs, which count from 1, got %s", bind_what(L, -1, what));
        epochs[i] = (int)lua_tointeger(L, -1);
        lua_pop(L, 1);
    }
    options->validation_epochs = epochs;
    options->n_validation_epochs = n;
}

static void take_resume(lua_State *L, FitOptions *options)
{
    if (!lua_isnil(L, AT_RESUME))
        options->resume = bind_path(L, AT_RESUME, "fit: resume");
}

int model_fit(lua_State *L)
{
    Script *script = script_of(L);
    Model *model = model_check(L, 1, "fit");
    Args args;
    Err err = ERR_INIT;
    FitOptions options;
    bind_take(L, 2, "fit", bind_verb(L), &args);
    fit_options_init(&options);
    take_plain(script, &args, &options);
    bool wait = fit_flag(L, AT_WAIT, "fit: wait", !script->options.interactive);
    int verbose = fit_verbose(L, AT_VERBOSE);
    if (wait && script->serving >= SCRIPT_SERVERS)
        return bind_error(L, ERR_STATE, "fit: callbacks wait for one another %d deep, so none can be served here; use wait = false",
                          SCRIPT_SERVERS);
    take_data(L, model, &options);
    take_freq(L, &options);
    take_resume(L, &options);
    options.n_augment = augment_take(L, AT_AUGMENT, options.augment, "fit: augment");
    if (!lua_isnil(L, AT_SCHEDULE))
        options.rate = recipe_take(L, AT_SCHEDULE, RECIPE_SCHEDULE, "fit: schedule")->rate; /* stays on the stack */
    RunBox *box = bind_new(L, &kind_run, sizeof *box);
    if (!lua_isnil(L, AT_CALLBACKS))
        options.n_callbacks = callbacks_take(L, AT_CALLBACKS, options.callbacks);
    if (!(box->run = run_new(model, &options, &err))) /* takes the callback over; nothing in between could raise */
        return bind_raise(L, &err);
    if (script->host.run_began && verbose > 0)
        script->host.run_began(script->host.ctx, box->run, verbose == 1);
    if (wait)
        fit_wait(L, box->run);
    return 1; /* the run's box is on top */
}
