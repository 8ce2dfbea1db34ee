// SPDX-License-Identifier: MIT
/* A row whose step is left out by the mask keeps its states; its result is that of the step before, or 0 when no step has counted
 * yet (Keras's rule; with zero_output_for_mask it is 0 wherever a step is left out). So result s is the state behind step s, from
 * the first step that counts on. */
#include "autograd/recurrent.h"

#include <string.h>

#include "base/pool.h"

const char *const recur_in_names[] = { "x", "kernel", "recurrent_kernel", "bias", "mask", "recurrent_mask", "h0", "c0" };

#define PACK_LEAST 4 /* rows from which packed weights pay */

/* ---- sizes and memory ---- */

static int64_t known(int64_t d)
{
    return d < 0 ? 1 : d;
}

static bool flag(const OpCall *call, const char *name)
{
    return args_find(call->args, name) >= 0 && args_bool(call->args, name);
}

static KernAct act_of(const OpCall *call, const char *name)
{
    int row = args_find(call->args, name);
    return row < 0 ? KERN_ACT_LINEAR : (KernAct)call->args->v[row].u.i;
}

static Recur recur_of(const RecurKind *kind, const OpCall *call)
{
    const Shape *x = &call->in[RECUR_X].shape;
    Recur r = { .B = known(x->d[0]), .T = known(x->d[1]), .I = x->d[2], .U = call->in[RECUR_RECURRENT].shape.d[0], .states = kind->states, .call = call };
    r.G = kind->gates * r.U;
    r.after = flag(call, "reset_after");
    r.bias_rows = r.after ? 2 : 1;
    r.sequences = flag(call, "return_sequences");
    r.last = flag(call, "return_state");
    r.backwards = flag(call, "go_backwards");
    r.zero = flag(call, "zero_output_for_mask");
    r.act = act_of(call, "activation");
    r.rec = act_of(call, "recurrent_activation");
    r.rows = (r.sequences ? r.T : 1) + (r.last ? r.states : 0);
    r.n_tiles = (size_t)((r.B + RECUR_ROWS - 1) / RECUR_ROWS);
    if (r.n_tiles == 1 && r.B >= RECUR_ROWS) /* two halves of 8 rows each */
        r.n_tiles = 2;
    return r;
}

/* Memory is handed out piece by piece; with base NULL it is only counted. */
typedef struct Bump {
    char *base;
    size_t at;
} Bump;

static real *take(Bump *bump, int64_t n)
{
    real *data = bump->base ? (real *)(bump->base + bump->at) : NULL;
    bump->at += ((size_t)n * sizeof(real) + 63) / 64 * 64;
    return data;
}

/* From forward to backward. */
static void lay_kept(Recur *r, int gates, Bump *bump)
{
    int64_t states = (r->T + 1) * r->B * r->U;
    r->h = take(bump, states);
    r->c = r->states > 1 ? take(bump, states) : NULL;
    r->q = r->after ? take(bump, r->T * r->B * r->U) : NULL;
    r->z = gates > 1 ? take(bump, r->T * r->B * r->G) : r->h ? r->h + r->B * r->U : NULL;
}

static void lay_forward(Recur *r, Bump *bump)
{
    r->x = take(bump, r->T * r->B * r->I);
    r->in = take(bump, r->B * r->U);
    for (int i = 0; i < 2; i++)
        if (r->weights[i].N && r->B >= PACK_LEAST)
            r->weights[i].packed = take(bump, kern_rnn_packed(r->weights[i].K, r->weights[i].N));
}

static void lay_backward(Recur *r, int gates, Bump *bump)
{
    int64_t steps = r->T * r->B, states = r->B * r->U;
    lay_forward(r, bump);
    r->in = take(bump, r->T * states);
    r->dz = take(bump, steps * r->G);
    r->dq = gates == 3 ? take(bump, steps * r->U) : NULL;
    r->dh = take(bump, states);
    r->dc = take(bump, states);
    r->din = take(bump, states);
    r->ddrop = take(bump, states);
    r->spare = take(bump, 2 * states);
    r->ones = take(bump, steps);
}

/* The recurrent weights as products use them: those of the candidate of a GRU on their own. */
static void set_weights(Recur *r, int gates, bool back)
{
    const real *w = tensor_real(&r->call->in[RECUR_RECURRENT]);
    int64_t split = gates == 3 ? 2 * r->U : r->G;
    r->weights[0] = back ? (RnnWeights){ w, r->G, split, r->U, true, NULL } : (RnnWeights){ w, r->G, r->U, split, false, NULL };
    if (gates == 3)
        r->weights[1] = (RnnWeights){ w ? w + split : NULL, r->G, r->U, r->U, back, NULL };
}

/* ---- shapes ---- */

static bool want(const OpCall *call, int input, Shape shape, Err *err)
{
    const Shape *got = &call->in[input].shape;
    char a[SHAPE_TEXT], b[SHAPE_TEXT];
    bool same = !call->has[input] || got->rank == shape.rank;
    for (int i = 0; same && call->has[input] && i < shape.rank; i++)
        same = got->d[i] == shape.d[i] || got->d[i] < 0 || shape.d[i] < 0;
    return same || op_refuse(call, err, "%s must have shape %s, got %s", recur_in_names[input], shape_text(&shape, a), shape_text(got, b));
}

static bool check_shapes(const RecurKind *kind, const OpCall *call, const Recur *r, Err *err)
{
    int64_t B = call->in[RECUR_X].shape.d[0], T = call->in[RECUR_X].shape.d[1];
    Shape bias = r->bias_rows == 2 ? SHAPE(2, r->G) : SHAPE(r->G), state = SHAPE(B, r->U);
    if (T == 0)
        return op_refuse(call, err, "the sequences have no steps");
    return want(call, RECUR_KERNEL, SHAPE(r->I, r->G), err) && want(call, RECUR_RECURRENT, SHAPE(r->U, r->G), err) &&
           want(call, RECUR_BIAS, bias, err) && want(call, RECUR_MASK, SHAPE(B, T), err) && want(call, RECUR_DROP, state, err) &&
           want(call, RECUR_H0, state, err) && (kind->states < 2 || want(call, RECUR_C0, state, err));
}

bool recur_infer(const RecurKind *kind, OpCall *call, Err *err)
{
    const Shape *x = &call->in[RECUR_X].shape;
    char text[SHAPE_TEXT];
    if (x->rank != 3)
        return op_refuse(call, err, "wants sequences (batch, time, features), got shape %s", shape_text(x, text));
    if (!call->has[RECUR_KERNEL] || !call->has[RECUR_RECURRENT] || call->in[RECUR_RECURRENT].shape.rank != 2)
        return op_refuse(call, err, "wants a kernel (features, %d * units) and a recurrent_kernel (units, %d * units)", kind->gates, kind->gates);
    Recur r = recur_of(kind, call);
    if (!check_shapes(kind, call, &r, err))
        return false;
    if (flag(call, "stateful") && (!call->has[RECUR_H0] || (kind->states > 1 && !call->has[RECUR_C0])))
        return op_refuse(call, err, "stateful wants first states");
    call->out.dtype = DTYPE_FLOAT32;
    bool flat = !r.sequences && !r.last;
    call->out.shape = flat ? SHAPE(x->d[0], r.U) : SHAPE(x->d[0], r.rows, r.U);
    if (x->d[1] < 0 && r.sequences)
        call->out.shape.d[1] = -1;
    Bump kept = { 0 }, forward = { 0 }, backward = { 0 };
    set_weights(&r, kind->gates, false);
    lay_kept(&r, kind->gates, &kept);
    lay_forward(&r, &forward);
    set_weights(&r, kind->gates, true);
    lay_backward(&r, kind->gates, &backward);
    call->saved_size = call->wants_grad || call->training ? kept.at : 0;
    call->scratch_size = call->saved_size ? (forward.at > backward.at ? forward.at : backward.at) : forward.at + kept.at;
    if (call->saved_size && !call->wants_grad)
        call->scratch_size = forward.at;
    return true;
}

/* ---- time first, and back ---- */

typedef struct Turn {
    const Recur *r;
    real *steps;      /* [T, B, I] */
    const real *from; /* [B, T, I]: to steps; NULL: steps to `to` */
    real *to;
    bool add;
} Turn;

static void turn_step(void *ctx, size_t s, int worker)
{
    const Turn *turn = ctx;
    const Recur *r = turn->r;
    int64_t t = r->backwards ? r->T - 1 - (int64_t)s : (int64_t)s, I = r->I;
    (void)worker;
    for (int64_t b = 0; b < r->B; b++) {
        real *step = turn->steps + recur_at(r, (int64_t)s, b, I);
        int64_t at = (b * r->T + t) * I;
        if (turn->from)
            memcpy(step, turn->from + at, (size_t)I * sizeof *step);
        else if (turn->add)
            for (int64_t i = 0; i < I; i++)
                turn->to[at + i] += step[i];
        else
            memcpy(turn->to + at, step, (size_t)I * sizeof *step);
    }
}

static const real *input(const Recur *r, int i)
{
    return r->call->has[i] ? tensor_real(&r->call->in[i]) : NULL;
}

static void turn_in(const Recur *r)
{
    pool_run((size_t)r->T, turn_step, &(Turn){ .r = r, .steps = r->x, .from = input(r, RECUR_X) });
}

/* ---- inside a step ---- */

bool recur_counts(const Recur *r, int64_t s, int64_t b)
{
    const real *mask = input(r, RECUR_MASK);
    return !mask || mask[b * r->T + (r->backwards ? r->T - 1 - s : s)] > 0;
}

/* The first step that counts for row b; T: none. */
static int64_t first_step(const Recur *r, int64_t b)
{
    int64_t s = 0;
    while (s < r->T && !recur_counts(r, s, b))
        s++;
    return s;
}

/* Is the result of step s the state behind it (else 0)? seen: the row's first step that counts. */
static bool shows(const Recur *r, int64_t s, int64_t b, int64_t seen)
{
    return s >= seen && (!r->zero || recur_counts(r, s, b));
}

const real *recur_in(const Recur *r, int64_t s, int64_t first, int64_t n)
{
    const real *h = r->h + recur_at(r, s, first, r->U), *drop = input(r, RECUR_DROP);
    if (!drop)
        return h;
    kern_mul(r->in + first * r->U, h, drop + first * r->U, n * r->U);
    return r->in + first * r->U;
}

void recur_give_in(const Recur *r, int64_t s, int64_t first, int64_t n)
{
    const real *drop = input(r, RECUR_DROP);
    int64_t at = first * r->U, count = n * r->U;
    real *din = r->din + at;
    if (drop && r->call->din[RECUR_DROP])
        kern_mul_add(r->ddrop + at, din, r->h + recur_at(r, s, first, r->U), count);
    if (drop)
        kern_mul(din, din, drop + at, count);
    for (int64_t i = 0; i < count; i++)
        r->dh[at + i] += din[i];
}

/* ---- forward ---- */

typedef struct Work {
    const RecurKind *kind;
    const Recur *r;
} Work;

static void tile_rows(const Recur *r, size_t tile, int64_t *first, int64_t *n)
{
    *first = (int64_t)pool_first((size_t)r->B, r->n_tiles, tile);
    *n = (int64_t)pool_first((size_t)r->B, r->n_tiles, tile + 1) - *first;
}

/* Row b of the states [T + 1, B, U] at step s; zeros where `from` is NULL. */
static void set_state(const Recur *r, real *states, int64_t s, int64_t b, const real *from)
{
    real *to = states + recur_at(r, s, b, r->U);
    if (from)
        memcpy(to, from, (size_t)r->U * sizeof *to);
    else
        memset(to, 0, (size_t)r->U * sizeof *to);
}

static void begin_row(const Recur *r, int64_t b)
{
    const real *h0 = input(r, RECUR_H0), *c0 = r->c ? input(r, RECUR_C0) : NULL;
    set_state(r, r->h, 0, b, h0 ? h0 + b * r->U : NULL);
    if (r->c)
        set_state(r, r->c, 0, b, c0 ? c0 + b * r->U : NULL);
}

static void put(const Recur *r, int64_t b, int64_t row, const real *from)
{
    real *to = tensor_real(&r->call->out) + (b * r->rows + row) * r->U;
    if (from)
        memcpy(to, from, (size_t)r->U * sizeof *to);
    else
        memset(to, 0, (size_t)r->U * sizeof *to);
}

static void end_row(const Recur *r, int64_t b, int64_t seen)
{
    const real *h = r->h + recur_at(r, r->T, b, r->U);
    if (!r->sequences)
        put(r, b, 0, shows(r, r->T - 1, b, seen) ? h : NULL);
    if (r->last)
        put(r, b, r->rows - r->states, h);
    if (r->last && r->c)
        put(r, b, r->rows - 1, r->c + recur_at(r, r->T, b, r->U));
}

static void forward_tile(void *ctx, size_t tile, int worker)
{
    const Work *work = ctx;
    const Recur *r = work->r;
    int64_t first, n, seen[RECUR_ROWS];
    (void)worker;
    tile_rows(r, tile, &first, &n);
    for (int64_t i = 0; i < n; i++) {
        begin_row(r, first + i);
        seen[i] = first_step(r, first + i);
    }
    for (int64_t s = 0; s < r->T; s++) {
        work->kind->step(r, s, first, n);
        for (int64_t i = 0; r->sequences && i < n; i++)
            put(r, first + i, s, shows(r, s, first + i, seen[i]) ? r->h + recur_at(r, s + 1, first + i, r->U) : NULL);
    }
    for (int64_t i = 0; i < n; i++)
        end_row(r, first + i, seen[i]);
}

void recur_forward(const RecurKind *kind, OpCall *call)
{
    Recur r = recur_of(kind, call);
    Bump scratch = { call->scratch, 0 }, kept = { call->saved, 0 };
    set_weights(&r, kind->gates, false);
    lay_forward(&r, &scratch);
    lay_kept(&r, kind->gates, call->saved ? &kept : &scratch);
    turn_in(&r);
    kern_gemm(false, false, r.T * r.B, r.G, r.I, 1, r.x, r.I, input(&r, RECUR_KERNEL), r.G, 0, r.z, r.G);
    for (int i = 0; i < 2; i++)
        kern_rnn_pack(&r.weights[i]);
    pool_run(r.n_tiles, forward_tile, &(Work){ kind, &r });
}

void recur_commit(const RecurKind *kind, OpCall *call)
{
    if (!flag(call, "stateful"))
        return;
    Recur r = recur_of(kind, call);
    if (!r.last)
        return;
    for (int64_t b = 0; b < r.B; b++)
        for (int i = 0; i < r.states; i++)
            memcpy(tensor_real(&call->in[RECUR_H0 + i]) + b * r.U, tensor_real(&call->out) + (b * r.rows + r.rows - r.states + i) * r.U,
                   (size_t)r.U * sizeof(real));
}

/* ---- backward ---- */

static void add_row(real *to, const real *from, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] += from[i];
}

static const real *dout_row(const Recur *r, int64_t b, int64_t row)
{
    return r->call->dout + (b * r->rows + row) * r->U;
}

static void begin_back(const Recur *r, int64_t b)
{
    int64_t at = b * r->U;
    size_t size = (size_t)r->U * sizeof(real);
    memset(r->dh + at, 0, size);
    memset(r->dc + at, 0, size);
    memset(r->ddrop + at, 0, size);
    if (r->last)
        add_row(r->dh + at, dout_row(r, b, r->rows - r->states), r->U);
    if (r->last && r->c)
        add_row(r->dc + at, dout_row(r, b, r->rows - 1), r->U);
}

static void backward_tile(void *ctx, size_t tile, int worker)
{
    const Work *work = ctx;
    const Recur *r = work->r;
    int64_t first, n, seen[RECUR_ROWS];
    (void)worker;
    tile_rows(r, tile, &first, &n);
    for (int64_t i = 0; i < n; i++) {
        begin_back(r, first + i);
        seen[i] = first_step(r, first + i);
    }
    for (int64_t s = r->T - 1; s >= 0; s--) {
        for (int64_t i = 0; (r->sequences || s == r->T - 1) && i < n; i++)
            if (shows(r, s, first + i, seen[i]))
                add_row(r->dh + (first + i) * r->U, dout_row(r, first + i, r->sequences ? s : 0), r->U);
        work->kind->back(r, s, first, n);
    }
}

/* The states as they entered the products, of all steps: r->in, or r->h where nothing changes them. reset: times r, the gate. */
typedef struct Enter {
    const Recur *r;
    bool reset;
} Enter;

static void enter_step(void *ctx, size_t step, int worker)
{
    const Enter *enter = ctx;
    const Recur *r = enter->r;
    const real *drop = input(r, RECUR_DROP);
    (void)worker;
    for (int64_t b = 0; b < r->B; b++) {
        int64_t s = (int64_t)step, at = recur_at(r, s, b, r->U);
        memcpy(r->in + at, r->h + at, (size_t)r->U * sizeof(real));
        if (drop)
            kern_mul(r->in + at, r->in + at, drop + b * r->U, r->U);
        if (enter->reset)
            kern_mul(r->in + at, r->in + at, r->z + recur_at(r, s, b, r->G) + r->U, r->U);
    }
}

static const real *entered(const Recur *r, bool reset)
{
    if (!reset && !input(r, RECUR_DROP))
        return r->h;
    pool_run((size_t)r->T, enter_step, &(Enter){ r, reset });
    return r->in;
}

/* dR [U, G], of a GRU in two parts: gates and candidate. */
static void recurrent_back(const Recur *r, int gates)
{
    real *d = r->call->din[RECUR_RECURRENT];
    int64_t N = r->T * r->B, split = gates == 3 ? 2 * r->U : r->G;
    real beta = r->call->add[RECUR_RECURRENT] ? 1 : 0;
    if (!d)
        return;
    kern_gemm(true, false, r->U, split, N, 1, entered(r, false), r->U, r->dz, r->G, beta, d, r->G);
    if (gates == 3 && r->after)
        kern_gemm(true, false, r->U, r->U, N, 1, entered(r, false), r->U, r->dq, r->U, beta, d + split, r->G);
    else if (gates == 3)
        kern_gemm(true, false, r->U, r->U, N, 1, entered(r, true), r->U, r->dz + split, r->G, beta, d + split, r->G);
}

/* Sums over all steps, as products with ones. */
static void bias_back(const Recur *r)
{
    real *d = r->call->has[RECUR_BIAS] ? r->call->din[RECUR_BIAS] : NULL;
    int64_t N = r->T * r->B;
    real beta = r->call->add[RECUR_BIAS] ? 1 : 0;
    if (!d)
        return;
    kern_fill(r->ones, 1, N);
    kern_gemm(false, false, 1, r->G, N, 1, r->ones, N, r->dz, r->G, beta, d, r->G);
    if (r->bias_rows < 2)
        return;
    kern_gemm(false, false, 1, 2 * r->U, N, 1, r->ones, N, r->dz, r->G, beta, d + r->G, r->G);
    kern_gemm(false, false, 1, r->U, N, 1, r->ones, N, r->dq, r->U, beta, d + r->G + 2 * r->U, r->G);
}

static void input_back(const Recur *r)
{
    real *const *din = r->call->din;
    const bool *add = r->call->add;
    int64_t N = r->T * r->B;
    if (din[RECUR_KERNEL]) {
        turn_in(r);
        kern_gemm(true, false, r->I, r->G, N, 1, r->x, r->I, r->dz, r->G, add[RECUR_KERNEL] ? 1 : 0, din[RECUR_KERNEL], r->G);
    }
    if (din[RECUR_X]) {
        kern_gemm(false, true, N, r->I, r->G, 1, r->dz, r->G, input(r, RECUR_KERNEL), r->G, 0, r->x, r->I);
        pool_run((size_t)r->T, turn_step, &(Turn){ .r = r, .steps = r->x, .to = din[RECUR_X], .add = add[RECUR_X] });
    }
}

static void give(const Recur *r, int i, const real *from, int64_t n)
{
    const OpCall *call = r->call;
    if (i < call->n_in && call->has[i] && call->din[i])
        op_give(call->din[i], from, n, call->add[i]);
}

void recur_backward(const RecurKind *kind, OpCall *call)
{
    Recur r = recur_of(kind, call);
    Bump scratch = { call->scratch, 0 }, kept = { call->saved, 0 };
    set_weights(&r, kind->gates, true);
    lay_backward(&r, kind->gates, &scratch);
    lay_kept(&r, kind->gates, &kept);
    for (int i = 0; i < 2; i++)
        kern_rnn_pack(&r.weights[i]);
    pool_run(r.n_tiles, backward_tile, &(Work){ kind, &r });
    recurrent_back(&r, kind->gates);
    bias_back(&r);
    input_back(&r);
    give(&r, RECUR_DROP, r.ddrop, r.B * r.U);
    give(&r, RECUR_H0, r.dh, r.B * r.U);
    if (r.c)
        give(&r, RECUR_C0, r.dc, r.B * r.U);
    if (call->has[RECUR_MASK] && call->din[RECUR_MASK] && !call->add[RECUR_MASK])
        kern_fill(call->din[RECUR_MASK], 0, r.B * r.T);
}

double recur_flops(const RecurKind *kind, const OpCall *call)
{
    Recur r = recur_of(kind, call);
    return (double)(r.T * r.B) * (double)(r.I + r.U) * (double)r.G;
}
