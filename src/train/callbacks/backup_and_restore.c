// SPDX-License-Identifier: MIT
/* keras/src/callbacks/backup_and_restore.py. One file, BACKUP_DIR/latest.safetensors, replaced whole. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "train/callback.h"
#include "train/deposit.h"

static const char *const freqs[] = { "epoch", NULL }; /* 0 */

static const ArgSpec args[] = {
    { .name = "save_freq", .type = ARG_INT, .fallback = "epoch", .choices = freqs, .least = 0, .most = 1e9, .help = "batches between backups" },
    { .name = "delete_checkpoint", .type = ARG_BOOL, .fallback = "true", .help = "remove the backup when the training has come to its end" },
};

static bool bind(Callback *callback, Run *run, Err *err)
{
    char path[CALLBACK_PATH];
    (void)run;
    if (!file_join(path, sizeof path, callback->file, "latest.safetensors"))
        return err_set(err, ERR_ARG, "BackupAndRestore: the name of the folder is too long");
    if (!callback_may_write(callback, callback->file, err) || !file_make_folder(callback->file, err) || !callback_may_write(callback, path, err))
        return false;
    buf_reset(&callback->room);
    buf_puts(&callback->room, path);
    return buf_ok(&callback->room, err) && (callback->deposit = deposit_new(err)) != NULL;
}

static const char *resume(Callback *callback)
{
    const char *path = buf_text(&callback->room);
    return file_exists(path) ? path : NULL;
}

static bool save(Callback *callback, Run *run, Err *err)
{
    return deposit_fill(callback->deposit, run, buf_text(&callback->room), false, err);
}

static bool batch_end(Callback *callback, Run *run, const double *logs, Err *err)
{
    int64_t every = args_int(&callback->args, "save_freq");
    (void)logs;
    if (every == 0 || run->at.step % every)
        return true;
    callback->due = run->at.batch == trainer_batches(run); /* then behind the epoch's end */
    return callback->due || save(callback, run, err);
}

static bool epoch_done(Callback *callback, Run *run, Err *err)
{
    bool due = callback->due || args_int(&callback->args, "save_freq") == 0;
    callback->due = false;
    return !due || save(callback, run, err);
}

/* Stopped from outside or failed, it stays. */
static bool train_end(Callback *callback, Run *run, Err *err)
{
    const char *path = buf_text(&callback->room);
    if (!args_bool(&callback->args, "delete_checkpoint") || !(run->outcome == RUN_FINISHED || run->enough) || !recorder_finish(10))
        return true;
    return !unlink(path) || errno == ENOENT || err_set(err, ERR_IO, "BackupAndRestore: %.200s: %s", path, strerror(errno));
}

const CallbackKind callback_backup_and_restore = {
    .name = "backup_and_restore",
    .doc = "BackupAndRestore(backup_dir, {save_freq = \"epoch\", delete_checkpoint = true}): keeps a backup of the run in a folder; a fit that\n"
           "finds one there goes on from it, bit for bit, as after a power cut. Run the same script again, that is all. When all epochs are\n"
           "done or a callback ended the training, the backup is removed; stopped by the user it stays.",
    .example = "local backup = nn.BackupAndRestore('backup', {save_freq = 100}); assert(backup.backup_dir == 'backup')",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .file = "backup_dir",
    .bind = bind,
    .resume = resume,
    .batch_end = batch_end,
    .epoch_done = epoch_done,
    .train_end = train_end,
};
