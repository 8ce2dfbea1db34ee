// SPDX-License-Identifier: MIT
/* Optical recognition of handwritten digits (Alpaydin and Kaynak 1998), as it ships in data/: the writers of the two parts are
 * different people. */
#include <stdio.h>

#include "base/file.h"
#include "data/dataset.h"
#include "formats/idx.h"

static Dataset *part(const char *name, const char *file, const char *text, Err *err)
{
    static const char *const names[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" };
    char rest[64], images[1024], labels[1024];
    Tensor x = { 0 }, y = { 0 };
    snprintf(rest, sizeof rest, "data/%s-images.idx.gz", file);
    if (!file_resource(images, sizeof images, rest)) {
        err_set(err, ERR_IO, "%s is not where hebb's own files should be; set HEBB_HOME to the folder that holds data/", rest);
        return NULL;
    }
    snprintf(rest, sizeof rest, "data/%s-labels.idx.gz", file);
    if (!file_resource(labels, sizeof labels, rest)) {
        err_set(err, ERR_IO, "%s is missing beside %s", rest, images);
        return NULL;
    }
    if (!idx_load(images, &x, err))
        return NULL;
    Tensor bytes = { 0 };
    bool ok = idx_load(labels, &bytes, err) && tensor_cast(&y, &bytes, DTYPE_INT32, err);
    tensor_unref(&bytes);
    Dataset *set = NULL;
    if (ok)
        set = dataset_new(name, &x, &y, err);
    tensor_unref(&x);
    tensor_unref(&y);
    if (set && dataset_name_classes(set, names, 10, err) && dataset_set_text(set, text, err))
        return set;
    dataset_unref(set);
    return NULL;
}

static bool make(const Args *args, const char *path, uint64_t seed, DataParts *out, Err *err)
{
    (void)args, (void)path, (void)seed;
    static const char text[] = "Optical digits, 8 x 8 pixels of 0 to 16. 30 writers to train on, 13 others to test on.\n"
                               "E. Alpaydin, C. Kaynak (1998), UCI Machine Learning Repository, CC BY 4.0.";
    *out = (DataParts){ 0 };
    out->train = part("digits", "digits-train", text, err);
    out->test = out->train ? part("digits", "digits-test", text, err) : NULL;
    if (out->test)
        return true;
    dataset_unref(out->train);
    out->train = NULL;
    return false;
}

const DataSet set_digits = {
    .name = "digits",
    .doc = "data.digits(): handwritten digits that ship with hebb. 3,823 of 30 writers, and in .test 1,797 of 13 other writers.\n"
           "x [n, 8, 8, 1] uint8 of 0 ... 16, y [n] int32.  Source: Alpaydin and Kaynak 1998, UCI, CC BY 4.0.",
    .example = "local d = data.digits(); assert(#d.x == 3823 and #d.test.x == 1797)",
    .make = make,
};
