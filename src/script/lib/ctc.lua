-- SPDX-License-Identifier: MIT

local _, _, refuse = ...

--- nn.ctc_decode(logits): what the steps of each sample say, read greedily: the likeliest class of each step, repeats merged, blanks (class 0)
--- left out. logits or probabilities [B, T, C], as of a model with loss "ctc"; gives a list of lists of class numbers.
--- assert(nn.ctc_decode(tensor{{{0, 9}, {0, 9}, {9, 0}, {0, 9}}})[1][2] == 1)
function nn.ctc_decode(logits)
    local ok, best = pcall(function() return op.argmax(logits, {axis = -1}):totable() end)
    if not ok or type(best) ~= "table" or type(best[1]) ~= "table" or type(best[1][1]) ~= "number" then refuse("nn.ctc_decode wants a tensor of shape (batch, time, classes)") end
    local out = {}
    for i, steps in ipairs(best) do
        local labels, last = {}, 0
        for _, class in ipairs(steps) do
            if class ~= last and class ~= 0 then labels[#labels + 1] = class end
            last = class
        end
        out[i] = labels
    end
    return out
end
