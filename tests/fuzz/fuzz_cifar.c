// SPDX-License-Identifier: MIT
#include "formats/cifar.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    Err err = ERR_INIT;
    Tensor images, labels;
    size_t held = mem_bytes();
    if (cifar_parse(bytes, n, "fuzz", &images, &labels, &err)) {
        MUST(tensor_size(&images) + (size_t)tensor_count(&labels) == n);
        for (int64_t i = 0; i < tensor_count(&labels); i++)
            MUST(tensor_int(&labels)[i] >= 0 && tensor_int(&labels)[i] <= 9);
        tensor_unref(&images);
        tensor_unref(&labels);
    } else {
        MUST_EXPLAIN(err);
    }
    MUST(mem_bytes() == held);
    return 0;
}
