// SPDX-License-Identifier: MIT
/* Models. Whatever touches weights goes through model_do: at a boundary of the run that trains the model, or here. */
#include "script/bind_model.h"
#include "script/bind_text.h"

#include <string.h>

#include "script/help.h"
#include "script/scope.h"

/* ---- boxes ---- */

Model *model_check(lua_State *L, int index, const char *who)
{
    ModelBox *box = bind_check(L, index, &kind_model, who);
    if (!box->model)
        bind_error(L, ERR_STATE, "%s: this model is gone", who);
    return box->model;
}

void model_push(lua_State *L, Model *take)
{
    ModelBox *box = bind_new(L, &kind_model, sizeof *box);
    box->model = take;
}

static int model_gc(lua_State *L)
{
    ModelBox *box = bind_check(L, 1, &kind_model, "__gc");
    model_unref(box->model);
    box->model = NULL;
    return 0;
}

/* ---- building ---- */

/* A layer, a model or an Input's symbol at index as a layer, with a reference of its own in a box that is pushed. */
static Layer *layer_box(lua_State *L, int index, const char *who)
{
    char what[64];
    Err err = ERR_INIT;
    LayerBox *layer = bind_test(L, index, &kind_layer);
    ModelBox *model = bind_test(L, index, &kind_model);
    SymbolBox *symbol = bind_test(L, index, &kind_symbol);
    LayerBox *box = bind_new(L, &kind_layer, sizeof *box);
    if (layer && layer->layer)
        box->layer = layer_ref(layer->layer);
    else if (symbol && symbol->symbol && symbol->symbol->layer->kind && symbol->symbol->layer->kind->is_input)
        box->layer = layer_ref(symbol->symbol->layer);
    else if (model && model->model) {
        if (!(box->layer = model_as_layer(model->model, &err)))
            bind_raise(L, &err);
    } else
        bind_error(L, ERR_ARG, "%s wants a layer like nn.Dense(10), got %s", who, bind_what(L, index, what));
    return box->layer;
}

static int method_add(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    Model *model = model_check(L, 1, "add");
    bind_take(L, 2, "add", bind_verb(L), &args);
    if (!model_add(model, layer_box(L, 2, "add"), &err))
        return bind_raise(L, &err);
    return 0;
}

static int method_pop(lua_State *L)
{
    Err err = ERR_INIT;
    return model_pop(model_check(L, 1, "pop"), &err) ? 0 : bind_raise(L, &err);
}

/* The name at stack index: NULL, or a text. Raises. */
static const char *name_at(lua_State *L, int index, const char *who)
{
    char what[64];
    if (lua_isnil(L, index))
        return NULL;
    if (lua_type(L, index) != LUA_TSTRING || !*lua_tostring(L, index) || strlen(lua_tostring(L, index)) >= LAYER_NAME)
        bind_error(L, ERR_ARG, "%s: name is a text of 1 to %d characters, got %s", who, LAYER_NAME - 1, bind_what(L, index, what));
    return lua_tostring(L, index);
}

static int new_sequential(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    char what[64];
    bind_take(L, 1, "nn.Sequential", bind_verb(L), &args);
    const char *name = name_at(L, 2, "nn.Sequential");
    if (!lua_isnil(L, 1) && !lua_istable(L, 1))
        return bind_error(L, ERR_ARG, "nn.Sequential wants a list of layers, got %s", bind_what(L, 1, what));
    ModelBox *box = bind_new(L, &kind_model, sizeof *box);
    if (!(box->model = model_sequential(name, &err)))
        return bind_raise(L, &err);
    int n = lua_istable(L, 1) ? (int)lua_rawlen(L, 1) : 0;
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, 1, i);
        if (!model_add(box->model, layer_box(L, lua_gettop(L), "nn.Sequential"), &err))
            return bind_raise(L, &err);
        lua_pop(L, 2);
    }
    return 1;
}

/* A symbol or a list of symbols at index; returns how many. */
static int take_symbols(lua_State *L, int index, Symbol *out[MODEL_INPUTS], const char *what_for)
{
    char what[64];
    bool list = lua_istable(L, index);
    int n = list ? (int)lua_rawlen(L, index) : 1;
    if (n < 1 || n > MODEL_INPUTS)
        bind_error(L, ERR_ARG, "nn.Model: %s wants 1 to %d symbols, got %d", what_for, MODEL_INPUTS, n);
    for (int i = 0; i < n; i++) {
        if (list)
            lua_rawgeti(L, index, i + 1);
        else
            lua_pushvalue(L, index);
        SymbolBox *box = bind_test(L, -1, &kind_symbol);
        if (!box || !box->symbol)
            bind_error(L, ERR_ARG, "nn.Model: %s wants symbols (nn.Input makes one, layers called on it give more), got %s",
                       what_for, bind_what(L, -1, what));
        out[i] = box->symbol; /* kept alive by the list or the stack */
        lua_pop(L, 1);
    }
    return n;
}

static int new_model(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    Symbol *inputs[MODEL_INPUTS], *outputs[MODEL_INPUTS];
    bind_take(L, 1, "nn.Model", bind_verb(L), &args);
    int n_inputs = take_symbols(L, 1, inputs, "inputs"), n_outputs = take_symbols(L, 2, outputs, "outputs");
    const char *name = name_at(L, 3, "nn.Model");
    ModelBox *box = bind_new(L, &kind_model, sizeof *box);
    box->model = model_functional(inputs, n_inputs, outputs, n_outputs, name, &err);
    return box->model ? 1 : bind_raise(L, &err);
}

static int nn_load(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    bind_take(L, 1, "nn.load", bind_verb(L), &args);
    const char *path = bind_path(L, 1, "nn.load");
    ModelBox *box = bind_new(L, &kind_model, sizeof *box);
    if (!(box->model = compile_load(path, &err)))
        return bind_raise(L, &err);
    return 1;
}

static int reset_names(lua_State *L)
{
    (void)L;
    layer_reset_names();
    return 0;
}

/* How many tensors stand from `first` on; a list of them alone is spread over the stack. */
static int spread_inputs(lua_State *L, int first)
{
    int n = lua_gettop(L) - first + 1;
    if (n != 1 || !lua_istable(L, first))
        return n;
    lua_rawgeti(L, first, 1);
    bool list = tensor_test(L, -1) != NULL;
    lua_pop(L, 1);
    n = list ? (int)lua_rawlen(L, first) : 1;
    if (!list || n > MODEL_INPUTS)
        return 1;
    luaL_checkstack(L, n + 4, NULL);
    for (int i = 1; i <= n; i++)
        lua_rawgeti(L, first, i);
    lua_remove(L, first);
    return n;
}

/* A model called: on symbols it is a layer of another model, on tensors it predicts. */
static int model_call(lua_State *L)
{
    Model *model = model_check(L, 1, "a model");
    bool symbols = bind_test(L, 2, &kind_symbol) != NULL;
    if (lua_istable(L, 2)) {
        lua_rawgeti(L, 2, 1);
        symbols = bind_test(L, -1, &kind_symbol) != NULL;
        lua_pop(L, 1);
    }
    if (!symbols && scope_now(script_of(L))) {
        int training = scope_training(L, model->name);
        return scope_model(L, model, 2, spread_inputs(L, 2), training);
    }
    if (!symbols) {
        int n = lua_gettop(L) - 1;
        if (n > 1) { /* one by one: as a list */
            lua_createtable(L, n, 0);
            for (int i = 1; i <= n; i++) {
                lua_pushvalue(L, 1 + i);
                lua_rawseti(L, -2, i);
            }
            lua_replace(L, 2);
        }
        lua_settop(L, 2);
        model_predict_at(L, model, 2, 32, 0);
        int list = lua_gettop(L);
        for (int i = 1; model->n_outputs > 1 && i <= model->n_outputs; i++)
            lua_rawgeti(L, list, i);
        return model->n_outputs; /* several values, as symbols are given */
    }
    Layer *layer = layer_box(L, 1, "a model"); /* on top */
    lua_insert(L, 2);
    return layer_apply(L, layer, 3);
}

/* ---- looking ---- */

/* Each line of the text on top of the stack goes to the function at index. */
static void call_lines(lua_State *L, int index)
{
    const char *text = lua_tostring(L, -1);
    while (*text) {
        size_t n = strcspn(text, "\n");
        lua_pushvalue(L, index);
        lua_pushlstring(L, text, n);
        lua_call(L, 1, 0);
        text += n + (text[n] == '\n');
    }
}

static int method_summary(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    char what[64];
    Script *script = script_of(L);
    Model *model = model_check(L, 1, "summary");
    bind_take(L, 2, "summary", bind_verb(L), &args);
    if (!lua_isnil(L, 2) && !lua_isfunction(L, 2))
        return bind_error(L, ERR_ARG, "summary: print_fn is a function that is given each line, got %s", bind_what(L, 2, what));
    Buf *out = bind_buf(L);
    if (!model_summary(model, out, script->options.columns, !script->options.unicode, &err))
        return bind_raise(L, &err);
    bind_push_buf(L, out);
    if (lua_isfunction(L, 2))
        call_lines(L, 2);
    else
        script_say(script, SAY_OUT, lua_tostring(L, -1), lua_rawlen(L, -1));
    return 0;
}

static int method_get_layer(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    char what[64];
    Model *model = model_check(L, 1, "get_layer");
    bind_take(L, 2, "get_layer", bind_verb(L), &args);
    Layer *layer = NULL;
    if (lua_type(L, 2) == LUA_TSTRING)
        layer = model_layer(model, lua_tostring(L, 2), &err);
    else if (lua_isinteger(L, 2) && lua_tointeger(L, 2) > -1000000 && lua_tointeger(L, 2) < 1000000)
        layer = model_layer_at(model, (int)lua_tointeger(L, 2), &err);
    else
        err_set(&err, ERR_ARG, "get_layer wants a name or a place (from 1; negative: from the end), got %s", bind_what(L, 2, what));
    if (!layer)
        return bind_raise(L, &err);
    layer_push(L, layer);
    return 1;
}

static int method_count_params(lua_State *L)
{
    const Model *model = model_check(L, 1, "count_params");
    lua_pushinteger(L, model_count_params(model, false));
    lua_pushinteger(L, model_count_params(model, true));
    return 2;
}

static int get_name(lua_State *L)
{
    lua_pushstring(L, model_check(L, 1, "name")->name);
    return 1;
}

static int get_layers(lua_State *L)
{
    Model *model = model_check(L, 1, "layers");
    int n = 0;
    lua_newtable(L);
    for (int i = 0; i < model->n_nodes; i++) {
        Layer *layer = model->nodes[i].layer;
        bool seen = layer->kind->is_input || layer_is_pick(layer);
        for (int k = 0; k < i && !seen; k++)
            seen = model->nodes[k].layer == layer;
        if (seen)
            continue;
        layer_push(L, layer);
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

static int get_run(lua_State *L)
{
    Model *model = model_check(L, 1, "run");
    RunBox *box = bind_new(L, &kind_run, sizeof *box);
    if (!(box->run = model_run(model)))
        lua_pushnil(L);
    return 1;
}

static int get_stop(lua_State *L)
{
    Run *run = model_run(model_check(L, 1, "stop_training"));
    lua_pushboolean(L, run && run_state(run) == RUN_STOPPED);
    run_unref(run);
    return 1;
}

static int set_stop(lua_State *L)
{
    Err err = ERR_INIT;
    Run *run = lua_toboolean(L, 3) ? model_run(model_check(L, 1, "stop_training")) : NULL;
    bool ok = !run || run_stop(run, &err) || err.code == ERR_STATE; /* one that has ended is stopped enough */
    run_unref(run);
    return ok ? 0 : bind_raise(L, &err);
}

static int get_built(lua_State *L)
{
    lua_pushboolean(L, model_check(L, 1, "built")->built);
    return 1;
}

/* Shapes of one sample at some nodes: the shape, or a list of them where there are several. */
static int push_ends(lua_State *L, const Model *model, const int *nodes, int n)
{
    if (n != 1)
        lua_newtable(L);
    for (int i = 0; i < n; i++) {
        const Shape *shape = &model->nodes[nodes[i]].shape;
        Shape sample = shape_make(shape->rank > 0 ? shape->rank - 1 : 0, shape->d + 1);
        tensor_push_shape(L, &sample);
        if (n != 1)
            lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int get_input(lua_State *L)
{
    const Model *model = model_check(L, 1, "input_shape");
    return push_ends(L, model, model->inputs, model->n_inputs);
}

static int get_output(lua_State *L)
{
    const Model *model = model_check(L, 1, "output_shape");
    return push_ends(L, model, model->outputs, model->n_outputs);
}

static const Field fields[] = {
    { "name", get_name, NULL, "its name" },
    { "layers", get_layers, NULL, "its layers in order, a list" },
    { "run", get_run, NULL, "the run that trains it or trained it last, or nil" },
    { "stop_training", get_stop, set_stop, "set to true (in a callback, or anywhere): the run ends at its next boundary" },
    { "iterations", model_iterations, NULL, "updates that its optimizer has made, which schedules count by; nil: it is not compiled" },
    { "tokenizer", text_get_model, text_set_model, "the tokeniser of its texts, saved and loaded with it; nil: none" },
    { "built", get_built, NULL, "whether its weights exist" },
    { "input_shape", get_input, NULL, "shape of one sample that goes in, without the batch (a list where there are several)" },
    { "output_shape", get_output, NULL, "shape of what comes out for one sample (a list where there are several)" },
};

static const Verb methods[] = {
    { "add", method_add, "layer", NULL, 0, "Append a layer (Sequential).",
      "local m = nn.Sequential(); m:add(nn.Dense(3, {input_shape = {2}})); assert(#m.layers == 1)" },
    { "pop", method_pop, NULL, NULL, 0, "Remove the last layer (Sequential).", NULL },
    { "summary", method_summary, "*print_fn", NULL, 0,
      "Print its layers with shapes, parameters, memory and multiply-adds; print_fn gets each line instead.", NULL },
    { "get_layer", method_get_layer, "name", NULL, 0, "A layer by its name, or by its place from 1.", NULL },
    { "config", model_config, NULL, NULL, 0, "Its architecture as plain tables: nodes with kind, name, arguments that are not the default, and where their inputs come from.",
      "local m = nn.Sequential(); m:add(nn.Dense(3, {input_shape = {2}})); assert(m:config().nodes[2].args.units == 3)" },
    { "count_params", method_count_params, NULL, NULL, 0, "How many numbers its weights hold.",
      "local m = nn.Sequential{nn.Dense(3, {input_shape = {2}})}; assert(m:count_params() == 9)" },
    { "reset_states", model_reset, NULL, NULL, 0, "The states of recurrent layers with stateful = true begin at 0 again.", NULL },
    { "compile", model_compile, "*optimizer *loss *metrics *weighted_metrics *loss_weights", NULL, 0,
      "What training needs: optimizer and loss as names or objects (nn.Adam{learning_rate = 1e-3}), metrics as a list; those of\n"
      "weighted_metrics count the weights of samples and classes. The loss, and metrics too, may be a function(y_true, y_pred)\n"
      "composed of ops, which is traced as nn.Lambda's is; it gives one number, or one or more for each sample. Metrics get a name so:\n"
      "metrics = {\"mae\", worst = function(y_true, y_pred) … end}. A model with several outputs takes one loss for all, or losses,\n"
      "loss_weights and metrics for each, by a list or by the names of the outputs' layers: loss = {price = \"mse\", kind = false},\n"
      "loss_weights = {0.7, 0.3}, metrics = {{\"mae\"}, {\"accuracy\"}}; false: that output has none.",
      "local m = nn.Sequential{nn.Dense(1, {input_shape = {2}})}; m:compile{optimizer = \"sgd\", loss = \"mse\", metrics = "
      "{\"mae\"}}" },
    { "fit", model_fit, FIT_VALUES, fit_args, N_FIT_ARGS,
      "Train. At the prompt it returns a run at once, in a script it waits unless wait = false. x and y are tensors, tables, or a\n"
      "dataset alone, and for a model with several inputs or outputs a list of them or a table by the names of their layers;\n"
      "validation_data = {x, y}; class_weight = {[0] = 1, [1] = 5}, for one output; sample_weight: a number for each sample, or\n"
      "those for each output (validation_data = {x, y, weights}); augment = {nn.RandomFlip(\"horizontal\"), ...}: images\n"
      "of x changed at random, made on another thread while the batch before trains; callbacks: see help(\"callbacks\").\n"
      "verbose: 0 silent, 1 a progress bar, 2 a line for each epoch. validation_freq = 2 validates after every second epoch,\n"
      "{1, 10} after these; the history holds nan (-) for the others.",
      "local m = nn.Sequential{nn.Dense(1, {input_shape = {1}})}; m:compile{optimizer = \"sgd\", loss = \"mse\"}\n"
      "  local run = m:fit({{0}, {1}, {2}}, {1, 3, 5}, {epochs = 3, verbose = 0, wait = true}); assert(#run.history.loss == 3)" },
    { "evaluate", model_evaluate, "~x ~y? *sample_weight *callbacks", model_batch_args, 1,
      "Loss and metrics on data, a table by name: {loss = 0.1, accuracy = 0.97}; of several outputs {loss = …, price_loss = …,\n"
      "kind_loss = …, kind_accuracy = …}. x and y as for fit.",
      "local x = nn.Input({2}); local m = nn.Model(x, {nn.Dense(1, {name = \"price\"})(x), nn.Dense(3, \"softmax\", {name = \"kind\"})(x)})\n"
      "  m:compile{optimizer = \"adam\", loss = {price = \"mse\", kind = \"sparse_categorical_crossentropy\"}, metrics = {kind = {\"accuracy\"}}}\n"
      "  local logs = m:evaluate({{0, 1}, {1, 0}}, {price = {0.5, 0.7}, kind = {0, 2}}); assert(logs.price_loss and logs.kind_accuracy)" },
    { "predict", model_predict_verb, "~x *callbacks", model_batch_args, 1,
      "Outputs for the rows of x, a tensor (a list where there are several outputs). Several inputs: a list, or a table by name.", NULL },
    { "confusion", model_confusion, "~x ~y?", model_batch_args, 1,
      "The confusion matrix on data, with precision, recall and F1 of each class; prints as a table. Fields: matrix, classes, "
      "accuracy; of several outputs the first that classifies, named in output.",
      NULL },
    { "train_on_batch", model_train_on_batch, "~x ~y *sample_weight *class_weight", NULL, 0,
      "One update on this batch; gives loss and metrics before it. x and y as for fit.", NULL },
    { "test_on_batch", model_test_on_batch, "~x ~y *sample_weight", NULL, 0, "Loss and metrics on this batch.", NULL },
    { "save", model_save_verb, "file", NULL, 0, "Weights, architecture and the state of training into one .safetensors file.",
      NULL },
    { "load_weights", model_load_weights_verb, "file", model_load_args, 2,
      "Weights by name from a file, ours or another program's (.safetensors); where the names of two models built alike differ, in the\n"
      "order of their layers. All must fit, unless by_name or skip_mismatch leave out what does not. Gives a report: lists matched,\n"
      "missing (in the file), surplus (in the file), and mismatched, reasons by name; what was left out is printed.",
      NULL },
};

static const Verb nn_verbs[] = {
    { "Sequential", new_sequential, "layers? *name", NULL, 0,
      "A model of layers one behind the other: nn.Sequential(), then model:add(layer); or a list.",
      "local m = nn.Sequential{nn.Dense(4, {input_shape = {2}}), nn.Dense(1)}; assert(m:count_params() == 17)" },
    { "Model", new_model, "inputs outputs *name", NULL, 0,
      "A model from its ends: symbols that nn.Input makes and layers are called on.",
      "local x = nn.Input({2}); local m = nn.Model(x, nn.Dense(1)(x)); assert(m:count_params() == 3)" },
    { "layer", class_new, "*name *args *build *call *doc", NULL, 0,
      "A class of layers written in Lua; gives its constructor. args: its arguments with their defaults, read as self.units. "
      "build(self, input_shape) adds weights when the shape of the input is known: self:add_weight(name, shape, initializer = "
      "\"glorot_uniform\", {trainable = true}). call(self, x, training) composes ops on x and self.kernel; it is traced once, as "
      "nn.Lambda's function is, so its layers train without Lua and are saved with the model, and loaded without this code.",
      "local Scale = nn.layer{name = \"Scale\", args = {start = 2.0}, build = function(self, shape) self:add_weight(\"gain\", "
      "{shape[#shape]}, \"ones\") end, call = function(self, x) return x * self.gain * self.start end}; "
      "local m = nn.Sequential{Scale(3.0, {input_shape = {2}})}; assert(m:predict(tensor{{1, 2}})[1][2] == 6)" },
    { "load", nn_load, "file", NULL, 0, "A model from a file that model:save wrote, compiled as it was then.", NULL },
    { "reset_names", reset_names, NULL, NULL, 0, "Let automatic names start again at \"dense\".", "nn.reset_names()" },
};
const VerbGroup nn_group = { "nn.", nn_verbs, COUNT_OF(nn_verbs) };

static int model_tostring(lua_State *L)
{
    const Model *model = model_check(L, 1, "tostring");
    int layers = 0;
    for (int i = 0; i < model->n_nodes; i++)
        layers += !model->nodes[i].layer->kind->is_input && !layer_is_pick(model->nodes[i].layer);
    Buf *out = bind_buf(L);
    buf_printf(out, "model %s: %d layer%s", model->name, layers, layers == 1 ? "" : "s");
    if (model->built)
        buf_printf(out, ", %lld parameters", (long long)model_count_params(model, false));
    else
        buf_puts(out, ", not built yet");
    if (model->compiled)
        buf_puts(out, ", compiled");
    bind_push_buf(L, out);
    return 1;
}

static int model_eq(lua_State *L)
{
    ModelBox *a = bind_test(L, 1, &kind_model), *b = bind_test(L, 2, &kind_model);
    lua_pushboolean(L, a && b && a->model == b->model);
    return 1;
}

static const luaL_Reg meta[] = {
    { "__gc", model_gc }, { "__call", model_call }, { "__tostring", model_tostring }, { "__eq", model_eq }, { NULL, NULL },
};

const Kind kind_model = {
    .type = "hebb.model",
    .what = "model",
    .title = "a model",
    .doc = "A network: layers, and how they hang together. compile, fit, evaluate, predict as in Keras; called on tensors it "
           "predicts.",
    .fields = fields,
    .n_fields = COUNT_OF(fields),
    .methods = methods,
    .n_methods = COUNT_OF(methods),
    .meta = meta,
};

void model_open(lua_State *L)
{
    bind_kind(L, &kind_model);
    bind_kind(L, &kind_recipe);
    logs_open(L);
    lua_getglobal(L, "nn");
    bind_fill(L, &nn_group);
    recipe_fill(L);
    lua_pop(L, 1);
}
