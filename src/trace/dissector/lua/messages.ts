/**
 * Lua: FUSE requests, replies and notifications, read by the opcode table as protocol/message.ts reads them, into
 * subtrees, problems and the words of the Info column.
 *
 * Filter names: fuse.OPCODE.field of a request, fuse.OPCODE.reply.field of a reply, fuse.notify.CODE.field.
 */
export const messagesLua = String.raw`
local messages = {}
do
  local format, min, max, floor, find = string.format, math.min, math.max, math.floor, string.find

  -- Items of one packet, so that none makes Wireshark give up.
  local MOST_RECORDS = 40000

  local names = {}
  for _, label in ipairs({ "name", "oldname", "newname", "target" }) do
    names[label] = fields.define("fuse", "string", "fuse." .. label, label, base.NONE)
  end
  messages.name_fields = names
  local rest_field = fields.define("fuse", "bytes", "fuse.rest", "rest", base.NONE, "Bytes more than expected.")
  local layouts = {
    in_header = fields.layout("fuse", "fuse", tables.fuse.in_header),
    out_header = fields.layout("fuse", "fuse", tables.fuse.out_header),
  }
  for _, name in ipairs({ "ext_header", "secctx_header", "secctx", "supp_groups" }) do
    layouts[name] = fields.layout("fuse", "fuse." .. name, tables.fuse[name])
  end
  local secctx_name = fields.define("fuse", "string", "fuse.secctx.name", "name", base.NONE)
  local secctx_context = fields.define("fuse", "string", "fuse.secctx.context", "context", base.NONE)
  local group_field = fields.define("fuse", "uint32", "fuse.supp_groups.groups", "group", base.DEC)

  local function prepare_payload(shape, prefix)
    if not shape then
      return
    end
    if shape.kind == "data" then
      shape.pf = fields.define("fuse", "bytes", prefix .. ".data", "data", base.NONE, shape.doc)
    elseif shape.kind == "text" then
      shape.pf = fields.define("fuse", "string", prefix .. ".data", "data", base.NONE, shape.doc)
    elseif shape.kind == "records" then
      shape.layout = fields.layout("fuse", prefix, shape.record)
    elseif shape.kind == "dirents" then
      shape.layout = fields.layout("fuse", prefix, shape.record)
    end
    if shape.kind == "names" or shape.kind == "dirents" then
      shape.name = fields.define("fuse", "string", prefix .. ".name", "name", base.NONE)
    end
  end

  for _, row in pairs(tables.fuse.opcodes) do
    local prefix = "fuse." .. row.key
    row.takes = fields.layouts("fuse", prefix, row.takes)
    row.gives = fields.layouts("fuse", prefix .. ".reply", row.gives)
    row.gives_size = row.gives_size and fields.layouts("fuse", prefix .. ".reply", row.gives_size)
    prepare_payload(row.payload, prefix)
    prepare_payload(row.reply_payload, prefix .. ".reply")
  end
  for _, row in pairs(tables.fuse.notifications) do
    row.gives = fields.layouts("fuse", "fuse.notify." .. row.key, row.gives)
    prepare_payload(row.reply_payload, "fuse.notify." .. row.key)
  end

  local function problem(m, ...)
    m.problems[#m.problems + 1] = format(...)
  end

  -- Begins to read the message at at; header: "in_header" or "out_header".
  local function start(m, at, header)
    local layout = layouts[header]
    local size = layout.struct.size
    local here = m.size - at
    m.base, m.problems, m.parts, m.structs, m.names = at, {}, {}, {}, {}
    fields.add(m, fields.label(m, m.tree, at, size, layout.struct.name), layout, at, size, nil)
    local length = bytes.u32(m.s, at) or here
    m.stop = at + length
    m.length = length
    m.at = at + size
    m.whole_header = here >= size
    if not m.whole_header then
      problem(m, "%d bytes are no %s", here, layout.struct.name)
    elseif length < size then
      problem(m, "len is %d, less than its header", length)
    elseif length < here then
      problem(m, "len is %d, but there are %d bytes", length, here)
    end
  end

  local function left(m)
    return max(0, m.stop - m.at)
  end

  local function read_struct(m, layout, size)
    if size == 0 then
      return
    end
    local struct = layout.struct
    if left(m) < size then
      problem(m, "%s needs %d bytes, %d are left", struct.name, size, left(m))
    end
    local length = min(size, left(m), struct.size)
    m.structs[#m.structs + 1] = { struct = struct, at = m.at, size = length }
    fields.add(m, fields.label(m, m.tree, m.at, length, struct.name), layout, m.at, length, m.parts)
    m.at = m.at + length
  end

  -- A field of the first structure, as a number.
  local function argument(m, name)
    local first = m.structs[1]
    return first and fields.number(m, first.struct, first.at, first.size, name)
  end

  local function read_name(m, label)
    local here = min(m.stop, m.size)
    local nul = find(m.s, "\0", m.at + 1, true)
    if nul and nul > here then
      nul = nil
    end
    if not nul and m.size >= m.stop then
      problem(m, "%s has no NUL", label)
    end
    local length = nul and nul - m.at or left(m)
    local decoded = text.decode(m.s, m.at, max(0, (nul and nul - 1 or here) - m.at))
    m.names[#m.names + 1] = decoded
    m.parts[#m.parts + 1] = text.quote(decoded)
    fields.add_text(m, m.tree, names[label] or names.name, label, m.at, length, decoded)
    m.at = m.at + length
  end

  local function too_many(m, tree, count)
    if count < MOST_RECORDS then
      return false
    end
    if count == MOST_RECORDS then
      fields.label(m, tree, m.size, 0, format("… and more than these %d", MOST_RECORDS))
    end
    return true
  end

  local function read_dirents(m, tree, shape, at, size, learn)
    local layout, count = shape.layout, 0
    local record = layout.struct
    local plus = record.name == tables.fuse.direntplus
    local dirent = plus and tables.structs[tables.fuse.dirent] or record
    local namelen_at = record.size - dirent.size
    for _, field in ipairs(dirent.fields) do
      if field.name == "namelen" then
        namelen_at = namelen_at + field.at
      end
    end
    local stop, from = min(at + size, m.size), at
    while from + record.size <= stop do
      local namelen = bytes.u32(m.s, from + namelen_at)
      if namelen == 0 or from + record.size + namelen > stop then
        break
      end
      local length = floor((record.size + namelen + 7) / 8) * 8
      local decoded = text.decode(m.s, from + record.size, namelen)
      if not too_many(m, tree, count) then
        local words = m.visible and record.name .. ": " .. text.quote(decoded)
        local group = fields.label(m, tree, from, min(length, stop - from), words)
        fields.add(m, group, layout, from, record.size, nil)
        fields.add_text(m, group, shape.name, "name", from + record.size, namelen, decoded)
      end
      if plus and learn then
        learn(decoded, bytes.u64(m.s, from))
      end
      count = count + 1
      from = from + length
    end
    return count
  end

  local function read_names(m, tree, shape, at, size)
    local stop, from, count = min(at + size, m.size), at, 0
    while from < stop do
      local nul = find(m.s, "\0", from + 1, true)
      local length = nul and nul <= stop and nul - 1 - from or stop - from
      if not too_many(m, tree, count) then
        local decoded = text.decode(m.s, from, length)
        fields.add_text(m, tree, shape.name, format("[%d]", count), from, length + 1, decoded)
      end
      count = count + 1
      from = from + length + 1
    end
    return count
  end

  local function read_records(m, tree, shape, at, size)
    local struct = shape.layout.struct
    local count = floor(min(size, max(0, m.size - at)) / struct.size)
    for i = 0, min(count, MOST_RECORDS) - 1 do
      local place = at + i * struct.size
      fields.add(m, fields.label(m, tree, place, struct.size, struct.name), shape.layout, place, struct.size, nil)
    end
    if count > MOST_RECORDS then
      too_many(m, tree, count)
    end
    return count
  end

  local function read_data(m, shape, length, learn)
    if length > left(m) then
      problem(m, "%.0f bytes are announced, %d are left", length, left(m))
    end
    local size, at = min(length, left(m)), m.at
    local whole = at + size <= m.size
    local words = format("%d bytes", size)
    if shape.kind == "text" and whole then
      local decoded = text.decode(m.s, at, size)
      words = text.quote(decoded)
      fields.add_text(m, m.tree, shape.pf, "data", at, size, decoded)
    elseif shape.kind == "data" or shape.kind == "text" then
      local range = fields.range(m, at, size)
      local cut = whole and "" or format(", %d of them captured", max(0, m.size - at))
      if range and shape.kind == "data" then
        if fields.wanted(m, m.tree, shape.pf) then
          m.tree:add(shape.pf, range):set_text(format("data: %d bytes%s", size, cut))
        end
      else
        fields.label(m, m.tree, at, size, format("data: %d bytes%s", size, cut))
      end
    else
      local group = fields.label(m, m.tree, at, size, "data")
      local read = shape.kind == "dirents" and read_dirents or shape.kind == "names" and read_names or read_records
      local count = read(m, group, shape, at, size, learn)
      words = whole and format("%d %s", count, count == 1 and "entry" or "entries")
        or format("%d bytes of entries", size)
      if m.visible then
        group:append_text(": " .. words)
      end
    end
    m.at = at + size
    return words
  end

  local function read_rest(m, tolerated)
    local more = left(m)
    if more == 0 then
      return
    end
    if not tolerated then
      problem(m, "%d bytes more than expected", more)
    end
    local range = fields.range(m, m.at, more)
    if not range then
      fields.label(m, m.tree, m.at, 0, format("rest: %d bytes, not captured", more))
    elseif fields.wanted(m, m.tree, rest_field) then
      m.tree:add(rest_field, range)
    end
  end

  local function read_groups(m, tree, at, stop)
    local group = fields.label(m, tree, at, stop - at, "supplementary groups")
    fields.add(m, group, layouts.ext_header, at, 8, nil)
    local first = at + 8
    local size = min(4, stop - first)
    fields.add(m, group, layouts.supp_groups, first, size, nil)
    local count = fields.number(m, layouts.supp_groups.struct, first, size, "nr_groups") or 0
    for i = 0, min(count, max(0, floor((stop - first - 4) / 4))) - 1 do
      if too_many(m, group, i) then
        return
      end
      fields.put(m, group, group_field, first + 4 + 4 * i, 4)
    end
  end

  local function read_contexts(m, tree, at, stop)
    local group = fields.label(m, tree, at, stop - at, "security contexts")
    fields.add(m, group, layouts.secctx_header, at, 8, nil)
    local from, count = at + 8, bytes.u32(m.s, at + 4) or 0
    while count > 0 and from + 8 <= stop do
      local name_at = from + 8
      local nul = find(m.s, "\0", name_at + 1, true)
      if not nul or nul > stop then
        return
      end
      local value_at = nul
      local length = min(bytes.u32(m.s, from) or 0, stop - value_at)
      local one = fields.label(m, group, from, value_at + length - from, "fuse_secctx")
      fields.add(m, one, layouts.secctx, from, 8, nil)
      local name = text.decode(m.s, name_at, nul - 1 - name_at)
      fields.add_text(m, one, secctx_name, "name", name_at, nul - name_at, name)
      local ended = length > 0 and bytes.u8(m.s, value_at + length - 1) == 0 and 1 or 0
      fields.add_text(m, one, secctx_context, "context", value_at, length, text.decode(m.s, value_at, length - ended))
      from = at + floor((value_at + length - at + 7) / 8) * 8
      count = count - 1
    end
  end

  local function read_extensions(m)
    local group = fields.label(m, m.tree, m.at, left(m), "extensions")
    local stop, from = min(m.stop, m.size), m.at
    while from + 8 <= stop do
      local size, kind = bytes.u32(m.s, from), bytes.u32(m.s, from + 4)
      local to = min(from + size, stop)
      if size < 8 then
        break
      end
      if kind == tables.fuse.ext_groups then
        read_groups(m, group, from, to)
      elseif kind <= tables.fuse.max_contexts then
        read_contexts(m, group, from, to)
      else
        fields.add(m, fields.label(m, group, from, 8, "fuse_ext_header"), layouts.ext_header, from, 8, nil)
      end
      from = from + floor((size + 7) / 8) * 8
    end
    m.at = m.stop
  end

  -- Bytes of a structure in this message. room: all that is left where nothing else is in it, else nil.
  local function struct_size(row, of, index, full, room, session)
    local smallest = full
    for _, c in ipairs(row.compat or {}) do
      if c.of == of and c.index == index - 1 then
        local possible = not c.below or not session or session.minor < c.below
        if room and possible and c.size == room then
          return room
        end
        if session and ((c.below and session.minor < c.below)
          or (c.without and bytes.band(session.flags, c.without) == 0)) then
          smallest = min(smallest, c.size)
        end
      end
    end
    if room == full then
      return full
    end
    return smallest
  end

  -- Without a session: a SETXATTR of 8 bytes is one where name and value fill the message exactly.
  local function short_setxattr(m)
    local nul = find(m.s, "\0", m.at + 9, true)
    if m.at + 8 > m.size or not nul or nul > m.stop or nul == m.at + 9 then
      return false
    end
    return nul + bytes.u32(m.s, m.at) == m.stop
  end

  local function payload_length(m, shape)
    if shape.kind == "data" and shape.size then
      return argument(m, shape.size) or left(m)
    elseif shape.kind ~= "records" then
      return left(m)
    end
    local count = argument(m, shape.count)
    return count and count * shape.layout.struct.size or left(m)
  end

  -- Reads the request at at. The result: its row, and what its reply needs to know.
  function messages.request(m, at, session)
    start(m, at, "in_header")
    local number = bytes.u32(m.s, at + 4)
    local row = number and tables.fuse.opcodes[number]
    m.row = row
    if row then
      local alone = #row.names == 0 and not row.payload
      for i, layout in ipairs(row.takes) do
        local full = layout.struct.size
        local short = not session and row.name == "SETXATTR" and short_setxattr(m)
        read_struct(m, layout, short and 8 or struct_size(row, "in", i, full, alone and left(m) or nil, session))
      end
      for _, label in ipairs(row.names) do
        read_name(m, label)
      end
      if row.payload then
        read_data(m, row.payload, payload_length(m, row.payload))
      end
      if row.extensions and left(m) > 0 then
        read_extensions(m)
      end
    elseif m.whole_header then
      problem(m, "%d is no opcode", number)
    end
    read_rest(m)
    m.asked = argument(m, "size")
    local words = { row and row.name or format("opcode %d", number or 0) }
    if number ~= tables.fuse.init then
      local low, high = bytes.u64(m.s, at + 16)
      words[2] = "nodeid=" .. text.value({ show = "id", type = "u64" }, low or 0, high or 0)
    end
    return messages.line(words, m)
  end

  -- The words so far, what was collected, and what is wrong.
  function messages.line(words, m)
    for _, part in ipairs(m.parts) do
      words[#words + 1] = part
    end
    if #m.problems > 0 then
      words[#words + 1] = "(" .. table.concat(m.problems, "; ") .. ")"
    end
    return table.concat(words, " ")
  end

  -- Reads the reply at at; request: what is known of its request, or nil. learn: told of each entry with a name.
  function messages.reply(m, at, request, session, learn)
    start(m, at, "out_header")
    local error = bytes.i32(m.s, at + 4) or 0
    local low, high = bytes.u64(m.s, at + 8)
    local row = request and request.row
    local words, payload = {}, nil
    m.row, m.error = row, error
    m.notification = (low or 0) == 0 and (high or 0) == 0 and error > 0
    if m.notification then
      local notice = tables.fuse.notifications[error]
      words[1] = "NOTIFY_" .. (notice and notice.name or format("code %d", error))
      if notice then
        for _, layout in ipairs(notice.gives) do
          read_struct(m, layout, layout.struct.size)
        end
        payload = notice.reply_payload and read_data(m, notice.reply_payload, left(m))
      else
        problem(m, "%d is no notification", error)
      end
    else
      words[1] = error == 0 and "->" or "-> " .. text.errno(error)
      if error > 0 or error <= -4096 then
        problem(m, "%d is no errno", error)
      elseif error == 0 and row and request.asked == 0 and row.gives_size then
        for _, layout in ipairs(row.gives_size) do
          read_struct(m, layout, layout.struct.size)
        end
      elseif error == 0 and row then
        local alone = #row.gives == 1 and not row.reply_payload
        for i, layout in ipairs(row.gives) do
          read_struct(m, layout, struct_size(row, "out", i, layout.struct.size, alone and left(m) or nil, session))
        end
        payload = row.reply_payload and read_data(m, row.reply_payload, left(m), learn)
      end
    end
    -- What a reply without a request holds cannot be told: that is no fault of the message.
    read_rest(m, not request and error == 0)
    if payload then
      m.parts[#m.parts + 1] = payload
    end
    if words[1] == "->" and #m.parts == 0 then
      words[1] = "-> OK"
    end
    return messages.line(words, m)
  end

  messages.argument = argument
end
`;
