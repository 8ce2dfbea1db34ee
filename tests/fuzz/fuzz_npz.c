// SPDX-License-Identifier: MIT
#include "formats/npz.h"
#include "formats/packed.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    Err err = ERR_INIT;
    NamedList list = { 0 };
    size_t held = mem_bytes();
    packed_set_most((size_t)2 << 20);
    if (!npz_parse(bytes, n, "fuzz", &list, &err))
        MUST_EXPLAIN(err);
    named_fini(&list);
    MUST(mem_bytes() == held);
    return 0;
}
