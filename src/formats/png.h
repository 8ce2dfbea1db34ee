// SPDX-License-Identifier: MIT
/* Pictures as PNG files (RFC 2083): written only, grey, without a filter. Any thread. */
#ifndef FORMATS_PNG_H
#define FORMATS_PNG_H

#include <stdint.h>

#include "base/buf.h"

/* Append a whole file: pixels [height, width], 0 black to 255 white. Memory that runs out shows in the Buf. */
void png_grey(Buf *out, const uint8_t *pixels, int height, int width);

#endif
