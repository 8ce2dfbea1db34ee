// SPDX-License-Identifier: MIT
#include "formats/tensorfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "formats/csv.h"
#include "formats/idx.h"
#include "formats/npy.h"
#include "formats/npz.h"
#include "formats/safetensors.h"

typedef enum { NPY, NPZ, CSV, SAFETENSORS, IDX, NONE } Format;

#define KNOWN ".npy, .npz, .csv, .safetensors or .idx"

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    if (n < m)
        return false;
    for (size_t i = 0; i < m; i++) {
        char c = text[n - m + i];
        if ((c >= 'A' && c <= 'Z' ? c | 32 : c) != end[i])
            return false;
    }
    return true;
}

/* packed: only for reading, the ending before .gz or .xz counts. */
static Format format_of(const char *path, bool reading)
{
    static const struct {
        const char *ending;
        Format format;
    } rows[] = { { ".npy", NPY }, { ".npz", NPZ }, { ".csv", CSV }, { ".tsv", CSV }, { ".safetensors", SAFETENSORS }, { ".idx", IDX }, { "-ubyte", IDX } };
    char name[1024];
    if (snprintf(name, sizeof name, "%s", path) >= (int)sizeof name)
        snprintf(name, sizeof name, "%s", path + strlen(path) - 200);
    bool packed = reading && (ends_with(name, ".gz") || ends_with(name, ".xz"));
    if (packed)
        name[strlen(name) - 3] = '\0';
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (ends_with(name, rows[i].ending))
            return packed && (rows[i].format == NPZ || rows[i].format == SAFETENSORS) ? NONE : rows[i].format;
    return NONE;
}

/* ---- what is not opened ---- */

#define PICKLE "is a Python pickle (PyTorch, joblib, scikit-learn): opening it runs whatever program its author put in. hebb does " \
               "not. In Python, load it there and write the tensors with safetensors.torch.save_file"
#define HDF5 "is an HDF5 file (Keras 2, MATLAB 7.3), a format that hebb does not read. In Keras, save each array of " \
             "model.get_weights() with numpy.savez"
#define KERAS "is a Keras 3 archive (a ZIP with an HDF5 file), which hebb does not read. In Keras, save each array of " \
              "model.get_weights() with numpy.savez"

const char *tensorfile_foreign(const char *path)
{
    static const struct {
        const char *ending, *what;
    } endings[] = {
        { ".pt", PICKLE }, { ".pth", PICKLE }, { ".pkl", PICKLE }, { ".pickle", PICKLE }, { ".joblib", PICKLE }, { ".ckpt", PICKLE },
        { "pytorch_model.bin", PICKLE },
        { ".h5", HDF5 }, { ".hdf5", HDF5 }, { ".keras", KERAS },
        { ".onnx", "is an ONNX model: a graph of operators, not a list of tensors" },
        { ".tflite", "is a TensorFlow Lite model, which hebb does not read" },
        { ".gguf", "is a GGUF model, which hebb does not read; look for the safetensors form of the same model" },
        { ".mat", "is a MATLAB file. In Python, scipy.io.loadmat reads it and numpy.savez writes what is in it" },
        { ".parquet", "is a Parquet table. In Python, pandas.read_parquet(...).to_csv(...) makes a CSV of it" },
        { ".xlsx", "is a spreadsheet; export the sheet as CSV" },
        { ".xls", "is a spreadsheet; export the sheet as CSV" },
        { ".ods", "is a spreadsheet; export the sheet as CSV" },
    };
    static const struct {
        const char *magic;
        size_t n;
        const char *what;
    } magics[] = { { "\x89HDF\r\n\x1A\n", 8, HDF5 }, { "GGUF", 4, "is a GGUF model, which hebb does not read" }, { "\x80\2", 2, PICKLE },
                   { "\x80\3", 2, PICKLE },          { "\x80\4", 2, PICKLE },          { "\x80\5", 2, PICKLE } };
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (ends_with(path, endings[i].ending))
            return endings[i].what;
    char head[8] = { 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof head);
    if (fd >= 0)
        close(fd);
    /* A safetensors length may begin with the bytes of a pickle; then the high bytes are zero. */
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if (n >= (ssize_t)magics[i].n && memcmp(head, magics[i].magic, magics[i].n) == 0 && (n < 8 || memcmp(head + 4, "\0\0\0\0", 4) != 0))
            return magics[i].what;
    return NULL;
}

static bool refuse(const char *path, Err *err)
{
    const char *what = tensorfile_foreign(path);
    if (what)
        return err_set(err, ERR_ARG, "%s %s.", path, what);
    return err_set(err, ERR_ARG, "%s: the ending tells the format: %s", path, KNOWN);
}

/* ---- loading ---- */

/* A table of numbers [rows, columns]; one column is [rows]. */
static bool load_csv(const char *path, Tensor *out, Err *err)
{
    CsvTable *table = csv_load(path, NULL, err);
    if (!table)
        return false;
    bool ok = true;
    for (int c = 0; ok && c < table->n_columns; c++)
        if (table->columns[c].is_text)
            ok = err_set(err, ERR_DATA, "%s: column %d (\"%.60s\") holds text; a tensor holds numbers only (data.csv reads such tables)",
                         path, c + 1, table->columns[c].name);
    Shape shape = { .rank = table->n_columns == 1 ? 1 : 2, .d = { table->n_rows, table->n_columns } };
    ok = ok && tensor_new(out, DTYPE_FLOAT32, shape, err);
    for (int64_t i = 0; ok && i < tensor_count(out); i++)
        tensor_real(out)[i] = (real)(float)table->cells[i];
    csv_free(table);
    return ok;
}

static bool load_safetensors(const char *path, NamedList *out, Err *err)
{
    SafeTensors *file = safetensors_open(path, err);
    bool ok = file != NULL;
    for (int i = 0; ok && i < safetensors_count(file); i++) {
        const SafeEntry *entry = safetensors_at(file, i);
        Tensor tensor;
        ok = safetensors_get(file, entry->name, entry->dtype, &tensor, err) &&
             named_add(out, entry->name, strlen(entry->name), &tensor, err);
    }
    safetensors_free(file);
    return ok;
}

bool tensorfile_load(const char *path, NamedList *out, Err *err)
{
    Tensor tensor = { 0 };
    bool ok = false;
    switch (format_of(path, true)) {
    case NPZ:
        return npz_load(path, out, err);
    case SAFETENSORS:
        return load_safetensors(path, out, err);
    case NPY:
        ok = npy_load(path, &tensor, err);
        break;
    case CSV:
        ok = load_csv(path, &tensor, err);
        break;
    case IDX:
        ok = idx_load(path, &tensor, err);
        break;
    case NONE:
        return refuse(path, err);
    }
    return ok && named_add(out, "", 0, &tensor, err);
}

/* "a", "b", … for a message. */
static void list_names(const NamedList *list, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < list->n && used + NAMED_TEXT + 8 < size; i++) {
        char text[NAMED_TEXT];
        used += (size_t)snprintf(out + used, size - used, "%s\"%s\"", i ? ", " : "",
                                 named_text(list->items[i].name, strlen(list->items[i].name), text));
        if (i + 1 < list->n && used + NAMED_TEXT + 8 >= size)
            snprintf(out + used, size - used, ", ...");
    }
}

bool tensorfile_load_one(const char *path, const char *name, Tensor *out, Err *err)
{
    NamedList list = { 0 };
    char names[250];
    *out = (Tensor){ 0 };
    bool ok = tensorfile_load(path, &list, err);
    if (ok) {
        const Tensor *found = name ? named_find(&list, name) : list.n == 1 ? &list.items[0].tensor : NULL;
        list_names(&list, names, sizeof names);
        if (found)
            *out = tensor_ref(found);
        else if (name)
            ok = err_set(err, ERR_NAME, "%s holds no tensor \"%.60s\"; it has %s", path, name, list.n ? names : "none");
        else
            ok = err_set(err, ERR_NAME, "%s holds %d tensors; name one of %s", path, list.n, list.n ? names : "none");
    }
    named_fini(&list);
    return ok;
}

/* ---- saving ---- */

bool tensorfile_save(const char *path, const NamedTensor *items, int n, Err *err)
{
    Format format = format_of(path, false);
    if (format == NONE)
        return refuse(path, err);
    if (format == NPZ)
        return npz_save(path, items, n, err);
    if (format == SAFETENSORS)
        return safetensors_save(path, items, n, NULL, 0, 0666, err);
    if (n != 1)
        return err_set(err, ERR_ARG, "%s holds exactly one tensor, got %d; .npz and .safetensors hold several", path, n);
    if (ends_with(path, ".tsv"))
        return err_set(err, ERR_ARG, "%s: tables are written with commas; name it .csv", path);
    return format == NPY ? npy_save(path, &items[0].tensor, err)
        : format == CSV  ? csv_save(path, &items[0].tensor, NULL, err)
                         : idx_save(path, &items[0].tensor, err);
}
