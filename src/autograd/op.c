// SPDX-License-Identifier: MIT
/* The table of ops is made from the listing of ops/ and activations/ (gen/ops.h), which is sorted as names are. */
#include "autograd/op.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/name.h"
#include "tensor/kern.h"

#define ROW(name) extern const Op op_##name;
#include "gen/ops.h"
#undef ROW

static const Op *const table[] = {
#define ROW(name) &op_##name,
#include "gen/ops.h"
#undef ROW
    NULL,
};
#define TABLE_ROWS ((int)(sizeof table / sizeof *table) - 1)

const Op *op_at(int i)
{
    return i >= 0 && i < TABLE_ROWS ? table[i] : NULL;
}

const Op *op_find(const char *name, Err *err)
{
    int low = 0, high = TABLE_ROWS;
    while (low < high) {
        int middle = (low + high) / 2, order = strcmp(name, table[middle]->name);
        if (order == 0)
            return table[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    NameSearch search;
    char hint[96];
    name_search(&search, name);
    for (int i = 0; i < TABLE_ROWS; i++)
        name_offer(&search, table[i]->name);
    err_set(err, ERR_NAME, "there is no op \"%.60s\"%s", name, name_hint(&search, hint));
    return NULL;
}

/* ---- defaults, found by the record's address ---- */

#define SLOTS (1 << 9)
_Static_assert(2 * (sizeof table / sizeof *table) < SLOTS, "more ops than slots: double SLOTS");

static const Args no_args;
static Args defaults[sizeof table / sizeof *table];
static int16_t slots[SLOTS]; /* row + 1 by a hash of the address, open addressing */
static pthread_once_t defaults_once = PTHREAD_ONCE_INIT;

static size_t slot_of(const Op *op)
{
    return ((uintptr_t)op >> 4) * 2654435761u >> 7 & (SLOTS - 1);
}

static void fill_defaults(void)
{
    for (int i = 0; i < TABLE_ROWS; i++) {
        size_t slot = slot_of(table[i]);
        while (slots[slot])
            slot = (slot + 1) & (SLOTS - 1);
        slots[slot] = (int16_t)(i + 1);
        args_init(&defaults[i], table[i]->args, table[i]->n_args);
    }
}

const Args *op_defaults(const Op *op)
{
    if (op->n_args == 0)
        return &no_args;
    pthread_once(&defaults_once, fill_defaults);
    for (size_t slot = slot_of(op); slots[slot]; slot = (slot + 1) & (SLOTS - 1))
        if (table[slots[slot] - 1] == op)
            return &defaults[slots[slot] - 1];
    return NULL;
}

/* ---- checks ---- */

bool op_refuse(const OpCall *call, Err *err, const char *format, ...)
{
    char text[sizeof err->text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return err_set(err, ERR_SHAPE, "%s: %s", call->op->name, text);
}

static const char *input_name(const Op *op, int i)
{
    return op->in_names && i < op->in_most && op->in_names[i] ? op->in_names[i] : "an input";
}

static bool check_count(const OpCall *call, Err *err)
{
    const Op *op = call->op;
    if (call->n_in > op->in_most)
        return err_set(err, ERR_ARG, "%s takes %s%d input%s, got %d", op->name, op->in_least < op->in_most ? "at most " : "",
                       op->in_most, op->in_most == 1 ? "" : "s", call->n_in);
    for (int i = 0; i < op->in_least; i++)
        if (i >= call->n_in || !call->has[i])
            return err_set(err, ERR_ARG, "%s: input %d (%s) is missing", op->name, i + 1, input_name(op, i));
    return true;
}

static bool refuse_type(const OpCall *call, int i, DType want, Err *err)
{
    const char *remedy = want == DTYPE_INT32 ? "class numbers and indices are int32" : "cast it first: x:cast(\"float32\")";
    return err_set(err, ERR_ARG, "%s: %s must be %s, got %s; %s", call->op->name, input_name(call->op, i), dtype_name(want),
                   dtype_name(call->in[i].dtype), remedy);
}

/* A size of -1 (a symbolic batch) passes. */
static bool check_size(const OpCall *call, Err *err)
{
    int64_t count = 1;
    bool fits = true;
    for (int i = 0; i < call->out.shape.rank; i++)
        if (call->out.shape.d[i] >= 0)
            fits = fits && !__builtin_mul_overflow(count, call->out.shape.d[i], &count);
    char text[SHAPE_TEXT];
    if (!fits || count > TENSOR_ELEMENTS_MOST)
        return op_refuse(call, err, "the result's shape %s has more elements than memory can hold",
                         shape_text(&call->out.shape, text));
    return true;
}

bool op_infer(OpCall *call, Err *err)
{
    const Op *op = call->op;
    if (call->n_in > op->in_most || call->n_in < op->in_least || !check_count(call, err))
        return check_count(call, err);
    for (int i = 0; i < call->n_in; i++) {
        DType want = op->integer_in >> i & 1 ? DTYPE_INT32 : DTYPE_FLOAT32;
        if (call->has[i] && call->in[i].dtype != want && !(op->any_in >> i & 1))
            return refuse_type(call, i, want, err);
    }
    if (op->n_args > 0 && !args_complete(call->args, op->name, err))
        return false;
    call->saved_size = call->scratch_size = 0;
    call->alias = false;
    return op->infer(call, err) && check_size(call, err);
}

/* ---- store or add ---- */

void op_give(real *dst, const real *src, int64_t n, bool add)
{
    if (add)
        kern_add_to(dst, src, n);
    else if (dst != src)
        kern_copy(dst, src, n);
}

void op_give_none(const OpCall *call, int i)
{
    if (call->has[i] && call->din[i] && !call->add[i])
        kern_fill(call->din[i], 0, shape_count(&call->in[i].shape));
}
