// SPDX-License-Identifier: MIT
/* Numbers in text files: always with a point, whatever the locale says. No state; any thread. */
#ifndef FORMATS_NUMBER_H
#define FORMATS_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* Read a decimal number ("-1.5e3", ".5", "inf") at the beginning of p … end; `decimal` is '.' or ','.
 * Returns where it ends, NULL when none begins there. Blanks are not skipped. Correctly rounded. */
const char *number_scan(const char *p, const char *end, char decimal, double *out);

/* The shortest text that reads back as the same float (single) or double: "0.1", "-3", "1e-7", "nan", "inf".
 * At most NUMBER_TEXT bytes with the closing zero; returns its length. */
#define NUMBER_TEXT 32
size_t number_write(char out[NUMBER_TEXT], double value, bool single);

#endif
