// SPDX-License-Identifier: MIT
#include "train/jobsave.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "tensor/kern.h"
#include "train/hand.h"
#include "train/job.h"
#include "train/record.h"

#define WAIT_S 10.0

struct JobSave {
    Writer writer; /* first: the recorder's list */
    _Atomic int refs;
    Hand hand;
    _Atomic bool over;
    /* what follows belongs to whoever may fill or write */
    Model *replicas[JOB_MODELS]; /* owned */
    char paths[JOB_MODELS][RECORD_PATH + TELE_NAME + 32];
    char folder[RECORD_PATH];
    int n;
};

static void unref(JobSave *save)
{
    if (atomic_fetch_sub(&save->refs, 1) > 1)
        return;
    for (int i = 0; i < save->n; i++)
        model_unref(save->replicas[i]);
    mem_free(save);
}

/* ---- the recorder's thread ---- */

static void serve(Writer *writer)
{
    JobSave *save = (JobSave *)writer;
    Err err = ERR_INIT;
    if (!hand_take(&save->hand))
        return;
    bool ok = file_is_folder(save->folder) || file_make_folder(save->folder, &err); /* this may be the first that is written */
    for (int i = 0; ok && i < save->n; i++)
        ok = model_save(save->replicas[i], save->paths[i], NULL, &err);
    if (!ok)
        writer_complain(writer, &err);
    hand_clear(&save->hand);
}

static bool done(Writer *writer)
{
    JobSave *save = (JobSave *)writer;
    return atomic_load(&save->over) && hand_is(&save->hand, HAND_EMPTY);
}

static void drop(Writer *writer)
{
    unref((JobSave *)writer);
}

/* ---- the trainer ---- */

/* What a user calls a model may be no file name; two that differ only there have a number behind it. */
static void name_file(JobSave *save, int i, const char *name)
{
    char plain[TELE_NAME], number[16] = "";
    bool taken = true;
    snprintf(plain, sizeof plain, "%s", name);
    for (char *c = plain; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '-')
            *c = '_';
    for (int n = 2; taken; n++) {
        snprintf(save->paths[i], sizeof save->paths[i], "%s/%s%s.safetensors", save->folder, plain, number);
        snprintf(number, sizeof number, "-%d", n);
        taken = false;
        for (int k = 0; k < i; k++)
            taken |= !strcmp(save->paths[k], save->paths[i]);
    }
}

static Model *copy_of(Model *model, Err *err)
{
    Buf json = BUF_INIT;
    Model *copy = model_to_json(model, &json, err) ? model_from_json(buf_text(&json), err) : NULL;
    buf_fini(&json);
    if (copy && model_copy_notes(copy, model, err))
        return copy;
    model_unref(copy);
    return NULL;
}

JobSave *jobsave_new(Run *run, Err *err)
{
    const Job *job = run->job;
    JobSave *save = mem_zero(1, sizeof *save, err);
    if (!save)
        return NULL;
    save->writer = (Writer){ .serve = serve, .done = done, .drop = drop };
    atomic_init(&save->refs, 1);
    bool ok = true;
    snprintf(save->folder, sizeof save->folder, "%s", run_folder(run));
    for (int i = 0; ok && i < job->n_models; i++) {
        name_file(save, i, job->names[i]);
        ok = (save->replicas[save->n++] = copy_of(job->models[i], err)) != NULL;
    }
    if (ok) {
        atomic_store(&save->refs, 2);
        if (recorder_add_writer(&save->writer, err))
            return save;
        unref(save);
    }
    unref(save);
    return NULL;
}

typedef struct Fill {
    const Run *run;
    int n;
} Fill;

static bool fill_layer(void *ctx, Layer *layer, const char *path)
{
    Fill *fill = ctx;
    (void)path;
    if (layer->n_elements)
        kern_copy(layer->block, fill->run->layers[fill->n]->block, (int64_t)layer->n_elements);
    fill->n++;
    return true;
}

bool jobsave_fill(JobSave *save, Run *run, bool patient)
{
    Fill fill = { run, 0 };
    if (!hand_fill_within(&save->hand, patient ? WAIT_S : 0))
        return false;
    for (int i = 0; i < save->n; i++)
        model_each_layer(save->replicas[i], fill_layer, &fill);
    hand_give(&save->hand);
    recorder_wake();
    return true;
}

void jobsave_close(JobSave *save)
{
    if (!save)
        return;
    atomic_store(&save->over, true);
    unref(save);
}

Writer *jobsave_writer(JobSave *save)
{
    return &save->writer;
}
