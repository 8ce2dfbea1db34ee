-- What every example needs and no lesson is about: its arguments, its data, the last line. Used as
--   local example = dofile(hebb.resource("scripts/examples/common.lua"))
-- An example is run as   hebb scripts/examples/NAME.lua [--quick] [FOLDER]
-- FOLDER holds the data sets (mnist/, cifar10/, text/, series/); without it $HEBB_DATA, then ../shared/data.

local example = {quick = false}
local folder = os.getenv("HEBB_DATA") or "../shared/data"
for _, word in ipairs(arg or {}) do
    if word == "--quick" then example.quick = true
    elseif word:sub(1, 1) == "-" then error("unknown option " .. word .. "; known: --quick", 0)
    else folder = word end
end

-- The first of two values in a full run, the second with --quick.
function example.pick(full, quick)
    example.less = example.quick
    if example.quick then return quick end
    return full
end

-- The path of a file or folder of the data sets. `probe` is a file that must be there; without it the example ends, and says so.
function example.data(path, probe)
    local whole = folder .. "/" .. path
    local file = io.open(probe and whole .. "/" .. probe or whole, "rb")
    if not file then
        print("skipped: no " .. path .. " in " .. folder .. " (name the folder of the data sets: hebb " .. arg[0] .. " FOLDER)")
        os.exit(0)
    end
    file:close()
    return whole
end

-- What was reached, beside what was published.
function example.report(what, reached, published)
    print(("reached:   %s %s"):format(what, reached))
    print("published: " .. published)
    if example.less then print("           (--quick saw less data for a shorter time; the published figure belongs to the full run)") end
end

function example.percent(share) return ("%.2f %%"):format(100 * share) end

return example
