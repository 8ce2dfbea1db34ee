// SPDX-License-Identifier: MIT
#include "nn/init.h"

#include <math.h>
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

bool init_parse(const char *text, const Initializer **init, Args *args, Err *err)
{
    char name[ARG_TEXT_MOST];
    const char *rest = args_call_name(text, name);
    *init = init_find(name, err);
    return *init && args_parse_call(args, (*init)->args, (*init)->n_args, rest, (*init)->name, err);
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
