// SPDX-License-Identifier: MIT
/* Only links can lead out of a folder: of what stands below it each link is followed to its end, files are not looked at. A
 * link to a folder inside is walked like one; rings of them end at DEPTH_MOST. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "base/fence.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

#define PATH_ROOM 4096
#define DEPTH_MOST 8
#define ENTRIES_MOST 1000000

/* A file that is not there yet: what its folder is in truth; its own name must be plain. */
static bool real_folder(const char *path, char whole[PATH_ROOM], Err *err)
{
    char folder[PATH_ROOM];
    struct stat link;
    if (lstat(path, &link) == 0)
        return err_set(err, ERR_IO, "%.200s: with --safe a link that leads nowhere is not followed", path);
    if (snprintf(folder, sizeof folder, "%s", path) >= (int)sizeof folder)
        return err_set(err, ERR_IO, "%.200s: the path is too long", path);
    char *slash = strrchr(folder, '/');
    const char *name = slash ? slash + 1 : folder;
    if (!strcmp(name, "..") || !strcmp(name, "."))
        return err_set(err, ERR_IO, "%.200s: not a file name", path);
    if (slash)
        *slash = '\0';
    return realpath(slash ? (*folder ? folder : "/") : ".", whole) || err_set(err, ERR_IO, "%.200s: no such folder", path);
}

static bool is_inside(const char *whole, const char *here)
{
    size_t n = strcmp(here, "/") ? strlen(here) : 0;
    return !strncmp(whole, here, n) && (whole[n] == '/' || !whole[n]);
}

static bool walk(const char *path, const char *here, int depth, long *entries, Err *err);

/* One entry of a folder. A link that leads nowhere is harmless here: no reader can open it. */
static bool look_at(const char *path, const char *here, int depth, long *entries, Err *err)
{
    char whole[PATH_ROOM];
    struct stat st;
    if (++*entries > ENTRIES_MOST)
        return err_set(err, ERR_IO, "%.200s: with --safe too many files to look through; choose a smaller folder", path);
    if (lstat(path, &st))
        return true;
    if (S_ISLNK(st.st_mode)) {
        if (!realpath(path, whole))
            return errno != ELOOP || err_set(err, ERR_IO, "%.200s: with --safe links in a ring are not followed", path);
        if (!is_inside(whole, here))
            return err_set(err, ERR_IO, "%.200s: with --safe a link that leads out of the folder is refused", path);
    }
    return !file_is_folder(path) || walk(path, here, depth + 1, entries, err);
}

static bool walk(const char *path, const char *here, int depth, long *entries, Err *err)
{
    char child[PATH_ROOM];
    bool ok = true;
    if (depth > DEPTH_MOST)
        return err_set(err, ERR_IO, "%.200s: with --safe folders are followed %d deep", path, DEPTH_MOST);
    DIR *list = opendir(path);
    for (struct dirent *row; ok && list && (row = readdir(list));) {
        if (!strcmp(row->d_name, ".") || !strcmp(row->d_name, ".."))
            continue;
        ok = file_join(child, sizeof child, path, row->d_name) || err_set(err, ERR_IO, "%.200s: the path is too long", path);
        ok = ok && look_at(child, here, depth, entries, err);
    }
    if (list)
        closedir(list);
    return ok;
}

bool fence_holds(const char *path, const char *folder, Err *err)
{
    char here[PATH_ROOM], whole[PATH_ROOM];
    long entries = 0;
    if (!realpath(folder, here))
        return err_set(err, ERR_IO, "%.200s: %s", folder, strerror(errno));
    if (!realpath(path, whole) && !real_folder(path, whole, err))
        return false;
    if (!is_inside(whole, here))
        return err_set(err, ERR_IO, "%.200s: with --safe a script reaches only files below the folder it was started in", path);
    return !file_is_folder(path) || walk(path, here, 0, &entries, err);
}
