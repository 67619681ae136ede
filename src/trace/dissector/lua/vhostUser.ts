/** Lua: packets of kind vhost-user message: header, what the request's row says it carries, features by name. */
export const vhostUserLua = String.raw`
local vhost_user = {}
do
  local format, min, max, floor = string.format, math.min, math.max, math.floor
  local at, table_of = tables.packet.vhost, tables.vhost_user
  local PREFIX = "vhost_user"

  local function define(kind, name, ...)
    return fields.define(PREFIX, kind, PREFIX .. "." .. name, ...)
  end

  local function names(rows)
    local strings = {}
    for id, row in pairs(rows) do
      strings[id] = row.name
    end
    return strings
  end

  local f = {
    direction = define("uint16", "direction", "direction", base.DEC,
      { [0] = "from the front-end", [1] = "to the front-end" }),
    descriptors = define("uint32", "descriptors", "descriptors", base.DEC),
    length = define("uint32", "length", "length", base.DEC),
    request = define("uint32", "request", "request", base.DEC, names(table_of.requests)),
    backend_request = define("uint32", "backend_request", "request of the back-end", base.DEC,
      names(table_of.backend_requests)),
    is_reply = define("bool", "reply", "a reply"),
    data = define("bytes", "data", "data", base.NONE),
    index = define("uint32", "vring", "queue", base.DEC, nil, nil, "The queue of SET_VRING_KICK, _CALL and _ERR."),
    nofd = define("bool", "nofd", "no descriptor"),
  }
  local header = fields.layout(PREFIX, PREFIX, table_of.header)
  local region = fields.layout(PREFIX, PREFIX .. ".region", table_of.region)
  local number = fields.layout(PREFIX, PREFIX, table_of.number)
  for _, rows in ipairs({ table_of.requests, table_of.backend_requests }) do
    local backend = rows == table_of.backend_requests
    for _, row in pairs(rows) do
      local prefix = PREFIX .. (backend and ".backend." or ".") .. row.key
      row.takes = row.takes and (row.takes == table_of.number and number or fields.layout(PREFIX, prefix, row.takes))
      row.gives = row.gives and (row.gives == table_of.number and number or fields.layout(PREFIX, prefix, row.gives))
    end
  end
  local function feature_fields(list, name)
    local made = {}
    for i, row in ipairs(list) do
      made[i] = define("bool", name .. "." .. row.name:lower(), row.name, base.NONE, nil, nil, row.doc)
    end
    return made
  end
  local features = feature_fields(table_of.features, "feature")
  local protocol_features = feature_fields(table_of.protocol_features, "protocol_feature")

  local malformed =
    ProtoExpert.new("vhost_user.malformed", "Malformed message", expert.group.MALFORMED, expert.severity.ERROR)
  vhost_user.experts = { malformed }

  local function add_features(tree, range, list, made, low, high)
    local found = {}
    for i, row in ipairs(list) do
      local word, bit = low, row.bit
      if bit >= 32 then
        word, bit = high, bit - 32
      end
      if floor(word / 2 ^ bit) % 2 == 1 then
        tree:add(made[i], range, true):set_text(row.name .. ": " .. row.doc)
        found[#found + 1] = row.name
      end
    end
    return table.concat(found, " ")
  end

  -- The number of a message in words, by which request it belongs to.
  local function add_number(m, tree, row, place, parts)
    local low, high = bytes.u64(m.s, place)
    if not low then
      return
    end
    local range, name = m.tvb(place, 8), row.name
    if name == "GET_FEATURES" or name == "SET_FEATURES" then
      parts[1] = add_features(tree, range, table_of.features, features, low, high)
    elseif name == "GET_PROTOCOL_FEATURES" or name == "SET_PROTOCOL_FEATURES" then
      parts[1] = add_features(tree, range, table_of.protocol_features, protocol_features, low, high)
    elseif name == "SET_VRING_KICK" or name == "SET_VRING_CALL" or name == "SET_VRING_ERR" then
      tree:add(f.index, range, low % 256)
      local none = floor(low / 256) % 2 == 1
      if none then
        tree:add(f.nofd, range, true)
      end
      parts[1] = format("index=%d%s", low % 256, none and " no descriptor" or "")
    end
  end

  local function add_regions(m, tree, place, stop, count)
    local size = region.struct.size
    for i = 0, min(count, table_of.max_regions) - 1 do
      local from = place + i * size
      if from + size > stop then
        return from
      end
      fields.add(m, fields.label(m, tree, from, size, region.struct.name), region, from, size, nil)
    end
    return place + min(count, table_of.max_regions) * size
  end

  local function payload(m, tree, row, layout, place, stop, parts)
    local struct = layout.struct
    local size = min(stop - place, struct.size)
    local group = fields.label(m, tree, place, size, struct.name)
    fields.add(m, group, layout, place, size, parts)
    if struct.name == table_of.number then
      if size >= 8 then
        add_number(m, group, row, place, parts)
      end
    elseif struct.name == table_of.memory and size >= 8 then
      local count = bytes.u32(m.s, place)
      return add_regions(m, group, place + size, stop, count or 0)
    end
    return place + size
  end

  function vhost_user.dissect(s, tvb, pinfo, root, proto)
    local tree = root:add(proto, tvb())
    pinfo.cols.protocol = "VHOST-USER"
    if #s < at.message then
      tree:add_proto_expert_info(malformed, format("%d bytes are no packet of this kind", #s))
      pinfo.cols.info = "(cut)"
      return
    end
    local m = fields.packet(s, tvb, tree, "vhost_user")
    tree:add_le(f.direction, tvb(at.direction, 2))
    tree:add_le(f.descriptors, tvb(at.descriptors, 4))
    tree:add_le(f.length, tvb(at.length, 4))
    local place = at.message
    local head = fields.label(m, tree, place, header.struct.size, header.struct.name)
    local id, flags, size = bytes.u32(s, place), bytes.u32(s, place + 4), bytes.u32(s, place + 8)
    if not size then
      fields.add(m, head, header, place, header.struct.size, nil)
      tree:add_proto_expert_info(malformed, format("%d bytes are no %s", #s - place, header.struct.name))
      pinfo.cols.info = "(cut)"
      return
    end
    local to_front_end = bytes.u16(s, at.direction) == 1
    local is_reply = bytes.band(flags, table_of.reply) ~= 0
    -- A reply goes the other way than its request.
    local backend = to_front_end ~= is_reply
    local row = (backend and table_of.backend_requests or table_of.requests)[id]
    fields.add(m, head, header, place, header.struct.size, nil)
    if backend then
      head:add_le(f.backend_request, tvb(place, 4))
    end
    if is_reply then
      head:add(f.is_reply, tvb(place + 4, 4), true)
    end
    local parts = {}
    local from, stop = place + header.struct.size, min(place + header.struct.size + size, m.size)
    local wanted = place + header.struct.size + size
    if not row then
      tree:add_proto_expert_info(malformed, format("%d is no request", id))
    end
    local layout = row and row.takes
    if row and is_reply then
      layout = row.gives or number
    end
    if layout and from < stop then
      from = payload(m, tree, row, layout, from, stop, parts)
    end
    local range = from < stop and fields.range(m, from, stop - from)
    if range then
      tree:add(f.data, range)
    end
    if wanted > m.size then
      tree:add_proto_expert_info(malformed, format("%d bytes of payload, %d are there", size, max(0, m.size - place - 12)))
    elseif wanted < m.size then
      tree:add_proto_expert_info(malformed, format("%d bytes more than expected", m.size - wanted))
    end
    local name = (backend and "BACKEND_" or "") .. (row and row.name or format("request %d", id))
    local count = bytes.u32(s, at.descriptors)
    if count > 0 then
      parts[#parts + 1] = format("(%d descriptor%s)", count, count == 1 and "" or "s")
    end
    local line = name .. (is_reply and " ->" or "") .. (#parts > 0 and " " .. table.concat(parts, " ") or "")
    tree:append_text(", " .. line)
    pinfo.cols.info = line
  end
end
`;
