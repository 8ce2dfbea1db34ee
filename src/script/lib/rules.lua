-- SPDX-License-Identifier: MIT
-- Regularisers and constraints as objects, as Keras has them: each gives the text that layers take.

local _, _, refuse, options = ...

-- Arguments by place in this order, or by name in one table.
local function maker(class, name, order)
    local known = {}
    for _, one in ipairs(order) do known[one] = true end
    return function(...)
        local given, parts, byname = {...}, {}, {}
        local last = given[#given]
        if type(last) == "table" and #given > 0 and last[1] == nil then byname = table.remove(given) end
        if #given > #order then refuse("nn.%s takes %s, got %d arguments", class, table.concat(order, ", "), #given) end
        for i, value in ipairs(given) do
            if byname[order[i]] ~= nil then refuse("nn.%s: %s is given twice, by place and by name", class, order[i]) end
            byname[order[i]] = value
        end
        for key, value in pairs(options("nn." .. class, byname, {}, known)) do
            if type(value) == "table" then value = table.concat(value, ",") end
            parts[#parts + 1] = key .. "=" .. (type(value) == "number" and ("%.14g"):format(value) or tostring(value))
        end
        table.sort(parts)
        return #parts > 0 and ("%s(%s)"):format(name, table.concat(parts, ", ")) or name
    end
end

--- nn.regularizers.L1(l1): a penalty for kernel_regularizer and the like; the same as the text "l1(0.01)".

--- nn.regularizers.L2(l2): a penalty for kernel_regularizer and the like; the same as the text "l2(0.01)".
--- local d = nn.Dense(3, {kernel_regularizer = nn.regularizers.L2(0.001)}); assert(d.kernel_regularizer == "l2(l2=0.001)")

--- nn.regularizers.L1L2(l1, l2): both penalties, for kernel_regularizer and the like; the same as the text "l1_l2(0.01, 0.01)".

--- nn.regularizers.OrthogonalRegularizer(factor, mode): a penalty for rows (or columns) that are not orthogonal; the same as the text
--- "orthogonal(0.01, mode=rows)".
nn.regularizers = {L1 = maker("regularizers.L1", "l1", {"l1"}), L2 = maker("regularizers.L2", "l2", {"l2"}), L1L2 = maker("regularizers.L1L2", "l1_l2", {"l1", "l2"}),
                   OrthogonalRegularizer = maker("regularizers.OrthogonalRegularizer", "orthogonal", {"factor", "mode"})}

--- nn.constraints.UnitNorm(axis): for kernel_constraint and the like; the same as the text "unit_norm".

--- nn.constraints.MinMaxNorm(min_value, max_value, rate, axis): for kernel_constraint and the like; the same as the text "min_max_norm(0, 1)".

--- nn.constraints.NonNeg(): for kernel_constraint and the like; the same as the text "non_neg".

--- nn.constraints.MaxNorm(max_value, axis): for kernel_constraint and the like; the same as the text "max_norm(2)".
--- local d = nn.Dense(3, {kernel_constraint = nn.constraints.MaxNorm(2)}); assert(d.kernel_constraint == "max_norm(max_value=2)")
nn.constraints = {MaxNorm = maker("constraints.MaxNorm", "max_norm", {"max_value", "axis"}), UnitNorm = maker("constraints.UnitNorm", "unit_norm", {"axis"}),
                  MinMaxNorm = maker("constraints.MinMaxNorm", "min_max_norm", {"min_value", "max_value", "rate", "axis"}), NonNeg = maker("constraints.NonNeg", "non_neg", {})}
