// SPDX-License-Identifier: MIT
/* As Keras has it (keras/src/callbacks/tensorboard.py): two runs, LOG_DIR/train and LOG_DIR/validation; tags epoch_loss and so on (of
 * validation without "val_"), epoch_learning_rate in train, the step being the epoch, from 0; evaluation_loss_vs_iterations in
 * validation, over updates; batch_loss in train, the epoch's mean so far, over batches. Weights bear the names of files. */
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "formats/tfevents.h"
#include "train/callback.h"
#include "train/trainer.h"

#define IMAGES_MOST 256  /* of one weight: kernels beyond are left out */
#define SIDE_MOST 1024   /* pixels; larger weights have no picture */

static const char *const freqs[] = { "epoch", "batch", NULL }; /* 0 and 1 */

static const ArgSpec args[] = {
    { .name = "histogram_freq", .type = ARG_INT, .fallback = "0", .least = 0, .most = 1e9, .help = "epochs between histograms of the weights; 0: none" },
    { .name = "write_graph", .type = ARG_BOOL, .fallback = "false", .help = "for Keras's sake: no graph is written" },
    { .name = "write_images", .type = ARG_BOOL, .fallback = "false", .help = "weights as grey pictures too, where there are histograms" },
    { .name = "update_freq", .type = ARG_INT, .fallback = "epoch", .choices = freqs, .least = 0, .most = 1e9, .help = "batches between points of batch_loss and the like" },
};

/* The folder is one of its own, not a link that leads elsewhere. */
static bool open_run(Callback *callback, int i, Err *err)
{
    static _Atomic int number;
    char folder[CALLBACK_PATH + 16], path[CALLBACK_PATH + 400], host[256] = "local";
    struct stat info;
    if (gethostname(host, sizeof host - 1))
        strcpy(host, "local");
    if (!file_join(folder, sizeof folder, callback->file, i ? "validation" : "train"))
        return err_set(err, ERR_IO, "TensorBoard: %.100s: the name of this folder is too long", callback->file);
    if (!lstat(folder, &info) && S_ISLNK(info.st_mode))
        return err_set(err, ERR_IO, "TensorBoard: %.200s is a link; give the folder that holds what it leads to", folder);
    snprintf(path, sizeof path, "%s/events.out.tfevents.%010lld.%s.%ld.%d.v2", folder, (long long)clock_wall(), host, (long)getpid(), number++);
    return file_make_folder(folder, err) && callback_sink(callback, i, path, true, err);
}

static bool bind(Callback *callback, Run *run, Err *err)
{
    if (!callback_may_write(callback, callback->file, err) || !file_make_folder(callback->file, err))
        return false;
    for (int i = 0; i < 1 + (run->check.n > 0); i++)
        if (!open_run(callback, i, err))
            return false;
    return true;
}

/* ---- scalars ---- */

/* Begin what goes into sink i. */
static Buf *begin(Callback *callback, int i)
{
    Buf *out = &callback->room;
    buf_reset(out);
    if (sink_is_empty(callback->sinks[i]))
        tfevents_version(out, clock_wall());
    return out;
}

static void put_scalars(Buf *out, const Run *run, const char *format, int64_t step, const double *values)
{
    const TelePlan *plan = telemetry_plan(run->tele);
    char tag[TELE_VALUE + 40];
    for (int i = 0; i < plan->n_metrics; i++) {
        snprintf(tag, sizeof tag, "%s%s%s", format, plan->metrics[i], !strcmp(format, "evaluation_") ? "_vs_iterations" : "");
        tfevents_scalar(out, (EventMark){ clock_wall(), step, tag }, (float)values[i]);
    }
}

static bool batch_end(Callback *callback, Run *run, const double *logs, Err *err)
{
    int64_t every = args_int(&callback->args, "update_freq");
    (void)err;
    if (every == 0 || run->at.step % every)
        return true;
    Buf *out = begin(callback, 0);
    put_scalars(out, run, "batch_", run->at.step, logs);
    sink_put(callback->sinks[0], out);
    return true;
}

/* ---- weights ---- */

/* As Keras lays them out, with axes of size 1 left out: a vector as a row, a matrix lying on its longer side, of three axes
 * [h, w, n] each [h, w] by itself. False: no picture. */
typedef struct Layout {
    int n, h, w;
    int64_t step_n, step_h, step_w; /* between elements */
} Layout;

static bool layout_of(const Shape *shape, Layout *out)
{
    int64_t d[SHAPE_MOST];
    int rank = 0;
    for (int i = 0; i < shape->rank; i++)
        if (shape->d[i] != 1)
            d[rank++] = shape->d[i];
    if (rank > 3)
        return false;
    for (int i = 0; i < rank; i++)
        if (d[i] < 1 || d[i] > (rank == 3 && i == 2 ? 1 << 20 : SIDE_MOST))
            return false;
    if (rank < 2)
        *out = (Layout){ 1, 1, rank ? (int)d[0] : 1, 0, 0, 1 };
    else if (rank == 2 && d[0] > d[1])
        *out = (Layout){ 1, (int)d[1], (int)d[0], 0, 1, d[1] };
    else if (rank == 2)
        *out = (Layout){ 1, (int)d[0], (int)d[1], 0, d[1], 1 };
    else
        *out = (Layout){ d[2] < IMAGES_MOST ? (int)d[2] : IMAGES_MOST, (int)d[0], (int)d[1], 1, d[1] * d[2], d[2] };
    return true;
}

/* Numbers into grey as tf.image.convert_image_dtype does: 0 … 1 to 0 … 255, what is outside is cut. */
static uint8_t grey(real value)
{
    double v = (double)value * 255.5;
    return (uint8_t)(isnan(v) || v < 0 ? 0 : v > 255 ? 255 : v);
}

static bool put_image(Buf *out, EventMark at, const Tensor *value, Err *err)
{
    Layout a;
    if (!layout_of(&value->shape, &a))
        return true;
    uint8_t *pixels = mem_alloc((size_t)a.n * (size_t)a.h * (size_t)a.w, 1, err), *p = pixels;
    if (!pixels)
        return false;
    for (int n = 0; n < a.n; n++)
        for (int y = 0; y < a.h; y++)
            for (int x = 0; x < a.w; x++)
                *p++ = grey(((const real *)value->data)[n * a.step_n + y * a.step_h + x * a.step_w]);
    tfevents_images(out, at, pixels, a.n, a.h, a.w);
    mem_free(pixels);
    return true;
}

typedef struct Walk {
    Callback *callback;
    int64_t step;
    Err *err;
} Walk;

static bool put_layer(void *ctx, Layer *layer, const char *path)
{
    Walk *walk = ctx;
    Buf *out = &walk->callback->room;
    char tag[LAYER_PATH + 48];
    for (int i = 0; i < layer->n_params; i++) {
        const Param *param = &layer->params[i];
        snprintf(tag, sizeof tag, "%s/%s/histogram", path, param->name);
        EventMark at = { clock_wall(), walk->step, tag };
        tfevents_histogram(out, at, param->value.data, (size_t)shape_count(&param->value.shape));
        snprintf(tag, sizeof tag, "%s/%s/image", path, param->name);
        if (args_bool(&walk->callback->args, "write_images") && !put_image(out, at, &param->value, walk->err))
            return false;
    }
    return true;
}

static bool epoch_end(Callback *callback, Run *run, int epoch, const double *logs, const double *validation, Err *err)
{
    int64_t every = args_int(&callback->args, "histogram_freq"), step = epoch - 1;
    Buf *out = begin(callback, 0);
    put_scalars(out, run, "epoch_", step, logs);
    tfevents_scalar(out, (EventMark){ clock_wall(), step, "epoch_learning_rate" }, (float)run->optimizer->learning_rate);
    if (every > 0 && step % every == 0 && !model_each_layer(run->model, put_layer, &(Walk){ callback, step, err }))
        return false;
    sink_put(callback->sinks[0], out);
    if (!validation || !callback->sinks[1])
        return true;
    out = begin(callback, 1);
    put_scalars(out, run, "evaluation_", run->optimizer->t, validation);
    put_scalars(out, run, "epoch_", step, validation);
    sink_put(callback->sinks[1], out);
    return true;
}

const CallbackKind callback_tensor_board = {
    .name = "tensor_board",
    .class_name = "TensorBoard",
    .doc = "TensorBoard(log_dir = \"logs\", {histogram_freq = 0, update_freq = \"epoch\", …}): event files that TensorBoard opens, runs train and\n"
           "validation, tags as Keras names them (epoch_loss, epoch_learning_rate, batch_loss); tensorboard --logdir logs shows them.\n"
           "histogram_freq = n writes the weights' histograms every n epochs, write_images = true their pictures too. After run:rewind the\n"
           "curves go back. A slow or full disk does not hold up the training. A branch of the run does not write them.",
    .example = "local board = nn.TensorBoard('logs', {update_freq = 'batch'}); assert(board.log_dir == 'logs' and board.update_freq == 1)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .file = "log_dir",
    .file_fallback = "logs",
    .bind = bind,
    .batch_end = batch_end,
    .epoch_end = epoch_end,
};
