// SPDX-License-Identifier: MIT
/* Every op of the table, every case of its record: what backward gives against central differences of forward, stored and added,
 * all inputs at once and each alone. MODE=f64 is the real check (limit 1e-6); floats can only be compared loosely. */
#include "check.h"

#include "base/mem.h"
#include "opcase.h"

#ifdef HEBB_F64
#define STEP 1e-5
#define LIMIT 1e-6
#define FLOOR 1e-3 /* gradients below it are compared absolutely */
#else
#define STEP 1e-2
#define LIMIT 2e-2
#define FLOOR 0.3
#endif

static Err err;

static double relative(double got, double want)
{
    double most = fmax(fabs(got), fabs(want));
    double off = fabs(got - want) / fmax(most, FLOOR);
    return off >= 0 ? off : 1; /* NaN */
}

/* d loss / d in[i][k]: two differences, combined so that the error falls with the fourth power of the step. */
static double slope(Trial *trial, int i, int64_t k)
{
    Tensor *in = &trial->call.in[i];
    double value = tensor_get(in, k), h = fmin(STEP, trial->spacing / 5), part[2];
    for (int j = 0; j < 2; j++) {
        double step = h * (j + 1), up, down;
        tensor_set(in, k, value + step);
        up = tensor_get(in, k);
        double high = trial_loss(trial);
        tensor_set(in, k, value - step);
        down = tensor_get(in, k);
        part[j] = (high - trial_loss(trial)) / (up - down);
    }
    tensor_set(in, k, value);
    return (4 * part[0] - part[1]) / 3;
}

static void same_bits(const Trial *trial, const real *want, int i, const char *what)
{
    for (int64_t k = 0; k < tensor_count(&trial->call.in[i]); k++)
        if (relative((double)trial->grads[i][k], (double)want[k]) > (sizeof(real) == 8 ? 1e-12 : 1e-4))
            fail_msg("%s, input %d, element %ld: %.9g when %s, %.9g when stored", trial->call.op->name, i, (long)k,
                     (double)trial->grads[i][k], what, (double)want[k]);
}

static void check_input(Trial *trial, int number, int i)
{
    const Tensor *in = &trial->call.in[i];
    int64_t n = tensor_count(in);
    real *stored = mem_alloc((size_t)n, sizeof(real), &err);
    assert_non_null(stored);
    trial_forward(trial);
    memset(trial->grads[i], 0xff, (size_t)n * sizeof(real)); /* NaN: storing must overwrite it */
    for (int j = 0; j < trial->call.n_in; j++)
        if (trial->grads[j])
            memset(trial->grads[j], 0xff, (size_t)tensor_count(&trial->call.in[j]) * sizeof(real));
    trial_backward(trial, false, -1);
    memcpy(stored, trial->grads[i], (size_t)n * sizeof(real));
    for (int64_t k = 0; k < n; k++)
        trial->grads[i][k] = (real)0.25;
    trial_backward(trial, true, i);
    for (int64_t k = 0; k < n; k++)
        trial->grads[i][k] -= (real)0.25;
    same_bits(trial, stored, i, "added alone");
    memset(trial->grads[i], 0xff, (size_t)n * sizeof(real));
    trial_backward(trial, false, i);
    same_bits(trial, stored, i, "stored alone");
    for (int64_t k = 0; k < n; k++) {
        double numeric = slope(trial, i, k), off = relative((double)stored[k], numeric);
        if (off > LIMIT)
            fail_msg("%s, case %d (%s), input %d, element %ld: backward gives %.12g, differences %.12g (relative error %.3g)",
                     trial->call.op->name, number, trial->c->args ? trial->c->args : "defaults", i, (long)k, (double)stored[k], numeric,
                     off);
    }
    mem_free(stored);
}

static void check_case(const Op *op, int number)
{
    Trial trial;
    assert_ok(trial_init(&trial, op, &op->cases[number], (uint64_t)number + 1, &err));
    trial_forward(&trial);
    for (int64_t k = 0; k < tensor_count(&trial.call.out); k++)
        if (!isfinite(tensor_get(&trial.call.out, k)))
            fail_msg("%s, case %d: element %ld of the result is not finite", op->name, number, (long)k);
    for (int i = 0; op->backward && i < trial.call.n_in; i++)
        if (trial.grads[i])
            check_input(&trial, number, i);
    trial_fini(&trial);
}

static void check_op(void **state)
{
    const Op *op = *state;
    assert_non_null(op->doc);
    assert_non_null(op->example);
    assert_non_null(strstr(op->doc, op->name));
    assert_non_null(strstr(op->example, "assert"));
    assert_non_null(op->in_names);
    assert_true(op->in_least >= 0 && op->in_least <= op->in_most && op->in_most <= OP_IN_MOST);
    for (int i = 0; i < op->in_most; i++)
        assert_non_null(op->in_names[i]);
    for (int i = 0; i < op->n_args; i++)
        assert_non_null(op->args[i].help);
    assert_true(op->n_cases > 0);
    assert_non_null(op->forward);
    for (int i = 0; i < op->n_cases; i++)
        check_case(op, i);
}

int main(void)
{
    struct CMUnitTest tests[256];
    size_t n = 0;
    for (; op_at((int)n) && n < COUNT_OF(tests); n++)
        tests[n] = (struct CMUnitTest){ .name = op_at((int)n)->name, .test_func = check_op, .initial_state = (void *)(uintptr_t)op_at((int)n) };
    return _cmocka_run_group_tests("gradients", tests, n, NULL, NULL);
}
