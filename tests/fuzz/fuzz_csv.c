// SPDX-License-Identifier: MIT
#include <math.h>
#include <string.h>

#include "formats/csv.h"
#include "formats/number.h"
#include "fuzz.h"

static void check_table(const CsvTable *table, size_t n)
{
    MUST(table->n_columns > 0 && (uint64_t)table->n_rows * (uint64_t)table->n_columns <= n + 1);
    for (int c = 0; c < table->n_columns; c++) {
        const CsvColumn *column = &table->columns[c];
        int64_t missing = 0;
        for (int k = 1; k < column->n_classes; k++)
            MUST(strcmp(column->classes[k - 1], column->classes[k]) < 0);
        for (int64_t row = 0; row < table->n_rows; row++) {
            double value = table->cells[row * table->n_columns + c];
            missing += isnan(value);
            if (column->is_text && !isnan(value))
                MUST(value >= 0 && value < column->n_classes && column->classes[(int)value][0]);
        }
        MUST(missing == column->n_missing);
    }
    for (int64_t row = 1; row < table->n_rows; row++)
        MUST(table->lines[row] > table->lines[row - 1]);
}

static void check_number(const uint8_t *bytes, size_t n)
{
    const char *p = (const char *)bytes;
    char text[NUMBER_TEXT];
    double value, again;
    const char *stop = number_scan(p, p + n, '.', &value);
    MUST(!stop || (stop > p && stop <= p + n));
    if (!stop)
        return;
    size_t size = number_write(text, value, false);
    MUST(size < NUMBER_TEXT && number_scan(text, text + size, '.', &again) == text + size && again == value);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char separators[] = { 0, ',', ';', '\t' };
    Err err = ERR_INIT;
    size_t held = mem_bytes();
    for (int i = 0; i < 2; i++) { /* as it is, and as the first byte chooses */
        CsvOptions options = { 0 };
        size_t skip = i && n;
        if (skip)
            options = (CsvOptions){ .separator = separators[bytes[0] & 3], .decimal = bytes[0] & 4 ? ',' : '.', .header = (CsvHeader)((bytes[0] >> 3) % 3) };
        CsvTable *table = csv_parse(bytes + skip, n - skip, "fuzz", &options, &err);
        if (table)
            check_table(table, n - skip);
        else
            MUST_EXPLAIN(err);
        csv_free(table);
    }
    check_number(bytes, n);
    MUST(mem_bytes() == held);
    return 0;
}
