-- SPDX-License-Identifier: MIT
-- Test lines in TAP. Used as: local tap = dofile("tests/lua/tap.lua"); tap.ok(…) …; tap.done()

local tap, n, bad = {}, 0, 0

function tap.ok(good, name)
    n = n + 1
    if not good then bad = bad + 1 end
    print((good and "ok " or "not ok ") .. n .. " - " .. name)
    return good
end

function tap.is(got, want, name)
    if not tap.ok(got == want, name) then print("#   got  " .. tostring(got) .. "\n#   want " .. tostring(want)) end
end

function tap.near(got, want, name, most)
    local good = type(got) == "number" and math.abs(got - want) <= (most or 1e-5)
    if not tap.ok(good, name) then print("#   got  " .. tostring(got) .. "\n#   want " .. tostring(want)) end
end

-- The call must raise, with this text in its message (plain) and, if given, this code.
function tap.fails(f, text, name, code)
    local good, e = pcall(f)
    local message = type(e) == "table" and e.message or tostring(e)
    local fits = not good and message:find(text, 1, true) and (not code or (type(e) == "table" and e.code == code))
    if not tap.ok(fits, name or ("refused: " .. text)) then
        print("#   want an error with: " .. text .. (code and (" [" .. code .. "]") or ""))
        print("#   got: " .. (good and "no error" or message) .. " [" .. tostring(type(e) == "table" and e.code) .. "]")
    end
end

-- What comes back from a file, tensor or number. Files hold float32: exactly what this build computes with, or (in double
-- precision) its rounding.
local exact = tensor{1 / 3}[1] ~= 1 / 3
function tap.same(got, want, name)
    local difference = type(want) == "number" and math.abs(got - want) or (got - want):abs():max():item()
    if not tap.ok(difference <= (exact and 0 or 1e-5), name) then print("#   differs by " .. difference) end
end

-- The largest difference of two lists of numbers, or of its share of the wanted one; infinite where one is NaN or missing.
function tap.worst(got, want, share)
    local worst = #got == #want and 0 or math.huge
    for i = 1, math.min(#got, #want) do
        local off = math.abs(got[i] - want[i]) / (share and math.abs(want[i]) or 1)
        worst = off == off and math.max(worst, off) or math.huge
        if worst == math.huge then break end
    end
    return worst
end

-- A shape as text, "(2, 3)".
function tap.shape(t, want, name) tap.is(tostring(t.shape), want, name) end

function tap.done()
    print("1.." .. n)
    if bad > 0 then os.exit(1) end
end

return tap
