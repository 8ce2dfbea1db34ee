// SPDX-License-Identifier: MIT
/* Numbers for people, in widths that do not change while a number lives, so that nothing on the screen jumps.
 * Each writes into out and returns it. Pure functions, any thread; the decimal sign is a point in every locale. */
#ifndef UI_NUMBER_H
#define UI_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#define NUMBER_ROOM 32

/* "1,260". */
const char *number_group(char out[NUMBER_ROOM], int64_t value);

/* "1,260", "38,346", from a million on "1.23 M", "12.3 M", "4.56 G": at most 7 columns. */
const char *number_count(char out[NUMBER_ROOM], int64_t value);

/* Always 6 columns: "0.0912", "12.345", "1234.5", "1.2e-4", "   NaN", "  +inf"; negative numbers take a digit less. */
const char *number_value(char out[NUMBER_ROOM], double value);

/* Always 7 columns: " 98.4 %", "100.0 %"; of a share 0 … 1. Never rounded up to 100 nor down to 0. */
const char *number_percent(char out[NUMBER_ROOM], double share);

/* "0:07", "12:34", "1:02:03", "3 d 4 h"; negative or NaN: "-:--". */
const char *number_time(char out[NUMBER_ROOM], double seconds);

/* "41,236/s", "3.2/s", "12.3 M/s"; 0: "-". */
const char *number_rate(char out[NUMBER_ROOM], double per_second);

/* The shortest that is exact to 3 digits: "0.01", "1e-3", "2.5e-4", "1". */
const char *number_short(char out[NUMBER_ROOM], double value);

/* As Lua and the marks on the curves write a setting, to 3 digits: "0.005", "0.0002", "1e-05". */
const char *number_plain(char out[NUMBER_ROOM], double value);

/* "812 B", "1.2 kB", "256 MB": powers of 1000. */
const char *number_bytes(char out[NUMBER_ROOM], uint64_t bytes);

/* With fixed decimals; printf's, but never with a comma. */
const char *number_fixed(char out[NUMBER_ROOM], double value, int decimals);

#endif
