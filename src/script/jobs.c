// SPDX-License-Identifier: MIT
/* nn.job: a run whose step is a Lua function. The trainer asks for each step as it asks for callbacks (callbacks.h); here the function is
 * called with the run and the batch, and its ops go to the tapes of a scope (scope.h) that is the job's own. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "script/callbacks.h"
#include "script/scope.h"

typedef struct Loop { /* the step's side of a job, the run's: see release */
    void *bridge;
    Scope *scope;
} Loop;

/* ---- a step ---- */

#define GUARD "hebb.step"

typedef struct Guard { /* what stands behind the function, however it ends */
    Script *script;
    Scope *scope;
    double shield_s;
    bool done;
} Guard;

static int guard_close(lua_State *L)
{
    const Guard *guard = luaL_checkudata(L, 1, GUARD);
    guard->script->shield_s = guard->shield_s;
    scope_end(guard->script, guard->scope, guard->done);
    return 0;
}

static Guard *push_guard(lua_State *L, Scope *scope)
{
    Guard *guard = lua_newuserdatauv(L, sizeof *guard, 0);
    *guard = (Guard){ script_of(L), scope, script_of(L)->shield_s, false };
    if (luaL_newmetatable(L, GUARD)) {
        lua_pushcfunction(L, guard_close);
        lua_setfield(L, -2, "__close");
    }
    lua_setmetatable(L, -2);
    return guard;
}

/* Light userdata of the Loop at 1, the function at 2, light userdata of the batch at 3 (popped). */
static int one_step(lua_State *L)
{
    Loop *loop = lua_touserdata(L, 1);
    const Batch *batch = lua_touserdata(L, 3);
    Script *script = script_of(L);
    Run *run = script->inside[script->serving - 1];
    Err err = ERR_INIT;
    lua_settop(L, 2);
    Guard *guard = push_guard(L, loop->scope); /* at 3 */
    if (!scope_begin(script, loop->scope, job_seed(run), (uint64_t)job_steps(run), run, &err))
        return bind_raise(L, &err);
    lua_toclose(L, 3);
    script->shield_s = clock_now();
    lua_pushvalue(L, 2);
    script_push_run(L, run);
    for (int i = 0; i < batch->n_x; i++)
        scope_push_value(L, &batch->x[i]);
    lua_call(L, 1 + batch->n_x, 0);
    guard->done = true;
    lua_closeslot(L, 3);
    return 0;
}

/* Does somebody else want the interpreter? */
static bool is_wanted(const Script *script)
{
    return script->leaving || atomic_load(&script->stop) || (script->host.waiting && script->host.waiting(script->host.ctx));
}

/* Light userdata of the Loop at 1, the function at 2: this step, and those that may follow at once. */
static int call_step(lua_State *L)
{
    const Loop *loop = lua_touserdata(L, 1);
    Script *script = script_of(L);
    Run *run = script->inside[script->serving - 1];
    for (const Batch *batch = callbacks_batch(loop->bridge); batch; batch = is_wanted(script) ? NULL : job_more(run)) {
        lua_pushcfunction(L, one_step);
        lua_pushvalue(L, 1);
        lua_pushvalue(L, 2);
        lua_pushlightuserdata(L, (void *)(uintptr_t)batch);
        lua_call(L, 3, 0);
    }
    return 0;
}

static bool do_step(void *ctx, Run *run, const Batch *batch, Err *err)
{
    Loop *loop = ctx;
    return callbacks_step(loop->bridge, run, batch, err);
}

/* The run lets go, in any thread: the scope's tapes hold nothing of Lua, but what they pin may. */
static void release(void *ctx)
{
    Loop *loop = ctx;
    if (loop->bridge)
        callbacks_release(loop->bridge);
    scope_free(loop->scope);
    mem_free(loop);
}

/* ---- log ---- */

static int compare_names(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    bool loss_x = !strcmp(x, "loss"), loss_y = !strcmp(y, "loss"); /* it comes first, as in fit */
    return loss_x != loss_y ? (loss_x ? -1 : 1) : strcmp(x, y);
}

static double number_at(lua_State *L, int index, const char *name)
{
    char what[64], text[SHAPE_TEXT];
    if (lua_type(L, index) == LUA_TNUMBER)
        return lua_tonumber(L, index);
    if (!tensor_test(L, index))
        bind_error(L, ERR_ARG, "log: %s wants a number, or a tensor of one, got %s", name, bind_what(L, index, what));
    const Var *var = tensor_check(L, index, "log");
    if (tensor_count(&var->value) != 1)
        bind_error(L, ERR_SHAPE, "log: %s wants a single number, got shape %s; take its mean or sum", name, shape_text(&var->value.shape, text));
    return tensor_get(&var->value, 0);
}

int run_log(lua_State *L)
{
    Err err = ERR_INIT;
    const char *names[TELE_METRICS + 1];
    int n = 0;
    Run *run = run_check(L, 1, "log");
    lua_settop(L, 2);
    if (!run_job(run) || !script_inside(script_of(L), run))
        return bind_error(L, ERR_STATE, "log is for the step of a job: nn.job{…, step = function(job, batch) … job:log{loss = loss} end}");
    if (!lua_istable(L, 2))
        return bind_error(L, ERR_ARG, "log wants values by name: job:log{d_loss = d_loss, g_loss = g_loss}");
    lua_pushnil(L);
    while (lua_next(L, 2)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            return bind_error(L, ERR_ARG, "log wants values by name: job:log{d_loss = d_loss, g_loss = g_loss}");
        if (n == TELE_METRICS)
            return bind_error(L, ERR_ARG, "log: a job has at most %d curves", TELE_METRICS);
        names[n++] = lua_tostring(L, -1); /* the table keeps it */
    }
    qsort(names, (size_t)n, sizeof *names, compare_names);
    for (int i = 0; i < n; i++) {
        lua_getfield(L, 2, names[i]);
        double value = number_at(L, lua_gettop(L), names[i]);
        if (!job_log(run, names[i], value, &err))
            return bind_raise(L, &err);
        lua_pop(L, 1);
    }
    return 0;
}

/* ---- nn.job ---- */

static const ArgSpec job_args[] = {
    { .name = "epochs", .type = ARG_INT, .fallback = "1", .least = 1, .most = 1e9, .help = "the last epoch; they count from 1" },
    { .name = "batch_size", .type = ARG_INT, .fallback = "32", .least = 1, .most = 1e9, .help = "rows of the data for a step" },
    { .name = "steps_per_epoch", .type = ARG_INT, .fallback = "nil", .least = 1, .most = 1e15,
      .help = "steps of an epoch; nil: all batches of the data" },
    { .name = "shuffle", .type = ARG_BOOL, .fallback = "true", .help = "another order of the rows in every epoch" },
    { .name = "seed", .type = ARG_INT, .fallback = "nil", .least = 0, .most = 1e15,
      .help = "of the order and of random numbers in the step; nil: the session's" },
    { .name = "autosave", .type = ARG_BOOL, .fallback = "true",
      .help = "save each model to the run's folder (NAME.safetensors) once a minute, at each event and at the end" },
    { .name = "paused", .type = ARG_BOOL, .fallback = "false", .help = "stand before the first step (with metrics), or behind it" },
};

#define JOB_VALUES "models step data? *metrics *callbacks *verbose *wait"
enum { AT_MODELS = 1, AT_STEP, AT_DATA, AT_METRICS, AT_CALLBACKS, AT_VERBOSE, AT_WAIT };

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_model(lua_State *L, JobOptions *o, const char *name)
{
    if (o->n_models == JOB_MODELS)
        bind_error(L, ERR_ARG, "job: at most %d models", JOB_MODELS);
    Model *model = model_check(L, -1, "job: models");
    o->names[o->n_models] = name ? name : model->name;
    o->models[o->n_models++] = model;
    lua_pop(L, 1);
}

/* A model, a list of them, or several by name, in the order of their names. */
static void take_models(lua_State *L, JobOptions *o)
{
    const char *names[JOB_MODELS];
    int n = 0;
    char what[64];
    if (!lua_istable(L, AT_MODELS)) {
        if (!bind_test(L, AT_MODELS, &kind_model))
            bind_error(L, ERR_ARG, "job: models wants the models that the step trains, {G = G, D = D}, got %s", bind_what(L, AT_MODELS, what));
        lua_pushvalue(L, AT_MODELS);
        add_model(L, o, NULL);
        return;
    }
    for (int i = 1; i <= (int)lua_rawlen(L, AT_MODELS); i++) {
        lua_rawgeti(L, AT_MODELS, i);
        add_model(L, o, NULL);
    }
    lua_pushnil(L);
    while (lua_next(L, AT_MODELS)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            continue;
        if (n == JOB_MODELS)
            bind_error(L, ERR_ARG, "job: at most %d models", JOB_MODELS);
        names[n++] = lua_tostring(L, -1);
    }
    qsort(names, (size_t)n, sizeof *names, compare_texts);
    for (int i = 0; i < n; i++) {
        lua_getfield(L, AT_MODELS, names[i]);
        add_model(L, o, names[i]);
    }
}

/* A tensor, a list of tensors, or a dataset, which stands for its x and y. They stay on the stack. */
static void take_data(lua_State *L, JobOptions *o)
{
    const Kind *kind = bind_kind_of(L, AT_DATA);
    luaL_checkstack(L, MODEL_INPUTS + 4, NULL);
    if (lua_isnil(L, AT_DATA))
        return;
    bool set = kind && !strcmp(kind->what, "dataset"), list = lua_istable(L, AT_DATA);
    if (list) {
        lua_rawgeti(L, AT_DATA, 1);
        list = tensor_test(L, -1) != NULL;
        lua_pop(L, 1);
    }
    int n = set ? 2 : list ? (int)lua_rawlen(L, AT_DATA) : 1;
    if (n > MODEL_INPUTS)
        bind_error(L, ERR_ARG, "job: data has at most %d tensors, got %d", MODEL_INPUTS, n);
    for (int i = 0; i < n; i++) {
        if (set)
            lua_getfield(L, AT_DATA, i ? "y" : "x");
        else if (list)
            lua_rawgeti(L, AT_DATA, i + 1);
        else
            lua_pushvalue(L, AT_DATA);
        o->data[o->n_data++] = tensor_want(L, lua_gettop(L), DTYPE_FLOAT32, "job: data")->value;
    }
}

static void take_metrics(lua_State *L, JobOptions *o)
{
    char what[64];
    if (lua_isnil(L, AT_METRICS))
        return;
    int n = lua_istable(L, AT_METRICS) ? (int)lua_rawlen(L, AT_METRICS) : 0;
    if (n < 1 || n > TELE_METRICS)
        bind_error(L, ERR_ARG, "job: metrics wants the names of 1 to %d curves, {\"d_loss\", \"g_loss\"}, got %s", TELE_METRICS,
                   bind_what(L, AT_METRICS, what));
    for (int i = 0; i < n; i++) {
        if (lua_rawgeti(L, AT_METRICS, i + 1) != LUA_TSTRING)
            bind_error(L, ERR_ARG, "job: the name of a curve is a text, got %s", bind_what(L, -1, what));
        o->metrics[o->n_metrics++] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
}

static void take_plain(Script *script, const Args *args, JobOptions *o)
{
    o->epochs = (int)args_int(args, "epochs");
    o->batch_size = (int)args_int(args, "batch_size");
    o->steps_per_epoch = args_given(args, "steps_per_epoch") ? args_int(args, "steps_per_epoch") : 0;
    o->shuffle = args_bool(args, "shuffle");
    o->seed = args_given(args, "seed") ? (uint64_t)args_int(args, "seed") : script->options.seed;
    o->start_paused = args_bool(args, "paused");
    o->autosave = args_bool(args, "autosave") && !script->options.safe;
    o->fail_on_trouble = !script->options.interactive;
}

#define LOOP "hebb.loop"

static int loop_gc(lua_State *L)
{
    Loop **loop = luaL_checkudata(L, 1, LOOP);
    if (*loop)
        release(*loop);
    return 0;
}

/* The function that stands at AT_STEP, behind a bridge: pushed, in the collector's care until job_new takes it over. */
static Loop **push_step(lua_State *L)
{
    Err err = ERR_INIT;
    Loop **loop = lua_newuserdatauv(L, sizeof *loop, 0);
    *loop = NULL;
    if (luaL_newmetatable(L, LOOP)) {
        lua_pushcfunction(L, loop_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    if (!(*loop = mem_zero(1, sizeof **loop, &err)) || !((*loop)->scope = scope_new(&err)))
        bind_raise(L, &err);
    lua_pushvalue(L, AT_STEP);
    (*loop)->bridge = callbacks_bridge(L, call_step, *loop);
    return loop;
}

static void give_step(Loop **loop, JobOptions *o)
{
    o->step = do_step;
    o->release = release;
    o->ctx = *loop;
    *loop = NULL;
}

static int nn_job(lua_State *L)
{
    Script *script = script_of(L);
    Args args;
    Err err = ERR_INIT;
    char what[64];
    JobOptions o = { .n_models = 0 };
    bind_take(L, 1, "job", bind_verb(L), &args);
    take_plain(script, &args, &o);
    if (!lua_isfunction(L, AT_STEP))
        return bind_error(L, ERR_ARG, "job wants step = function(job, batch) … end, got %s", bind_what(L, AT_STEP, what));
    bool wait = fit_flag(L, AT_WAIT, "job: wait", !script->options.interactive);
    int verbose = fit_verbose(L, AT_VERBOSE);
    if (script->scope)
        return bind_error(L, ERR_STATE, "job: not inside the step of another job, nor inside tape");
    if (script->serving >= SCRIPT_SERVERS)
        return bind_error(L, ERR_STATE, "job: callbacks wait for one another %d deep, so none can be served here", SCRIPT_SERVERS);
    take_models(L, &o);
    take_data(L, &o);
    take_metrics(L, &o);
    RunBox *box = bind_new(L, &kind_run, sizeof *box);
    int at = lua_gettop(L);
    Loop **loop = push_step(L);
    if (!lua_isnil(L, AT_CALLBACKS))
        o.n_callbacks = callbacks_take(L, AT_CALLBACKS, o.callbacks);
    give_step(loop, &o); /* callbacks and step are taken over; nothing in between could raise */
    if (!(box->run = job_new(&o, &err)))
        return bind_raise(L, &err);
    if (script->host.run_began && verbose > 0)
        script->host.run_began(script->host.ctx, box->run, verbose == 1);
    lua_settop(L, at);
    if (wait)
        fit_wait(L, box->run);
    return 1;
}

static const Verb verbs[] = {
    { "job", nn_job, JOB_VALUES, job_args, COUNT_OF(job_args),
      "A training loop of your own: the function step(job, batch) does one step, with as many models and optimizers as you like. Gives a\n"
      "run: it is watched, paused, stepped and stopped as fit's are. data is a tensor, or a list of them that step gets one by one; tape,\n"
      "optimizer:apply and job:log are what a step is made of. In a script it waits; at the prompt it returns at once, and steps are done\n"
      "while no other Lua code runs. A job is not rewound. Without metrics the first step is done before the run begins.",
      "local m, adam = nn.Sequential{nn.Dense(1, {input_shape = {2}})}, nn.Adam()\n"
      "local run = nn.job{models = m, data = {tensor.rand(32, 2), tensor.rand(32, 1)}, epochs = 2, batch_size = 8, verbose = 0, wait = true,\n"
      "    step = function(job, x, y)\n"
      "        local loss = tape(function() return (m(x) - y):square():mean() end)\n"
      "        adam:apply(loss, m)\n"
      "        job:log{loss = loss}\n"
      "    end}\n"
      "assert(run.steps == 8 and #run.history.loss == 2)" },
};
const VerbGroup job_group = { "nn.", verbs, COUNT_OF(verbs) };

void jobs_open(lua_State *L)
{
    lua_getglobal(L, "nn");
    bind_fill(L, &job_group);
    lua_pop(L, 1);
    scope_open(L);
}
