// SPDX-License-Identifier: MIT
#include "nn/rule.h"

#include <math.h>
#include <string.h>

#include "base/name.h"

#define ROW(file) extern const Regularizer regularizer_##file;
#include "gen/regularizers.h"
#undef ROW
#define ROW(file) extern const Constraint constraint_##file;
#include "gen/constraints.h"
#undef ROW

static const Regularizer *const regularizers[] = {
#define ROW(file) &regularizer_##file,
#include "gen/regularizers.h"
#undef ROW
    NULL,
};
static const Constraint *const constraints[] = {
#define ROW(file) &constraint_##file,
#include "gen/constraints.h"
#undef ROW
    NULL,
};
const char *const regularizer_names[] = {
#define ROW(file) #file,
#include "gen/regularizers.h"
#undef ROW
    NULL,
};
const char *const constraint_names[] = {
#define ROW(file) #file,
#include "gen/constraints.h"
#undef ROW
    NULL,
};

const Regularizer *regularizer_at(int i)
{
    return i >= 0 && i < (int)(sizeof regularizers / sizeof *regularizers) ? regularizers[i] : NULL;
}

const Constraint *constraint_at(int i)
{
    return i >= 0 && i < (int)(sizeof constraints / sizeof *constraints) ? constraints[i] : NULL;
}

/* ---- by name ---- */

static int find(const char *const *names, const char *name, const char *what, Err *err)
{
    NameSearch search;
    char hint[96];
    name_search(&search, name);
    for (int i = 0; names[i]; i++) {
        if (!strcmp(names[i], name))
            return i;
        name_offer(&search, names[i]);
    }
    err_set(err, ERR_NAME, "there is no %s \"%.60s\"%s", what, name, name_hint(&search, hint));
    return -1;
}

static double number_of(const Args *args, int i)
{
    const ArgValue *v = &args->v[i];
    double bits = 0;
    switch (args->specs[i].type) {
    case ARG_FLOAT:
        return v->u.f;
    case ARG_INTS:
        for (int k = 0; k < v->u.ints.n; k++)
            bits = (double)((unsigned)bits | 1u << v->u.ints.v[k]);
        return bits;
    default:
        return (double)v->u.i;
    }
}

static bool parse(const char *rest, const ArgSpec *specs, int n, const char *name, double *v, Err *err)
{
    Args args;
    if (!args_parse_call(&args, specs, n, rest, name, err))
        return false;
    for (int i = 0; i < n && i < RULE_ARGS; i++)
        v[i] = number_of(&args, i);
    return true;
}

bool regularizer_parse(const char *text, Regularization *out, Err *err)
{
    char name[ARG_TEXT_MOST];
    const char *rest = args_call_name(text, name);
    int i = find(regularizer_names, name, "regularizer", err);
    *out = (Regularization){ .kind = i >= 0 ? regularizers[i] : NULL };
    return i >= 0 && parse(rest, out->kind->args, out->kind->n_args, name, out->v, err);
}

bool constraint_parse(const char *text, Restriction *out, Err *err)
{
    char name[ARG_TEXT_MOST];
    const char *rest = args_call_name(text, name);
    int i = find(constraint_names, name, "constraint", err);
    *out = (Restriction){ .kind = i >= 0 ? constraints[i] : NULL };
    return i >= 0 && parse(rest, out->kind->args, out->kind->n_args, name, out->v, err);
}

bool constraint_check(const Restriction *rule, const Shape *shape, Err *err)
{
    char text[SHAPE_TEXT];
    for (int i = 0; rule->kind && i < rule->kind->n_args; i++)
        if (rule->kind->args[i].type == ARG_INTS && (unsigned)rule->v[i] >> shape->rank)
            return err_set(err, ERR_ARG, "%s names an axis that a weight of shape %s does not have; its axes are 0 to %d", rule->kind->name,
                           shape_text(shape, text), shape->rank - 1);
    return true;
}

/* ---- norms ---- */

#define LINES 64 /* neighbours that are taken together: memory is read row by row, and an offset serves all of them */

/* Offset of element i of the axes in `set`, counted in row-major order among them. */
static int64_t offset_of(const Shape *shape, unsigned set, int64_t i)
{
    int64_t offset = 0, stride = 1;
    for (int axis = shape->rank - 1; axis >= 0; axis--) {
        if (set & 1u << axis) {
            offset += i % shape->d[axis] * stride;
            i /= shape->d[axis];
        }
        stride *= shape->d[axis];
    }
    return offset;
}

/* The n neighbouring lines that begin at w; offsets of their elements are those of the axes in `along`. */
static void scale_lines(real *w, int n, const Shape *shape, unsigned along, int64_t length, void (*rescale)(const double *v, double *scale),
                        const double *v)
{
    double scale[LINES] = { 0 };
    for (int64_t i = 0; i < length; i++) {
        const real *x = w + offset_of(shape, along, i);
        for (int l = 0; l < n; l++)
            scale[l] += (double)x[l] * (double)x[l];
    }
    for (int l = 0; l < n; l++) {
        scale[l] = sqrt(scale[l]); /* the norm in, the factor out */
        rescale(v, &scale[l]);
    }
    for (int64_t i = 0; i < length; i++) {
        real *x = w + offset_of(shape, along, i);
        for (int l = 0; l < n; l++)
            x[l] *= (real)scale[l];
    }
}

void rule_norms(real *w, const Shape *shape, unsigned axes, void (*rescale)(const double *v, double *scale), const double *v)
{
    unsigned all = (1u << shape->rank) - 1, along = axes & all;
    int last = shape->rank - 1;
    int64_t length = 1, n = shape_count(shape), row = last < 0 || along & 1u << last ? 1 : shape->d[last];
    for (int axis = 0; axis < shape->rank; axis++)
        length *= along & 1u << axis ? shape->d[axis] : 1;
    for (int64_t line = 0, some; length > 0 && line < n / length; line += some) {
        some = row - line % row < LINES ? row - line % row : LINES;
        scale_lines(w + offset_of(shape, all & ~along, line), (int)some, shape, along, length, rescale, v);
    }
}
