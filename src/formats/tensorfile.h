// SPDX-License-Identifier: MIT
/* Tensors in files, by the file's ending: one front for all formats that hold nothing but arrays.
 *   .npy                one array                    .csv    a table of numbers (rank 1 or 2); also read: .csv.gz, .csv.xz
 *   .npz .safetensors   arrays with names            .idx, names with "-ubyte"    one array (MNIST); also .gz, .xz
 * A file of one array without a name is a list of one tensor named "". Files of other programs that are often tried (.pt,
 * .pkl, .h5, .keras, .onnx, …) are refused with a sentence about what they are and what to do. Any thread. */
#ifndef FORMATS_TENSORFILE_H
#define FORMATS_TENSORFILE_H

#include "formats/named.h"

/* Add all tensors of the file to out (named_fini it in any case). Fails: ERR_ARG for an unknown ending, and as the readers. */
MUST_USE bool tensorfile_load(const char *path, NamedList *out, Err *err);

/* One tensor: the one of that name, or with name NULL the only one. Fails: ERR_NAME (with the names that are there). */
MUST_USE bool tensorfile_load_one(const char *path, const char *name, Tensor *out, Err *err);

/* Replace the file. Formats of one array take exactly one tensor, whose name is not written.
 * Fails: ERR_ARG, ERR_SHAPE, and as the writers. */
MUST_USE bool tensorfile_save(const char *path, const NamedTensor *items, int n, Err *err);

/* What a file is that cannot be opened here and what to do, or NULL; by its ending, and by its first bytes if it exists.
 * For every reader of models and tensors. */
const char *tensorfile_foreign(const char *path);

#endif
