-- SPDX-License-Identifier: MIT
-- Every example of every descriptor runs as it stands, and everything that has a name can be explained.
local tap = dofile("tests/lua/tap.lua")
local all = help.examples()
local kinds = {}
for _, example in ipairs(all) do
    model = nn.Sequential{nn.Dense(3, {input_shape = {2}})} -- some examples compile it
    local run, why = load(example.code, "=" .. example.name)
    local good, e
    if run then good, e = pcall(run) else good, e = false, why end
    if not tap.ok(good, example.name .. " (" .. example.kind .. ")") then print("#   " .. tostring(e) .. "\n#   " .. example.code) end
    kinds[example.kind] = (kinds[example.kind] or 0) + 1
end
for _, kind in ipairs{"op", "layer", "loss", "optimizer", "metric", "data set", "function", "method"} do
    tap.ok((kinds[kind] or 0) > 0, "there are examples of a " .. kind)
end

local real, said = print, 0
local missing = {}
for _, row in ipairs(help.names()) do
    local good = pcall(help, row.name)
    if not good then missing[#missing + 1] = row.name end
end
tap.is(table.concat(missing, " "), "", "help knows every name that it lists")
tap.done()
