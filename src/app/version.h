// SPDX-License-Identifier: MIT
/* What -v prints: version, libraries, processor, BLAS core, threads, memory, folders. */
#ifndef APP_VERSION_H
#define APP_VERSION_H

#include "base/buf.h"

void version_write(Buf *out);

#endif
