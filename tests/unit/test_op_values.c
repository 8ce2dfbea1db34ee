// SPDX-License-Identifier: MIT
/* Ops and their gradients against values that PyTorch computed in double precision (tests/fixtures/ops, made by its make.py). */
#include "check.h"

#include <dirent.h>
#include <stdlib.h>

#include "autograd/var.h"
#include "fixture.h"
#include "formats/safetensors.h"

#ifdef HEBB_F64
#define LIMIT 1e-7 /* the files hold float32 */
#else
#define LIMIT 1e-5
#endif

static Err err;

/* Errors are measured against the largest number of the tensor. */
static void compare(const Tensor *got, const SafeTensors *file, const char *key, const char *name)
{
    Tensor want;
    char a[SHAPE_TEXT], b[SHAPE_TEXT];
    assert_ok(safetensors_get(file, key, DTYPE_FLOAT32, &want, &err));
    if (!got->data || !shape_same(&got->shape, &want.shape))
        fail_msg("%s: %s has shape %s, wanted %s", name, key, got->data ? shape_text(&got->shape, a) : "none", shape_text(&want.shape, b));
    double most = 0;
    for (int64_t i = 0; i < tensor_count(&want); i++)
        most = fmax(most, fabs(tensor_get(&want, i)));
    for (int64_t i = 0; i < tensor_count(&want); i++)
        if (!(fabs(tensor_get(got, i) - tensor_get(&want, i)) <= LIMIT * most))
            fail_msg("%s: %s, element %ld is %.12g, wanted %.12g", name, key, (long)i, tensor_get(got, i), tensor_get(&want, i));
    tensor_unref(&want);
}

static int load_inputs(const SafeTensors *file, const Op *op, Var *in[OP_IN_MOST])
{
    char key[24];
    int n = 0;
    for (; n < OP_IN_MOST; n++) {
        snprintf(key, sizeof key, "in%d", n);
        if (!safetensors_find(file, key))
            break;
        bool integer = op->integer_in >> n & 1;
        Tensor t;
        assert_ok(safetensors_get(file, key, integer ? DTYPE_INT32 : DTYPE_FLOAT32, &t, &err));
        assert_non_null(in[n] = var_new(&t, !integer, &err));
    }
    return n;
}

static void load_args(const SafeTensors *file, const Op *op, Args *args)
{
    char text[200];
    args_init(args, op->args, op->n_args);
    snprintf(text, sizeof text, "%s", safetensors_meta(file, "args"));
    for (char *save, *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        char *value = strchr(word, '=');
        assert_non_null(value);
        *value++ = '\0';
        assert_true(args_find(args, word) >= 0);
        assert_ok(args_parse(args, args_find(args, word), value, op->name, &err));
    }
}

static void check_file(void **state)
{
    const char *name = *state;
    char path[300], key[24];
    snprintf(path, sizeof path, "ops/%s", name);
    SafeTensors *file = safetensors_open(fixture_path(path), &err);
    if (!file)
        fail_msg("%s", err.text);
    const Op *op = op_find(safetensors_meta(file, "op"), &err);
    if (!op)
        fail_msg("%s: %s", name, err.text);
    Args args;
    Var *in[OP_IN_MOST];
    load_args(file, op, &args);
    int n = load_inputs(file, op, in);
    Var *out = var_op(op, in, n, &args, !strcmp(safetensors_meta(file, "training"), "true"), 0, &err);
    if (!out)
        fail_msg("%s: %s", name, err.text);
    compare(&out->value, file, "out", name);
    Tensor dout;
    assert_ok(safetensors_get(file, "dout", DTYPE_FLOAT32, &dout, &err));
    assert_ok(var_backward(out, &dout, &err));
    for (int i = 0; i < n; i++) {
        snprintf(key, sizeof key, "grad%d", i);
        if (safetensors_find(file, key))
            compare(&in[i]->grad, file, key, name);
        snprintf(key, sizeof key, "after%d", i);
        if (safetensors_find(file, key))
            compare(&in[i]->value, file, key, name);
        var_unref(in[i]);
    }
    var_unref(out);
    tensor_unref(&dout);
    safetensors_free(file);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(void)
{
    static char *names[200];
    static struct CMUnitTest tests[200];
    size_t n = 0;
    DIR *folder = opendir(fixture_path("ops"));
    for (struct dirent *entry; folder && (entry = readdir(folder)) && n < COUNT_OF(names);)
        if (strstr(entry->d_name, ".safetensors"))
            names[n++] = strdup(entry->d_name);
    if (folder)
        closedir(folder);
    qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; i < n; i++)
        tests[i] = (struct CMUnitTest){ .name = names[i], .test_func = check_file, .initial_state = names[i] };
    int failed = n >= 32 ? _cmocka_run_group_tests("op_values", tests, n, NULL, NULL) : 1; /* fewer: fixtures are lost */
    for (size_t i = 0; i < n; i++)
        free(names[i]);
    return failed;
}
