// SPDX-License-Identifier: MIT
/* t:save(file) and tensor.load(file): the ending says the format. Archives of several tensors come and go as tables by name. */
#include <string.h>

#include "base/name.h"
#include "formats/csv.h"
#include "formats/idx.h"
#include "formats/npy.h"
#include "formats/npz.h"
#include "formats/safetensors.h"
#include "script/bind_tensor.h"

#define ALONE "tensor" /* the name of a single tensor in an archive */
#define ITEMS_MOST 256

typedef enum { ENDING_NPY, ENDING_NPZ, ENDING_CSV, ENDING_SAFE, ENDING_IDX } Ending;
static const char *const endings[] = { ".npy", ".npz", ".csv", ".safetensors", ".idx", NULL };

static Ending ending_of(lua_State *L, const char *path, const char *who)
{
    size_t n = strlen(path);
    for (int i = 0; endings[i]; i++) {
        size_t k = strlen(endings[i]);
        if (n > k && !strcmp(path + n - k, endings[i]))
            return (Ending)i;
    }
    bind_error(L, ERR_ARG, "%s: the ending of \"%.100s\" says no format; use .npy, .npz, .csv or .safetensors", who, path);
    return ENDING_NPY;
}

/* ---- saving ---- */

static bool save_items(Ending ending, const char *path, const NamedTensor *items, int n, Err *err)
{
    switch (ending) {
    case ENDING_NPY:
        return npy_save(path, &items[0].tensor, err);
    case ENDING_NPZ:
        return npz_save(path, items, n, err);
    case ENDING_CSV:
        return csv_save(path, &items[0].tensor, NULL, err);
    case ENDING_IDX:
        return idx_save(path, &items[0].tensor, err);
    case ENDING_SAFE:
        break;
    }
    return safetensors_save(path, items, n, NULL, 0, 0666, err);
}

int tensor_save(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    tensor_check(L, 1, "save");
    bind_take(L, 2, "save", bind_verb(L), &args);
    const char *path = bind_path(L, 2, "save");
    NamedTensor item = { ALONE, tensor_check(L, 1, "save")->value };
    if (!save_items(ending_of(L, path, "save"), path, &item, 1, &err))
        return bind_raise(L, &err);
    return 0;
}

/* tensor.save(file, {name = tensor, …}) */
static int save_table(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    char what[64];
    if (lua_gettop(L) == 2 && bind_is_options(L, 2))
        lua_newtable(L); /* the tensors are no options */
    bind_take(L, 1, "tensor.save", bind_verb(L), &args);
    const char *path = bind_path(L, 1, "tensor.save");
    Ending ending = ending_of(L, path, "tensor.save");
    int n = 0;
    if (!lua_istable(L, 2))
        return bind_error(L, ERR_ARG, "tensor.save wants a table {name = tensor}, got %s; one tensor is saved by t:save(file)",
                          bind_what(L, 2, what));
    NamedTensor *items = lua_newuserdatauv(L, ITEMS_MOST * sizeof *items, 0);
    lua_pushnil(L);
    while (lua_next(L, 2)) {
        if (lua_type(L, -2) != LUA_TSTRING || n == ITEMS_MOST)
            return bind_error(L, ERR_ARG, "tensor.save wants up to %d tensors by name", ITEMS_MOST);
        items[n++] = (NamedTensor){ lua_tostring(L, -2), tensor_check(L, -1, "tensor.save")->value };
        lua_pop(L, 1);
    }
    if (!n || (n > 1 && ending != ENDING_NPZ && ending != ENDING_SAFE))
        return bind_error(L, ERR_ARG, "tensor.save: %d tensors do not go into one %s file; use .npz or .safetensors", n,
                          endings[ending]);
    for (int i = 1; i < n; i++) /* by name, so that the same tensors give the same bytes */
        for (int k = i; k > 0 && strcmp(items[k - 1].name, items[k].name) > 0; k--) {
            NamedTensor swap = items[k];
            items[k] = items[k - 1];
            items[k - 1] = swap;
        }
    if (!save_items(ending, path, items, n, &err))
        return bind_raise(L, &err);
    return 0;
}

/* ---- loading ---- */

static bool load_csv(const char *path, Tensor *out, Err *err)
{
    CsvTable *table = csv_load(path, NULL, err);
    bool ok = table != NULL;
    for (int i = 0; ok && i < table->n_columns; i++)
        if (table->columns[i].is_text)
            ok = err_set(err, ERR_DATA, "%s: column \"%.60s\" holds text; data.csv(file, {target = …}) reads such tables", path,
                         table->columns[i].name);
    ok = ok && tensor_new(out, DTYPE_FLOAT32, SHAPE(table->n_rows, table->n_columns), err);
    for (int64_t i = 0, n = ok ? tensor_count(out) : 0; i < n; i++)
        tensor_set(out, i, table->cells[i]);
    csv_free(table);
    return ok;
}

/* A list in the collector's care, so that raising while it is turned into Lua's tables loses nothing. */
#define LIST_TYPE "hebb.named"

static int list_gc(lua_State *L)
{
    named_fini(luaL_checkudata(L, 1, LIST_TYPE));
    return 0;
}

static NamedList *push_list(lua_State *L)
{
    NamedList *list = lua_newuserdatauv(L, sizeof *list, 0);
    *list = (NamedList){ 0 };
    if (luaL_newmetatable(L, LIST_TYPE)) {
        lua_pushcfunction(L, list_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return list;
}

static bool load_safe(const char *path, NamedList *out, Err *err)
{
    SafeTensors *file = safetensors_open(path, err);
    bool ok = file != NULL;
    for (int i = 0; ok && i < safetensors_count(file); i++) {
        const SafeEntry *entry = safetensors_at(file, i);
        Tensor tensor = { 0 };
        ok = safetensors_get(file, entry->name, entry->readable ? entry->dtype : DTYPE_FLOAT32, &tensor, err) &&
             named_add(out, entry->name, strlen(entry->name), &tensor, err);
    }
    safetensors_free(file);
    return ok;
}

static int push_items(lua_State *L, const NamedList *list)
{
    if (list->n == 1 && (!strcmp(list->items[0].name, ALONE) || !strcmp(list->items[0].name, "arr_0"))) {
        tensor_push(L, &list->items[0].tensor);
        return 1;
    }
    lua_createtable(L, 0, list->n);
    for (int i = 0; i < list->n; i++) {
        tensor_push(L, &list->items[i].tensor);
        lua_setfield(L, -2, list->items[i].name);
    }
    return 1;
}

int tensor_load(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    bind_take(L, 1, "tensor.load", bind_verb(L), &args);
    const char *path = bind_path(L, 1, "tensor.load");
    Ending ending = ending_of(L, path, "tensor.load");
    if (ending == ENDING_NPZ || ending == ENDING_SAFE) {
        NamedList *list = push_list(L);
        if (!(ending == ENDING_NPZ ? npz_load(path, list, &err) : load_safe(path, list, &err)))
            return bind_raise(L, &err);
        return push_items(L, list);
    }
    TensorBox *box = tensor_box(L);
    bool ok = ending == ENDING_NPY   ? npy_load(path, &box->hold, &err)
              : ending == ENDING_IDX ? idx_load(path, &box->hold, &err)
                                     : load_csv(path, &box->hold, &err);
    if (!ok)
        return bind_raise(L, &err);
    tensor_done(L, box, false);
    return 1;
}

static const Verb verbs[] = {
    { "load", tensor_load, "file", NULL, 0,
      "A tensor from a file; the ending says how: .npy .npz .csv .safetensors .idx. Several tensors come as a table by name.",
      NULL },
    { "save", save_table, "file tensors", NULL, 0,
      "Tensors by name into one .npz or .safetensors file: tensor.save(\"w.npz\", {a = x, b = y}).", NULL },
};
const VerbGroup tensor_file_group = { "tensor.", verbs, COUNT_OF(verbs) };
