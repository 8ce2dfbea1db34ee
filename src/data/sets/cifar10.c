// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "data/dataset.h"
#include "formats/cifar.h"

static bool load_named(const char *folder, const char *name, Tensor *x, Tensor *y, bool *found, Err *err)
{
    static const char *const endings[] = { "", ".gz", ".xz" };
    char file[256], path[1024];
    *found = false;
    for (size_t i = 0; i < sizeof endings / sizeof *endings && !*found; i++) {
        snprintf(file, sizeof file, "%s.bin%s", name, endings[i]);
        *found = file_join(path, sizeof path, folder, file) && file_exists(path);
    }
    return !*found || cifar_load(path, x, y, err);
}

/* Several tensors of the same kind behind one another; ends the parts. */
static bool join(Tensor *out, Tensor *parts, int n, Err *err)
{
    Shape shape = parts[0].shape;
    shape.d[0] = 0;
    for (int i = 0; i < n; i++)
        shape.d[0] += parts[i].shape.d[0];
    bool ok = tensor_new(out, parts[0].dtype, shape, err);
    size_t at = 0;
    for (int i = 0; i < n; i++) {
        if (ok)
            memcpy((char *)out->data + at, parts[i].data, tensor_size(&parts[i]));
        at += tensor_size(&parts[i]);
        tensor_unref(&parts[i]);
    }
    return ok;
}

static Dataset *finish(Tensor *x, Tensor *y, const char *note, Err *err)
{
    static const char *const names[] = { "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck" };
    char text[400];
    snprintf(text, sizeof text, "CIFAR-10, 32 x 32 pixels, three colours of 0 to 255. A. Krizhevsky, V. Nair, G. Hinton (2009).%s", note);
    Dataset *set = dataset_new("cifar10", x, y, err);
    if (set && dataset_name_classes(set, names, 10, err) && dataset_set_text(set, text, err))
        return set;
    dataset_unref(set);
    return NULL;
}

static Dataset *train_part(const char *folder, Err *err)
{
    Tensor xs[5], ys[5], x = { 0 }, y = { 0 };
    char name[32], note[100] = "";
    int n = 0;
    for (int batch = 1; batch <= 5; batch++) {
        bool found;
        snprintf(name, sizeof name, "data_batch_%d", batch);
        if (!load_named(folder, name, &xs[n], &ys[n], &found, err)) {
            while (n-- > 0) {
                tensor_unref(&xs[n]);
                tensor_unref(&ys[n]);
            }
            return NULL;
        }
        n += found;
    }
    if (n == 0) {
        err_set(err, ERR_IO, "cifar10: %s has no data_batch_1.bin to data_batch_5.bin (nor with .gz or .xz)", folder);
        return NULL;
    }
    if (n < 5)
        snprintf(note, sizeof note, "\nOnly %d of the 5 training batches are here.", n);
    bool ok = join(&x, xs, n, err);
    ok = join(&y, ys, n, err) && ok;
    Dataset *set = ok ? finish(&x, &y, note, err) : NULL;
    tensor_unref(&x);
    tensor_unref(&y);
    return set;
}

/* The test batch, or the first thousand of it where only those are there. NULL without error: none. */
static bool test_part(const char *folder, Dataset **out, Err *err)
{
    Tensor x = { 0 }, y = { 0 };
    bool found;
    *out = NULL;
    const char *note = "";
    if (!load_named(folder, "test_batch", &x, &y, &found, err))
        return false;
    if (!found) {
        note = "\nThe test part is not whole: only its first 1,000 images are here.";
        if (!load_named(folder, "test_batch_first1000", &x, &y, &found, err))
            return false;
    }
    if (found)
        *out = finish(&x, &y, note, err);
    tensor_unref(&x);
    tensor_unref(&y);
    return !found || *out;
}

static bool make(const Args *args, const char *path, uint64_t seed, DataParts *out, Err *err)
{
    (void)args, (void)seed;
    *out = (DataParts){ 0 };
    out->train = train_part(path, err);
    if (out->train && test_part(path, &out->test, err))
        return true;
    dataset_unref(out->train);
    out->train = NULL;
    return false;
}

const DataSet set_cifar10 = {
    .name = "cifar10",
    .doc = "data.cifar10(folder): CIFAR-10, binary version: data_batch_1.bin … data_batch_5.bin, test_batch.bin, plain, .gz or .xz.\n"
           "What is missing is said in the set's text.  x [n, 32, 32, 3] uint8, y [n] int32.",
    .path = "folder",
    .make = make,
};
