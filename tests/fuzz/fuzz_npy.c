// SPDX-License-Identifier: MIT
#include <string.h>

#include "formats/npy.h"
#include "fuzz.h"

/* What was read, written and read again is the same. */
static void write_again(const Tensor *tensor)
{
    char header[NPY_HEADER_MOST];
    size_t n = npy_header(header, tensor);
    MUST(n % 64 == 0 && n <= sizeof header && header[n - 1] == '\n');
    if (tensor_count(tensor) != 0)
        return;
    Tensor again;
    MUST(npy_parse(header, n, "again", &again, NULL));
    MUST(shape_same(&again.shape, &tensor->shape) && again.dtype == tensor->dtype);
    tensor_unref(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    Err err = ERR_INIT;
    Tensor tensor;
    size_t held = mem_bytes();
    if (npy_parse(bytes, n, "fuzz", &tensor, &err)) {
        MUST((size_t)tensor_count(&tensor) <= n);
        write_again(&tensor);
        tensor_unref(&tensor);
    } else {
        MUST_EXPLAIN(err);
    }
    MUST(mem_bytes() == held);
    return 0;
}
