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

-- The path of a file or folder of the data sets; nil: it is not there. `probe` is a file that must be in that folder.
local function find(path, probe)
    local whole = folder .. "/" .. path
    local file = io.open(probe and whole .. "/" .. probe or whole, "rb")
    if file then file:close() end
    return file and whole
end

-- The same for an example that cannot do without: it ends, and says so.
function example.data(path, probe)
    local whole = find(path, probe)
    if not whole then
        print("skipped: no " .. path .. " in " .. folder .. " (name the folder of the data sets: hebb " .. arg[0] .. " FOLDER)")
        os.exit(0)
    end
    return whole
end

-- The same where --quick can do with something made up; nil then, and a line says so.
function example.data_or_made(path, what)
    local whole = example.quick and find(path) or not example.quick and example.data(path)
    if not whole then print(("no %s in %s: %s instead"):format(path, folder, what)) end
    return whole
end

-- A text of the data sets; with --quick, where it is not here, sentences put together by chance.
function example.text(path)
    local whole = example.data_or_made(path, "made sentences")
    if whole then return data.text(whole) end
    local who, does, how = {"king", "queen", "fool", "lady", "ghost", "soldier"}, {"loves", "seeks", "fears", "calls", "forgets"}, {"noble", "old", "gentle", "lost"}
    local lines = {}
    local function draw(list) return list[math.random(#list)] end
    for i = 1, 2000 do lines[i] = ("The %s %s %s the %s %s."):format(draw(how), draw(who), draw(does), draw(how), draw(who)) end
    return table.concat(lines, "\n")
end

-- Sentences of film reviews and whether each praises (1) or blames (0), the first `limit` of each; with --quick, where they are not
-- here, made ones.
function example.reviews(limit)
    local texts, labels = {}, {}
    local function add(lines, label) for _, line in ipairs(lines) do texts[#texts + 1], labels[#labels + 1] = line, label end end
    local file = example.data_or_made("text/rt-polarity.pos", "made sentences")
    if file then
        add(data.lines(file, {limit = limit}), 1)
        add(data.lines(file:gsub("pos$", "neg"), {limit = limit}), 0)
        return texts, labels
    end
    local good, bad, what = {"lovely", "moving", "clever", "fresh"}, {"dull", "tired", "clumsy", "empty"}, {"film", "story", "cast", "ending"}
    for i = 1, 2000 do
        local word = i % 2 == 1 and good or bad
        add({("the %s is %s and the %s is %s"):format(what[math.random(4)], word[math.random(4)], what[math.random(4)], word[math.random(4)])}, i % 2)
    end
    return texts, labels
end

-- Images of 8 x 8 pixels from 0 to 1, side by side.
function example.draw(images)
    local pixels = images:reshape{-1, 64}:totable()
    for row = 0, 7 do
        local line = {}
        for _, image in ipairs(pixels) do
            for column = 1, 8 do
                local shade = math.floor(image[row * 8 + column] * 4.99) + 1
                line[#line + 1] = (" .:*#"):sub(shade, shade):rep(2)
            end
            line[#line + 1] = "   "
        end
        print(table.concat(line))
    end
end

-- What was reached, beside what was published.
function example.report(what, reached, published)
    print(("reached:   %s %s"):format(what, reached))
    print("published: " .. published)
    if example.less then print("           (--quick saw less data for a shorter time; the published figure belongs to the full run)") end
end

function example.percent(share) return ("%.2f %%"):format(100 * share) end

return example
