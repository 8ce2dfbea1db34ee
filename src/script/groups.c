// SPDX-License-Identifier: MIT
/* Everything that is registered: what help and completion walk over. */
#include "script/bind_net.h"
#include "script/bind_text.h"

extern const VerbGroup scope_group, augment_group, lines_group, sequence_group, sample_group, help_group, data_group, run_group, base_group;
extern const Kind kind_dataset, kind_scale;

const VerbGroup *const bind_groups[] = {
    &base_group, &nn_group, &run_group, &job_group, &scope_group, &tensor_group, &tensor_file_group, &data_group, &text_group, &lines_group, &sequence_group, &sample_group, &augment_group, &help_group, NULL,
};

const Kind *const bind_kinds[] = {
    &kind_tensor, &kind_model, &kind_layer, &kind_symbol, &kind_run, &kind_dataset, &kind_scale, &kind_tokenizer, &kind_recipe, NULL,
};
