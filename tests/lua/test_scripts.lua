-- SPDX-License-Identifier: MIT
-- The scripts of scripts/examples run with --quick and reach what is far beyond chance; those whose data are not here say so.
-- The seed is fixed: the same numbers come out everywhere but for the rounding of the linear algebra library.
-- Under a sanitizer, which makes them ten times slower, and in double precision each runs for two seconds and is then stopped by
-- Ctrl-C: what is looked for there is a report, not what a training reaches.
local tap = dofile("tests/lua/tap.lua")
local ok, is = tap.ok, tap.is
local hebb_path = os.getenv("HEBB") or "build/release/hebb"

local mode = os.getenv("MODE") or "release"
local shortened = mode == "asan" or mode == "tsan" or mode == "f64"
local limit = shortened and "timeout --preserve-status -s INT -k 120 2 " or ""

local function run(script, args)
    local pipe = io.popen(('%s"%s" --seed 1 scripts/examples/%s %s 2>&1'):format(limit, hebb_path, script, args))
    local text = pipe:read("a")
    local _, how, status = pipe:close()
    return text, how == "signal" and 128 + status or status
end

-- What the line "reached: …" must show: its last numbers within these bounds, a pair for each, or a text.
local bounds = {
    airline = {0, 35, 0, 35}, -- thousands of passengers: 48 for "as last month"
    autoencoder = {50, 100}, -- 0: no better than the mean digit
    char_lstm = {0.3, 2.4}, -- nats: 2.45 knowing the letter before, 3.3 how often each letter occurs, 4.2 nothing
    cifar10_cnn = {15, 100}, -- % of ten classes: 10 by chance
    gan = {4, 10}, -- % of the rarest digit: 0 where the generator makes only some
    gpt_shakespeare = {0.3, 2.7}, -- nats, as char_lstm; so few steps bring it to the letter before
    iris = {85, 100},
    mnist_cnn = {75, 100},
    mnist_mlp = {75, 100},
    moons = {97, 100},
    names = {2.4, 2.5, 2, 2.35}, -- nats: pairs of letters, three letters; 3.3 knowing nothing
    polarity = {57, 100}, -- %: 50 by chance
    pretraining = {10, 92}, -- % of the cost of guessing; 100: nothing learnt
    resnet = {20, 100}, -- % of ten classes, as cifar10_cnn
    sine = {0, 0.4}, -- 0.71: no better than the mean
    spiral = {40, 65, 90, 100}, -- %: straight borders, bent ones
    vae = {18, 25.5}, -- nats: 27 for the mean image
    transfer = {85, 100, 75, 100}, -- % of five classes: 20 by chance
    xor = "rounds to 0,1,1,0",
}

local list = io.popen("ls scripts/examples")
for file in list:lines() do
    local name = file:match("^(.*)%.lua$")
    if name and name ~= "common" then
        local text, status = run(file, "--quick")
        local skipped, want = text:match("(skipped: [^\n]*)"), bounds[name]
        local reached = text:match("\nreached: +([^\n]*)")
        if skipped and status == 0 then
            ok(true, name .. " # SKIP " .. skipped)
        elseif shortened then
            if not ok(status == 0 or status == 130, name .. (status == 130 and " ran until it was stopped" or " ran to its end")) then
                print("#   status " .. tostring(status) .. "\n#   " .. text:sub(-600):gsub("\n", "\n#   "))
            end
        elseif not ok(status == 0 and reached and text:find("\npublished: ", 1, true), name .. " runs and reports") then
            print("#   status " .. tostring(status) .. "\n#   " .. text:sub(-600):gsub("\n", "\n#   "))
        elseif not want then
            ok(false, name .. ": test_scripts.lua has no bounds for it")
        elseif type(want) == "string" then
            ok(reached:find(want, 1, true), name .. ": " .. reached)
        else
            local numbers = {}
            for word in reached:gmatch("%-?%d+%.?%d*") do numbers[#numbers + 1] = tonumber(word) end
            for i = #want, 2, -2 do
                local number = table.remove(numbers)
                ok(number and number >= want[i - 1] and number <= want[i], ("%s: %s, wanted %g to %g"):format(name, reached, want[i - 1], want[i]))
            end
        end
    end
    bounds[name or ""] = nil
end
list:close()
is(next(bounds), nil, "every script that has bounds is there")

-- arguments
local text, status = run("mnist_mlp.lua", "/nowhere")
ok(status == 0 and text:find("skipped: no mnist in /nowhere", 1, true), "a folder without the data is named")
text, status = run("xor.lua", "--quik")
ok(status == 1 and text:find("unknown option --quik; known: --quick", 1, true), "a mistyped option is refused")
tap.done()
