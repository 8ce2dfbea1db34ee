// SPDX-License-Identifier: MIT
/* nn.Adam{learning_rate = 1e-3}: what compile puts to use, as a small immutable object. One C function for all records. */
#include <string.h>

#include "base/mem.h"
#include "script/bind_net.h"
#include "script/help.h"
#include "script/scope.h"

typedef struct Record { /* what the tables have in common */
    RecipeType type;
    const void *row;
    const char *name, *class_name; /* class_name NULL: the name with capitals */
    const ArgSpec *args;
    int n_args;
} Record;

static const char *const type_names[] = { "an optimizer", "a loss", "a metric", "a schedule", "a callback" };

static bool record_at(RecipeType type, int i, Record *out)
{
    *out = (Record){ .type = type };
    const OptimizerKind *optimizer = type == RECIPE_OPTIMIZER ? optimizer_at(i) : NULL;
    const Loss *loss = type == RECIPE_LOSS ? loss_at(i) : NULL;
    const Metric *metric = type == RECIPE_METRIC ? metric_at(i) : NULL;
    const Schedule *schedule = type == RECIPE_SCHEDULE ? schedule_at(i) : NULL;
    const CallbackKind *callback = type == RECIPE_CALLBACK ? callback_at(i) : NULL;
    if (optimizer) {
        *out = (Record){ type, optimizer, optimizer->name, optimizer->class_name, NULL, 0 };
        out->args = optimizer_args(optimizer, &out->n_args);
    }
    if (loss)
        *out = (Record){ type, loss, loss->name, loss->class_name, loss->args, loss->n_args };
    if (metric)
        *out = (Record){ type, metric, metric->name, metric->class_name, metric->args, metric->n_args };
    if (schedule)
        *out = (Record){ type, schedule, schedule->name, NULL, schedule->args, schedule->n_args };
    if (callback)
        *out = (Record){ type, callback, callback->name, callback->class_name, callback->args, callback->n_args };
    return out->row != NULL;
}

static Record record_find(lua_State *L, RecipeType type, const char *name)
{
    Err err = ERR_INIT;
    const void *row = type == RECIPE_OPTIMIZER ? (const void *)optimizer_find(name, &err)
                      : type == RECIPE_LOSS    ? (const void *)loss_find(name, &err)
                      : type == RECIPE_METRIC  ? (const void *)metric_find(name, &err)
                                               : type == RECIPE_CALLBACK ? (const void *)callback_find(name, &err)
                                               : (const void *)schedule_find(name, &err);
    Record record = { 0 };
    if (!row)
        bind_raise(L, &err);
    for (int i = 0; record_at(type, i, &record); i++)
        if (record.row == row)
            return record;
    bind_error(L, ERR_NAME, "there is no %s called \"%.40s\"", type_names[type], name);
    return record;
}

static Recipe *push_recipe(lua_State *L, const Record *record)
{
    Recipe *recipe = bind_new(L, &kind_recipe, sizeof *recipe);
    recipe->type = record->type;
    recipe->of.optimizer = record->row; /* any member: all are pointers to const records */
    args_init(&recipe->args, record->args, record->n_args);
    return recipe;
}

/* A schedule, or a number that stands for itself, at index: pushes its recipe. */
static Recipe *schedule_like(lua_State *L, int index, const char *who)
{
    if (lua_type(L, index) != LUA_TNUMBER)
        return recipe_take(L, index, RECIPE_SCHEDULE, who);
    Err err = ERR_INIT;
    Record record = record_find(L, RECIPE_SCHEDULE, "constant");
    Recipe *recipe = push_recipe(L, &record);
    if (!args_set_number(&recipe->args, 0, lua_tonumber(L, index), who, &err) ||
        !(recipe->rate = rate_new(recipe->of.schedule, &recipe->args, NULL, &err)))
        bind_raise(L, &err);
    return recipe;
}

/* Pushes a copy of the table at index, for changes that its owner must not see. */
static int copy_table(lua_State *L, int index)
{
    lua_newtable(L);
    int copy = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, copy);
    }
    return copy;
}

/* learning_rate = a schedule: its recipe is pushed, and the options at index replaced by a copy with the number it begins with. */
static const Recipe *take_rate(lua_State *L, int options)
{
    lua_getfield(L, options, "learning_rate");
    const Recipe *given = bind_test(L, -1, &kind_recipe);
    lua_pop(L, 1);
    if (!given)
        return NULL;
    if (given->type != RECIPE_SCHEDULE)
        bind_error(L, ERR_ARG, "learning_rate wants a number or a schedule like nn.CosineDecay(0.002, 1000), got %s",
                   type_names[given->type]);
    int copy = copy_table(L, options);
    lua_pushnumber(L, rate_at(given->rate, 0));
    lua_setfield(L, copy, "learning_rate");
    lua_getfield(L, options, "learning_rate"); /* kept alive */
    lua_insert(L, copy);
    lua_replace(L, options);
    return given;
}

/* nn.Adam(nn.CosineDecay(…), {…}) as nn.Adam{learning_rate = …, …}. */
static void named_rate(lua_State *L, int first)
{
    if (!bind_test(L, first, &kind_recipe))
        return;
    if (bind_is_options(L, first + 1)) {
        copy_table(L, first + 1);
        lua_replace(L, first + 1);
    } else {
        lua_newtable(L);
        lua_insert(L, first + 1);
    }
    lua_pushvalue(L, first);
    lua_setfield(L, first + 1, "learning_rate");
    lua_remove(L, first);
}

/* The schedule that this one stands before: first of the arguments, or `schedule` in the table. Pushes its recipe below them. */
static Rate *take_after(lua_State *L, int first, const char *who)
{
    const Recipe *after = NULL;
    if (bind_is_options(L, first)) {
        lua_getfield(L, first, "schedule");
        if (!lua_isnil(L, -1)) {
            after = schedule_like(L, lua_gettop(L), who);
            copy_table(L, first);
            lua_pushnil(L);
            lua_setfield(L, -2, "schedule");
            lua_replace(L, first);
            lua_insert(L, first); /* the recipe, kept alive */
        }
        lua_settop(L, first + (after != NULL));
    } else if (lua_gettop(L) >= first) {
        after = schedule_like(L, first, who);
        lua_replace(L, first);
    }
    if (!after)
        bind_error(L, ERR_ARG, "%s wants the schedule it stands before: nn.WarmUp(nn.CosineDecay(0.01, 1000), 100)", who);
    return after->rate;
}

/* The file that a callback writes: first of the arguments, or by name in the table. Pushes its text (or nil) below the others. */
static void take_file(lua_State *L, int first, const CallbackKind *callback, const char *who)
{
    char what[64];
    Err err = ERR_INIT;
    if (bind_is_options(L, first)) {
        copy_table(L, first);
        lua_replace(L, first);
        lua_getfield(L, first, callback->file);
        lua_pushnil(L);
        lua_setfield(L, first, callback->file);
        lua_insert(L, first);
    } else if (lua_gettop(L) < first) {
        lua_pushnil(L);
    }
    if (lua_isnil(L, first) && callback->file_fallback) {
        lua_pushstring(L, callback->file_fallback);
        lua_replace(L, first);
    }
    if (lua_type(L, first) != LUA_TSTRING || !*lua_tostring(L, first) || lua_rawlen(L, first) >= CALLBACK_PATH)
        bind_error(L, ERR_ARG, "%s wants %s, a path of 1 to %d bytes, got %s", who, callback->file, CALLBACK_PATH - 1, bind_what(L, first, what));
    bind_text(L, first, who, callback->file);
    if (!strchr(lua_tostring(L, first), '{') && !script_may_touch(script_of(L), lua_tostring(L, first), &err))
        bind_raise(L, &err);
}

/* Arguments of a recipe from stack index `first` on. Pushes the recipe alone. */
static Recipe *make(lua_State *L, const Record *record, int first, const char *who)
{
    const Verb verb = { .name = record->name, .args = record->args, .n_args = record->n_args };
    const Schedule *schedule = record->type == RECIPE_SCHEDULE ? record->row : NULL;
    const Recipe *rate = NULL;
    Rate *after = NULL;
    Args args;
    Err err = ERR_INIT;
    if (record->type == RECIPE_OPTIMIZER && lua_gettop(L) >= first) {
        named_rate(L, first);
        if (bind_is_options(L, first) && (rate = take_rate(L, first)) != NULL)
            lua_insert(L, first++);
    }
    if (schedule && schedule->holds)
        after = take_after(L, first++, who);
    const CallbackKind *callback = record->type == RECIPE_CALLBACK ? record->row : NULL;
    if (callback && callback->file)
        take_file(L, first++, callback, who);
    bind_take(L, first, who, &verb, &args);
    if (record->type == RECIPE_OPTIMIZER && !optimizer_check(record->row, &args, &err))
        bind_raise(L, &err);
    if (callback && callback->check && !callback->check(&args, &err))
        bind_raise(L, &err);
    Recipe *recipe = push_recipe(L, record);
    recipe->args = args;
    if (callback && callback->file && !(recipe->file = mem_copy_text(lua_tostring(L, first - 1), &err)))
        bind_raise(L, &err);
    recipe->rate = rate ? rate_ref(rate->rate) : NULL;
    if (schedule && !(recipe->rate = rate_new(schedule, &args, after, &err)))
        bind_raise(L, &err);
    return recipe;
}

static int new_recipe(lua_State *L)
{
    char name[HELP_CLASS], who[HELP_CLASS + 4] = "nn.";
    Record record;
    record_at((RecipeType)lua_tointeger(L, lua_upvalueindex(1)), (int)lua_tointeger(L, lua_upvalueindex(2)), &record);
    strcat(who, help_class(record.class_name, record.name, name));
    make(L, &record, 1, who);
    return 1;
}

Recipe *recipe_take(lua_State *L, int index, RecipeType type, const char *who)
{
    char what[64];
    index = lua_absindex(L, index);
    Recipe *recipe = bind_test(L, index, &kind_recipe);
    if (recipe && recipe->type == type) {
        lua_pushvalue(L, index);
        return recipe;
    }
    if (recipe && type == RECIPE_METRIC && recipe->type == RECIPE_LOSS) { /* nn.MeanSquaredError() among the metrics */
        Record record = record_find(L, type, recipe->of.loss->name);
        return push_recipe(L, &record);
    }
    if (lua_type(L, index) == LUA_TSTRING) {
        Record record = record_find(L, type, lua_tostring(L, index));
        Err err = ERR_INIT;
        Recipe *plain = push_recipe(L, &record);
        if (!args_complete(&plain->args, who, &err))
            bind_raise(L, &err);
        return plain;
    }
    if (!lua_istable(L, index) || lua_rawgeti(L, index, 1) != LUA_TSTRING)
        bind_error(L, ERR_ARG, "%s wants %s: a name like \"%s\" or an object like nn.%s, got %s", who, type_names[type],
                   type == RECIPE_OPTIMIZER ? "adam"
                   : type == RECIPE_LOSS    ? "mse"
                                            : "accuracy",
                   type == RECIPE_OPTIMIZER ? "Adam{learning_rate = 1e-3}" : "MeanSquaredError()", bind_what(L, index, what));
    Record record = record_find(L, type, lua_tostring(L, -1));
    lua_newtable(L); /* {"adam", learning_rate = 1e-3}: the names are the arguments */
    int options = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, index)) {
        if (lua_type(L, -2) == LUA_TSTRING) {
            lua_pushvalue(L, -2);
            lua_pushvalue(L, -2);
            lua_rawset(L, options);
        }
        lua_pop(L, 1);
    }
    return make(L, &record, options, record.name);
}

/* The maker of a recipe on top of the stack, under its class name into the table below it and, if that name is free there, into nn. */
static void set_maker(lua_State *L, int nn, int room, const char *shown)
{
    lua_pushvalue(L, -1);
    lua_setfield(L, room, shown);
    lua_pushstring(L, shown);
    if (lua_rawget(L, nn) == LUA_TNIL) {
        lua_pushvalue(L, -2);
        lua_setfield(L, nn, shown);
    }
    lua_pop(L, 2);
}

void recipe_fill(lua_State *L)
{
    static const char *const rooms[] = { "optimizers", "losses", "metrics", "schedules", "callbacks" };
    int nn = lua_gettop(L);
    for (int type = RECIPE_OPTIMIZER; type <= RECIPE_CALLBACK; type++) {
        Record record;
        lua_newtable(L);
        for (int i = 0; record_at((RecipeType)type, i, &record); i++) {
            char name[HELP_CLASS];
            const char *shown = help_class(record.class_name, record.name, name);
            lua_pushinteger(L, type);
            lua_pushinteger(L, i);
            lua_pushcclosure(L, new_recipe, 2);
            lua_pushfstring(L, "nn.%s", shown);
            lua_insert(L, -2);
            bind_name(L, lua_tostring(L, -2));
            lua_remove(L, -2);
            set_maker(L, nn, nn + 1, shown);
        }
        lua_setfield(L, nn, rooms[type]);
    }
}

static int recipe_tostring(lua_State *L)
{
    const Recipe *recipe = bind_check(L, 1, &kind_recipe, "tostring");
    char name[HELP_CLASS];
    Record record = { 0 };
    for (int i = 0; record_at(recipe->type, i, &record) && record.row != (const void *)recipe->of.optimizer; i++)
        ;
    Buf *out = bind_buf(L);
    buf_printf(out, "nn.%s{", help_class(record.class_name, record.name ? record.name : "", name));
    if (recipe->file)
        buf_printf(out, "%s = \"%s\"", recipe->of.callback->file, recipe->file);
    for (int i = 0, n = recipe->file != NULL; i < recipe->args.n; i++) {
        if (!recipe->args.v[i].given)
            continue;
        buf_printf(out, "%s%s = ", n++ ? ", " : "", recipe->args.specs[i].name);
        if (recipe->rate && !strcmp(recipe->args.specs[i].name, "learning_rate"))
            buf_printf(out, "nn.%s", help_class(NULL, recipe->rate->schedule->name, name));
        else
            args_write(out, &recipe->args, i);
    }
    buf_put(out, '}');
    bind_push_buf(L, out);
    return 1;
}

static int recipe_index_other(lua_State *L)
{
    const Recipe *recipe = bind_check(L, 1, &kind_recipe, "recipe");
    const CallbackKind *callback = recipe->type == RECIPE_CALLBACK ? recipe->of.callback : NULL;
    if (callback && callback->file && lua_type(L, 2) == LUA_TSTRING && !strcmp(lua_tostring(L, 2), callback->file)) {
        lua_pushstring(L, recipe->file ? recipe->file : callback->file_fallback);
        return 1;
    }
    int i = lua_type(L, 2) == LUA_TSTRING ? args_find(&recipe->args, lua_tostring(L, 2)) : -1;
    if (i < 0)
        return 0;
    bind_push_row(L, &recipe->args, i);
    return 1;
}

/* A schedule called with a step gives the learning rate there, a loss called with targets and predictions its value. */
static int recipe_call(lua_State *L)
{
    const Recipe *recipe = bind_check(L, 1, &kind_recipe, "a schedule");
    if (recipe->type == RECIPE_LOSS)
        return loss_call(L, recipe->of.loss, &recipe->args);
    if (recipe->type != RECIPE_SCHEDULE)
        return bind_error(L, ERR_ARG, recipe->type == RECIPE_CALLBACK ? "%s is given to fit, it cannot be called" : "%s is given to compile, it cannot be called", type_names[recipe->type]);
    double step = bind_number(L, 2, "a schedule", "the number of a step");
    lua_pushnumber(L, rate_at(recipe->rate, step > 0 ? step < 1e15 ? (int64_t)step : (int64_t)1e15 : 0));
    return 1;
}

static int recipe_gc(lua_State *L)
{
    Recipe *recipe = bind_check(L, 1, &kind_recipe, "__gc");
    rate_unref(recipe->rate);
    optimizer_unref(recipe->live);
    recipe->live = NULL;
    mem_free(recipe->file);
    recipe->rate = NULL;
    recipe->file = NULL;
    return 0;
}

static const luaL_Reg meta[] = { { "__gc", recipe_gc }, { "__tostring", recipe_tostring }, { "__call", recipe_call }, { NULL, NULL } };

/* Of an optimizer that apply uses, the learning rate in force. */
static int get_rate(lua_State *L)
{
    const Recipe *recipe = bind_check(L, 1, &kind_recipe, "learning_rate");
    int i = args_find(&recipe->args, "learning_rate");
    if (recipe->live)
        lua_pushnumber(L, recipe->live->learning_rate);
    else if (i >= 0)
        bind_push_row(L, &recipe->args, i);
    else
        lua_pushnil(L);
    return 1;
}

static int set_rate(lua_State *L)
{
    Err err = ERR_INIT;
    char what[64];
    Recipe *recipe = bind_check(L, 1, &kind_recipe, "learning_rate");
    if (recipe->type != RECIPE_OPTIMIZER)
        return bind_error(L, ERR_ARG, "%s does not change once it is made; make another", type_names[recipe->type]);
    if (lua_type(L, 3) != LUA_TNUMBER || !(lua_tonumber(L, 3) >= 0))
        return bind_error(L, ERR_ARG, "learning_rate wants a number of at least 0, got %s", bind_what(L, 3, what));
    int row = args_find(&recipe->args, "learning_rate");
    if (row < 0 || !args_set_number(&recipe->args, row, lua_tonumber(L, 3), "learning_rate", &err))
        return bind_raise(L, &err);
    rate_unref(recipe->rate);
    recipe->rate = NULL;
    if (recipe->live) {
        rate_unref(recipe->live->rate);
        recipe->live->rate = NULL;
        recipe->live->learning_rate = lua_tonumber(L, 3);
    }
    return 0;
}

static const Field fields[] = {
    { "learning_rate", get_rate, set_rate, "of an optimizer: in force now; a new one holds from its next apply on" },
};

static const Verb methods[] = {
    { "apply", scope_apply, "loss model", NULL, 0,
      "Of an optimizer: one update of the model's weights (or those of a list of models) down the gradient of the loss, which was computed\n"
      "inside tape(function() … end). Other weights that the loss went through stay as they are. What layers' regularisers ask for is no\n"
      "part of a loss of your own.",
      NULL },
};

const Kind kind_recipe = {
    .type = "hebb.recipe",
    .what = "recipe",
    .title = "an optimizer, loss, metric, schedule or callback",
    .doc = "An optimizer, loss, metric, schedule or callback with its arguments, for compile and fit: nn.Adam{learning_rate = 1e-3}.",
    .fields = fields,
    .n_fields = COUNT_OF(fields),
    .methods = methods,
    .n_methods = COUNT_OF(methods),
    .meta = meta,
    .index_other = recipe_index_other,
};
