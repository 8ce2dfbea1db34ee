-- SPDX-License-Identifier: MIT
-- Cleaning tables. What is learnt is learnt from the training rows alone and then applied to others: each verb gives the cleaned rows and a
-- function that does the same to other rows.

local _, _, refuse, options = ...

local function columns_of(x, who)
    x = type(x) == "table" and tensor(x) or x
    if type(x) ~= "userdata" or not x.rank or x.rank ~= 2 then
        refuse("%s wants a table of shape (rows, columns)%s", who, type(x) == "userdata" and x.rank and ", got " .. tostring(x.shape) or "")
    end
    return x, x:to("float32"):totable()
end

-- The sorted values of a column, those that are missing (NaN) left out.
local function sorted(rows, c)
    local out = {}
    for _, row in ipairs(rows) do if row[c] == row[c] then out[#out + 1] = row[c] end end
    table.sort(out)
    return out
end

-- Between sorted values, 0 the least and 1 the largest; as NumPy's quantile.
local function quantile(values, share)
    local place = share * (#values - 1) + 1
    local below = math.floor(place)
    return values[below] + (place - below) * ((values[below + 1] or values[below]) - values[below])
end

-- The function that changes cell (value, column) in rows of `width` columns.
local function apply_to(who, width, change)
    return function(x)
        local _, rows = columns_of(x, who)
        if #rows > 0 and #rows[1] ~= width then refuse("%s was learnt from %d columns, got %d", who, width, #rows[1]) end
        for _, row in ipairs(rows) do for c = 1, width do row[c] = change(row[c], c) end end
        return tensor(rows)
    end
end

--- data.impute(x, {strategy = "mean", fill_value = 0}): fills what is missing (NaN, as data.csv(file, {missing = "keep"}) leaves it) with the
--- column's mean, median, or "constant". Gives x and a function for other rows:
--- train_x, fill = data.impute(train.x, {strategy = "median"}); test_x = fill(test.x)
function data.impute(x, given)
    local o = options("data.impute", given, {strategy = "mean", fill_value = 0}, {strategy = {"mean", "median", "constant"}, fill_value = "number"})
    local _, rows = columns_of(x, "data.impute")
    if #rows == 0 then refuse("data.impute: there are no rows to learn from") end
    local fills = {}
    for c = 1, #rows[1] do
        local values, sum = sorted(rows, c), 0
        for _, value in ipairs(values) do sum = sum + value end
        if o.strategy == "constant" then fills[c] = o.fill_value
        elseif #values == 0 then refuse("data.impute: column %d has no value at all; leave it out, or strategy = \"constant\"", c)
        else fills[c] = o.strategy == "mean" and sum / #values or quantile(values, 0.5) end
    end
    local fill = apply_to("data.impute", #fills, function(value, c) return value == value and value or fills[c] end)
    return fill(x), fill
end

--- data.clip_outliers(x, {factor = 1.5}): values further than factor times the middle half's width (the distance of its quartiles) outside that
--- half become the limit. Gives x, and a function for other rows that has the same limits. Missing ones (NaN) stay. Source: Tukey 1977.
function data.clip_outliers(x, given)
    local o = options("data.clip_outliers", given, {factor = 1.5})
    local _, rows = columns_of(x, "data.clip_outliers")
    if #rows == 0 then refuse("data.clip_outliers: there are no rows to learn from") end
    local low, high = {}, {}
    for c = 1, #rows[1] do
        local values = sorted(rows, c)
        if #values == 0 then refuse("data.clip_outliers: column %d has no value at all", c) end
        local first, third = quantile(values, 0.25), quantile(values, 0.75)
        low[c], high[c] = first - o.factor * (third - first), third + o.factor * (third - first)
    end
    local clip = apply_to("data.clip_outliers", #low, function(value, c) return value ~= value and value or math.max(low[c], math.min(high[c], value)) end)
    return clip(x), clip
end
