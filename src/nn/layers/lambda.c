// SPDX-License-Identifier: MIT
#include "nn/traced.h"

#define NO_ARGS "\"args\":{}"
#define DOUBLE "{\"consts\":[{\"dtype\":\"float32\",\"shape\":[],\"values\":\"2\"}],\"steps\":[{\"op\":\"multiply\",\"in\":[0,1]," NO_ARGS "}],\"out\":2}"
#define ROWS "{\"consts\":[],\"steps\":[{\"op\":\"reshape\",\"in\":[0],\"args\":{\"shape\":\"1,6\"},\"batch\":[[\"shape\",0,1]]}," \
    "{\"op\":\"tanh\",\"in\":[1]," NO_ARGS "}],\"out\":2}"
#define SCALED "{\"consts\":[],\"steps\":[{\"op\":\"multiply\",\"in\":[0,2]," NO_ARGS "},{\"op\":\"add\",\"in\":[3,1]," NO_ARGS "}],\"out\":4}"

static const LayerCase cases[] = {
    { .in = { { 2, { 2, 3 } } }, .n_in = 1, .ops = "{\"in\":[[-1,3]],\"out\":[-1,3],\"weights\":[],\"infer\":" DOUBLE "}" },
    { .in = { { 3, { 4, 2, 3 } } }, .n_in = 1, .ops = "{\"in\":[[-1,2,3]],\"out\":[-1,6],\"weights\":[],\"infer\":" ROWS ",\"train\":" ROWS "}" },
    { .in = { { 2, { 3, 4 } }, { 2, { 3, 4 } } },
      .n_in = 2,
      .ops = "{\"in\":[[-1,4],[-1,4]],\"out\":[-1,4],\"weights\":[{\"name\":\"gain\",\"shape\":[4],\"init\":\"ones\",\"trainable\":true}],"
             "\"infer\":" SCALED "}" },
};

const LayerKind layer_lambda = {
    .name = "Lambda",
    .prefix = "lambda",
    .doc = "A Lua function composed of ops as a layer: nn.Lambda(function(x) return x:square() end). It is called on stand-ins when the "
           "shapes of its inputs are known, once for training and once for inference (its last argument, training, says which); what "
           "ops it composes is kept, saved and run without Lua. So it may use shapes, but not look at values; tensors from outside are "
           "constants. For weights of its own see nn.layer.\n"
           "Shapes: what the function does; the batch stays the first axis. Several inputs: function(a, b).",
    .example = "local m = nn.Sequential(); m:add(nn.Lambda(function(x) return x * x + 1 end, {input_shape = {2}})); "
               "assert(m:predict(tensor{{2, 3}})[1][2] == 10)",
    .in_least = 1,
    .in_most = OP_IN_MOST,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .build = traced_build,
    .forward = traced_forward,
    .traced = true,
    .gives = "function",
};
