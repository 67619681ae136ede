/** Lua: packets of kind host system call, as strace would show them, with a link to their request. */
export const hostCallsLua = String.raw`
local host_calls = {}
do
  local format, min, max, find = string.format, math.min, math.max, string.find
  local at, packet = tables.packet.host, tables.packet
  local FIELD = { type = "i64" }

  local function define(kind, name, ...)
    return fields.define("hostcall", kind, "hostcall." .. name, ...)
  end

  local strings = {}
  for i, row in ipairs(tables.host_calls) do
    strings[i - 1] = row.name
  end
  local f = {
    queue = define("uint16", "queue", "queue", base.DEC, { [packet.no_queue] = "of no request" }),
    head = define("uint32", "head", "head", base.DEC),
    taken = define("absolute_time", "taken", "taken", base.UTC),
    call = define("uint16", "call", "call", base.DEC, strings),
    other = define("bool", "other_thread", "on another thread"),
    count = define("uint32", "count", "arguments", base.DEC),
    result = define("int64", "result", "result", base.DEC),
    errno = define("uint32", "errno", "errno", base.DEC, tables.errnos, nil, "The error, positive."),
    duration = define("relative_time", "duration", "duration"),
    argument = define("int64", "argument", "argument", base.DEC, nil, nil, "Of a call that is not known."),
    path = define("string", "path", "path or name", base.NONE, "Any path or name of any call."),
    request_in = define("framenum", "request_in", "Request in", base.NONE, frametype.REQUEST),
  }
  for _, row in ipairs(tables.host_calls) do
    for _, arg in ipairs(row.args) do
      local abbr = row.name .. "." .. arg.name
      if arg.kind == "path" then
        arg.pf = define("string", abbr, arg.name, base.NONE)
      else
        arg.pf = define("int64", abbr, arg.name, base.DEC)
        arg.bits = arg.flags and fields.bits("hostcall", "hostcall." .. abbr, tables.flags[arg.flags])
      end
      arg.type = "i64"
    end
  end

  local malformed =
    ProtoExpert.new("hostcall.malformed", "Malformed host call", expert.group.MALFORMED, expert.severity.ERROR)
  local failed = ProtoExpert.new("hostcall.failed", "Failed", expert.group.RESPONSE_CODE, expert.severity.NOTE)
  host_calls.experts = { malformed, failed }

  -- An argument in words. AT_FDCWD is -100.
  local function words_of(arg, low, high)
    local negative = high >= 2147483648
    if arg.kind == "fd" and negative and 4294967296 - low == 100 then
      return "AT_FDCWD"
    elseif negative and not arg.flags then
      return text.signed(low, high)
    elseif arg.kind == "address" then
      return text.hex(low, high)
    elseif arg.flags and negative then
      return text.flags(tables.flags[arg.flags], low, high)
    end
    return text.value(arg, low, high)
  end

  local function add_path(m, tree, arg, from)
    local nul = find(m.s, "\0", from + 1, true)
    local stop = nul and nul - 1 or m.size
    local decoded = text.decode(m.s, from, max(0, stop - from))
    fields.add_text(m, tree, arg.pf, arg.name, from, max(0, (nul or m.size) - from), decoded)
    local range = fields.range(m, from, stop - from)
    if range and fields.wanted(m, tree, f.path) then
      tree:add(f.path, range, decoded):set_hidden()
    end
    return nul or m.size, text.quote(decoded), nul ~= nil
  end

  local function add_arguments(m, tree, row, count)
    local parts, from, whole = {}, at.arguments + 8 * count, true
    for i = 1, count do
      local place = at.arguments + 8 * (i - 1)
      local low, high = bytes.u64(m.s, place)
      local arg = row and row.args[i] or { name = format("argument %d", i), type = "i64", pf = f.argument }
      if not low then
        fields.label(m, tree, place, 8, arg.name .. ": ? (not captured)")
        whole = false
      elseif arg.kind == "path" then
        local words, ended
        from, words, ended = add_path(m, tree, arg, from)
        whole = whole and ended
        parts[#parts + 1] = arg.name .. "=" .. words
      else
        local words = words_of(arg, low, high)
        local item = fields.put(m, tree, arg.pf, place, 8)
        if item and words ~= text.signed(low, high) then
          item:append_text(" (" .. words .. ")")
        end
        if arg.bits then
          fields.add_bits(m, item or tree, place, 8, tables.flags[arg.flags], arg.bits, low)
        end
        parts[#parts + 1] = arg.name .. "=" .. words
      end
    end
    return table.concat(parts, ", "), whole
  end

  function host_calls.dissect(s, tvb, pinfo, root, proto)
    local tree = root:add(proto, tvb())
    pinfo.cols.protocol = "HOST CALL"
    if #s < at.arguments then
      tree:add_proto_expert_info(malformed, format("%d bytes are no packet of this kind", #s))
      pinfo.cols.info = "(cut)"
      return
    end
    local m = fields.packet(s, tvb, tree, "hostcall")
    local queue, head = bytes.u16(s, at.queue), bytes.u32(s, at.head)
    local low, high = bytes.u64(s, at.taken)
    local taken = UInt64.new(low, high)
    local number, count = bytes.u16(s, at.call), bytes.u32(s, at.count)
    local row = tables.host_calls[number + 1]
    tree:add_le(f.queue, tvb(at.queue, 2))
    tree:add_le(f.head, tvb(at.head, 4))
    tree:add(f.taken, tvb(at.taken, 8),
      NSTime.new((taken / 1000000000):tonumber(), (taken % 1000000000):tonumber()))
    tree:add_le(f.call, tvb(at.call, 2))
    local flags = bytes.u16(s, at.flags)
    text.arm64 = bytes.band(flags, packet.arm64_call) ~= 0
    if bytes.band(flags, packet.other_thread) ~= 0 then
      tree:add(f.other, tvb(at.flags, 2), true)
    end
    tree:add_le(f.count, tvb(at.count, 4))
    tree:add_le(f.result, tvb(at.result, 8))
    local result_low, result_high = bytes.u64(s, at.result)
    local result = text.signed(result_low, result_high)
    if result_high == 4294967295 and result_low > 4294967296 - 4096 then
      local errno = text.errno(4294967296 - result_low)
      tree:add(f.errno, tvb(at.result, 8), 4294967296 - result_low):set_generated()
      tree:add_proto_expert_info(failed, errno)
      result = "-1 " .. errno
    end
    local time = UInt64.new(bytes.u64(s, at.duration))
    tree:add(f.duration, tvb(at.duration, 8),
      NSTime.new((time / 1000000000):tonumber(), (time % 1000000000):tonumber()))
    local shown = min(count, packet.max_arguments)
    local group = fields.label(m, tree, at.arguments, m.size - at.arguments, "arguments")
    local words, whole = add_arguments(m, group, row, shown)
    if not row then
      tree:add_proto_expert_info(malformed, format("%d is no host call", number))
    elseif count ~= #row.args then
      tree:add_proto_expert_info(malformed, format("%d arguments, %s has %d", count, row.name, #row.args))
    elseif not whole then
      tree:add_proto_expert_info(malformed, "not all of its arguments are there")
    end
    if not pinfo.visited then
      exchanges.take_call(pinfo.number, queue, head, low, high)
    end
    local request = queue ~= packet.no_queue and exchanges.request_taken(queue, head, low, high)
    if request then
      tree:add(f.request_in, request):set_generated()
    end
    local line = format("%s(%s) = %s", row and row.name or format("call %d", number), words, result)
    tree:append_text(", " .. line)
    pinfo.cols.info = line
  end
end
`;
