// SPDX-License-Identifier: MIT
#include "script/scope.h"

#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "script/trace.h"
#include "train/apply.h"
#include "train/job.h"

static uint64_t lives; /* of the lua thread */

/* ---- life ---- */

Scope *scope_new(Err *err)
{
    return mem_zero(1, sizeof(Scope), err);
}

static void unpin(Scope *scope)
{
    for (int i = 0; i < scope->n_pins; i++)
        var_unref(scope->pins[i]);
    for (int i = 0; i < scope->n_models; i++)
        model_unref(scope->models[i]);
    for (int i = 0; i < scope->n_layers; i++)
        layer_unref(scope->layers[i]);
    scope->n_pins = scope->n_models = scope->n_layers = 0;
}

void scope_free(Scope *scope)
{
    if (!scope)
        return;
    unpin(scope);
    for (int i = 0; i < scope->n_tapes; i++) {
        tape_fini(scope->tapes[i]);
        mem_free(scope->tapes[i]);
    }
    mem_free(scope->tapes);
    mem_free(scope->pins);
    mem_free(scope->models);
    mem_free(scope->layers);
    mem_free(scope);
}

/* Room for one more in a list of pointers. */
static bool grow(void ***list, int n, int *room, Err *err)
{
    if (n < *room)
        return true;
    int more = *room ? 2 * *room : 16;
    void **grown = mem_grow(*list, (size_t)more, sizeof *grown, err);
    if (!grown)
        return false;
    *list = grown;
    *room = more;
    return true;
}

/* The next tape of this step, begun. */
static Tape *next_tape(Scope *scope, TapeMode mode, Err *err)
{
    if (scope->used == scope->n_tapes) {
        Tape *tape = NULL;
        if (!grow((void ***)&scope->tapes, scope->n_tapes, &scope->room, err) || !(tape = mem_alloc(1, sizeof *tape, err)))
            return NULL;
        tape_init(tape);
        scope->tapes[scope->n_tapes++] = tape;
    }
    Tape *tape = scope->tapes[scope->used];
    tape_begin(tape, mode, rng_mix(scope->seed, (uint64_t)scope->used), scope->step);
    tape->open = mode == TAPE_TRAIN;
    scope->used++;
    return tape;
}

bool scope_begin(Script *script, Scope *scope, uint64_t seed, uint64_t step, Run *run, Err *err)
{
    unpin(scope);
    scope->life = ++lives;
    scope->seed = seed;
    scope->step = step;
    scope->draws = 0;
    scope->run = run;
    scope->used = 0;
    if (!(scope->now = next_tape(scope, TAPE_FORWARD, err)))
        return false;
    scope->outer = script->scope;
    script->scope = scope;
    return true;
}

void scope_end(Script *script, Scope *scope, bool keep)
{
    for (int i = 0; i < scope->used && keep; i++)
        tape_commit(scope->tapes[i]);
    script->scope = scope->outer;
    scope->outer = NULL;
    scope->now = NULL;
}

Scope *scope_now(const Script *script)
{
    return script->tracing ? NULL : script->scope;
}

static bool is_alive(const Script *script, uint64_t life)
{
    for (const Scope *scope = script->scope; scope; scope = scope->outer)
        if (scope->life == life)
            return true;
    return false;
}

void scope_check(lua_State *L, const TensorBox *box)
{
    if (box->borrowed && !is_alive(script_of(L), box->life))
        bind_error(L, ERR_STATE, "this tensor belongs to a step that is over, and its memory is used again; keep it with t:keep()");
}

/* ---- in and out ---- */

static void pin_var(lua_State *L, Scope *scope, Var *var)
{
    Err err = ERR_INIT;
    if (!grow((void ***)&scope->pins, scope->n_pins, &scope->pins_room, &err))
        bind_raise(L, &err);
    scope->pins[scope->n_pins++] = var_ref(var);
}

Node *scope_node(lua_State *L, int index, const char *who)
{
    Err err = ERR_INIT;
    Scope *scope = script_of(L)->scope;
    Var *var = tensor_any(L, index, who);
    TensorBox *box = bind_check(L, index, &kind_tensor, who);
    if (box->tape == scope->now && box->generation == scope->now->generation)
        return box->node;
    if (var->requires_grad)
        bind_error(L, ERR_STATE, "%s: a tensor with requires_grad keeps a graph of its own, for loss:backward(); here gradients are those of a "
                   "model's weights. t:detach() takes its values", who);
    Node *node = tape_input(scope->now, &var->value, &err);
    if (!node)
        bind_raise(L, &err);
    if (!box->borrowed)
        pin_var(L, scope, var);
    bool result = box->tape && is_alive(script_of(L), box->life) && box->node->call; /* of another tape, where apply looks for it */
    if (!result) {
        box->tape = scope->now;
        box->node = node;
        box->generation = scope->now->generation;
        box->life = box->borrowed ? box->life : scope->life;
    }
    return node;
}

static void push_borrowed(lua_State *L, const Tensor *value, Tape *tape, Node *node)
{
    Scope *scope = script_of(L)->scope;
    TensorBox *box = tensor_box(L);
    box->hold = *value;
    box->hold.storage = NULL;
    tensor_done(L, box, false);
    box->borrowed = true;
    box->life = scope->life;
    box->tape = tape;
    box->node = node;
    box->generation = tape ? tape->generation : 0;
}

void scope_push(lua_State *L, Node *node)
{
    push_borrowed(L, &node->value, script_of(L)->scope->now, node);
}

void scope_push_value(lua_State *L, const Tensor *value)
{
    push_borrowed(L, value, NULL, NULL);
}

/* ---- what runs on the tape ---- */

/* Set the tape's mode; the former is given back. */
static TapeMode set_mode(Tape *tape, int training)
{
    TapeMode before = tape->mode;
    if (training >= 0)
        tape->mode = training ? TAPE_TRAIN : TAPE_FORWARD;
    return before;
}

void scope_op(lua_State *L, const Op *op, const int *at, int n_in, const Args *args, bool training)
{
    Node *in[OP_IN_MOST] = { NULL };
    Err err = ERR_INIT;
    Tape *tape = scope_now(script_of(L))->now;
    for (int i = 0; i < n_in; i++)
        in[i] = at[i] ? scope_node(L, at[i], op->name) : NULL;
    TapeMode before = set_mode(tape, training ? 1 : -1);
    Node *out = tape_op(tape, op, in, n_in, args, &err);
    tape->mode = before;
    if (!out)
        bind_raise(L, &err);
    scope_push(L, out);
}

static void pin_model(lua_State *L, Scope *scope, Model *model)
{
    Err err = ERR_INIT;
    for (int i = 0; i < scope->n_models; i++)
        if (scope->models[i] == model)
            return;
    Run *owner = atomic_load(&model->owner);
    if (owner && owner != scope->run)
        bind_error(L, ERR_STATE, "%s is being trained by run %d; here it can be called when that has ended", model->name, run_id(owner));
    if (!grow((void ***)&scope->models, scope->n_models, &scope->models_room, &err))
        bind_raise(L, &err);
    scope->models[scope->n_models++] = model_ref(model);
}

/* Tensors from `first` on as nodes; class numbers and bytes stay what they are, model and layer see to them. */
static void take_nodes(lua_State *L, int first, int n, Node **in, const char *who)
{
    if (n < 1 || n > OP_IN_MOST)
        bind_error(L, ERR_ARG, "%s is called on one to %d tensors, got %d", who, OP_IN_MOST, n);
    for (int i = 0; i < n; i++) {
        if (!tensor_test(L, first + i)) {
            tensor_from(L, first + i, DTYPE_FLOAT32, who);
            lua_replace(L, first + i);
        }
        in[i] = scope_node(L, first + i, who);
    }
}

int scope_model(lua_State *L, Model *model, int first, int n, int training)
{
    Node *in[OP_IN_MOST], *out[MODEL_INPUTS];
    Err err = ERR_INIT;
    Scope *scope = scope_now(script_of(L));
    pin_model(L, scope, model);
    take_nodes(L, first, n, in, model->name);
    if (model->built && n != model->n_inputs)
        return bind_error(L, ERR_ARG, "%s has %d inputs, got %d", model->name, model->n_inputs, n);
    if (scope->run) {
        Tensor x[OP_IN_MOST];
        for (int i = 0; i < n; i++)
            x[i] = in[i]->value;
        job_given(scope->run, model, x, n);
    }
    TapeMode before = set_mode(scope->now, training);
    bool ok = model_forward(model, scope->now, in, out, NULL, NULL, &err);
    scope->now->mode = before;
    scope->now->where = NULL;
    if (!ok)
        return bind_raise(L, &err);
    luaL_checkstack(L, model->n_outputs + 4, NULL);
    for (int i = 0; i < model->n_outputs; i++)
        scope_push(L, out[i]);
    return model->n_outputs;
}

int scope_layer(lua_State *L, Layer *layer, int first, int n, int training)
{
    Node *in[OP_IN_MOST];
    Err err = ERR_INIT;
    Scope *scope = scope_now(script_of(L));
    if (!layer->built)
        return bind_error(L, ERR_STATE, "%s is not built yet: make it a part of a model with an input_shape", layer->name);
    if (layer->run_id && (!scope->run || layer->run_id != run_id(scope->run)))
        return bind_error(L, ERR_STATE, "%s is being trained by run %d", layer->name, layer->run_id);
    take_nodes(L, first, n, in, layer->name);
    if (!grow((void ***)&scope->layers, scope->n_layers, &scope->layers_room, &err))
        return bind_raise(L, &err);
    scope->layers[scope->n_layers++] = layer_ref(layer);
    TapeMode before = set_mode(scope->now, training);
    Node *out = layer_forward(layer, scope->now, in, n, &err);
    scope->now->mode = before;
    scope->now->where = NULL;
    if (!out)
        return bind_raise(L, &err);
    scope_push(L, out);
    for (int i = 0; i < out->n_also; i++)
        scope_push(L, out->also[i]);
    return 1 + out->n_also;
}

void scope_changed(const Script *script, const Layer *layer)
{
    const Scope *scope = script->scope ? script->scope : script->home;
    for (int i = 0; scope && layer->block && i < scope->used; i++)
        tape_outdate(scope->tapes[i], layer->block, layer->n_elements);
}

int scope_training(lua_State *L, const char *who)
{
    if (lua_gettop(L) < 2 || !bind_is_options(L, -1))
        return -1;
    lua_getfield(L, -1, "training");
    if (!lua_isboolean(L, -1))
        bind_error(L, ERR_ARG, "%s: training is true or false", who);
    int training = lua_toboolean(L, -1);
    lua_pop(L, 2);
    return training;
}

/* ---- tape(function … end) ---- */

#define GUARD "hebb.tape"

typedef struct Guard { /* what stands after the function, however it ends */
    Script *script;
    Scope *scope;
    Tape *before;
    bool home, done;
} Guard;

static int guard_close(lua_State *L)
{
    const Guard *guard = luaL_checkudata(L, 1, GUARD);
    guard->scope->now = guard->before;
    if (guard->home)
        scope_end(guard->script, guard->scope, guard->done);
    return 0;
}

static Guard *push_guard(lua_State *L)
{
    Guard *guard = lua_newuserdatauv(L, sizeof *guard, 0);
    *guard = (Guard){ .script = script_of(L) };
    if (luaL_newmetatable(L, GUARD)) {
        lua_pushcfunction(L, guard_close);
        lua_setfield(L, -2, "__close");
    }
    lua_setmetatable(L, -2);
    return guard;
}

/* The scope of the prompt; made when it is wanted. */
static Scope *home_of(lua_State *L)
{
    Script *script = script_of(L);
    Err err = ERR_INIT;
    if (!script->home && !(script->home = scope_new(&err)))
        bind_raise(L, &err);
    return script->home;
}

/* What comes out of a tape at the prompt has values of its own; apply knows by node and life where it stood. */
static void own_values(lua_State *L, int index)
{
    if (tensor_test(L, index))
        tensor_check(L, index, "tape");
}

static int call_tape(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    char what[64];
    Script *script = script_of(L);
    bind_take(L, 1, "tape", bind_verb(L), &args);
    if (!lua_isfunction(L, 1))
        return bind_error(L, ERR_ARG, "tape wants a function whose ops are recorded: tape(function() … return loss end), got %s",
                          bind_what(L, 1, what));
    if (script->tracing)
        return bind_error(L, ERR_STATE, "tape: a traced function only composes ops; the tape is that of who uses it");
    Guard *guard = push_guard(L); /* at 2 */
    guard->home = !script->scope;
    guard->scope = guard->home ? home_of(L) : script->scope;
    if (!guard->home && guard->scope->now->mode == TAPE_TRAIN)
        return bind_error(L, ERR_STATE, "tape: a tape is being recorded already; compute both losses in one, and apply them one after the other");
    if (guard->home && !scope_begin(script, guard->scope, script_seed(script), 0, NULL, &err))
        return bind_raise(L, &err);
    guard->before = guard->scope->now;
    lua_toclose(L, 2);
    if (!(guard->scope->now = next_tape(guard->scope, TAPE_TRAIN, &err))) {
        guard->scope->now = guard->before;
        return bind_raise(L, &err);
    }
    lua_pushvalue(L, 1);
    lua_call(L, 0, LUA_MULTRET);
    int n = lua_gettop(L) - 2;
    for (int i = 1; guard->home && i <= n; i++)
        own_values(L, 2 + i);
    guard->done = !guard->home; /* there, moving averages wait for apply */
    lua_closeslot(L, 2);
    return n;
}

static const Verb verbs[] = {
    { "tape", call_tape, "function", NULL, 0,
      "Run the function and record its ops, so that optimizer:apply(loss, model) can go back through them. Models called inside are in\n"
      "training: dropout drops, batch normalisation takes the batch. Gives what the function returns. Tensors of a recorded step are\n"
      "gone when it is over; t:keep() keeps one.",
      "local m, sgd = nn.Sequential{nn.Dense(1, {input_shape = {2}})}, nn.SGD{learning_rate = 0.1}\n"
      "local x, y = tensor{{1, 2}}, tensor{{3}}\n"
      "local function step() local loss = tape(function() return (m(x) - y):square():mean() end); sgd:apply(loss, m); return loss:item() end\n"
      "assert(step() > step())" },
};
const VerbGroup scope_group = { "", verbs, COUNT_OF(verbs) };

/* ---- optimizer:apply ---- */

/* The tape that this loss stands on, still whole. */
static Scope *scope_of_loss(lua_State *L, const TensorBox *box)
{
    Script *script = script_of(L);
    Scope *scope = script->scope ? script->scope : script->home;
    bool stands = scope && box->tape && box->life == scope->life && box->node && box->generation == box->tape->generation;
    if (!stands)
        bind_error(L, ERR_STATE, "apply: this loss was not computed inside tape(function() … end) of this step");
    return scope;
}

static Optimizer *live_optimizer(lua_State *L, Recipe *recipe)
{
    Err err = ERR_INIT;
    if (!recipe->live) {
        if (!(recipe->live = optimizer_new(recipe->of.optimizer, &recipe->args, &err)))
            bind_raise(L, &err);
        recipe->live->rate = rate_ref(recipe->rate);
    }
    return recipe->live;
}

/* Models at index: one, or a list. */
static int take_models(lua_State *L, int index, Model **out)
{
    int n = lua_istable(L, index) ? (int)lua_rawlen(L, index) : 1;
    if (n < 1 || n > JOB_MODELS)
        bind_error(L, ERR_ARG, "apply wants a model, or a list of 1 to %d, whose weights are updated", JOB_MODELS);
    for (int i = 0; i < n; i++) {
        if (lua_istable(L, index))
            lua_rawgeti(L, index, i + 1);
        else
            lua_pushvalue(L, index);
        out[i] = model_check(L, -1, "apply");
        lua_pop(L, 1);
    }
    return n;
}

static void check_owner(lua_State *L, const Scope *scope, const Model *model)
{
    Run *owner = atomic_load(&model->owner);
    if (owner != scope->run && owner)
        bind_error(L, ERR_STATE, "apply: %s is being trained by run %d", model->name, run_id(owner));
    if (!owner && scope->run)
        bind_error(L, ERR_STATE, "apply: %s is none of this job's models; name it in models = {…}", model->name);
}

int scope_apply(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    Model *models[JOB_MODELS];
    Recipe *recipe = bind_check(L, 1, &kind_recipe, "apply");
    bind_take(L, 2, "apply", bind_verb(L), &args);
    if (recipe->type != RECIPE_OPTIMIZER)
        return bind_error(L, ERR_ARG, "apply is a method of optimizers: nn.Adam():apply(loss, model)");
    if (scope_now(script_of(L)) && scope_now(script_of(L))->now->mode == TAPE_TRAIN)
        return bind_error(L, ERR_STATE, "apply: the tape is still being recorded; apply the loss that tape(function() … end) gives, behind it");
    tensor_any(L, 2, "apply");
    const TensorBox *box = bind_check(L, 2, &kind_tensor, "apply");
    const Scope *scope = scope_of_loss(L, box);
    int n = take_models(L, 3, models);
    for (int i = 0; i < n; i++)
        check_owner(L, scope, models[i]);
    Optimizer *optimizer = live_optimizer(L, recipe);
    Apply apply = { box->tape, box->node, optimizer, models, n, scope->tapes, scope->used };
    if ((scope->run && !job_adopt(scope->run, optimizer, &err)) || !apply_loss(&apply, &err)) {
        err_wrap(&err, "apply");
        return bind_raise(L, &err);
    }
    return 0;
}

void scope_open(lua_State *L)
{
    lua_pushglobaltable(L);
    bind_fill(L, &scope_group);
    lua_pop(L, 1);
}

void scope_close(Script *script)
{
    scope_free(script->home);
    script->home = NULL;
}
