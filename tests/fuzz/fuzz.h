// SPDX-License-Identifier: MIT
/* A fuzz target is one file fuzz_NAME.c with this function. `make fuzz` links it with libFuzzer; `make check` links it with
 * replay.c, which gives it the corpus (corpus/NAME and fixtures/formats), cut and changed in fixed ways. A broken promise
 * aborts. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#define MUST(what) \
    do { \
        if (!(what)) { \
            fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #what); \
            abort(); \
        } \
    } while (0)

/* A refusal has a code for the cause and a sentence. */
#define MUST_EXPLAIN(err) MUST((err).text[0] && ((err).code == ERR_DATA || (err).code == ERR_MEM || (err).code == ERR_ARG))

#endif
