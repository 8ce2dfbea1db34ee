// SPDX-License-Identifier: MIT
/* Byte for byte what Keras's CSVLogger writes through Python's csv module: lines end with \r\n, numbers as Python prints them.
 * Without validation Keras heads empty columns val_… and fills them with NA (keras/src/callbacks/csv_logger.py). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/callback.h"
#include "train/trainer.h"

static const ArgSpec args[] = {
    { .name = "separator", .type = ARG_TEXT, .fallback = ",", .help = "between the values of a line" },
    { .name = "append", .type = ARG_BOOL, .fallback = "false", .help = "go on behind what the file holds" },
};

static bool check(const Args *a, Err *err)
{
    const char *separator = args_text(a, "separator");
    return (strlen(separator) == 1 && !strchr("\r\n\"", separator[0])) ||
           err_set(err, ERR_ARG, "CSVLogger: separator wants one character, got \"%s\"", separator);
}

static bool bind(Callback *callback, Run *run, Err *err)
{
    (void)run;
    return callback_sink(callback, 0, callback->file, args_bool(&callback->args, "append"), err);
}

typedef struct Column {
    char name[TELE_VALUE + 4];
    int metric;
    bool validation;
} Column;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const Column *)a)->name, ((const Column *)b)->name);
}

/* Sorted by name; the empty ones of validation stand behind all. */
static int columns_of(const TelePlan *plan, Column out[2 * TELE_METRICS])
{
    int n = 0, m = plan->n_metrics;
    for (int v = 0; v < 2; v++)
        for (int i = 0; i < m; i++, n++) {
            out[n] = (Column){ .metric = i, .validation = v };
            snprintf(out[n].name, sizeof out[n].name, "%s%s", v ? "val_" : "", plan->metrics[i]);
        }
    qsort(out, (size_t)(plan->validates ? n : m), sizeof *out, by_name);
    if (!plan->validates)
        qsort(out + m, (size_t)m, sizeof *out, by_name);
    return n;
}

/* Python's repr: the shortest digits that read back, plain from 1e-4 to below 1e16. */
static void put_number(Buf *out, double value)
{
    char text[40];
    int digits = 1;
    if (!isfinite(value)) {
        buf_puts(out, isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
        return;
    }
    do
        snprintf(text, sizeof text, "%.*e", digits - 1, value);
    while (strtod(text, NULL) != value && ++digits <= 17);
    int exponent = atoi(strchr(text, 'e') + 1);
    if (exponent >= 16 || exponent < -4)
        snprintf(text, sizeof text, "%.*g", digits, value);
    else
        snprintf(text, sizeof text, "%.*f", digits - 1 > exponent ? digits - 1 - exponent : 1, value);
    buf_puts(out, text);
}

static void put_head(Callback *callback, const Column *columns, int n)
{
    Buf *out = &callback->room;
    buf_puts(out, "epoch");
    for (int i = 0; i < n; i++)
        buf_printf(out, "%s%s", args_text(&callback->args, "separator"), columns[i].name);
    buf_puts(out, "\r\n");
}

static bool epoch_end(Callback *callback, Run *run, int epoch, const double *logs, const double *validation, Err *err)
{
    const TelePlan *plan = telemetry_plan(run->tele);
    Column columns[2 * TELE_METRICS];
    Buf *out = &callback->room;
    int n = columns_of(plan, columns);
    (void)err;
    buf_reset(out);
    if (sink_is_empty(callback->sinks[0]))
        put_head(callback, columns, n);
    buf_printf(out, "%d", epoch - 1); /* Keras counts from 0 */
    for (int i = 0; i < n; i++) {
        buf_puts(out, args_text(&callback->args, "separator"));
        if (columns[i].validation && !validation)
            buf_puts(out, "NA");
        else
            put_number(out, (columns[i].validation ? validation : logs)[columns[i].metric]);
    }
    buf_puts(out, "\r\n");
    sink_put(callback->sinks[0], out);
    return true;
}

const CallbackKind callback_csv_logger = {
    .name = "csv_logger",
    .class_name = "CSVLogger",
    .doc = "CSVLogger(filename, {separator = \",\", append = false}): a line an epoch into a file, as Keras's: epochs from 0, metrics sorted by\n"
           "name. A slow or full disk does not hold up the training; it is told as an event. After run:rewind the epochs that are trained\n"
           "again follow below. A branch of the run does not write it.",
    .example = "local log = nn.CSVLogger('training.csv', {append = true}); assert(log.append and log.filename == 'training.csv')",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .file = "filename",
    .check = check,
    .bind = bind,
    .epoch_end = epoch_end,
};
