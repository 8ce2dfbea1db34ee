// SPDX-License-Identifier: MIT
/* A temporary folder for one test, and files written and read without the code under test. Aborts when that fails. */
#ifndef LIB_SCRATCH_H
#define LIB_SCRATCH_H

#include <stddef.h>

/* Make a fresh folder; its path, valid until scratch_end. One at a time. */
const char *scratch_begin(void);
void scratch_end(void); /* remove it with everything in it */

/* folder/name, in one of a few rotating buffers. */
const char *scratch_path(const char *name);

void scratch_write(const char *path, const void *bytes, size_t n);
char *scratch_read(const char *path, size_t *n); /* ended by a zero byte; free() it */
int scratch_count(void);                         /* files and folders directly in the folder, hidden ones too */

#endif
