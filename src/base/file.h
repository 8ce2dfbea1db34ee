// SPDX-License-Identifier: MIT
/* Whole files: read at once within a bound, and replaced only when the new one is whole.
 * A FileOut is a temporary file beside the target; commit does flush, fsync, rename, fsync of the folder, each checked.
 * Killed at any instant, the old file is still there. Any thread; one thread at a time per FileOut. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

typedef struct FileOut FileOut;

/* Fails: ERR_IO with the path and the system's reason, ERR_MEM. The target keeps its permissions; new files get `mode`. */
MUST_USE FileOut *file_out_new(const char *path, unsigned mode, Err *err);
MUST_USE bool file_out_write(FileOut *out, const void *bytes, size_t n, Err *err);
MUST_USE bool file_out_commit(FileOut *out, Err *err);

/* After a commit: frees. Before: the temporary file is removed, the target stays as it was. NULL is allowed. */
void file_out_free(FileOut *out);

/* Replace the file by n bytes, whole or not at all. */
MUST_USE bool file_replace(const char *path, const void *bytes, size_t n, unsigned mode, Err *err);

/* Append the file's content to out. Fails: ERR_IO; ERR_DATA when it holds more than `most` bytes. */
MUST_USE bool file_read(const char *path, Buf *out, size_t most, Err *err);

bool file_exists(const char *path);
bool file_is_folder(const char *path);

/* Make a folder and those above it (mode 0700). Fails: ERR_IO. */
MUST_USE bool file_make_folder(const char *path, Err *err);

/* folder "/" name into out; false when it does not fit. */
bool file_join(char *out, size_t size, const char *folder, const char *name);

/* $XDG_<kind>_HOME/hebb or its default: kind is "CONFIG", "DATA", "STATE" or "CACHE". False when there is no home. */
bool file_xdg(char *out, size_t size, const char *kind);

/* Where the program's own scripts, themes and data stand: $HEBB_HOME, the source tree that holds the binary, or the
 * installed data folder. Writes "<root>/<name>"; false when no root has it. */
bool file_resource(char *out, size_t size, const char *name);

/* Tests: let n more writes, fsyncs and renames succeed, then fail every one with ENOSPC; negative: never fail. */
void file_fail_after(long n);

#endif
