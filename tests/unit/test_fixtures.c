// SPDX-License-Identifier: MIT
/* Layers against Keras: every case of every file in tests/fixtures/layers (made by its make.py): forward, the gradient of every
 * input and weight, and what a kept step changes. The files say all: a new layer needs no line here. Metadata: the case's name ->
 * "Dense units=3 activation=relu"; NAME.mode -> "inference" where nothing is trained. Tensors: NAME/in0 …, NAME/weight/kernel …,
 * NAME/out, NAME/dout, NAME/grad/in0 …, NAME/grad/kernel …, NAME/after/moving_mean …. */
#include "check.h"

#include <dirent.h>
#include <stdlib.h>

#include "base/mem.h"
#include "fixture.h"
#include "formats/safetensors.h"
#include "netkit.h"
#include "nn/ops.h"

#define CASES_MOST 1000
#define FEWEST 40 /* fewer: fixtures are lost */

static Err err;

typedef struct Case {
    char path[300], name[64], title[140];
} Case;

typedef struct Rig {
    const Case *c;
    SafeTensors *file;
    Layer *layer;
    Tape tape;
    Tensor in[OP_IN_MOST], in_grad[OP_IN_MOST];
    Node *nodes[OP_IN_MOST];
    int n_in;
    real *grad;
} Rig;

static const char *key_of(const Case *c, const char *part)
{
    static char keys[4][160];
    static int next;
    char *key = keys[next++ % 4];
    snprintf(key, sizeof keys[0], "%s/%s", c->name, part);
    return key;
}

/* The readers round doubles to float in every MODE; the references are wanted as they are. */
static void get_exact(const Rig *rig, const SafeEntry *entry, Tensor *out)
{
    assert_ok(tensor_new(out, DTYPE_FLOAT32, entry->shape, &err));
    if (strcmp(entry->type_name, "F64")) {
        assert_ok(safetensors_read(rig->file, entry, out, &err));
        return;
    }
    FILE *f = fopen(rig->c->path, "rb");
    assert_non_null(f);
    assert_int_equal(fseek(f, (long)entry->begin, SEEK_SET), 0);
    for (int64_t i = 0; i < tensor_count(out); i++) {
        double value;
        assert_int_equal(fread(&value, sizeof value, 1, f), 1);
        tensor_set(out, i, value);
    }
    fclose(f);
}

/* What the reference made in double is compared as doubles where hebb computes in double. */
static double limit_of(const SafeEntry *entry)
{
    return sizeof(real) == 4 ? 1e-5 : strcmp(entry->type_name, "F64") ? 1e-6 : 1e-10;
}

/* Errors are measured against the largest number of the tensor. */
static void compare(const Rig *rig, const Tensor *got, const char *part)
{
    Tensor want;
    char a[SHAPE_TEXT], b[SHAPE_TEXT];
    const char *key = key_of(rig->c, part);
    const SafeEntry *entry = safetensors_find(rig->file, key);
    if (!entry)
        fail_msg("%s: no %s in the file", rig->c->title, part);
    get_exact(rig, entry, &want);
    if (!got->data || !shape_same(&got->shape, &want.shape))
        fail_msg("%s: %s has shape %s, wanted %s", rig->c->title, part, got->data ? shape_text(&got->shape, a) : "none",
                 shape_text(&want.shape, b));
    double most = 0, limit = limit_of(entry);
    for (int64_t i = 0; i < tensor_count(&want); i++)
        most = fmax(most, fabs(tensor_get(&want, i)));
    for (int64_t i = 0; i < tensor_count(&want); i++)
        if (!(fabs(tensor_get(got, i) - tensor_get(&want, i)) <= limit * fmax(most, 1e-2)))
            fail_msg("%s: %s, element %ld is %.12g, wanted %.12g", rig->c->title, part, (long)i, tensor_get(got, i), tensor_get(&want, i));
    tensor_unref(&want);
}

static void read_inputs(Rig *rig)
{
    char part[16];
    for (; rig->n_in < OP_IN_MOST; rig->n_in++) {
        snprintf(part, sizeof part, "in%d", rig->n_in);
        const char *key = key_of(rig->c, part);
        const SafeEntry *entry = safetensors_find(rig->file, key);
        if (!entry)
            break;
        bool whole = entry->dtype == DTYPE_INT32;
        Tensor *in = &rig->in[rig->n_in];
        assert_ok(safetensors_get(rig->file, key, whole ? DTYPE_INT32 : DTYPE_FLOAT32, in, &err));
        if (!whole)
            assert_ok(tensor_zero(&rig->in_grad[rig->n_in], DTYPE_FLOAT32, in->shape, &err));
    }
}

/* Every weight of the layer stands in the file under its name, and the file has no others. */
static void read_weights(Rig *rig)
{
    char part[64], prefix[96];
    int n = 0;
    snprintf(prefix, sizeof prefix, "%s/weight/", rig->c->name);
    for (int i = 0; i < safetensors_count(rig->file); i++)
        n += !strncmp(safetensors_at(rig->file, i)->name, prefix, strlen(prefix));
    if (n != rig->layer->n_params)
        fail_msg("%s: the layer has %d weights, the file %d", rig->c->title, rig->layer->n_params, n);
    for (int i = 0; i < rig->layer->n_params; i++) {
        Param *param = &rig->layer->params[i];
        snprintf(part, sizeof part, "weight/%s", param->name);
        const SafeEntry *entry = safetensors_find(rig->file, key_of(rig->c, part));
        if (!entry)
            fail_msg("%s: no %s in the file", rig->c->title, part);
        assert_ok(safetensors_read(rig->file, entry, &param->value, &err));
    }
}

static void rig_begin(Rig *rig, const Case *c)
{
    *rig = (Rig){ .c = c, .file = safetensors_open(c->path, &err) };
    assert_non_null(rig->file);
    char kind[48];
    const char *line = safetensors_meta(rig->file, c->name);
    size_t n = strcspn(line, " ");
    snprintf(kind, sizeof kind, "%.*s", (int)n, line);
    rig->layer = net_layer(kind, line + n);
    read_inputs(rig);
    Shape shapes[OP_IN_MOST];
    for (int i = 0; i < rig->n_in; i++) {
        shapes[i] = rig->in[i].shape;
        shapes[i].d[0] = -1;
    }
    assert_ok(layer_build(rig->layer, shapes, rig->n_in, 1, &err));
    read_weights(rig);
    rig->grad = mem_zero(rig->layer->n_trainable + 1, sizeof(real), &err);
    assert_non_null(rig->grad);
    rig->layer->grad = rig->grad;
    tape_init(&rig->tape);
}

static void rig_end(Rig *rig)
{
    tape_fini(&rig->tape);
    for (int i = 0; i < rig->n_in; i++) {
        tensor_unref(&rig->in[i]);
        tensor_unref(&rig->in_grad[i]);
    }
    mem_free(rig->grad);
    layer_unref(rig->layer);
    safetensors_free(rig->file);
}

static Node *pass(Rig *rig, TapeMode mode)
{
    tape_begin(&rig->tape, mode, 1, 1);
    for (int i = 0; i < rig->n_in; i++) {
        bool whole = rig->in[i].dtype == DTYPE_INT32;
        rig->nodes[i] = whole ? tape_input(&rig->tape, &rig->in[i], &err)
                              : tape_param(&rig->tape, &rig->in[i], tensor_real(&rig->in_grad[i]), &err);
        assert_non_null(rig->nodes[i]);
    }
    Node *y = layer_forward(rig->layer, &rig->tape, rig->nodes, rig->n_in, &err);
    if (!y)
        fail_msg("%s: %s", rig->c->title, err.text);
    compare(rig, &y->value, "out");
    return y;
}

/* The gradient that comes in is dout: the loss is the sum of dout * y. */
static void go_back(Rig *rig, Node *y)
{
    Tensor dout;
    assert_ok(safetensors_get(rig->file, key_of(rig->c, "dout"), DTYPE_FLOAT32, &dout, &err));
    Node *weight = tape_input(&rig->tape, &dout, &err);
    Node *loss = weight ? tape_op(&rig->tape, &op_multiply, (Node *[]){ y, weight }, 2, NULL, &err) : NULL;
    loss = loss ? tape_op(&rig->tape, &op_sum, &loss, 1, NULL, &err) : NULL;
    assert_non_null(loss);
    assert_ok(tape_backward(&rig->tape, loss, &err));
    tensor_unref(&dout);
}

static void check_gradients(const Rig *rig)
{
    char part[64];
    for (int i = 0; i < rig->n_in; i++) {
        snprintf(part, sizeof part, "grad/in%d", i);
        if (rig->in_grad[i].data)
            compare(rig, &rig->in_grad[i], part);
    }
    for (int i = 0; i < rig->layer->n_params; i++) {
        const Param *param = &rig->layer->params[i];
        Tensor grad = tensor_borrow(DTYPE_FLOAT32, param->value.shape, rig->grad + param->offset);
        snprintf(part, sizeof part, "grad/%s", param->name);
        if (param->trainable)
            compare(rig, &grad, part);
    }
}

static void check_after(Rig *rig)
{
    char part[64];
    tape_commit(&rig->tape);
    for (int i = 0; i < rig->layer->n_params; i++) {
        snprintf(part, sizeof part, "after/%s", rig->layer->params[i].name);
        if (safetensors_find(rig->file, key_of(rig->c, part)))
            compare(rig, &rig->layer->params[i].value, part);
    }
}

static void check_case(void **state)
{
    Rig rig;
    rig_begin(&rig, *state);
    char mode[80];
    snprintf(mode, sizeof mode, "%s.mode", rig.c->name);
    bool inference = safetensors_meta(rig.file, mode) && !strcmp(safetensors_meta(rig.file, mode), "inference");
    Node *y = pass(&rig, inference ? TAPE_FORWARD : TAPE_TRAIN);
    if (!inference) {
        go_back(&rig, y);
        check_gradients(&rig);
        check_after(&rig);
    }
    rig_end(&rig);
}

/* ---- the folder ---- */

static int add_file(const char *file_name, Case *cases, int n)
{
    char path[300];
    snprintf(path, sizeof path, "layers/%s", file_name);
    SafeTensors *file = safetensors_open(fixture_path(path), &err);
    if (!file) {
        fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    for (int i = 0; i < safetensors_meta_count(file) && n < CASES_MOST; i++) {
        const char *key = safetensors_meta_at(file, i)->key;
        if (strchr(key, '.'))
            continue;
        Case *c = &cases[n++];
        snprintf(c->path, sizeof c->path, "%s", fixture_path(path));
        snprintf(c->name, sizeof c->name, "%s", key);
        snprintf(c->title, sizeof c->title, "%.*s %s", (int)strcspn(file_name, "."), file_name, c->name);
    }
    safetensors_free(file);
    return n;
}

static int by_title(const void *a, const void *b)
{
    return strcmp(((const Case *)a)->title, ((const Case *)b)->title);
}

int main(void)
{
    static Case cases[CASES_MOST];
    static struct CMUnitTest tests[CASES_MOST];
    int n = 0;
    DIR *folder = opendir(fixture_path("layers"));
    for (struct dirent *entry; folder && n >= 0 && (entry = readdir(folder));)
        if (strstr(entry->d_name, ".safetensors"))
            n = add_file(entry->d_name, cases, n);
    if (folder)
        closedir(folder);
    if (n < FEWEST)
        return 1;
    qsort(cases, (size_t)n, sizeof *cases, by_title);
    for (int i = 0; i < n; i++)
        tests[i] = (struct CMUnitTest){ .name = cases[i].title, .test_func = check_case, .initial_state = &cases[i] };
    return _cmocka_run_group_tests("layers", tests, (size_t)n, NULL, NULL);
}
