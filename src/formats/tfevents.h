// SPDX-License-Identifier: MIT
/* Event files as TensorBoard reads them: records with masked CRC-32C around protocol buffers (tensorboard/compat/proto/event.proto,
 * summary.proto, tensor.proto), values as TensorFlow 2 writes them: tensors with the name of the plugin that shows them. A file
 * begins with the version, then come values. Functions append one whole record to a Buf; memory that runs out shows in the Buf. Any
 * thread. */
#ifndef FORMATS_TFEVENTS_H
#define FORMATS_TFEVENTS_H

#include <stdint.h>

#include "base/buf.h"
#include "tensor/tensor.h"

#define TFEVENTS_BUCKETS 30 /* of a histogram, as TensorFlow's */

/* Where and when: tag names the curve, step is its x, wall_s seconds since 1970. */
typedef struct EventMark {
    double wall_s;
    int64_t step;
    const char *tag;
} EventMark;

void tfevents_version(Buf *out, double wall_s);
void tfevents_scalar(Buf *out, EventMark at, float value);

/* values [n], counted in buckets of equal width between the least and the largest; the last one holds its upper end. Values that are
 * not finite are left out. */
void tfevents_histogram(Buf *out, EventMark at, const real *values, size_t n);

/* n_images grey pictures of [height, width] bytes each, as PNG. */
void tfevents_images(Buf *out, EventMark at, const uint8_t *pixels, int n_images, int height, int width);

/* CRC-32C (Castagnoli) of n bytes, and as it stands in records. Source: RFC 3720, appendix B.4; TensorFlow's crc32c.h. */
uint32_t tfevents_crc(const void *bytes, size_t n);
uint32_t tfevents_mask(uint32_t crc);

#endif
