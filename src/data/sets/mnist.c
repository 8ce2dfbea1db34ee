// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "base/file.h"
#include "data/dataset.h"
#include "formats/idx.h"

/* folder/name, with the endings that are met, into out. */
static bool find(char *out, size_t size, const char *folder, const char *name)
{
    static const char *const endings[] = { "", ".gz", ".xz" };
    char file[256];
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        snprintf(file, sizeof file, "%s%s", name, endings[i]);
        if (file_join(out, size, folder, file) && file_exists(out))
            return true;
    }
    return false;
}

static Dataset *part(const char *folder, const char *which, Err *err)
{
    static const char *const names[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" };
    char name[64], images[1024], labels[1024];
    snprintf(name, sizeof name, "%s-images-idx3-ubyte", which);
    bool found = find(images, sizeof images, folder, name);
    if (found) {
        snprintf(name, sizeof name, "%s-labels-idx1-ubyte", which);
        found = find(labels, sizeof labels, folder, name);
    }
    if (!found) {
        err_set(err, ERR_IO, "mnist: %s has no %s (nor with .gz or .xz); the four files of MNIST belong there", folder, name);
        return NULL;
    }
    Tensor x = { 0 }, bytes = { 0 }, y = { 0 }, shaped = { 0 };
    Dataset *set = NULL;
    bool ok = idx_load(images, &x, err) && idx_load(labels, &bytes, err);
    if (ok && (x.dtype != DTYPE_UINT8 || x.shape.rank != 3))
        ok = err_set(err, ERR_DATA, "mnist: %s holds no images of bytes (rank 3)", images);
    ok = ok && tensor_cast(&y, &bytes, DTYPE_INT32, err);
    ok = ok && tensor_reshape(&shaped, &x, SHAPE(x.shape.d[0], x.shape.d[1], x.shape.d[2], 1), err);
    if (ok)
        set = dataset_new("mnist", &shaped, &y, err);
    tensor_unref(&shaped);
    tensor_unref(&x);
    tensor_unref(&bytes);
    tensor_unref(&y);
    if (set && dataset_name_classes(set, names, 10, err) &&
        dataset_set_text(set, "MNIST, 28 x 28 pixels of 0 to 255. Y. LeCun, C. Cortes, C. Burges (1998).", err))
        return set;
    dataset_unref(set);
    return NULL;
}

static bool make(const Args *args, const char *path, uint64_t seed, DataParts *out, Err *err)
{
    (void)args, (void)seed;
    *out = (DataParts){ 0 };
    out->train = part(path, "train", err);
    out->test = out->train ? part(path, "t10k", err) : NULL;
    if (out->test)
        return true;
    dataset_unref(out->train);
    out->train = NULL;
    return false;
}

const DataSet set_mnist = {
    .name = "mnist",
    .doc = "data.mnist(folder): the four IDX files of MNIST, plain, .gz or .xz. 60,000 images, and in .test 10,000.\n"
           "x [n, 28, 28, 1] uint8, y [n] int32.  Also reads sets of the same form (Fashion-MNIST).",
    .path = "folder",
    .make = make,
};
