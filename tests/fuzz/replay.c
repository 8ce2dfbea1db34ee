// SPDX-License-Identifier: MIT
/* Runs a fuzz target over the files of folders without a fuzzer: each as it is, cut short, and with bytes changed in fixed
 * ways. Speaks TAP. Arguments: folders or files; none: corpus/NAME and fixtures/formats in the source tree. */
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

#define SIZE_MOST (1 << 20)
#define CHANGES 300

static int n_files;

/* Exactly as large as its content, so that a step beyond is seen. */
static void give(const uint8_t *bytes, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    MUST(copy);
    memcpy(copy, bytes, n);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

static void change(uint8_t *bytes, size_t n)
{
    static const uint8_t odd[] = { 0, 1, 0x7F, 0x80, 0xFF, '"', '{', '\n' };
    uint32_t random = 12345;
    for (int i = 0; n && i < CHANGES; i++) {
        random = random * 1664525u + 1013904223u;
        size_t at = (random >> 8) % n;
        uint8_t old = bytes[at];
        bytes[at] = i % 2 ? odd[(random >> 3) % sizeof odd] : (uint8_t)(old ^ 1u << (random >> 4) % 8);
        give(bytes, n);
        bytes[at] = old;
    }
}

static void replay_file(const char *path)
{
    static uint8_t bytes[SIZE_MOST];
    FILE *f = fopen(path, "rb");
    MUST(f);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    give(bytes, n);
    size_t step = n / 200 + 1;
    for (size_t k = 0; k < n; k += step)
        give(bytes, k);
    change(bytes, n < 4096 ? n : 4096);
    printf("ok %d - %s\n", ++n_files, path);
}

static void replay(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
        replay_file(path);
        return;
    }
    struct dirent **rows;
    int n = scandir(path, &rows, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char child[4096];
        snprintf(child, sizeof child, "%s/%s", path, rows[i]->d_name);
        if (rows[i]->d_name[0] != '.')
            replay(child);
        free(rows[i]);
    }
    if (n >= 0)
        free(rows);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    if (argc == 1) {
        const char *home = getenv("HEBB_HOME");
        char path[4096];
        snprintf(path, sizeof path, "%s/tests/fuzz/corpus/" FUZZ_NAME, home ? home : ".");
        replay(path);
        snprintf(path, sizeof path, "%s/tests/fixtures/formats", home ? home : ".");
        replay(path);
    }
    printf("1..%d\n", n_files);
    return n_files == 0;
}
