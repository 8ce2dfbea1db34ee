// SPDX-License-Identifier: MIT
/* What tokenizer_parse accepts keeps its promises: it writes itself back, encodes and decodes without leaving its vocabulary. The
 * bytes are also a text that tokenisers are trained on. */
#include <string.h>

#include "data/tokenizer.h"
#include "fuzz.h"

static void check_ids(const Tokenizer *t, const Buf *ids)
{
    const int32_t *id = (const int32_t *)(const void *)ids->data;
    for (size_t i = 0; i < ids->size / sizeof *id; i++)
        MUST(id[i] >= 0 && id[i] < t->vocab.n);
}

static void use(const Tokenizer *t, const char *text, size_t n)
{
    Err err = ERR_INIT;
    Buf ids = BUF_INIT, back = BUF_INIT;
    EncodeOptions options = { .add_special = n & 1, .read_special = n & 2, .max_length = n & 4 ? 5 : 0 };
    if (tokenizer_encode(t, text, n, &options, &ids, &err)) {
        check_ids(t, &ids);
        MUST(tokenizer_decode(t, (const int32_t *)(void *)ids.data, (int64_t)(ids.size / sizeof(int32_t)), false, &back, &err));
        if (t->kind->bytes && !(n & 7))
            MUST(back.size == n && (!n || !memcmp(back.data, text, n)));
    } else {
        MUST_EXPLAIN(err);
    }
    buf_fini(&ids);
    buf_fini(&back);
}

static void write_back(const Tokenizer *t)
{
    Err err = ERR_INIT;
    Buf first = BUF_INIT, second = BUF_INIT;
    MUST(tokenizer_write(t, &first, &err));
    Tokenizer *again = tokenizer_parse(first.data, first.size, &err);
    MUST(again && tokenizer_write(again, &second, &err));
    MUST(first.size == second.size && !memcmp(first.data, second.data, first.size));
    tokenizer_unref(again);
    buf_fini(&first);
    buf_fini(&second);
}

static void learn(const char *text, size_t n)
{
    for (int i = 0; token_kind_at(i); i++) {
        Err err = ERR_INIT;
        Args args;
        args_init(&args, token_kind_at(i)->args, token_kind_at(i)->n_args);
        MUST(args_set_number(&args, args_find(&args, "vocab_size"), 300, "fuzz", &err));
        MUST(args_set_number(&args, args_find(&args, "min_frequency"), 1, "fuzz", &err));
        Tokenizer *t = tokenizer_new(token_kind_at(i), &args, &err);
        MUST(t);
        TokenText given = { text, n };
        if (tokenizer_train(t, &given, 1, NULL, &err)) {
            use(t, text, n);
            write_back(t);
        } else {
            MUST_EXPLAIN(err);
            MUST(!t->trained && t->vocab.n <= TOKEN_SPECIALS);
        }
        tokenizer_unref(t);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *text = n ? (const char *)bytes : "";
    Err err = ERR_INIT;
    size_t held = mem_bytes();
    Tokenizer *t = tokenizer_parse(text, n, &err);
    if (t) {
        use(t, "low LOWER 慢 [UNK] x", 19);
        write_back(t);
    } else {
        MUST_EXPLAIN(err);
    }
    tokenizer_unref(t);
    if (n < 20000)
        learn(text, n);
    MUST(mem_bytes() == held);
    return 0;
}
