// SPDX-License-Identifier: MIT
/* The writer of csv.h. */
#include <string.h>

#include "base/file.h"
#include "formats/csv.h"
#include "formats/number.h"

#define FLUSH_AT ((size_t)1 << 16)

void csv_put_text(Buf *out, const char *text, char separator)
{
    size_t n = strlen(text);
    bool quote = n == 0 || text[0] == ' ' || text[n - 1] == ' ' || strpbrk(text, "\"\r\n\t") || strchr(text, separator);
    if (!quote) {
        buf_write(out, text, n);
        return;
    }
    buf_put(out, '"');
    for (; *text; text++) {
        if (*text == '"')
            buf_put(out, '"');
        buf_put(out, *text);
    }
    buf_put(out, '"');
}

void csv_put_number(Buf *out, double value, bool single)
{
    char text[NUMBER_TEXT];
    size_t n = number_write(text, value, single);
    buf_write(out, text, n);
}

static bool flush(FileOut *file, Buf *line, Err *err)
{
    bool ok = buf_ok(line, err) && file_out_write(file, line->data, line->size, err);
    buf_reset(line);
    return ok;
}

static bool write_rows(FileOut *file, const Tensor *tensor, const char *const *names, Err *err)
{
    int64_t rows = tensor->shape.d[0], columns = tensor->shape.rank == 2 ? tensor->shape.d[1] : 1;
    Buf text = BUF_INIT;
    for (int64_t c = 0; names && c < columns; c++) {
        if (c)
            buf_put(&text, ',');
        csv_put_text(&text, names[c], ',');
    }
    if (names)
        buf_put(&text, '\n');
    bool ok = true;
    for (int64_t i = 0; ok && i < rows * columns; i++) {
        csv_put_number(&text, tensor_get(tensor, i), tensor->dtype == DTYPE_FLOAT32);
        buf_put(&text, (i + 1) % columns ? ',' : '\n');
        if (text.size >= FLUSH_AT || text.failed)
            ok = flush(file, &text, err);
    }
    ok = ok && (text.size == 0 || flush(file, &text, err));
    buf_fini(&text);
    return ok;
}

bool csv_save(const char *path, const Tensor *tensor, const char *const *names, Err *err)
{
    char text[SHAPE_TEXT];
    if (tensor->shape.rank < 1 || tensor->shape.rank > 2)
        return err_set(err, ERR_SHAPE, "%s: a table has one or two axes, this tensor has shape %s; reshape it, or save it as .npy", path,
                       shape_text(&tensor->shape, text));
    FileOut *out = file_out_new(path, 0666, err);
    bool ok = out && write_rows(out, tensor, names, err) && file_out_commit(out, err);
    file_out_free(out);
    return ok;
}
