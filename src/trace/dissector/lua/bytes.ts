/** Lua: numbers out of the packet's bytes. Places count from 0; what is not all there is nil. */
export const bytesLua = String.raw`
local bytes = {}
do
  local byte = string.byte

  function bytes.u8(s, at)
    return byte(s, at + 1)
  end

  function bytes.u16(s, at)
    local a, b = byte(s, at + 1, at + 2)
    return b and a + b * 256
  end

  function bytes.u32(s, at)
    local a, b, c, d = byte(s, at + 1, at + 4)
    return d and a + b * 256 + c * 65536 + d * 16777216
  end

  function bytes.i32(s, at)
    local value = bytes.u32(s, at)
    return value and value >= 2147483648 and value - 4294967296 or value
  end

  -- Low and high word.
  function bytes.u64(s, at)
    local low, high = bytes.u32(s, at), bytes.u32(s, at + 4)
    if high then
      return low, high
    end
  end

  -- A scalar of a structure: its value, of 64 bits low and high word.
  bytes.scalar = { u8 = bytes.u8, u16 = bytes.u16, u32 = bytes.u32, i32 = bytes.i32, u64 = bytes.u64, i64 = bytes.u64 }
  bytes.size = { u8 = 1, u16 = 2, u32 = 4, i32 = 4, u64 = 8, i64 = 8 }

  -- Exact below 2^53; a float from Lua 5.3 on.
  function bytes.wide(low, high)
    return (high or 0) * 4294967296.0 + low
  end

  -- Lua 5.2 has bit32, from 5.3 on there is the operator.
  if bit32 then
    bytes.band = bit32.band
  else
    bytes.band = load("return function(a, b) return a & b end")()
  end
end
`;
