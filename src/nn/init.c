// SPDX-License-Identifier: MIT
#include "nn/init.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/name.h"

#define ROW(file) extern const Initializer initializer_##file;
#include "gen/initializers.h"
#undef ROW

static const Initializer *const table[] = {
#define ROW(file) &initializer_##file,
#include "gen/initializers.h"
#undef ROW
    NULL,
};

const char *const initializer_names[] = {
#define ROW(file) #file,
#include "gen/initializers.h"
#undef ROW
    NULL,
};

const Initializer *init_at(int i)
{
    return i >= 0 && i < (int)(sizeof table / sizeof *table) ? table[i] : NULL;
}

const char *const *init_names(void)
{
    return initializer_names;
}

const Initializer *init_find(const char *name, Err *err)
{
    NameSearch search;
    char hint[96];
    name_search(&search, name);
    for (int i = 0; table[i]; i++) {
        if (!strcmp(table[i]->name, name) || (table[i]->also && !strcmp(table[i]->also, name)))
            return table[i];
        name_offer(&search, table[i]->name);
    }
    err_set(err, ERR_NAME, "there is no initializer \"%.60s\"%s", name, name_hint(&search, hint));
    return NULL;
}

/* ---- "name(value, name=value)" ---- */

/* One argument: by name, or the next row. */
static bool parse_argument(const Initializer *init, Args *args, char *word, int next, Err *err)
{
    while (*word == ' ')
        word++;
    char *equals = strchr(word, '=');
    int row = next;
    if (equals) {
        *equals = '\0';
        row = args_find(args, word);
        word = equals + 1;
    }
    if (row < 0 || row >= args->n)
        return err_set(err, ERR_ARG, "initializer %s takes %d argument%s; write %s%s%s", init->name, init->n_args,
                       init->n_args == 1 ? "" : "s", init->name, init->n_args ? "(…) with " : "", init->n_args ? init->args[0].name : "");
    return args_parse(args, row, word, init->name, err);
}

static bool parse_arguments(const Initializer *init, Args *args, char *text, Err *err)
{
    char *end = strrchr(text, ')');
    if (!end || end[1])
        return err_set(err, ERR_ARG, "initializer \"%s(%s\" lacks its closing bracket", init->name, text);
    *end = '\0';
    int next = 0;
    for (char *word = text, *comma; word && *text; word = comma ? comma + 1 : NULL) {
        comma = strchr(word, ',');
        if (comma)
            *comma = '\0';
        if (!parse_argument(init, args, word, next++, err))
            return false;
    }
    return true;
}

bool init_parse(const char *text, const Initializer **init, Args *args, Err *err)
{
    char copy[ARG_TEXT_MOST];
    snprintf(copy, sizeof copy, "%s", text);
    char *bracket = strchr(copy, '(');
    if (bracket)
        *bracket = '\0';
    if (!(*init = init_find(copy, err)))
        return false;
    args_init(args, (*init)->args, (*init)->n_args);
    if (bracket && !parse_arguments(*init, args, bracket + 1, err))
        return false;
    return args_complete(args, (*init)->name, err);
}

/* ---- filling ---- */

void init_fans(const Shape *shape, double *fan_in, double *fan_out)
{
    if (shape->rank < 2) {
        *fan_in = *fan_out = shape->rank ? (double)shape->d[0] : 1;
        return;
    }
    double field = 1;
    for (int i = 0; i < shape->rank - 2; i++)
        field *= (double)shape->d[i];
    *fan_in = field * (double)shape->d[shape->rank - 2];
    *fan_out = field * (double)shape->d[shape->rank - 1];
}

bool init_check(const Initializer *init, const Shape *shape, Err *err)
{
    char text[SHAPE_TEXT];
    if (init->rank_most == 0 || (shape->rank >= init->rank_least && shape->rank <= init->rank_most))
        return true;
    return err_set(err, ERR_SHAPE, "initializer %s fills weights of %s%d axes, got shape %s; glorot_uniform fills any", init->name,
                   init->rank_least < init->rank_most ? "at least " : "", init->rank_least, shape_text(shape, text));
}

void init_fill(const Initializer *init, const Args *args, real *value, const Shape *shape, Rng *rng)
{
    double fan_in, fan_out;
    init_fans(shape, &fan_in, &fan_out);
    init->fill(args, value, shape, fan_in > 1 ? fan_in : 1, fan_out > 1 ? fan_out : 1, rng);
}

void init_uniform(real *value, int64_t n, double limit, Rng *rng)
{
    for (int64_t i = 0; i < n; i++)
        value[i] = (real)(float)((2 * rng_uniform(rng) - 1) * limit);
}

void init_truncated(real *value, int64_t n, double deviation, Rng *rng)
{
    for (int64_t i = 0; i < n; i++) {
        double z;
        do
            z = rng_normal(rng);
        while (fabs(z) > 2);
        value[i] = (real)(float)(z * deviation);
    }
}

void init_normal(real *value, int64_t n, double mean, double deviation, Rng *rng)
{
    for (int64_t i = 0; i < n; i++)
        value[i] = (real)(float)(mean + rng_normal(rng) * deviation);
}
