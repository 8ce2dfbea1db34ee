-- SPDX-License-Identifier: MIT
-- Files of text: encodings, line ends, packed ones, and what is no text.
local tap = dofile("tests/lua/tap.lua")
local is, fails = tap.is, tap.fails
local path = os.tmpname()
local function put(text) local file = assert(io.open(path, "wb")); file:write(text); file:close() end
local function joined(options) return table.concat(data.lines(path, options), "|") end

put("\xef\xbb\xbfone\r\ntwo\rthree\n\n四\n")
is(data.text(path), "one\ntwo\nthree\n\n四\n", "no byte order mark, one kind of line end")
is(joined(), "one|two|three|四", "lines without the empty ones"); is(joined{empty = true}, "one|two|three||四", "or with them; none behind the last end")
is(joined{limit = 2}, "one|two", "or the first ones")
put("a\0b\nc"); is(data.lines(path)[1], "a\0b", "a zero byte is a character"); is(data.lines(path)[2], "c", "a last line without an end")
put(""); is(data.text(path), "", "an empty file"); is(#data.lines(path), 0, "has no lines")
put("\r\r"); is(#data.lines(path, {empty = true}), 2, "old line ends alone")
local example = assert(io.open("data/digits-train-labels.idx.gz", "rb")); local packed = example:read("a"); example:close()
put(packed); fails(function() data.text(path) end, "is not UTF-8", "a packed file is unpacked before it is judged", "data")

put("fine\nna\xefve\n"); fails(function() data.text(path) end, "line 2: byte 8 of the file (EF) is not UTF-8; iconv", "an old encoding, with place and remedy", "data")
put("\xff\xfea\0"); fails(function() data.lines(path) end, "is UTF-16", "UTF-16 is named", "data")
put(packed:sub(1, 100)); fails(function() data.text(path) end, path, "half a packed file", "data")
fails(function() data.text("/nowhere/at/all") end, "/nowhere/at/all", "a file that is not there", "io"); fails(function() data.text("/") end, "/", "a folder", "io")
fails(function() data.text(5) end, "wants a file name, got the number 5", "a number", "arg"); fails(function() data.lines() end, "", "no file", "arg")
fails(function() data.lines(path, {limit = 0}) end, "limit", "no lines at all", "arg"); fails(function() data.lines(path, {empty = 1}) end, "empty", "an option of another type", "arg")
os.remove(path)
tap.done()
