// SPDX-License-Identifier: MIT
/* A function is called once for training and once for inference with stand-ins for each of a few sizes of the batch; comparing the
 * graphs shows what follows the batch and what does not repeat. It runs on a Lua thread of the source's own, in a protected call,
 * because the engine that asks stands between us and whoever called it.
 *
 * The last reference to a source may go in a trainer; its function is given back to the collector by the lua thread, when it
 * comes by. `lock` guards the list and the fields that tie a source to its script. */
#include "script/trace.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "script/bind_tensor.h"

typedef struct Source {
    TraceSource base;    /* first */
    struct Source *next; /* of the script's list */
    Script *script;      /* NULL: Lua has ended */
    pthread_t thread;    /* where Lua runs */
    lua_State *L;        /* its own, kept by ref_L */
    int ref_L, ref;      /* in Lua's registry; ref is the function, or the class */
    bool dead;
} Source;

typedef struct Tracing {
    bool training;
} Tracing;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- sources ---- */

static void source_free(TraceSource *base)
{
    Source *source = (Source *)base;
    pthread_mutex_lock(&lock);
    bool alone = source->script == NULL;
    source->dead = true;
    pthread_mutex_unlock(&lock);
    if (alone)
        mem_free(source);
}

/* Take one dead source out of the list; NULL: none is left. */
static Source *take_dead(Script *script)
{
    pthread_mutex_lock(&lock);
    Source **at = (Source **)&script->sources;
    while (*at && !(*at)->dead)
        at = &(*at)->next;
    Source *dead = *at;
    if (dead)
        *at = dead->next;
    pthread_mutex_unlock(&lock);
    return dead;
}

static void sweep(lua_State *L)
{
    for (Source *dead; (dead = take_dead(script_of(L)));) {
        luaL_unref(L, LUA_REGISTRYINDEX, dead->ref);
        luaL_unref(L, LUA_REGISTRYINDEX, dead->ref_L);
        mem_free(dead);
    }
}

void trace_close(Script *script)
{
    pthread_mutex_lock(&lock);
    for (Source *source = script->sources, *next; source; source = next) {
        next = source->next;
        source->script = NULL;
        if (source->dead)
            mem_free(source);
    }
    script->sources = NULL;
    pthread_mutex_unlock(&lock);
}

static bool trace_layer(TraceSource *base, Layer *layer, const Shape *in, int n_in, Traced *out, Err *err);

TraceSource *trace_source(lua_State *L, int index)
{
    Err err = ERR_INIT;
    Script *script = script_of(L);
    sweep(L);
    lua_pushvalue(L, index);
    lua_State *own = lua_newthread(L);
    int ref_L = luaL_ref(L, LUA_REGISTRYINDEX), ref = luaL_ref(L, LUA_REGISTRYINDEX);
    Source *source = mem_zero(1, sizeof *source, &err);
    if (!source) {
        luaL_unref(L, LUA_REGISTRYINDEX, ref_L);
        luaL_unref(L, LUA_REGISTRYINDEX, ref);
        bind_raise(L, &err);
        return NULL;
    }
    atomic_init(&source->base.refs, 1);
    source->base.trace = trace_layer;
    source->base.free = source_free;
    source->script = script;
    source->thread = pthread_self();
    source->L = own;
    source->ref_L = ref_L;
    source->ref = ref;
    pthread_mutex_lock(&lock);
    source->next = script->sources;
    script->sources = source;
    pthread_mutex_unlock(&lock);
    return &source->base;
}

/* ---- what a traced function may not do ---- */

void trace_refuse(lua_State *L, const Var *var, const char *who)
{
    if (var->traced)
        bind_error(L, ERR_STATE, "%s: a traced function cannot look at values, only compose ops: it is called once, on stand-ins, and its "
                   "ops run from then on; op.greater and its sisters give 0 or 1 for each element, to multiply with", who);
}

bool trace_training(const Script *script)
{
    return script->tracing && script->tracing->training;
}

/* ---- calling it ---- */

typedef struct Job {
    Source *source;
    Layer *layer;
    const Shape *in;
    int n_in;
    int self;            /* stack index of a class's object; 0: a plain function */
    Var *params[LAYER_PARAMS]; /* stand-ins, borrowed from the stack */
    bool loss;           /* a function of targets and predictions */
    bool labels;         /* its targets are class numbers */
    Traced *out;
    Tracing now;
    Err err; /* of the engine, or what the function raised */
} Job;

/* Push a stand-in of this shape; a batch of -1 becomes `batch`. */
static Var *push_stand_in(lua_State *L, DType dtype, Shape shape, int64_t batch)
{
    Err err = ERR_INIT;
    TensorBox *box = tensor_box(L);
    if (shape.rank > 0 && shape.d[0] < 0)
        shape.d[0] = batch;
    if (!tensor_zero(&box->hold, dtype, shape, &err))
        bind_raise(L, &err);
    tensor_done(L, box, false);
    box->var->traced = true;
    return box->var;
}

/* What the function returned, on top. */
static Var *check_result(lua_State *L)
{
    char what[64];
    Var *var = tensor_test(L, -1);
    if (!var)
        bind_error(L, ERR_ARG, "the function must return one tensor, got %s", bind_what(L, -1, what));
    if (!var->traced)
        bind_error(L, ERR_ARG, "what the function returns does not depend on its input: it must be composed of ops on it");
    if (var->value.dtype != DTYPE_FLOAT32)
        bind_error(L, ERR_ARG, "the function must return float32, got %s; :to(\"float32\") makes it", dtype_name(var->value.dtype));
    return var;
}

/* ---- classes ---- */

static const ArgSpec weight_args[] = {
    { .name = "initializer", .type = ARG_TEXT, .fallback = "glorot_uniform", .help = "its first values" },
    { .name = "trainable", .type = ARG_BOOL, .fallback = "true", .help = "whether training changes it" },
};

/* self:add_weight(name, shape, initializer, {trainable}); upvalue 1: the Job while build runs, then nil. */
static int add_weight(lua_State *L)
{
    static const Verb verb = { .name = "add_weight", .values = "name shape", .args = weight_args, .n_args = COUNT_OF(weight_args) };
    Args args;
    Err err = ERR_INIT;
    int next;
    char what[64];
    Job *job = lua_touserdata(L, lua_upvalueindex(1));
    if (!job)
        return bind_error(L, ERR_STATE, "add_weight: weights are added in build, when the shape of the input becomes known");
    bind_take(L, 2, "add_weight", &verb, &args);
    if (lua_type(L, 2) != LUA_TSTRING)
        return bind_error(L, ERR_ARG, "add_weight wants the name of the weight, then its shape; got %s", bind_what(L, 2, what));
    Shape shape = tensor_shape(L, 3, &next, "add_weight");
    if (!traced_add_param(job->out, lua_tostring(L, 2), shape, args_text(&args, "initializer"), args_bool(&args, "trainable"), &err))
        return bind_raise(L, &err);
    return 0;
}

/* The object that build and call get: arguments, name, and add_weight. */
static void push_self(lua_State *L, Job *job)
{
    const Args *args = &job->layer->args;
    lua_createtable(L, 0, args->n + 4);
    for (int i = 0; i < args->n; i++) {
        bind_push_row(L, args, i);
        lua_setfield(L, -2, args->specs[i].name);
    }
    lua_pushstring(L, job->layer->name);
    lua_setfield(L, -2, "name");
}

static void set_add_weight(lua_State *L, Job *job)
{
    lua_pushlightuserdata(L, job);
    lua_pushcclosure(L, add_weight, 1);
    lua_pushvalue(L, -1);
    lua_setfield(L, job->self, "add_weight");
}

/* Build the class's object at 2 and leave its call at 1. Stand-ins of weights stay on the stack. */
static void build_class(lua_State *L, Job *job)
{
    push_self(L, job);
    job->self = lua_gettop(L);
    luaL_checkstack(L, OP_IN_MOST + LAYER_PARAMS + 8, NULL);
    set_add_weight(L, job);
    int closure = lua_gettop(L);
    if (lua_getfield(L, 1, "build") == LUA_TFUNCTION) {
        lua_pushvalue(L, job->self);
        for (int i = 0; i < job->n_in; i++)
            tensor_push_shape(L, &job->in[i]);
        lua_call(L, job->n_in + 1, 0);
    } else {
        lua_pop(L, 1);
    }
    lua_pushnil(L);
    lua_setupvalue(L, closure, 1);
    for (int i = 0; i < job->out->n_params; i++) {
        job->params[i] = push_stand_in(L, DTYPE_FLOAT32, job->out->params[i].shape, 0);
        lua_pushvalue(L, -1);
        lua_setfield(L, job->self, job->out->params[i].name);
    }
    lua_getfield(L, 1, "call");
    lua_replace(L, 1);
}

/* ---- a trace ---- */

/* The stack: 1 the function, then all stand-ins and results, which live as long as the call. */
static Program *trace_mode(lua_State *L, Job *job)
{
    Var *in[TRACE_BATCHES][OP_IN_MOST], *out[TRACE_BATCHES];
    Var *const *lists[TRACE_BATCHES];
    luaL_checkstack(L, (TRACE_BATCHES + 1) * (OP_IN_MOST + 4), NULL);
    for (int b = 0; b < TRACE_BATCHES; b++) {
        int first = lua_gettop(L) + 1;
        for (int i = 0; i < job->n_in; i++)
            in[b][i] = push_stand_in(L, job->labels && i == 0 ? DTYPE_INT32 : DTYPE_FLOAT32, job->in[i], trace_batches[b]);
        lists[b] = in[b];
        lua_pushvalue(L, 1);
        if (job->self)
            lua_pushvalue(L, job->self);
        for (int i = 0; i < job->n_in; i++)
            lua_pushvalue(L, first + i);
        lua_pushboolean(L, job->now.training);
        lua_call(L, job->n_in + 1 + (job->self > 0), 1);
        out[b] = check_result(L);
    }
    Program *program = traced_program(out, lists, job->n_in, job->params, job->out->n_params, !job->loss || out[0]->value.shape.rank > 0, &job->err);
    if (program) {
        job->out->out = out[0]->value.shape;
        job->out->out.d[0] = -1;
    }
    return program;
}

static int trace_body(lua_State *L)
{
    Job *job = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lua_rawgeti(L, LUA_REGISTRYINDEX, job->source->ref);
    Traced *out = job->out;
    if (lua_istable(L, 1))
        build_class(L, job);
    int top = lua_gettop(L);
    if (!(out->infer = trace_mode(L, job)))
        return 0;
    if (job->loss)
        return 0;
    Shape shape = out->out;
    job->now.training = true;
    lua_settop(L, top);
    if (!(out->train = trace_mode(L, job)))
        return 0;
    if (!shape_same(&shape, &out->out)) {
        err_set(&job->err, ERR_SHAPE, "the function gives another shape when training");
        return 0;
    }
    if (program_same(out->infer, out->train)) {
        program_unref(out->train);
        out->train = program_ref(out->infer);
    }
    return 0;
}

/* The error with the user's line; a text has it already. */
static int keep_error(lua_State *L)
{
    Job *job = lua_touserdata(L, lua_upvalueindex(1));
    lua_Debug ar;
    bind_describe(L, 1, &job->err);
    if (lua_type(L, 1) == LUA_TSTRING)
        return 1;
    for (int level = 0; lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Sl", &ar);
        if (ar.currentline > 0) {
            err_wrap(&job->err, "%s:%d", ar.short_src, ar.currentline);
            break;
        }
    }
    return 1;
}

static int protect(lua_State *L)
{
    lua_pushvalue(L, 1);
    lua_pushcclosure(L, keep_error, 1);
    lua_pushcfunction(L, trace_body);
    lua_pushvalue(L, 1);
    lua_pcall(L, 1, 0, 2);
    return 0;
}

/* Returns, whatever the function does. */
static bool run_job(Job *job, Err *err)
{
    Source *source = job->source;
    Script *script = source->script;
    lua_State *L = source->L;
    Tracing *outer = script->tracing;
    int top = lua_gettop(L);
    if (!lua_checkstack(L, 4))
        return err_set(err, ERR_MEM, "no memory to call a Lua function");
    script->tracing = &job->now;
    lua_pushcfunction(L, protect); /* a light C function, a light userdata: neither allocates */
    lua_pushlightuserdata(L, job);
    int status = lua_pcall(L, 1, 0, 0);
    script->tracing = outer;
    if (status != LUA_OK && job->err.code == ERR_OK)
        bind_describe(L, -1, &job->err);
    lua_settop(L, top);
    if (job->err.code == ERR_OK && job->out->infer && (job->loss || job->out->train))
        return true;
    if (err)
        *err = job->err;
    return job->err.code != ERR_OK ? false : err_set(err, ERR_BUG, "a trace ended without a result");
}

static bool trace_layer(TraceSource *base, Layer *layer, const Shape *in, int n_in, Traced *out, Err *err)
{
    Job job = { .source = (Source *)base, .layer = layer, .in = in, .n_in = n_in, .out = out };
    if (!job.source->script || !pthread_equal(job.source->thread, pthread_self()))
        return err_set(err, ERR_STATE, "%s has a Lua function, which cannot be called from here for inputs of another shape", layer->name);
    return run_job(&job, err);
}

/* One of the two; NULL with the reason in err. */
static Program *trace_targets(TraceSource *source, const Shape *output, TargetKind kind, Err *err)
{
    Traced made = { 0 };
    Shape in[2] = { *output, *output };
    if (kind == TARGET_LABELS)
        in[0].rank--;
    Job job = { .source = (Source *)source, .in = in, .n_in = 2, .loss = true, .labels = kind == TARGET_LABELS, .out = &made };
    if (run_job(&job, err))
        return made.infer;
    program_unref(made.infer);
    return NULL;
}

void trace_loss(lua_State *L, int index, const Shape *output, const char *who, Custom *out)
{
    Err err[2] = { ERR_INIT, ERR_INIT };
    TraceSource *source = trace_source(L, index);
    for (int k = 0; k < 2; k++)
        out->by[k] = k == TARGET_LABELS && output->rank < 2 ? NULL : trace_targets(source, output, (TargetKind)k, &err[k]);
    trace_source_unref(source);
    if (custom_is(out))
        return;
    if (err[1].code != ERR_OK && strcmp(err[0].text, err[1].text))
        bind_error(L, err[0].code, "%s: with y_true of the output's shape: %s; with class numbers as y_true: %s", who, err[0].text, err[1].text);
    err_wrap(&err[0], "%s", who);
    bind_raise(L, &err[0]);
}
