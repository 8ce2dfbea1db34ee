// SPDX-License-Identifier: MIT
/* saved [2, N]: mean and 1 / deviation of each row. scratch: the kernel's, then dgamma and dbeta [2, C]. */
#include "autograd/rownorm.h"

#include <math.h>

#include "tensor/kern_rownorm.h"

enum { X, GAMMA, BETA };

#define AXES_ROW { .name = "axes", .type = ARG_INT, .fallback = "1", .least = 1, .most = SHAPE_MOST - 1, .help = "how many of the last axes are one row" }
#define EPSILON_ROW(value) { .name = "epsilon", .type = ARG_FLOAT, .fallback = value, .least = 0, .most = INFINITY, .help = "added to the variance" }

const ArgSpec rownorm_layer_args[ROWNORM_ARGS] = { EPSILON_ROW("0.001"), AXES_ROW };
const ArgSpec rownorm_rms_args[ROWNORM_ARGS] = { EPSILON_ROW("1e-06"), AXES_ROW };

static RowNorm norm_of(const OpCall *call, bool centred)
{
    const Shape *x = &call->in[X].shape;
    RowNorm norm = { .centred = centred, .epsilon = call->args->v[0].u.f };
    norm.C = shape_count_from(x, x->rank - (int)call->args->v[1].u.i);
    norm.N = norm.C > 0 ? shape_count(x) / norm.C : 0;
    return norm;
}

bool rownorm_infer(OpCall *call, Err *err)
{
    const Shape *x = &call->in[X].shape;
    char a[SHAPE_TEXT], b[SHAPE_TEXT];
    int axes = (int)call->args->v[1].u.i;
    if (x->rank <= axes)
        return op_refuse(call, err, "x must have more than the %d ax%s that make a row, got shape %s", axes, axes == 1 ? "is" : "es",
                         shape_text(x, a));
    Shape row = { .rank = axes };
    for (int i = 0; i < axes; i++)
        row.d[i] = x->d[x->rank - axes + i];
    for (int i = 0; i < axes; i++)
        if (row.d[i] < 0)
            return op_refuse(call, err, "the axes that make a row must be known, got shape %s", shape_text(x, a));
    for (int i = GAMMA; i < call->n_in; i++)
        if (call->has[i] && !shape_same(&call->in[i].shape, &row))
            return op_refuse(call, err, "%s must have shape %s, as a row of x, got %s", call->op->in_names[i], shape_text(&row, a),
                             shape_text(&call->in[i].shape, b));
    RowNorm norm = norm_of(call, true);
    call->out.dtype = DTYPE_FLOAT32;
    call->out.shape = *x;
    call->saved_size = 2 * (size_t)norm.N * sizeof(real);
    call->scratch_size = call->wants_grad ? kern_rownorm_scratch(&norm) + 2 * (size_t)norm.C * sizeof(real) : 0;
    return true;
}

static const real *optional(const OpCall *call, int i)
{
    return i < call->n_in && call->has[i] ? tensor_real(&call->in[i]) : NULL;
}

void rownorm_forward(OpCall *call, bool centred)
{
    RowNorm norm = norm_of(call, centred);
    real *mean = call->saved, *rstd = mean ? mean + norm.N : NULL;
    kern_rownorm(&norm, tensor_real(&call->out), mean, rstd, tensor_real(&call->in[X]), optional(call, GAMMA), optional(call, BETA));
}

static bool wanted(const OpCall *call, int i)
{
    return i < call->n_in && call->has[i] && call->din[i];
}

void rownorm_backward(OpCall *call, bool centred)
{
    RowNorm norm = norm_of(call, centred);
    const real *mean = call->saved;
    real *dgamma = (real *)((char *)call->scratch + kern_rownorm_scratch(&norm)), *dbeta = dgamma + norm.C;
    bool sums = wanted(call, GAMMA) || wanted(call, BETA);
    kern_rownorm_back(&norm, call->din[X], call->add[X], sums ? dgamma : NULL, sums ? dbeta : NULL, call->dout,
                      tensor_real(&call->in[X]), mean, mean + norm.N, optional(call, GAMMA), call->scratch);
    for (int i = GAMMA; i <= BETA; i++)
        if (wanted(call, i))
            op_give(call->din[i], i == GAMMA ? dgamma : dbeta, norm.C, call->add[i]);
}
