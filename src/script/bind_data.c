// SPDX-License-Identifier: MIT
/* data.* : the built-in sets by their records, sets from tensors, splitting, shuffling, batches, one-hot targets, scaling. A
 * dataset object owns one reference to its rows and, where the source has one, to its test part. */
#include <string.h>

#include "base/rng.h"
#include "data/dataset.h"
#include "script/bind_tensor.h"

typedef struct SetBox {
    Dataset *set, *test; /* references; test may be NULL */
} SetBox;

typedef struct ScaleBox {
    DataScale scale;
} ScaleBox;

extern const Kind kind_dataset, kind_scale;

static SetBox *check_set(lua_State *L, const char *who)
{
    return bind_check(L, 1, &kind_dataset, who);
}

/* ---- fields ---- */

static int get_x(lua_State *L)
{
    tensor_push(L, &check_set(L, "x")->set->x);
    return 1;
}

static int get_y(lua_State *L)
{
    SetBox *box = check_set(L, "y");
    if (box->set->y.data)
        tensor_push(L, &box->set->y);
    else
        lua_pushnil(L);
    return 1;
}

static int get_test(lua_State *L)
{
    SetBox *box = check_set(L, "test");
    if (!box->test) {
        lua_pushnil(L);
        return 1;
    }
    SetBox *out = bind_new(L, &kind_dataset, sizeof *out);
    out->set = dataset_ref(box->test);
    return 1;
}

static int push_names(lua_State *L, char (*names)[DATASET_NAME], int n)
{
    lua_createtable(L, n, 0);
    for (int i = 0; names && i < n; i++) {
        lua_pushstring(L, names[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int get_classes(lua_State *L)
{
    Dataset *set = check_set(L, "classes")->set;
    return push_names(L, set->classes, set->n_classes);
}

static int get_features(lua_State *L)
{
    Dataset *set = check_set(L, "features")->set;
    return push_names(L, set->features, set->n_features);
}

static int get_n_classes(lua_State *L)
{
    lua_pushinteger(L, check_set(L, "n_classes")->set->n_classes);
    return 1;
}

static int get_name(lua_State *L)
{
    lua_pushstring(L, check_set(L, "name")->set->name);
    return 1;
}

static int get_text(lua_State *L)
{
    lua_pushstring(L, check_set(L, "text")->set->text);
    return 1;
}

static const Field fields[] = {
    { "x", get_x, NULL, "the samples, a tensor; row by row along its first axis" },
    { "y", get_y, NULL, "the targets: class numbers from 0 (int32), or numbers; nil when there are none" },
    { "test", get_test, NULL, "the part that is kept apart for the last test; nil when the source has none" },
    { "classes", get_classes, NULL, "names of the classes; classes[1] belongs to number 0" },
    { "features", get_features, NULL, "names of the columns of x" },
    { "n_classes", get_n_classes, NULL, "how many classes; 0 when the targets are numbers" },
    { "name", get_name, NULL, "what the set is called" },
    { "text", get_text, NULL, "source, licence, and what is missing" },
};

/* ---- methods ---- */

static uint64_t seed_of(lua_State *L, const Args *args)
{
    return args_given(args, "seed") ? (uint64_t)args_int(args, "seed") : script_of(L)->options.seed;
}

/* Push a dataset object that takes over the references. */
static void push_set(lua_State *L, SetBox *box, Dataset *take, const Err *err)
{
    (void)L;
    if (!take)
        bind_raise(L, err);
    box->set = take;
}

static const ArgSpec split_args[] = {
    { .name = "fraction",
      .type = ARG_FLOAT,
      .fallback = "0.2",
      .least = 0,
      .most = 1,
      .open_least = true,
      .open_most = true,
      .help = "share of the rows that go to the second part" },
    { .name = "shuffle", .type = ARG_BOOL, .fallback = "true", .help = "draw the rows; false: the last ones" },
    { .name = "stratified", .type = ARG_BOOL, .fallback = "false", .help = "the same share of every class" },
    { .name = "seed", .type = ARG_INT, .fallback = "nil", .least = 0, .most = 1e15, .help = "of the draw; nil: the session's" },
};

static int set_split(lua_State *L)
{
    SetBox *box = check_set(L, "split");
    Args args;
    Err err = ERR_INIT;
    bind_take(L, 2, "split", bind_verb(L), &args);
    SetBox *first = bind_new(L, &kind_dataset, sizeof *first), *second = bind_new(L, &kind_dataset, sizeof *second);
    if (!dataset_split(box->set, args_float(&args, "fraction"), args_bool(&args, "shuffle"), args_bool(&args, "stratified"),
                       seed_of(L, &args), &first->set, &second->set, &err))
        return bind_raise(L, &err);
    return 2;
}

static const ArgSpec seed_args[] = {
    { .name = "seed", .type = ARG_INT, .fallback = "nil", .least = 0, .most = 1e15, .help = "of the order; nil: the session's" },
};

static int set_shuffle(lua_State *L)
{
    SetBox *box = check_set(L, "shuffle");
    Args args;
    Err err = ERR_INIT;
    bind_take(L, 2, "shuffle", bind_verb(L), &args);
    SetBox *out = bind_new(L, &kind_dataset, sizeof *out);
    push_set(L, out, dataset_shuffle(box->set, seed_of(L, &args), &err), &err);
    return 1;
}

static const ArgSpec rows_args[] = {
    { .name = "first", .type = ARG_INT, .least = 1, .most = 1e15, .help = "the first row, counted from 1" },
    { .name = "last", .type = ARG_INT, .least = 1, .most = 1e15, .help = "the last row, included" },
};

static int set_rows(lua_State *L)
{
    SetBox *box = check_set(L, "rows");
    Args args;
    Err err = ERR_INIT;
    bind_take(L, 2, "rows", bind_verb(L), &args);
    int64_t first = args_int(&args, "first"), last = args_int(&args, "last"), n = dataset_rows(box->set);
    if (last > n || first > last)
        return bind_error(L, ERR_ARG, "rows wants first <= last within 1 to %lld, got %lld to %lld", (long long)n, (long long)first,
                          (long long)last);
    SetBox *out = bind_new(L, &kind_dataset, sizeof *out);
    push_set(L, out, dataset_slice(box->set, first - 1, last - first + 1, &err), &err);
    return 1;
}

static int set_take(lua_State *L)
{
    SetBox *box = check_set(L, "take");
    Args args;
    Err err = ERR_INIT;
    bind_take(L, 2, "take", bind_verb(L), &args);
    char what[64];
    if (!lua_istable(L, 2))
        return bind_error(L, ERR_ARG, "take wants a table of row numbers, got %s", bind_what(L, 2, what));
    lua_Unsigned n = lua_rawlen(L, 2);
    int64_t *rows = lua_newuserdatauv(L, (size_t)n * sizeof *rows + 1, 0); /* the collector's, should anything raise */
    for (lua_Unsigned i = 0; i < n; i++) {
        int whole;
        lua_rawgeti(L, 2, (lua_Integer)i + 1);
        lua_Integer row = lua_tointegerx(L, -1, &whole);
        rows[i] = row - (row > LUA_MININTEGER); /* those out of range are refused below */
        if (!whole)
            return bind_error(L, ERR_ARG, "take wants a table of row numbers");
        lua_pop(L, 1);
    }
    SetBox *out = bind_new(L, &kind_dataset, sizeof *out);
    push_set(L, out, dataset_take(box->set, rows, (int64_t)n, &err), &err);
    return 1;
}

static const ArgSpec batches_args[] = {
    { .name = "batch_size",
      .type = ARG_INT,
      .fallback = "32",
      .least = 1,
      .most = 1e9,
      .help = "rows of a batch; the last may have fewer" },
    { .name = "shuffle", .type = ARG_BOOL, .fallback = "false", .help = "another order of the rows" },
    { .name = "seed", .type = ARG_INT, .fallback = "nil", .least = 0, .most = 1e15, .help = "of that order; nil: the session's" },
};

/* Upvalues: dataset, first row of the next batch, size. */
static int next_batch(lua_State *L)
{
    SetBox *box = lua_touserdata(L, lua_upvalueindex(1));
    int64_t first = lua_tointeger(L, lua_upvalueindex(2)), size = lua_tointeger(L, lua_upvalueindex(3)), n = dataset_rows(box->set);
    if (first >= n)
        return 0;
    size = size < n - first ? size : n - first;
    lua_pushinteger(L, first + size);
    lua_replace(L, lua_upvalueindex(2));
    SetBox *part = bind_new(L, &kind_dataset, sizeof *part);
    Err err = ERR_INIT;
    push_set(L, part, dataset_slice(box->set, first, size, &err), &err);
    tensor_push(L, &part->set->x);
    if (!part->set->y.data)
        return 1;
    tensor_push(L, &part->set->y);
    return 2;
}

static int set_batches(lua_State *L)
{
    SetBox *box = check_set(L, "batches");
    Args args;
    Err err = ERR_INIT;
    bind_take(L, 2, "batches", bind_verb(L), &args);
    SetBox *from = bind_new(L, &kind_dataset, sizeof *from);
    if (args_bool(&args, "shuffle"))
        push_set(L, from, dataset_shuffle(box->set, seed_of(L, &args), &err), &err);
    else
        from->set = dataset_ref(box->set);
    lua_pushinteger(L, 0);
    lua_pushinteger(L, args_int(&args, "batch_size"));
    lua_pushcclosure(L, next_batch, 3);
    return 1;
}

static const Verb methods[] = {
    { "split", set_split, NULL, split_args, COUNT_OF(split_args),
      "two datasets: the rest, and a drawn share of the rows (for validation)",
      "local a, b = data.iris():split(0.2); assert(#b == 30)" },
    { "shuffle", set_shuffle, NULL, seed_args, COUNT_OF(seed_args), "the same rows in another order", NULL },
    { "rows", set_rows, NULL, rows_args, COUNT_OF(rows_args), "rows first to last, both included",
      "assert(#data.iris():rows(1, 10) == 10)" },
    { "take", set_take, "rows", NULL, 0, "the rows with these numbers, counted from 1: d:take{1, 5, 9}",
      "assert(#data.iris():take{1, 5, 9} == 3)" },
    { "batches", set_batches, NULL, batches_args, COUNT_OF(batches_args), "for x, y in d:batches(32) do … end",
      "local n = 0; for x, y in data.iris():batches(32) do n = n + #x end; assert(n == 150)" },
};

static int set_len(lua_State *L)
{
    lua_pushinteger(L, dataset_rows(check_set(L, "#")->set));
    return 1;
}

static void describe(Buf *out, const char *label, const Dataset *set)
{
    char text[SHAPE_TEXT];
    buf_printf(out, "%s: x %s %s", label, shape_text(&set->x.shape, text), dtype_name(set->x.dtype));
    if (set->y.data)
        buf_printf(out, ", y %s %s", shape_text(&set->y.shape, text), dtype_name(set->y.dtype));
    if (set->n_classes)
        buf_printf(out, ", %d classes", set->n_classes);
}

static int set_tostring(lua_State *L)
{
    SetBox *box = check_set(L, "tostring");
    Buf *out = bind_buf(L);
    describe(out, box->set->name, box->set);
    if (box->test) {
        buf_put(out, '\n');
        describe(out, "  test", box->test);
    }
    if (*box->set->text)
        buf_printf(out, "\n%s", box->set->text);
    bind_push_buf(L, out);
    return 1;
}

static int set_gc(lua_State *L)
{
    SetBox *box = check_set(L, "gc");
    dataset_unref(box->set);
    dataset_unref(box->test);
    *box = (SetBox){ 0 };
    return 0;
}

static const luaL_Reg set_meta[] = { { "__len", set_len }, { "__tostring", set_tostring }, { "__gc", set_gc }, { NULL, NULL } };

const Kind kind_dataset = {
    .type = "hebb.dataset",
    .what = "dataset",
    .title = "a dataset",
    .doc = "samples and targets with their names: data.digits(), data.csv(file), data.arrays(x, y)",
    .fields = fields,
    .n_fields = COUNT_OF(fields),
    .methods = methods,
    .n_methods = COUNT_OF(methods),
    .meta = set_meta,
};

/* ---- scaling ---- */

static int scale_call(lua_State *L)
{
    ScaleBox *box = bind_check(L, 1, &kind_scale, "scale");
    Err err = ERR_INIT;
    Var *x = tensor_want(L, 2, DTYPE_FLOAT32, "scale");
    TensorBox *out = tensor_box(L);
    if (!data_scale_apply(&box->scale, &x->value, &out->hold, &err))
        return bind_raise(L, &err);
    tensor_done(L, out, false);
    return 1;
}

static int scale_gc(lua_State *L)
{
    ScaleBox *box = bind_check(L, 1, &kind_scale, "gc");
    data_scale_fini(&box->scale);
    return 0;
}

static int get_offset(lua_State *L)
{
    tensor_push(L, &((ScaleBox *)bind_check(L, 1, &kind_scale, "offset"))->scale.offset);
    return 1;
}

static int get_size(lua_State *L)
{
    tensor_push(L, &((ScaleBox *)bind_check(L, 1, &kind_scale, "size"))->scale.size);
    return 1;
}

static const Field scale_fields[] = {
    { "offset", get_offset, NULL, "what is taken from each column" },
    { "size", get_size, NULL, "what each column is then divided by" },
};
static const luaL_Reg scale_meta[] = { { "__call", scale_call }, { "__gc", scale_gc }, { NULL, NULL } };
const Kind kind_scale = {
    .type = "hebb.scale",
    .what = "scale",
    .title = "a scale",
    .doc = "how columns were scaled; call it with other data to scale them alike: scale(test.x)",
    .fields = scale_fields,
    .n_fields = COUNT_OF(scale_fields),
    .meta = scale_meta,
};

static int scale_by(lua_State *L, ScaleKind how, const char *who)
{
    Args args;
    Err err = ERR_INIT;
    bind_take(L, 1, who, bind_verb(L), &args);
    Var *x = tensor_want(L, 1, DTYPE_FLOAT32, who);
    TensorBox *out = tensor_box(L);
    ScaleBox *box = bind_new(L, &kind_scale, sizeof *box);
    if (!data_scale_fit(&x->value, how, &box->scale, &err) || !data_scale_apply(&box->scale, &x->value, &out->hold, &err))
        return bind_raise(L, &err);
    lua_insert(L, -2); /* scale, then the tensor on top */
    tensor_done(L, out, false);
    lua_insert(L, -2);
    return 2;
}

static int data_standardize(lua_State *L)
{
    return scale_by(L, SCALE_STANDARD, "standardize");
}

static int data_minmax(lua_State *L)
{
    return scale_by(L, SCALE_MINMAX, "minmax");
}

/* ---- functions ---- */

static int data_arrays(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    bind_take(L, 1, "arrays", bind_verb(L), &args);
    Var *x = tensor_want(L, 1, DTYPE_FLOAT32, "arrays"), *y = lua_isnil(L, 2) ? NULL : tensor_want(L, 2, DTYPE_FLOAT32, "arrays");
    SetBox *box = bind_new(L, &kind_dataset, sizeof *box);
    Tensor take_x = { 0 }, take_y = { 0 };
    take_x = tensor_ref(&x->value);
    if (y)
        take_y = tensor_ref(&y->value);
    push_set(L, box, dataset_new("arrays", &take_x, y ? &take_y : NULL, &err), &err);
    return 1;
}

static const ArgSpec one_hot_args[] = {
    { .name = "n_classes",
      .type = ARG_INT,
      .fallback = "nil",
      .least = 1,
      .most = DATA_CLASSES_MOST,
      .help = "length of a row; nil: the largest number + 1" },
};

static int data_one_hot_rows(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    bind_take(L, 1, "one_hot", bind_verb(L), &args);
    Var *y = tensor_want(L, 1, DTYPE_INT32, "one_hot");
    TensorBox *out = tensor_box(L);
    if (!data_one_hot(&y->value, args_given(&args, "n_classes") ? args_int(&args, "n_classes") : 0, &out->hold, &err))
        return bind_raise(L, &err);
    tensor_done(L, out, false);
    return 1;
}

static const Verb verbs[] = {
    { "arrays", data_arrays, "x y?", NULL, 0, "a dataset from tensors (or tables) with the same number of rows",
      "local d = data.arrays({{0, 1}, {1, 0}}, {0, 1}); assert(#d == 2)" },
    { "one_hot", data_one_hot_rows, "y", one_hot_args, COUNT_OF(one_hot_args),
      "class numbers as rows of zeros with a one: [n] int32 -> [n, classes]",
      "local t = data.one_hot(tensor({0, 2}, \"int32\"), 3); assert(t[2][3] == 1)" },
    { "standardize", data_standardize, "x", NULL, 0,
      "columns with mean 0 and deviation 1, and the scale, to be called with other data",
      "local x, scale = data.standardize({{1}, {3}}); assert(x[1][1] == -1 and scale({{5}})[1][1] == 3)" },
    { "minmax", data_minmax, "x", NULL, 0, "columns in 0 ... 1, and the scale, to be called with other data",
      "local x, scale = data.minmax({{1}, {3}}); assert(x[2][1] == 1)" },
};
const VerbGroup data_group = { .prefix = "data.", .verbs = verbs, .n_verbs = COUNT_OF(verbs) };

/* A built-in set, its record as upvalue: path first where it takes one, then its arguments. */
static int make_set(lua_State *L)
{
    const DataSet *set = lua_touserdata(L, lua_upvalueindex(1));
    Script *script = script_of(L);
    const Verb verb = { .name = set->name, .values = set->path, .args = set->args, .n_args = set->n_args };
    Args args;
    Err err = ERR_INIT;
    DataParts parts = { 0 };
    bind_take(L, 1, set->name, &verb, &args);
    const char *path = set->path ? bind_path(L, 1, set->name) : NULL;
    SetBox *box = bind_new(L, &kind_dataset, sizeof *box);
    if (!set->make(&args, path, script->options.seed, &parts, &err))
        return bind_raise(L, &err);
    box->set = parts.train;
    box->test = parts.test;
    return 1;
}

void data_open(lua_State *L)
{
    bind_kind(L, &kind_dataset);
    bind_kind(L, &kind_scale);
    bind_module(L, "data");
    bind_fill(L, &data_group);
    for (int i = 0; dataset_at(i); i++) {
        lua_pushlightuserdata(L, (void *)dataset_at(i));
        lua_pushcclosure(L, make_set, 1);
        lua_pushfstring(L, "data.%s", dataset_at(i)->name);
        lua_insert(L, -2);
        bind_name(L, lua_tostring(L, -2));
        lua_remove(L, -2);
        lua_setfield(L, -2, dataset_at(i)->name);
    }
    lua_pop(L, 1);
}
