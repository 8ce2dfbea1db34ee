// SPDX-License-Identifier: MIT
#include "scratch.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[512];

static void must(int ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    abort();
}

static void remove_tree(const char *path)
{
    struct stat st;
    if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        DIR *list = opendir(path);
        must(list != NULL, path);
        for (struct dirent *row; (row = readdir(list));) {
            if (strcmp(row->d_name, ".") == 0 || strcmp(row->d_name, "..") == 0)
                continue;
            char child[1200];
            snprintf(child, sizeof child, "%s/%s", path, row->d_name);
            remove_tree(child);
        }
        closedir(list);
    }
    must(remove(path) == 0, path);
}

const char *scratch_begin(void)
{
    const char *top = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/hebb-test-XXXXXX", top && *top ? top : "/tmp");
    must(mkdtemp(folder) != NULL, folder);
    return folder;
}

void scratch_end(void)
{
    remove_tree(folder);
}

const char *scratch_path(const char *name)
{
    static char paths[8][1024];
    static int next;
    char *out = paths[next++ % 8];
    snprintf(out, sizeof paths[0], "%s/%s", folder, name);
    return out;
}

void scratch_write(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    must(f != NULL, path);
    must(fwrite(bytes, 1, n, f) == n, path);
    must(fclose(f) == 0, path);
}

char *scratch_read(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    must(f != NULL, path);
    must(fseek(f, 0, SEEK_END) == 0, path);
    long size = ftell(f);
    rewind(f);
    char *bytes = malloc((size_t)size + 1);
    must(bytes != NULL && fread(bytes, 1, (size_t)size, f) == (size_t)size, path);
    bytes[size] = '\0';
    fclose(f);
    *n = (size_t)size;
    return bytes;
}

int scratch_count(void)
{
    DIR *list = opendir(folder);
    must(list != NULL, folder);
    int n = 0;
    for (struct dirent *row; (row = readdir(list));)
        n += strcmp(row->d_name, ".") != 0 && strcmp(row->d_name, "..") != 0;
    closedir(list);
    return n;
}
