// SPDX-License-Identifier: MIT
#include "base/file.h"
#include "data/table.h"

static bool make(const Args *args, const char *path, uint64_t seed, DataParts *out, Err *err)
{
    static const char text[] = "Iris, sorted by species: shuffle before splitting.\n"
                               "R. A. Fisher (1936), UCI Machine Learning Repository, CC BY 4.0.";
    char file[1024];
    (void)args, (void)path, (void)seed;
    *out = (DataParts){ 0 };
    if (!file_resource(file, sizeof file, "data/iris.csv"))
        return err_set(err, ERR_IO, "data/iris.csv is not where hebb's own files should be; set HEBB_HOME to the folder that holds data/");
    CsvTable *table = csv_load(file, NULL, err);
    if (!table)
        return false;
    TableOptions options = { .target = "species" };
    out->train = table_dataset(table, "iris", &options, err);
    csv_free(table);
    if (out->train && dataset_set_text(out->train, text, err))
        return true;
    dataset_unref(out->train);
    out->train = NULL;
    return false;
}

const DataSet set_iris = {
    .name = "iris",
    .doc = "data.iris(): 150 flowers of three kinds, four measures in cm. Sorted by kind: shuffle before splitting.\n"
           "x [150, 4] float32, y [150] int32.  Source: Fisher 1936, UCI, CC BY 4.0.",
    .example = "local d = data.iris(); assert(#d.x == 150 and d.n_classes == 3)",
    .make = make,
};
