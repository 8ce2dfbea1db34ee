// SPDX-License-Identifier: MIT
#include "ui/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <readline/history.h>

#include "base/file.h"

#define FILE_MOST (32u << 20) /* bytes; a larger file is not ours */

static char file_path[1024]; /* "": memory only */

void history_escape(Buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\n')
            buf_puts(out, "\\n");
        else if (*text == '\\')
            buf_puts(out, "\\\\");
        else
            buf_put(out, *text);
    }
}

void history_unescape(Buf *out, const char *line, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (line[i] == '\\' && i + 1 < n) {
            i++;
            buf_put(out, line[i] == 'n' ? '\n' : line[i]);
        } else if (line[i]) {
            buf_put(out, line[i]);
        }
    }
}

static size_t lines_count(const char *text, size_t n)
{
    size_t lines = 0;
    for (size_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    return lines;
}

/* Where the last `most` lines begin. */
static size_t tail_find(const char *text, size_t n, size_t lines, size_t most)
{
    size_t i = 0;
    for (; lines > most && i < n; i++)
        lines -= text[i] == '\n';
    return i;
}

static void entries_load(const char *text, size_t n)
{
    Buf entry = BUF_INIT;
    for (size_t i = 0; i < n;) {
        const char *end = memchr(text + i, '\n', n - i);
        size_t size = end ? (size_t)(end - text) - i : n - i;
        buf_reset(&entry);
        history_unescape(&entry, text + i, size);
        if (entry.size && !entry.failed)
            add_history(buf_text(&entry));
        i += size + 1;
    }
    buf_fini(&entry);
}

static bool path_set(const char *path, Err *err)
{
    char folder[900];
    if (path) {
        if (strlen(path) >= sizeof file_path)
            return err_set(err, ERR_ARG, "the path of the history file is too long");
        strcpy(file_path, path);
        return true;
    }
    if (!file_xdg(folder, sizeof folder, "STATE"))
        return err_set(err, ERR_IO, "no home folder for the history (HOME is not set)");
    if (!file_make_folder(folder, err))
        return err_wrap(err, "history");
    return file_join(file_path, sizeof file_path, folder, "history") || err_set(err, ERR_IO, "the path of the history is too long");
}

void history_open_empty(void)
{
    file_path[0] = 0;
    using_history();
    clear_history();
    stifle_history(HISTORY_MOST);
}

bool history_open(const char *path, Err *err)
{
    Buf text = BUF_INIT;
    history_open_empty();
    if (!path_set(path, err)) {
        file_path[0] = 0;
        return false;
    }
    bool ok = true;
    if (file_exists(file_path)) {
        chmod(file_path, 0600); /* it may hold secrets, whoever made it */
        ok = file_read(file_path, &text, FILE_MOST, err);
    }
    if (ok) {
        size_t lines = lines_count(buf_text(&text), text.size);
        size_t start = tail_find(text.data, text.size, lines, HISTORY_MOST);
        if (text.size)
            entries_load(text.data + start, text.size - start);
        if (lines > 2 * HISTORY_MOST)
            ok = file_replace(file_path, text.data + start, text.size - start, 0600, err);
    }
    if (!ok)
        file_path[0] = 0;
    buf_fini(&text);
    return ok;
}

/* Open for appending under a lock; again when another session has replaced the file meanwhile. -1: errno says why. */
static int file_lock(void)
{
    for (int tries = 0; tries < 5; tries++) {
        struct stat opened, named;
        int fd = open(file_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0)
            return -1;
        if (!flock(fd, LOCK_EX | LOCK_NB) && !fstat(fd, &opened) && !stat(file_path, &named) && opened.st_ino == named.st_ino)
            return fd;
        if (tries == 4)
            return fd; /* a lock that is held for ever must not hold the prompt: appending is atomic enough */
        close(fd);
    }
    return -1;
}

static bool entry_append(const char *text, Err *err)
{
    Buf line = BUF_INIT;
    history_escape(&line, text);
    buf_put(&line, '\n');
    if (!buf_ok(&line, err)) {
        buf_fini(&line);
        return false;
    }
    int fd = file_lock();
    ssize_t n = fd < 0 ? -1 : write(fd, line.data, line.size);
    bool ok = n == (ssize_t)line.size;
    if (!ok)
        err_set(err, ERR_IO, "the history cannot be written to %s: %s; it lasts for this session only", file_path,
                n < 0 ? strerror(errno) : "the disk is full");
    if (fd >= 0)
        close(fd);
    if (!ok)
        file_path[0] = 0; /* say it once */
    buf_fini(&line);
    return ok;
}

bool history_add_entry(const char *text, Err *err)
{
    using_history();
    if (!text[strspn(text, " \t\n")] || *text == ' ')
        return true;
    const HIST_ENTRY *last = history_length > 0 ? history_get(history_base + history_length - 1) : NULL;
    if (last && !strcmp(last->line, text))
        return true;
    add_history(text);
    using_history();
    return !file_path[0] || entry_append(text, err);
}

void history_close(void)
{
    clear_history();
    file_path[0] = 0;
}
