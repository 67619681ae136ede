/** Lua: packets of kind names known before: shown, and learned from. */
export const knownNamesLua = String.raw`
local known_names = {}
do
  local format, floor = string.format, math.floor
  local at, record = tables.packet.known, tables.packet.name_record

  local function define(kind, name, ...)
    return fields.define("fuse", kind, "fuse.known." .. name, ...)
  end

  local f = {
    count = define("uint16", "count", "names", base.DEC),
    nodeid = define("uint64", "nodeid", "nodeid", base.DEC),
    parent = define("uint64", "parent", "parent", base.DEC),
    lookups = define("uint64", "lookups", "lookup count", base.DEC),
    namelen = define("uint16", "namelen", "bytes of the name", base.DEC),
    name = define("string", "name", "name", base.NONE),
  }

  function known_names.dissect(s, tvb, pinfo, root, proto)
    local tree = root:add(proto, tvb())
    pinfo.cols.protocol = "FUSE"
    local m = fields.packet(s, tvb, tree, "fuse")
    local count = bytes.u16(s, at.count)
    if not count or #s < at.records then
      tree:add_proto_expert_info(fuse.experts[1], format("%d bytes are no packet of this kind", #s))
      pinfo.cols.info = "(cut)"
      return
    end
    tree:add_le(f.count, tvb(at.count, 2))
    local only = bytes.band(bytes.u32(s, at.flags), tables.packet.only_name) ~= 0
    local from, found = at.records, 0
    while found < count and from + record <= #s do
      local length = bytes.u16(s, from + 24)
      if from + record + length > #s then
        break
      end
      local decoded = text.decode(s, from + record, length)
      local group = tree:add(tvb(from, record + length), text.quote(decoded))
      group:add_le(f.nodeid, tvb(from, 8))
      group:add_le(f.parent, tvb(from + 8, 8))
      group:add_le(f.lookups, tvb(from + 16, 8))
      group:add_le(f.namelen, tvb(from + 24, 2))
      fields.add_text(m, group, f.name, "name", from + record, length, decoded)
      if not pinfo.visited then
        local key = paths.key(bytes.u64(s, from))
        if length == 0 and only then
          paths.unbind(key)
        else
          paths.bind(key, paths.key(bytes.u64(s, from + 8)), decoded)
        end
      end
      found = found + 1
      from = from + floor((record + length + 7) / 8) * 8
    end
    if found < count then
      tree:add_proto_expert_info(fuse.experts[1], format("%d of %d names are there", found, count))
    end
    local line = format("%d %s known before", found, found == 1 and "name" or "names")
    tree:append_text(", " .. line)
    pinfo.cols.info = line
  end
end
`;
