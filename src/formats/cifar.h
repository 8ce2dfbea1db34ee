// SPDX-License-Identifier: MIT
/* CIFAR-10, binary version: records of 3073 bytes, a label (0 to 9), then 1024 red, 1024 green, 1024 blue bytes, each
 * plane row by row. Turned into the house's order, channels last. Plain, gzip or xz. */
#ifndef FORMATS_CIFAR_H
#define FORMATS_CIFAR_H

#include "tensor/tensor.h"

#define CIFAR_SIDE 32
#define CIFAR_RECORD (1 + 3 * CIFAR_SIDE * CIFAR_SIDE)

/* images [N, 32, 32, 3] uint8, labels [N] int32. Fails: ERR_IO, ERR_MEM; ERR_DATA when the size is no multiple of a record
 * or a label is not 0 to 9, with the record. */
MUST_USE bool cifar_load(const char *path, Tensor *images, Tensor *labels, Err *err);

/* The same from unpacked bytes; name is for messages. */
MUST_USE bool cifar_parse(const void *bytes, size_t n, const char *name, Tensor *images, Tensor *labels, Err *err);

/* Planes [3, 32, 32] -> pixels [32, 32, 3] of one image. */
void cifar_interleave(uint8_t *pixels, const uint8_t *planes);

#endif
