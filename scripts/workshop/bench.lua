-- hebb beside PyTorch on this machine: every workload alternating, each in a process of its own.
-- Usage: hebb scripts/workshop/bench.lua [--check | --keep] [--rounds N] [--threads N] [--no-compile] [NAME ...]
--   --check       compare with the figures kept in bench-reference.lua; status 1 when something became slower
--   --keep        write bench-reference.lua anew
-- PYTHON=… names the Python that has PyTorch (default python3); without PyTorch the table shows hebb alone. HEBB=… names the
-- program (default build/hebb). OpenBLAS chooses its own kernels: what the environment says of them is left out, on both sides.

local TOLERANCE = 0.10 -- what two runs of one program differ by on a quiet machine, and some

local hebb, python = os.getenv("HEBB") or "build/hebb", os.getenv("PYTHON") or "python3"
local here = arg[0]:match("^(.*)/") or "."
local asked = { rounds = 3, threads = 2, compile = true, names = {} }
do
  local i = 1
  while arg[i] do
    local a = arg[i]
    if a == "--check" then asked.check = true
    elseif a == "--keep" then asked.keep = true
    elseif a == "--no-compile" then asked.compile = false
    elseif a == "--rounds" or a == "--threads" then
      i = i + 1
      asked[a:sub(3)] = math.tointeger(tonumber(arg[i])) or error(a .. " wants a whole number behind it")
    elseif a:sub(1, 1) == "-" then error("no option " .. a)
    else asked.names[#asked.names + 1] = a end
    i = i + 1
  end
end

local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

local function output(command)
  local pipe = assert(io.popen("env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE " .. command))
  local text = pipe:read("a")
  return pipe:close() and text or nil
end

-- One line of JSON with numbers and strings only.
local function fields(line)
  local row = {}
  for key, value in (line or ""):gmatch('"([%w_]+)": "?([^",}]+)') do row[key] = tonumber(value) or value end
  return row
end

local function median(list)
  table.sort(list)
  local n = #list
  return n == 0 and nil or (n % 2 == 1 and list[(n + 1) // 2] or (list[n // 2] + list[n // 2 + 1]) / 2)
end

local function workloads()
  if #asked.names > 0 then return asked.names end
  local names = {}
  for name in output(quoted(hebb) .. " bench --help"):match("workloads:\n(.*)"):gmatch("\n?%s+([%w_]+) +batches") do names[#names + 1] = name end
  return names
end

local peers = quoted(here .. "/torch_peers.py")
local has_torch = output(quoted(python) .. " " .. peers .. " --probe 2>/dev/null") ~= nil

local function ours(name) return fields(output(("%s bench %s --json --blocks 3 --threads %d"):format(quoted(hebb), name, asked.threads))) end
local function theirs(name, more)
  return fields(output(("%s %s %s --blocks 3 --threads %d %s 2>/dev/null"):format(quoted(python), peers, name, asked.threads, more or "")))
end

-- Median milliseconds of each side, and of the ratios round by round: what disturbs one round disturbs both sides.
local function measure(name)
  local own, eager, ratios, row = {}, {}, {}, {}
  local shares = {}
  for _ = 1, asked.rounds do
    local a = ours(name)
    if not a.ms_per_step then error("hebb bench " .. name .. " gave no figures") end
    own[#own + 1], shares[#shares + 1], row.mb, row.allocations = a.ms_per_step, a.peak_share, a.resident_mb, a.allocations_per_step
    local b = has_torch and theirs(name) or {}
    if b.ms_per_step then
      eager[#eager + 1], ratios[#ratios + 1], row.torch_mb = b.ms_per_step, b.ms_per_step / a.ms_per_step, b.resident_mb
    end
  end
  row.ms, row.eager, row.ratio, row.share = median(own), median(eager), median(ratios), median(shares)
  row.compiled = has_torch and asked.compile and theirs(name, "--compile").ms_per_step or nil
  return row
end

local function cell(format, value) return value and format:format(value) or ("%" .. format:match("%d+") .. "s"):format("-") end

local kept = {}
if asked.check then
  kept = assert(loadfile(here .. "/bench-reference.lua"), "there is no bench-reference.lua yet: make one with --keep")()
end

print(("%d threads, medians of %d rounds%s"):format(asked.threads, asked.rounds, has_torch and "" or "; no PyTorch here (PYTHON=… names one that has it)"))
print(("%-22s %10s %10s %8s %10s %8s %8s %7s %8s %9s"):format("workload", "hebb ms", "eager ms", "ratio", "compiled", "ratio", "of peak", "allocs", "hebb MB", "torch MB"))
local results, slower = {}, {}
for _, name in ipairs(workloads()) do
  local row = measure(name)
  results[#results + 1] = { name = name, row = row }
  print(("%-22s %10.4f %s %s %s %s %6.1f %% %7.2f %8.1f %s"):format(name, row.ms, cell("%10.4f", row.eager), cell("%7.2fx", row.ratio),
    cell("%10.4f", row.compiled), cell("%7.2fx", row.compiled and row.compiled / row.ms), 100 * row.share, row.allocations, row.mb, cell("%9.1f", row.torch_mb)))
  local was = kept[name]
  local what = was and (row.ratio and was.ratio and "ratio" or "share")
  if was and row[what] < (1 - TOLERANCE) * was[what] then
    slower[#slower + 1] = ("%s: %s %.3g, it was %.3g"):format(name, what == "ratio" and "ratio to PyTorch" or "share of peak", row[what], was[what])
  end
end

if asked.keep then
  local file = assert(io.open(here .. "/bench-reference.lua", "w"))
  file:write("-- Made by `hebb scripts/workshop/bench.lua --keep`: times PyTorch's eager step, and share of a large matrix product's rate.\nreturn {\n")
  for _, r in ipairs(results) do
    file:write(("  %s = { ratio = %s, share = %.3f },\n"):format(r.name, r.row.ratio and ("%.2f"):format(r.row.ratio) or "nil", r.row.share))
  end
  file:write("}\n")
  file:close()
end
if asked.check then
  print(#slower == 0 and "nothing became slower" or "became slower:\n  " .. table.concat(slower, "\n  "))
  os.exit(#slower == 0)
end
