// SPDX-License-Identifier: MIT
#include "nn/made.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "nn/traced.h"

static bool is_name(const char *name, size_t most)
{
    bool good = isalpha((unsigned char)*name) && strlen(name) < most;
    for (const char *c = name; good && *c; c++)
        good = isalnum((unsigned char)*c) || *c == '_';
    return good;
}

/* "MyScale" -> "my_scale", as Keras does. */
static void make_prefix(const char *name, char out[LAYER_NAME])
{
    int n = 0;
    for (const char *c = name; *c && n < LAYER_NAME - 16; c++) {
        if (c > name && isupper((unsigned char)*c) && (!isupper((unsigned char)c[-1]) || islower((unsigned char)c[1])) && c[-1] != '_')
            out[n++] = '_';
        out[n++] = (char)tolower((unsigned char)*c);
    }
    out[n] = '\0';
}

MadeKind *made_new(const char *name, const char *doc, Err *err)
{
    if (!is_name(name, 32)) {
        err_set(err, ERR_ARG, "the name of a class of layers has 1 to 31 letters, digits and _ and begins with a letter, got \"%.60s\"", name);
        return NULL;
    }
    if (layer_find(name, NULL)) {
        err_set(err, ERR_ARG, "nn.%s is there already; give the class another name", name);
        return NULL;
    }
    MadeKind *made = mem_zero(1, sizeof *made, err);
    if (!made)
        return NULL;
    atomic_init(&made->refs, 1);
    snprintf(made->name, sizeof made->name, "%s", name);
    snprintf(made->doc, sizeof made->doc, "%s", doc);
    make_prefix(name, made->prefix);
    made->kind = (LayerKind){ .name = made->name, .prefix = made->prefix, .doc = made->doc, .args = made->args, .in_least = 1,
                              .in_most = OP_IN_MOST, .build = traced_build, .forward = traced_forward, .traced = true, .made = true };
    return made;
}

static bool is_taken(const MadeKind *made, const char *name)
{
    static const char *const common[] = { "name", "trainable", "input_shape", "input_dtype", "kind", "built", "weights", "add_weight" };
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (!strcmp(common[i], name))
            return true;
    for (int i = 0; i < made->kind.n_args; i++)
        if (!strcmp(made->arg_names[i], name))
            return true;
    return false;
}

bool made_add_arg(MadeKind *made, const char *name, ArgType type, const char *fallback, Err *err)
{
    int n = made->kind.n_args;
    if (n == ARG_MOST)
        return err_set(err, ERR_ARG, "%s: a class of layers has at most %d arguments", made->name, ARG_MOST);
    if (!is_name(name, sizeof made->arg_names[0]))
        return err_set(err, ERR_ARG, "%s: \"%.60s\" cannot name an argument; letters, digits and _", made->name, name);
    if (is_taken(made, name))
        return err_set(err, ERR_ARG, "%s: an argument cannot be called %s, that is taken", made->name, name);
    if (strlen(fallback) >= ARG_TEXT_MOST)
        return err_set(err, ERR_ARG, "%s: the default of %s is longer than %d bytes", made->name, name, ARG_TEXT_MOST - 1);
    snprintf(made->arg_names[n], sizeof made->arg_names[n], "%s", name);
    snprintf(made->fallbacks[n], sizeof made->fallbacks[n], "%s", fallback);
    made->args[n] = (ArgSpec){ .name = made->arg_names[n], .type = type, .fallback = made->fallbacks[n], .help = "an argument of the class" };
    made->kind.n_args++;
    return true;
}

static MadeKind *made_of(const LayerKind *kind)
{
    return kind->made ? (MadeKind *)(uintptr_t)kind : NULL;
}

void made_ref(const LayerKind *kind)
{
    MadeKind *made = made_of(kind);
    if (made)
        atomic_fetch_add_explicit(&made->refs, 1, memory_order_relaxed);
}

void made_unref(const LayerKind *kind)
{
    MadeKind *made = made_of(kind);
    if (made && atomic_fetch_sub_explicit(&made->refs, 1, memory_order_acq_rel) == 1)
        mem_free(made);
}

/* ---- as JSON ---- */

static const struct {
    ArgType type;
    const char *name;
} types[] = { { ARG_INT, "int" }, { ARG_FLOAT, "float" }, { ARG_BOOL, "bool" }, { ARG_TEXT, "text" } };
#define N_TYPES (sizeof types / sizeof *types)

json_t *made_json(const LayerKind *kind)
{
    json_t *out = json_object();
    for (int i = 0; out && i < kind->n_args; i++)
        for (size_t k = 0; k < N_TYPES; k++)
            if (types[k].type == kind->args[i].type && json_object_set_new(out, kind->args[i].name, json_string(types[k].name))) {
                json_decref(out);
                return NULL;
            }
    return out;
}

/* The values are the defaults: each is checked by the row that it makes. */
static bool read_args(MadeKind *made, json_t *in, json_t *values, Err *err)
{
    const char *key;
    json_t *type;
    json_object_foreach(in, key, type)
    {
        const char *value = json_string_value(json_object_get(values, key)), *name = json_string_value(type);
        size_t k = 0;
        while (name && k < N_TYPES && strcmp(types[k].name, name))
            k++;
        if (!value || !name || k == N_TYPES)
            return err_set(err, ERR_DATA, "the architecture is damaged: argument \"%.40s\" of %s has no type or value", key, made->name);
        if (!made_add_arg(made, key, types[k].type, value, err))
            return false;
    }
    return true;
}

MadeKind *made_read(const char *name, json_t *in, json_t *values, Err *err)
{
    MadeKind *made = made_new(name, "A layer from a file; its class was written in Lua.", err);
    if (made && read_args(made, in, values, err))
        return made;
    if (made)
        made_unref(&made->kind);
    return NULL;
}
