// SPDX-License-Identifier: MIT
/* Source: keras/src/losses/losses.py, ctc; op ctc_loss. The logits of a softmax are used where the prediction is one's result. */
#include "train/lossmath.h"

static Node *apply(const Args *args, Tape *tape, Node *prediction, Node *target, Node *weight, Err *err)
{
    (void)args;
    Node *logits = loss_logits(prediction, &op_softmax);
    if (weight && weight->value.shape.rank > 1) {
        err_set(err, ERR_SHAPE, "ctc takes one weight for each sequence, not for each step; masks of steps have no place in it");
        return NULL;
    }
    return loss_mean(tape, loss_binary(tape, &op_ctc_loss, logits ? logits : prediction, target, err), weight, err);
}

const Loss loss_ctc = {
    .name = "ctc",
    .class_name = "CTC",
    .doc = "ctc: mean of -log of the chance that the steps say the target, repeats merged and blanks (class 0) left out.\n"
           "For sequences without known alignment: speech, handwriting. The model gives [time, classes]; targets are class numbers from 1,\n"
           "padded with 0, of any length. nn.ctc_decode reads the result.  Source: Graves et al. 2006.",
    .example = "local l = nn.losses.CTC(); assert(math.abs(l({{1}}, {{{0, 0}, {0, 0}}}):item() + math.log(0.75)) < 1e-6)",
    .target = TARGET_LABELS,
    .sequences = true,
    .apply = apply,
};
