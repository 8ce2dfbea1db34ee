// SPDX-License-Identifier: MIT
#include "formats/idx.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    Err err = ERR_INIT;
    Tensor tensor;
    size_t held = mem_bytes();
    if (idx_parse(bytes, n, "fuzz", &tensor, &err)) {
        MUST(tensor_count(&tensor) >= 0 && (size_t)tensor_count(&tensor) <= n);
        double sum = 0;
        for (int64_t i = 0; i < tensor_count(&tensor); i++)
            sum += tensor_get(&tensor, i);
        (void)sum;
        tensor_unref(&tensor);
    } else {
        MUST_EXPLAIN(err);
    }
    MUST(mem_bytes() == held);
    return 0;
}
