// SPDX-License-Identifier: MIT
/* Layers against Keras: every case of every file in tests/fixtures/layers (made by its make.py): forward, the gradient of every
 * input and weight, and what a kept step changes. The files say all: a new layer needs no line here. Metadata: the case's name ->
 * "Dense units=3 activation=relu"; NAME.mode -> "inference" where nothing is trained. Tensors: NAME/in0 …, NAME/weight/kernel …,
 * NAME/out, NAME/dout, NAME/grad/in0 …, NAME/grad/kernel …, NAME/after/moving_mean …. Weights of a layer within a composite go by
 * their path, weight/norm/gamma. NAME.wraps: what a wrapper is given. NAME/mask0 …: masks of the inputs; NAME/out_mask: of the output.
 * NAME/out1, NAME/dout1 …: further outputs. */
#include "check.h"

#include <dirent.h>
#include <stdlib.h>

#include "base/mem.h"
#include "fixture.h"
#include "formats/safetensors.h"
#include "netkit.h"
#include "nn/ops.h"

#define CASES_MOST 1000
#define LEAVES 32
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
    Tensor in[OP_IN_MOST], in_grad[OP_IN_MOST], mask[OP_IN_MOST];
    Node *nodes[OP_IN_MOST];
    int n_in;
    ModelLeaf leaves[LEAVES]; /* the layer itself with path "", or those that it is made of; borrowed layers */
    int n_leaves;
    Tensor dout[LAYER_OUTPUTS]; /* while the loss stands */
    int n_dout;
} Rig;

static const char *key_of(const Case *c, const char *part)
{
    static char keys[4][280];
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

/* Errors are measured against the largest number of the tensor; where all are 0 because terms cancel, against 1. */
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
        if (!(fabs(tensor_get(got, i) - tensor_get(&want, i)) <= limit * (most < 1e-12 ? 1 : fmax(most, 1e-2))))
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
        snprintf(part, sizeof part, "mask%d", rig->n_in);
        if (safetensors_find(rig->file, key_of(rig->c, part)))
            assert_ok(safetensors_get(rig->file, key_of(rig->c, part), DTYPE_FLOAT32, &rig->mask[rig->n_in], &err));
    }
}

static void find_leaves(Rig *rig)
{
    const Model *inner = rig->layer->inner;
    rig->n_leaves = inner ? inner->n_leaves : 1;
    assert_true(rig->n_leaves <= LEAVES);
    for (int i = 0; i < rig->n_leaves; i++)
        rig->leaves[i] = inner ? inner->leaves[i] : (ModelLeaf){ .layer = rig->layer };
}

/* "grad/norm/gamma" */
static const char *part_of(const ModelLeaf *leaf, const Param *param, const char *what)
{
    static char part[200];
    snprintf(part, sizeof part, "%s/%s%s%s", what, leaf->path, leaf->path[0] ? "/" : "", param->name);
    return part;
}

/* Every weight of the layer stands in the file under its name, and the file has no others. */
static void read_weights(Rig *rig)
{
    char prefix[96];
    int n = 0, own = 0;
    snprintf(prefix, sizeof prefix, "%s/weight/", rig->c->name);
    for (int i = 0; i < safetensors_count(rig->file); i++)
        n += !strncmp(safetensors_at(rig->file, i)->name, prefix, strlen(prefix));
    for (int k = 0; k < rig->n_leaves; k++)
        for (int i = 0; i < rig->leaves[k].layer->n_params; i++, own++) {
            Param *param = &rig->leaves[k].layer->params[i];
            const char *part = part_of(&rig->leaves[k], param, "weight");
            const SafeEntry *entry = safetensors_find(rig->file, key_of(rig->c, part));
            if (!entry)
                fail_msg("%s: no %s in the file", rig->c->title, part);
            assert_ok(safetensors_read(rig->file, entry, &param->value, &err));
        }
    if (n != own)
        fail_msg("%s: the layer has %d weights, the file %d", rig->c->title, own, n);
}

static Layer *layer_of(const Rig *rig)
{
    char kind[48], wraps[80];
    const char *line = safetensors_meta(rig->file, rig->c->name);
    size_t n = strcspn(line, " ");
    snprintf(kind, sizeof kind, "%.*s", (int)n, line);
    snprintf(wraps, sizeof wraps, "%s.wraps", rig->c->name);
    LayerCase layer_case = { .args = line + n, .wraps = safetensors_meta(rig->file, wraps) };
    const LayerKind *found = layer_find(kind, &err);
    Layer *layer = found ? net_case(found, &layer_case, &err) : NULL;
    if (!layer)
        fail_msg("%s: %s", rig->c->title, err.text);
    return layer;
}

static void rig_begin(Rig *rig, const Case *c)
{
    *rig = (Rig){ .c = c, .file = safetensors_open(c->path, &err) };
    assert_non_null(rig->file);
    rig->layer = layer_of(rig);
    read_inputs(rig);
    Shape shapes[OP_IN_MOST];
    for (int i = 0; i < rig->n_in; i++) {
        shapes[i] = rig->in[i].shape;
        shapes[i].d[0] = -1;
    }
    assert_ok(layer_build(rig->layer, shapes, rig->n_in, 1, &err));
    find_leaves(rig);
    read_weights(rig);
    for (int i = 0; i < rig->n_leaves; i++)
        assert_non_null(rig->leaves[i].layer->grad = mem_zero(rig->leaves[i].layer->n_trainable + 1, sizeof(real), &err));
    tape_init(&rig->tape);
}

static void rig_end(Rig *rig)
{
    tape_fini(&rig->tape);
    for (int i = 0; i < rig->n_in; i++) {
        tensor_unref(&rig->in[i]);
        tensor_unref(&rig->in_grad[i]);
        tensor_unref(&rig->mask[i]);
    }
    for (int i = 0; i < rig->n_leaves; i++) {
        mem_free(rig->leaves[i].layer->grad);
        rig->leaves[i].layer->grad = NULL;
    }
    layer_unref(rig->layer);
    safetensors_free(rig->file);
}

/* "out", "out1", … */
static const char *numbered(const char *what, int i)
{
    static char part[16];
    snprintf(part, sizeof part, i ? "%s%d" : "%s", what, i);
    return part;
}

static Node *pass(Rig *rig, TapeMode mode)
{
    tape_begin(&rig->tape, mode, 1, 1);
    for (int i = 0; i < rig->n_in; i++) {
        bool whole = rig->in[i].dtype == DTYPE_INT32;
        rig->nodes[i] = whole ? tape_input(&rig->tape, &rig->in[i], &err)
                              : tape_param(&rig->tape, &rig->in[i], tensor_real(&rig->in_grad[i]), &err);
        assert_non_null(rig->nodes[i]);
        if (rig->mask[i].data)
            assert_non_null(rig->nodes[i]->mask = tape_input(&rig->tape, &rig->mask[i], &err));
    }
    Node *y = layer_forward(rig->layer, &rig->tape, rig->nodes, rig->n_in, &err);
    if (!y)
        fail_msg("%s: %s", rig->c->title, err.text);
    for (int i = 0; i <= y->n_also; i++)
        compare(rig, i ? &y->also[i - 1]->value : &y->value, numbered("out", i));
    if (safetensors_find(rig->file, key_of(rig->c, "out_mask"))) {
        if (!y->mask)
            fail_msg("%s: the output has lost its mask", rig->c->title);
        compare(rig, &y->mask->value, "out_mask");
    }
    return y;
}

/* One output's part of the loss: the sum of dout * y; NULL where no gradient comes in. */
static Node *part_of_loss(Rig *rig, Node *y, const char *part)
{
    if (!safetensors_find(rig->file, key_of(rig->c, part)))
        return NULL;
    Tensor dout;
    assert_ok(safetensors_get(rig->file, key_of(rig->c, part), DTYPE_FLOAT32, &dout, &err));
    Node *weight = tape_input(&rig->tape, &dout, &err);
    Node *loss = weight ? tape_op(&rig->tape, &op_multiply, (Node *[]){ y, weight }, 2, NULL, &err) : NULL;
    loss = loss ? tape_op(&rig->tape, &op_sum, &loss, 1, NULL, &err) : NULL;
    assert_non_null(loss);
    rig->dout[rig->n_dout++] = dout;
    return loss;
}

static void go_back(Rig *rig, Node *y)
{
    Node *loss = part_of_loss(rig, y, "dout");
    assert_non_null(loss);
    for (int i = 1; i <= y->n_also; i++) {
        Node *more = part_of_loss(rig, y->also[i - 1], numbered("dout", i));
        loss = more ? tape_op(&rig->tape, &op_add, (Node *[]){ loss, more }, 2, NULL, &err) : loss;
    }
    assert_ok(tape_backward(&rig->tape, loss, &err));
    while (rig->n_dout > 0)
        tensor_unref(&rig->dout[--rig->n_dout]);
}

static void check_gradients(const Rig *rig)
{
    char part[64];
    for (int i = 0; i < rig->n_in; i++) {
        snprintf(part, sizeof part, "grad/in%d", i);
        if (rig->in_grad[i].data)
            compare(rig, &rig->in_grad[i], part);
    }
    for (int k = 0; k < rig->n_leaves; k++)
        for (int i = 0; i < rig->leaves[k].layer->n_params; i++) {
            const Layer *layer = rig->leaves[k].layer;
            const Param *param = &layer->params[i];
            Tensor grad = tensor_borrow(DTYPE_FLOAT32, param->value.shape, layer->grad + param->offset);
            if (param->trainable)
                compare(rig, &grad, part_of(&rig->leaves[k], param, "grad"));
        }
}

static void check_after(Rig *rig)
{
    tape_commit(&rig->tape);
    for (int k = 0; k < rig->n_leaves; k++)
        for (int i = 0; i < rig->leaves[k].layer->n_params; i++) {
            Param *param = &rig->leaves[k].layer->params[i];
            const char *part = part_of(&rig->leaves[k], param, "after");
            if (safetensors_find(rig->file, key_of(rig->c, part)))
                compare(rig, &param->value, part);
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
