/** Lua: values in kernel terms, names, quotes; the same words as protocol/print.ts and protocol/text.ts. */
export const textLua = String.raw`
local text = {}
do
  -- Whether the packet's open(2) flags have the numbers of arm64; told by whoever reads its pseudo-header.
  text.arm64 = false

  local format, floor, find, sub, byte = string.format, math.floor, string.find, string.sub, string.byte
  local band = bytes.band
  local units = { "", "K", "M", "G", "T", "P" }

  function text.hex(low, high)
    if high and high > 0 then
      return format("0x%x%08x", high, low)
    end
    return format("0x%x", low)
  end

  function text.decimal(low, high)
    if not high or high < 2097152 then
      return format("%.0f", bytes.wide(low, high))
    end
    return tostring(UInt64.new(low, high))
  end

  -- 64 bits with a sign.
  function text.signed(low, high)
    if high < 2147483648 then
      return text.decimal(low, high)
    end
    if low == 0 then
      return "-" .. text.decimal(0, 4294967296 - high)
    end
    return "-" .. text.decimal(4294967296 - low, 4294967295 - high)
  end

  function text.size(low, high)
    if high and high >= 2097152 then
      return text.decimal(low, high)
    end
    local rest, unit = bytes.wide(low, high), 1
    while rest >= 1024 and rest % 1024 == 0 do
      rest, unit = rest / 1024, unit + 1
    end
    return format("%.0f%s", rest, units[unit])
  end

  function text.device(value)
    return format("%d:%d", floor(value / 256) % 4096, value % 256 + floor(value / 1048576) * 256)
  end

  function text.errno(value)
    local positive = value < 0 and -value or value
    return tables.errnos[positive] or format("errno %d", positive)
  end

  -- The rows that a flag word is made of, and the bits of its low word that no row names.
  function text.split(flags, low)
    local rows, rest = {}, low
    for _, row in ipairs(text.arm64 and flags.arm64 or flags.bits) do
      if band(low, row.mask) == row.value and (row.value == 0 or band(rest, row.value) ~= 0) then
        rows[#rows + 1] = row
        rest = rest - band(rest, row.mask)
      end
    end
    return rows, rest
  end

  function text.flags(flags, low, high)
    local rows, rest = text.split(flags, low)
    local names = {}
    for i, row in ipairs(rows) do
      names[i] = row.name
    end
    if rest > 0 or (high and high > 0) then
      names[#names + 1] = text.hex(rest, high)
    end
    return #names == 0 and "0" or table.concat(names, "|")
  end

  -- How a field's value is shown: by its flags, enumeration, "show" and type.
  function text.value(field, low, high)
    local show = field.show
    if field.flags then
      return text.flags(tables.flags[field.flags], low, high)
    elseif field.enum then
      local name = (high or 0) == 0 and tables.enums[field.enum][low]
      return name or (show == "hex" and text.hex(low, high)) or text.decimal(low, high)
    elseif show == "octal" then
      return format("0%o", low)
    elseif show == "mode" then
      return format("0%03o", low)
    elseif show == "hex" or (show == "id" and high and high > 0) then
      return text.hex(low, high)
    elseif show == "size" then
      return text.size(low, high)
    elseif show == "errno" then
      return low == 0 and "0" or text.errno(low)
    elseif show == "device" then
      return text.device(low)
    elseif high and field.type == "i64" and high >= 2147483648 then
      return text.signed(low, high)
    elseif high and high >= 2097152 then
      return text.hex(low, high)
    end
    return text.decimal(low, high)
  end

  -- Length of the well-formed UTF-8 sequence of two to four bytes at i, or 0.
  local function sequence(s, i)
    local first = byte(s, i)
    local size = first >= 0xc2 and first <= 0xdf and 2 or first >= 0xe0 and first <= 0xef and 3
      or first >= 0xf0 and first <= 0xf4 and 4 or 0
    if size == 0 or i + size - 1 > #s then
      return 0
    end
    for k = i + 1, i + size - 1 do
      local next = byte(s, k)
      if next < 0x80 or next > 0xbf then
        return 0
      end
    end
    local second = byte(s, i + 1)
    if (first == 0xe0 and second < 0xa0) or (first == 0xed and second > 0x9f)
      or (first == 0xf0 and second < 0x90) or (first == 0xf4 and second > 0x8f) then
      return 0
    end
    return size
  end

  -- Bytes meant as text: a backslash is doubled, what is no UTF-8 becomes \xNN, and so does NUL, which would end it.
  function text.decode(s, at, length)
    local raw = sub(s, at + 1, at + length)
    if not find(raw, "[%z\\\128-\255]") then
      return raw
    end
    local parts, i = {}, 1
    while i <= #raw do
      local plain = find(raw, "[%z\\\128-\255]", i) or #raw + 1
      if plain > i then
        parts[#parts + 1] = sub(raw, i, plain - 1)
        i = plain
      elseif byte(raw, i) == 0x5c then
        parts[#parts + 1] = "\\\\"
        i = i + 1
      else
        local size = byte(raw, i) == 0 and 0 or sequence(raw, i)
        parts[#parts + 1] = size == 0 and format("\\x%02x", byte(raw, i)) or sub(raw, i, i + size - 1)
        i = i + math.max(size, 1)
      end
    end
    return table.concat(parts)
  end

  local escapes = { ['"'] = '\\"', ["\n"] = "\\n", ["\t"] = "\\t" }

  local function unicode(high, low)
    return function(c)
      return format("\\u%04x", high + byte(c, #c) % 64 + low)
    end
  end

  -- In quotes, on one line.
  function text.quote(decoded)
    local escaped = decoded:gsub('["%c]', function(c)
      return escapes[c] or format("\\u%04x", byte(c))
    end)
    if find(escaped, "[\194\226]") then
      escaped = escaped:gsub("\194[\128-\159]", unicode(0x80, 0))
        :gsub("\226\128[\168-\174]", unicode(0x2000, 0)):gsub("\226\129[\166-\169]", unicode(0x2040, 0))
    end
    return '"' .. escaped .. '"'
  end

  -- A time in seconds since the epoch, UTC; nil for what no calendar has.
  function text.date(low, high)
    local seconds = bytes.wide(low, high)
    if seconds < 253402300800 then
      return os.date("!%Y-%m-%d %H:%M:%S", floor(seconds))
    end
  end
end
`;
