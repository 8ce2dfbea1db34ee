// SPDX-License-Identifier: MIT
#include "formats/safetensors.h"
#include "fuzz.h"

static void read_entry(const SafeTensors *file, const SafeEntry *entry, size_t n)
{
    Err err = ERR_INIT;
    Tensor tensor;
    MUST(entry->begin <= entry->end && entry->end <= n);
    MUST(safetensors_find(file, entry->name) == entry);
    for (int d = 0; d < DTYPE_COUNT; d++) {
        if (safetensors_get(file, entry->name, (DType)d, &tensor, &err)) {
            MUST(entry->readable && shape_same(&tensor.shape, &entry->shape));
            tensor_unref(&tensor);
        } else {
            MUST_EXPLAIN(err);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    Err err = ERR_INIT;
    size_t held = mem_bytes();
    SafeTensors *file = safetensors_parse(bytes, n, "fuzz", &err);
    if (!file)
        MUST_EXPLAIN(err);
    for (int i = 0; file && i < safetensors_count(file); i++)
        read_entry(file, safetensors_at(file, i), n);
    for (int i = 0; file && i < safetensors_meta_count(file); i++)
        MUST(safetensors_meta(file, safetensors_meta_at(file, i)->key) == safetensors_meta_at(file, i)->value);
    safetensors_free(file);
    MUST(mem_bytes() == held);
    return 0;
}
