-- Turn a captured terminal screen into an SVG picture.
-- Usage: hebb scripts/workshop/picture.lua CAPTURE.ansi OUT.svg
-- The capture is what `tmux capture-pane -e -p` prints: text with SGR sequences. Braille dots, block elements and box lines
-- are drawn as shapes, so that they join in every font.

local CELL_W, CELL_H, SIZE = 9, 18, 15
local FOREGROUND, BACKGROUND = "#dcdcdc", "#121216"
local BASE = { [0] = "#000000", "#cd3131", "#0dbc79", "#e5e510", "#2472c8", "#bc3fbc", "#11a8cd", "#cccccc",
  "#666666", "#f14c4c", "#23d18b", "#f5f543", "#3b8eea", "#d670d6", "#29b8db", "#ffffff" }

local function indexed(n)
  if n < 16 then return BASE[n] end
  if n >= 232 then
    local v = 8 + 10 * (n - 232)
    return ("#%02x%02x%02x"):format(v, v, v)
  end
  local function level(v) return v == 0 and 0 or 55 + 40 * v end
  n = n - 16
  return ("#%02x%02x%02x"):format(level(n // 36), level(n // 6 % 6), level(n % 6))
end

-- One SGR sequence's numbers change the style.
local function sgr(params, style)
  local v = {}
  for number in (params == "" and "0" or params):gmatch("[^;:]*") do v[#v + 1] = tonumber(number) or 0 end
  local i = 1
  while i <= #v do
    local p = v[i]
    if p == 0 then style.fg, style.bg, style.bold, style.dim, style.reverse, style.underline = nil
    elseif p == 1 then style.bold = true
    elseif p == 2 then style.dim = true
    elseif p == 4 then style.underline = true
    elseif p == 7 then style.reverse = true
    elseif p == 22 then style.bold, style.dim = nil
    elseif p == 24 then style.underline = nil
    elseif p == 27 then style.reverse = nil
    elseif p >= 30 and p <= 37 then style.fg = BASE[p - 30]
    elseif p >= 90 and p <= 97 then style.fg = BASE[p - 82]
    elseif p >= 40 and p <= 47 then style.bg = BASE[p - 40]
    elseif p >= 100 and p <= 107 then style.bg = BASE[p - 92]
    elseif p == 39 then style.fg = nil
    elseif p == 49 then style.bg = nil
    elseif p == 38 or p == 48 then
      local colour
      if v[i + 1] == 5 then colour, i = indexed(v[i + 2] or 0), i + 2
      elseif v[i + 1] == 2 then colour, i = ("#%02x%02x%02x"):format(v[i + 2] or 0, v[i + 3] or 0, v[i + 4] or 0), i + 4 end
      if p == 38 then style.fg = colour else style.bg = colour end
    end
    i = i + 1
  end
end

local function copy(style)
  local out = {}
  for k, v in pairs(style) do out[k] = v end
  return out
end

-- A line of the capture as cells {code, style}.
local function cells_of(line, style)
  local cells, at = {}, 1
  while at <= #line do
    local params, stop = line:match("^\27%[([%d;:]*)m()", at)
    if params then
      sgr(params, style)
      at = stop
    else
      local code = utf8.codepoint(line, at)
      cells[#cells + 1] = { code, copy(style) }
      at = utf8.offset(line, 2, at)
    end
  end
  return cells
end

local out = {}
local function emit(...) out[#out + 1] = string.format(...) end
local function rect(x, y, w, h, fill, opacity)
  emit('<rect x="%.2f" y="%.2f" width="%.2f" height="%.2f" fill="%s"%s/>', x, y, w, h, fill, opacity and (' opacity="' .. opacity .. '"') or "")
end

-- Shapes: true when the character was drawn.
local BOX = { -- left, right, up, down arms
  [0x2500] = "lr", [0x2502] = "ud", [0x250C] = "rd", [0x2510] = "ld", [0x2514] = "ru", [0x2518] = "lu", [0x251C] = "rud",
  [0x2524] = "lud", [0x252C] = "lrd", [0x2534] = "lru", [0x253C] = "lrud", [0x256D] = "rd", [0x256E] = "ld", [0x256F] = "lu",
  [0x2570] = "ru", [0x2574] = "l", [0x2576] = "r" }
local function shape(code, x, y, fill, opacity)
  if code >= 0x2800 and code <= 0x28FF then
    local dots = code - 0x2800
    local place = { { 0, 0 }, { 0, 1 }, { 0, 2 }, { 1, 0 }, { 1, 1 }, { 1, 2 }, { 0, 3 }, { 1, 3 } }
    for bit = 0, 7 do
      if dots >> bit & 1 == 1 then
        local p = place[bit + 1]
        emit('<circle cx="%.2f" cy="%.2f" r="1.55" fill="%s"%s/>', x + CELL_W * (0.25 + 0.5 * p[1]), y + CELL_H * (0.125 + 0.25 * p[2]), fill,
          opacity and (' opacity="' .. opacity .. '"') or "")
      end
    end
    return true
  elseif code == 0x2580 then rect(x, y, CELL_W, CELL_H / 2, fill, opacity)
  elseif code >= 0x2581 and code <= 0x2588 then
    local h = CELL_H * (code - 0x2580) / 8
    rect(x, y + CELL_H - h, CELL_W, h, fill, opacity)
  elseif code >= 0x2589 and code <= 0x258F then rect(x, y, CELL_W * (0x2590 - code) / 8, CELL_H, fill, opacity)
  elseif code == 0x2590 then rect(x + CELL_W / 2, y, CELL_W / 2, CELL_H, fill, opacity)
  elseif code >= 0x2591 and code <= 0x2593 then rect(x, y, CELL_W, CELL_H, fill, ({ "0.25", "0.5", "0.75" })[code - 0x2590])
  elseif BOX[code] then
    local cx, cy = x + CELL_W / 2, y + CELL_H / 2
    for arm in BOX[code]:gmatch(".") do
      if arm == "l" then rect(x, cy - 0.5, CELL_W / 2 + 0.5, 1, fill, opacity)
      elseif arm == "r" then rect(cx - 0.5, cy - 0.5, CELL_W / 2 + 0.5, 1, fill, opacity)
      elseif arm == "u" then rect(cx - 0.5, y, 1, CELL_H / 2 + 0.5, fill, opacity)
      else rect(cx - 0.5, cy - 0.5, 1, CELL_H / 2 + 0.5, fill, opacity) end
    end
  else return false end
  return true
end

local ESCAPES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }
local function same(a, b)
  return a.fg == b.fg and a.bg == b.bg and a.bold == b.bold and a.dim == b.dim and a.reverse == b.reverse and a.underline == b.underline
end

local function colours(style)
  local fg, bg = style.fg or FOREGROUND, style.bg
  if style.reverse then fg, bg = bg or BACKGROUND, style.fg or FOREGROUND end
  return fg, bg
end

-- A row: backgrounds in runs, shapes, then text in runs of one style, each stretched to its columns.
local function draw_row(cells, y)
  local i = 1
  while i <= #cells do
    local j = i
    while j < #cells and same(cells[j + 1][2], cells[i][2]) do j = j + 1 end
    local style = cells[i][2]
    local fg, bg = colours(style)
    local opacity = style.dim and "0.6" or nil
    if bg then rect((i - 1) * CELL_W, y, (j - i + 1) * CELL_W, CELL_H, bg) end
    local text, first = {}, i
    local function flush(last)
      local run = table.concat(text)
      local lead = #run:match("^ *")
      run = run:gsub("^ +", ""):gsub(" +$", "")
      if run ~= "" then
        emit('<text x="%d" y="%.1f" fill="%s"%s%s%s textLength="%d" xml:space="preserve">%s</text>', (first - 1 + lead) * CELL_W, y + CELL_H * 0.74, fg,
          style.bold and ' font-weight="bold"' or "", opacity and (' opacity="' .. opacity .. '"') or "",
          style.underline and ' text-decoration="underline"' or "", utf8.len(run) * CELL_W, run:gsub("[&<>]", ESCAPES))
      end
      text, first = {}, last + 1
    end
    for k = i, j do
      if shape(cells[k][1], (k - 1) * CELL_W, y, fg, opacity) then flush(k) else text[#text + 1] = utf8.char(cells[k][1]) end
    end
    flush(j)
    i = j + 1
  end
end

local function main(capture, picture)
  if not capture or not picture then error("usage: hebb scripts/workshop/picture.lua CAPTURE.ansi OUT.svg", 0) end
  local rows, style, width = {}, {}, 0
  for line in io.lines(capture) do
    rows[#rows + 1] = cells_of(line, style)
    width = math.max(width, #rows[#rows])
  end
  local w, h = width * CELL_W, #rows * CELL_H
  emit('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="-8 -8 %d %d" font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="%d">',
    w + 16, h + 16, w + 16, h + 16, SIZE)
  emit('<rect x="-8" y="-8" width="%d" height="%d" rx="6" fill="%s"/>', w + 16, h + 16, BACKGROUND)
  for i, cells in ipairs(rows) do draw_row(cells, (i - 1) * CELL_H) end
  emit("</svg>\n")
  local file = assert(io.open(picture, "w"))
  assert(file:write(table.concat(out, "\n")))
  file:close()
end

main(arg[1], arg[2])
