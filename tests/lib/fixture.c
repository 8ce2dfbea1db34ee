// SPDX-License-Identifier: MIT
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scratch.h"

static const char *under_root(const char *folder, const char *name)
{
    static char paths[8][1024];
    static int next;
    const char *home = getenv("HEBB_HOME");
    char *out = paths[next++ % 8];
    snprintf(out, sizeof paths[0], "%s/%s/%s", home && *home ? home : ".", folder, name);
    return out;
}

const char *fixture_path(const char *name)
{
    return under_root("tests/fixtures", name);
}

const char *fixture_shared(const char *name)
{
    const char *given = getenv("HEBB_SHARED_DATA");
    static char path[1024];
    if (given) {
        snprintf(path, sizeof path, "%s/%s", given, name);
        return access(path, R_OK) == 0 ? path : NULL;
    }
    const char *beside = under_root("../shared/data", name);
    return access(beside, R_OK) == 0 ? beside : NULL;
}

bool fixture_tensor(const SafeTensors *file, const char *path, const char *key, DType dtype, Tensor *out)
{
    *out = (Tensor){ 0 };
    const SafeEntry *entry = safetensors_find(file, key);
    if (!entry || strcmp(entry->type_name, "F64"))
        return entry && safetensors_get(file, key, dtype, out, NULL);
    FILE *f = fopen(path, "rb");
    bool ok = f && tensor_new(out, DTYPE_FLOAT32, entry->shape, NULL) && !fseek(f, (long)entry->begin, SEEK_SET);
    for (int64_t i = 0; ok && i < tensor_count(out); i++) {
        double value;
        ok = fread(&value, sizeof value, 1, f) == 1;
        tensor_set(out, i, value);
    }
    if (f)
        fclose(f);
    return ok;
}

char *fixture_read(const char *name, size_t *n)
{
    return scratch_read(fixture_path(name), n);
}
