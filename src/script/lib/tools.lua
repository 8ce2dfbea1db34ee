-- SPDX-License-Identifier: MIT
-- Small things for people at the prompt.

local _, _, refuse = ...

--- tour(): a small network learns handwritten digits on the screen, and the lines that made it are told. The lines are in
--- scripts/tour.lua; read them with  $ cat scripts/tour.lua
function tour()
    local path = hebb.resource("scripts/tour.lua")
    if not path then refuse("the tour is not here: scripts/tour.lua was not installed with this hebb") end
    local open = assert(io and io.open, "--safe reads no files outside the folder")
    local file <close> = assert(open(path))
    assert(load(file:read("a"), "@" .. path))()
end

--- nn.LearningRateScheduler(schedule): a callback that sets the learning rate at the start of every epoch, as Keras's:
--- schedule(epoch, rate) gives the new rate; epochs count from 1.
--- model:fit(x, y, {epochs = 20, callbacks = {nn.LearningRateScheduler(function(epoch, rate) return epoch > 15 and 1e-4 or rate end)}})
function nn.LearningRateScheduler(schedule)
    if type(schedule) ~= "function" then refuse("nn.LearningRateScheduler wants a function (epoch, rate) -> rate") end
    return {on_epoch_begin = function(epoch, _, run)
        local rate = schedule(epoch, run.learning_rate)
        if type(rate) ~= "number" then error("the schedule gave " .. type(rate) .. " for epoch " .. epoch .. ", not a number") end
        if rate ~= run.learning_rate then run.learning_rate = rate end
    end}
end

local known = {}

--- who(): the variables that you have made, with what they hold.
function who()
    local names = {}
    for name, value in pairs(_G) do
        if type(name) == "string" and not known[name] then names[#names + 1] = name end
    end
    table.sort(names)
    if #names == 0 then print("no variables yet") end
    for _, name in ipairs(names) do
        local value = _G[name]
        local text = type(value) == "table" and not (getmetatable(value) or {}).__tostring and ("table of " .. #value) or tostring(value)
        text = text:match("[^\n]*")
        if type(value) == "function" then text = "function" end
        if #text > 60 then text = text:sub(1, 60) .. "..." end
        print(("  %-14s %s"):format(name, text))
    end
end

for name in pairs(_G) do known[name] = true end
known.arg, known._ = true, true
