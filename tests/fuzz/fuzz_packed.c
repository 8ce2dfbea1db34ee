// SPDX-License-Identifier: MIT
#include "formats/packed.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    Err err = ERR_INIT;
    Buf out = BUF_INIT;
    size_t held = mem_bytes();
    packed_set_most((size_t)2 << 20);
    if (packed_unpack(bytes, n, "fuzz", &out, &err))
        MUST(out.size <= (size_t)2 << 20 || out.size == n);
    else
        MUST_EXPLAIN(err);
    buf_fini(&out);
    char room[1000];
    if (n > 2)
        (void)!packed_inflate(bytes + 2, n - 2, room, (bytes[0] | (size_t)bytes[1] << 8) % sizeof room, "fuzz", &err);
    MUST(mem_bytes() == held);
    return 0;
}
