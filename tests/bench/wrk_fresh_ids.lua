-- Send prepared bodies, each event with a fresh random id.
--
-- A request lies ready as bytes, head and body; before it is sent, 24 hexadecimal digits are written over every id in it. That costs
-- tens of nanoseconds an event (compiled by LuaJIT), so that the generator leaves the cores to what is measured.
-- Arguments: the file of bodies (one a line), a seed (another one for each run), and headers as NAME:VALUE.

local ffi = require("ffi")
local bit = require("bit")

local requests, position, digit_pairs = {}, 0, nil
local s0, s1

-- xorshift64 in two 32-bit halves: LuaJIT's numbers hold 32-bit integers without allocating.
local function next32()
  local t = bit.bxor(s0, bit.lshift(s0, 10))
  s0 = s1
  s1 = bit.bxor(s1, bit.rshift(s1, 13), t, bit.rshift(t, 10))
  return s1
end

local function prepare(line, head)
  local text = string.format(head, #line) .. line
  local request = { size = #text, bytes = ffi.new("uint8_t[?]", #text), ids = {} }
  ffi.copy(request.bytes, text, #text)
  local from = 1
  while true do
    local _, last = string.find(text, '{"id":"', from, true)
    if not last then break end
    request.ids[#request.ids + 1] = last
    from = last + 24
  end
  return request
end

function init(args)
  s0 = bit.tobit(tonumber(args[2]) * 2654435761 % 4294967296)
  s1 = bit.bxor(s0, 0x5bd1e995)
  for _ = 1, 64 do next32() end
  digit_pairs = ffi.new("uint16_t[256]")
  for byte = 0, 255 do
    local text = string.format("%02x", byte)
    digit_pairs[byte] = string.byte(text, 1) + 256 * string.byte(text, 2)
  end
  local head = "POST " .. wrk.path .. " HTTP/1.1\r\nHost: " .. wrk.host .. "\r\nContent-Type: application/json\r\n"
  for i = 3, #args do head = head .. string.gsub(args[i], ":", ": ", 1) .. "\r\n" end
  head = head .. "Content-Length: %d\r\n\r\n"
  for line in io.lines(args[1]) do requests[#requests + 1] = prepare(line, head) end
end

local function write_id(bytes, at)
  for word = 0, 2 do
    local random = next32()
    for byte = 0, 3 do
      local digits = digit_pairs[bit.band(bit.rshift(random, byte * 8), 255)]
      bytes[at + word * 8 + byte * 2] = bit.band(digits, 255)
      bytes[at + word * 8 + byte * 2 + 1] = bit.rshift(digits, 8)
    end
  end
end

function request()
  position = position % #requests + 1
  local chosen = requests[position]
  local ids, bytes = chosen.ids, chosen.bytes
  for i = 1, #ids do write_id(bytes, ids[i]) end
  return ffi.string(bytes, chosen.size)
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "duration_us": %d, "failed": %d, "not_2xx": %d, "p50_us": %d, "p99_us": %d}\n',
    summary.requests, summary.duration, e.connect + e.read + e.write + e.timeout, e.status,
    latency:percentile(50), latency:percentile(99)))
end
