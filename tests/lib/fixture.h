// SPDX-License-Identifier: MIT
/* Files of tests/fixtures, found from $HEBB_HOME or the working folder. */
#ifndef LIB_FIXTURE_H
#define LIB_FIXTURE_H

#include <stddef.h>

#include "formats/safetensors.h"

/* tests/fixtures/NAME, in one of a few rotating buffers. */
const char *fixture_path(const char *name);

/* ../shared/data/NAME beside the repository: real data sets that may be absent (NULL then). */
const char *fixture_shared(const char *name);

/* A tensor of an open fixture; F64 is read as it is (the engine's readers round to float in every MODE), other types as `dtype`.
 * Own storage. False: the file has no such key. */
bool fixture_tensor(const SafeTensors *file, const char *path, const char *key, DType dtype, Tensor *out);

/* The file whole; free() it. */
char *fixture_read(const char *name, size_t *n);

#endif
