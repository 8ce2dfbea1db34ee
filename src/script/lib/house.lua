-- SPDX-License-Identifier: MIT
-- Input and output that respect the screen: io.write, io.read, io.lines, io.popen, io.stdout and io.stderr made of the few
-- functions that C gives. Files that a script opens itself are Lua's own.

local what = ...
local say, note, shell, line = io.write, io.write_note, io.shell_text, io.read_line
local open, output = io.open, io.output
io.write_note, io.shell_text, io.read_line = nil, nil, nil

local function stream(name, write)
    local s
    s = {
        write = function(_, ...) write(...) return s end,
        flush = function() return s end,
        setvbuf = function() return true end,
        close = function() return nil, name .. " stays open" end,
        seek = function() return nil, name .. " cannot seek" end,
    }
    return setmetatable(s, {__name = "stream", __tostring = function() return name end})
end

-- A file-like reader over a source of lines; `next_line(keep)` gives nil at the end.
local function reader(next_line)
    local function one(format)
        local given = what(format)
        format = tostring(format):gsub("^%*", "")
        if format == "l" or format == "L" then return next_line(format == "L") end
        if format == "n" then return tonumber(next_line(false)) end
        if format == "a" then
            local all = {}
            for text in next_line, true do all[#all + 1] = text end
            return table.concat(all)
        end
        error('read knows "l", "L", "n" and "a" here, not ' .. given, 3)
    end
    return function(...)
        if select("#", ...) == 0 then return one("l") end
        local out = {}
        for i, format in ipairs{...} do out[i] = one(format) end
        return table.unpack(out, 1, select("#", ...))
    end
end

io.stdout, io.stderr = stream("io.stdout", say), stream("io.stderr", note)
local current = io.stdout
function io.write(...) return current:write(...) end

if line then
    io.read = reader(line)
    io.stdin = setmetatable({read = function(_, ...) return io.read(...) end, lines = function(_, f) return io.lines(nil, f) end},
        {__name = "stream", __tostring = function() return "io.stdin" end})
end

if open then
    local lines = io.lines
    function io.lines(name, ...)
        if name then return lines(name, ...) end
        local format = ... or "l"
        return function() return io.read(format) end
    end
    function io.output(to)
        if to == nil then return current end
        current = type(to) == "string" and assert(open(to, "w")) or to
        return current
    end
    function io.input() error("io.input: open the file with io.open(name) and read from that", 2) end
    function io.close(file) return (file or current):close() end
end

if shell then
    function io.popen(command, mode)
        if mode and not tostring(mode):find("^r") then error("io.popen only reads here: io.popen(command, \"r\")", 2) end
        local text, status = shell(command)
        local at = 1
        local function next_line(keep)
            if at > #text then return nil end
            local stop = text:find("\n", at, true)
            local out = text:sub(at, (stop or #text + 1) - 1) .. (keep and stop and "\n" or "")
            at = (stop or #text) + 1
            return out
        end
        local read = reader(next_line)
        local p = {}
        function p:read(...) return read(...) end
        function p:lines(format) return function() return read(format or "l") end end
        function p:close()
            if status == 0 then return true, "exit", 0 end
            return nil, status > 128 and "signal" or "exit", status > 128 and status - 128 or status
        end
        return setmetatable(p, {__name = "process", __tostring = function() return "output of " .. command end})
    end
end
