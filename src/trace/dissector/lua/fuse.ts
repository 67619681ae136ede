/** Lua: packets of kind request and reply: pseudo-header, times, matching, paths, the Info column. */
export const fuseLua = String.raw`
local fuse = {}
do
  local format, floor = string.format, math.floor
  local at = tables.packet.fuse
  local packet = tables.packet
  local NANO, INIT = 1000000000, tables.fuse.init

  local function define(kind, name, ...)
    return fields.define("fuse", kind, "fuse." .. name, ...)
  end

  local f = {
    kind = define("uint8", "kind", "kind", base.DEC, { [0] = "request", [1] = "reply", [packet.dropped] = "dropped reply" }),
    queue = define("uint16", "queue", "queue", base.DEC, nil, nil, "The virtqueue; 0 is hiprio."),
    head = define("uint32", "head", "head", base.DEC, nil, nil, "First descriptor of the chain."),
    taken = define("absolute_time", "taken", "taken", base.UTC, "When the request was taken from its queue."),
    length = define("uint32", "length", "length", base.DEC, nil, nil, "Bytes of the message, captured or not."),
    cut = define("bool", "cut", "cut", base.NONE, nil, nil, "Not all of the message was captured."),
    later = define("bool", "later", "answered later", base.NONE, nil, nil, "By another thread, or after a wait."),
    changed = define("bool", "changed", "changed", base.NONE, nil, nil, "A debugger or a fault changed request or reply."),
    dropped = define("bool", "dropped", "dropped", base.NONE, nil, nil, "By a fault: the guest has no reply."),
    held = define("relative_time", "held", "held", "By a debugger or a fault."),
    calls = define("uint16", "calls", "number of host calls", base.DEC),
    queued = define("relative_time", "queued", "queued", "From the queue to the daemon."),
    daemon = define("relative_time", "daemon", "in the daemon", "Not in the host, not writing the reply, not held."),
    host = define("relative_time", "host", "host system calls", "Time in host system calls."),
    writing = define("relative_time", "writing", "writing the reply", "From the last host call to the reply."),
    time = define("relative_time", "time", "time", "From taking the request to giving the reply."),
    response_in = define("framenum", "response_in", "Reply in", base.NONE, frametype.RESPONSE),
    request_in = define("framenum", "request_in", "Request in", base.NONE, frametype.REQUEST),
    host_call = define("framenum", "host_call", "Host call in", base.NONE),
    path = define("string", "path", "path", base.NONE, "What it is about, as far as the capture tells."),
    errno = define("uint32", "errno", "errno", base.DEC, tables.errnos, nil, "The error of a reply, positive."),
    notify = define("uint32", "notify", "notification", base.DEC, (function()
      local strings = {}
      for code, row in pairs(tables.fuse.notifications) do
        strings[code] = row.name
      end
      return strings
    end)(), nil, "What a notification is about."),
    reply_to = define("uint32", "reply_to", "reply to", base.DEC, (function()
      local strings = {}
      for number, row in pairs(tables.fuse.opcodes) do
        strings[number] = row.name
      end
      return strings
    end)(), nil, "The opcode that is answered."),
  }

  local experts = {
    malformed = ProtoExpert.new("fuse.malformed", "Malformed message", expert.group.MALFORMED, expert.severity.ERROR),
    cut = ProtoExpert.new("fuse.truncated", "Not all captured", expert.group.UNDECODED, expert.severity.CHAT),
    failed = ProtoExpert.new("fuse.failed", "Error reply", expert.group.RESPONSE_CODE, expert.severity.NOTE),
    orphan = ProtoExpert.new("fuse.no_request", "No request", expert.group.SEQUENCE, expert.severity.NOTE),
  }
  fuse.experts = { experts.malformed, experts.cut, experts.failed, experts.orphan }

  -- Seconds and nanoseconds, of either sign and any size, as Wireshark has times: both of one sign.
  local function span(seconds, nanoseconds)
    local more = floor(nanoseconds / NANO)
    seconds, nanoseconds = floor(seconds + more), floor(nanoseconds - more * NANO)
    if seconds < 0 and nanoseconds > 0 then
      seconds, nanoseconds = seconds + 1, nanoseconds - NANO
    end
    return NSTime.new(seconds, nanoseconds)
  end

  local epoch = Field.new("frame.time_epoch")

  -- Seconds and nanoseconds of the packet's own time; pinfo's is a float, and a microsecond off.
  local function packet_time(pinfo)
    local found = epoch()
    if found then
      return found.value.secs, found.value.nsecs
    end
    local seconds = floor(pinfo.abs_ts)
    return seconds, floor((pinfo.abs_ts - seconds) * NANO)
  end

  local function add_span(m, tree, field, place, value)
    if fields.wanted(m, tree, field) then
      local item = tree:add(field, m.tvb(place, 4), span(0, value))
      if value >= 4294967295 then
        item:append_text(" or longer")
      end
    end
  end

  local function header(m, pinfo, tree)
    local h = {
      queue = bytes.u16(m.s, at.queue),
      head = bytes.u32(m.s, at.head),
      length = bytes.u32(m.s, at.length),
      flags = bytes.u16(m.s, at.flags),
      calls = bytes.u16(m.s, at.calls),
      queued = bytes.u32(m.s, at.queued),
      host = bytes.u32(m.s, at.host),
      writing = bytes.u32(m.s, at.writing),
      held = 0,
      reply = bytes.u8(m.s, 1) ~= packet.request,
      dropped = bytes.u8(m.s, 1) == packet.dropped,
    }
    text.arm64 = bytes.band(h.flags, packet.arm64) ~= 0
    h.taken_low, h.taken_high = bytes.u64(m.s, at.taken)
    h.unique_low, h.unique_high = bytes.u64(m.s, at.message + 8)
    local taken = UInt64.new(h.taken_low, h.taken_high)
    h.seconds = (taken / NANO):tonumber()
    h.nanoseconds = (taken % NANO):tonumber()
    local group = fields.label(m, tree, 0, at.message, "capture")
    fields.put(m, group, f.kind, 1, 1)
    fields.put(m, group, f.queue, at.queue, 2)
    fields.put(m, group, f.head, at.head, 4)
    if fields.wanted(m, group, f.taken) then
      group:add(f.taken, m.tvb(at.taken, 8), NSTime.new(h.seconds, h.nanoseconds))
    end
    fields.put(m, group, f.length, at.length, 4)
    if bytes.band(h.flags, packet.cut) ~= 0 then
      fields.put(m, group, f.cut, at.flags, 2, true)
    end
    if bytes.band(h.flags, packet.later) ~= 0 then
      fields.put(m, group, f.later, at.flags, 2, true)
    end
    h.changed = bytes.band(h.flags, packet.changed) ~= 0
    if h.changed then
      fields.put(m, group, f.changed, at.flags, 2, true)
    end
    add_span(m, group, f.queued, at.queued, h.queued)
    if bytes.band(h.flags, packet.held) ~= 0 then
      local microseconds = bytes.u32(m.s, at.held)
      h.held = microseconds * 1000
      if fields.wanted(m, group, f.held) then
        local item = group:add(f.held, m.tvb(at.held, 4), span(0, h.held))
        if microseconds >= 4294967295 then
          item:append_text(" or longer")
        end
      end
    end
    if h.reply then
      fields.put(m, group, f.calls, at.calls, 2)
      add_span(m, group, f.host, at.host, h.host)
      add_span(m, group, f.writing, at.writing, h.writing)
    end
    return h
  end

  local function add_times(m, tree, pinfo, h)
    local seconds, nanoseconds = packet_time(pinfo)
    seconds, nanoseconds = seconds - h.seconds, nanoseconds - h.nanoseconds
    fields.generate(m, tree, f.time, span(seconds, nanoseconds))
    local outside = h.host + h.writing + h.held
    local latency = seconds * NANO + nanoseconds
    local daemon = latency < outside and NSTime.new(0, 0) or span(seconds, nanoseconds - outside)
    fields.generate(m, tree, f.daemon, daemon)
    return latency
  end

  local function duration(nanoseconds)
    if nanoseconds < 1000000 then
      return format("%.1f µs", nanoseconds / 1000)
    end
    return nanoseconds < NANO and format("%.2f ms", nanoseconds / 1000000) or format("%.3f s", nanoseconds / NANO)
  end

  -- What is wrong with a message, or not there of it.
  local function judge(m, tree)
    for _, words in ipairs(m.problems) do
      tree:add_proto_expert_info(experts.malformed, words)
    end
    if m.stop > m.size then
      tree:add_proto_expert_info(experts.cut, format("%d of %d bytes captured", m.size - m.base, m.length))
    end
  end

  local function request_path(m, row)
    local key = paths.key(bytes.u64(m.s, at.message + 16))
    local name = row and row.naming and m.names[1]
    return paths.of(key, name), key
  end

  local function dissect_request(m, pinfo, tree, h)
    local known = exchanges.requests[pinfo.number]
    local session = known and known.session
    if not pinfo.visited then
      session = exchanges.session
    end
    local number = bytes.u32(m.s, at.message + 4)
    if number == INIT then
      session = nil
    end
    local line = messages.request(m, at.message, session)
    if not pinfo.visited then
      local path, key = nil, 0
      if m.size >= at.message + 24 and number ~= INIT then
        path, key = request_path(m, m.row)
      end
      known = { row = m.row, number = number, asked = m.asked, session = session, path = path }
      if m.row and m.row.naming then
        known.nodeid, known.names = key, m.names
        known.new_parent = m.row.naming == "rename" and messages.argument(m, "newdir") or nil
        known.exchange = m.row.name == "RENAME2" and bytes.band(messages.argument(m, "flags") or 0, 2) ~= 0
      elseif m.row and m.row.name == "READDIRPLUS" then
        known.nodeid = key
      elseif m.row and number == INIT then
        known.minor = messages.argument(m, "minor")
        exchanges.session = nil
        paths.reset()
      end
      exchanges.take_request(pinfo.number, h, known)
    end
    if known and known.path then
      fields.generate(m, tree, f.path, known.path)
    end
    local reply = exchanges.reply_of[pinfo.number]
    if reply then
      fields.generate(m, tree, f.response_in, reply)
    end
    return line, known and known.path
  end

  -- What a good reply says of names and of the session.
  local function learn_from(m, request)
    local row = request.row
    if m.error ~= 0 or not row then
      return
    end
    local body = at.message + 16
    if row.naming == "entry" then
      local low, high = bytes.u64(m.s, body)
      if low and (low > 0 or high > 0) then
        paths.bind(paths.key(low, high), request.nodeid, request.names[1])
      end
    elseif row.naming == "remove" then
      paths.remove(request.nodeid, request.names[1])
    elseif row.naming == "rename" and request.new_parent then
      paths.move(request.nodeid, request.names[1], request.new_parent, request.names[2], request.exchange)
    elseif row.number == INIT then
      local minor = messages.argument(m, "minor")
      local flags = messages.argument(m, "flags") or 0
      if minor then
        exchanges.session = { minor = math.min(minor, request.minor or minor), flags = flags }
      end
    end
  end

  local function dissect_reply(m, pinfo, tree, h)
    if not pinfo.visited then
      exchanges.take_reply(pinfo.number, h)
    end
    local asked_in = exchanges.request_of[pinfo.number]
    local request = asked_in and exchanges.requests[asked_in]
    local learn = nil
    if request and not pinfo.visited and request.nodeid then
      learn = function(name, low, high)
        paths.bind(paths.key(low, high), request.nodeid, name)
      end
    end
    local line = messages.reply(m, at.message, request, request and request.session, learn)
    if request then
      if request.number then
        fields.generate(m, tree, f.reply_to, request.number)
      end
      if request.path then
        fields.generate(m, tree, f.path, request.path)
      end
      fields.generate(m, tree, f.request_in, asked_in)
      line = (request.row and request.row.name or format("opcode %d", request.number or 0)) .. " " .. line
    end
    if m.notification then
      fields.generate(m, tree, f.notify, m.error)
    else
      local took = duration(add_times(m, tree, pinfo, h))
      took = h.held > 0 and took .. ", held " .. duration(h.held) or took
      line = format("%s (%s)", line, h.changed and took .. ", changed" or took)
      if not request then
        tree:add_proto_expert_info(experts.orphan, "no request for this reply in the capture")
      end
    end
    for _, number in ipairs(exchanges.calls_of(h)) do
      fields.generate(m, tree, f.host_call, number)
    end
    if m.error < 0 then
      fields.generate(m, tree, f.errno, -m.error)
      local words = tables.errno_docs[-m.error]
      tree:add_proto_expert_info(experts.failed, text.errno(m.error) .. (words and ": " .. words or ""))
    end
    if request and not pinfo.visited then
      learn_from(m, request)
    end
    return line, request and request.path
  end

  -- The request stays without a reply.
  local function dissect_dropped(m, pinfo, tree, h)
    local asked_in = exchanges.request_taken(h.queue, h.head, h.taken_low, h.taken_high)
    local request = asked_in and exchanges.requests[asked_in]
    fields.put(m, tree, f.dropped, 1, 1, true)
    if not request then
      return "reply dropped by a fault"
    end
    fields.generate(m, tree, f.request_in, asked_in)
    if request.path then
      fields.generate(m, tree, f.path, request.path)
    end
    return (request.row and request.row.name .. " " or "") .. "reply dropped by a fault", request.path
  end

  function fuse.dissect(s, tvb, pinfo, root, proto)
    local tree = root:add(proto, tvb())
    pinfo.cols.protocol = "FUSE"
    if #s < at.message then
      tree:add_proto_expert_info(experts.malformed, format("%d bytes are no packet of this kind", #s))
      pinfo.cols.info = "(cut)"
      return
    end
    local m = fields.packet(s, tvb, tree, "fuse")
    local h = header(m, pinfo, tree)
    local dissect = h.dropped and dissect_dropped or h.reply and dissect_reply or dissect_request
    local line, path = dissect(m, pinfo, tree, h)
    if not h.dropped then
      judge(m, tree)
    end
    if m.visible then
      tree:append_text(", " .. line)
    end
    pinfo.cols[h.reply and "dst" or "src"] = "guest"
    pinfo.cols[h.reply and "src" or "dst"] = format("queue %d", h.queue)
    pinfo.cols.info = path and line .. "  " .. path or line
  end
end
`;
