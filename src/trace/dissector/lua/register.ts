/**
 * Lua: the protocols, and who gets which packet. Packets of link type USER0 that are not ours go where they went
 * before.
 */
export const registerLua = String.raw`
do
  local packet = tables.packet
  local protocols = {
    fuse = Proto("fuse", "Filesystem in Userspace (virtio-fs)"),
    hostcall = Proto("hostcall", "Host system call (virtio-fs)"),
    vhost_user = Proto("vhost_user", "vhost-user"),
  }
  local parts = { fuse = fuse, hostcall = host_calls, vhost_user = vhost_user }
  for name, proto in pairs(protocols) do
    proto.fields = fields.lists[name]
    proto.experts = parts[name].experts
  end

  local by_kind = {
    [packet.request] = { fuse, protocols.fuse },
    [packet.reply] = { fuse, protocols.fuse },
    [packet.dropped] = { fuse, protocols.fuse },
    [packet.vhost_user] = { vhost_user, protocols.vhost_user },
    [packet.host_call] = { host_calls, protocols.hostcall },
    [packet.names] = { known_names, protocols.fuse },
    [packet.window_note] = { dax_window, protocols.fuse },
  }

  local user0 = (wtap or wtap_encaps).USER0
  local encapsulations = DissectorTable.get("wtap_encap")
  local before = encapsulations:get_dissector(user0)

  function protocols.fuse.init()
    exchanges.reset()
  end

  local function dissect(tvb, pinfo, tree)
    local length = tvb:len()
    local s = length > 0 and tvb:raw(0, length) or ""
    local kind = bytes.u8(s, 0) == packet.version and by_kind[bytes.u8(s, 1)]
    if kind then
      kind[1].dissect(s, tvb, pinfo, tree, kind[2])
      return length
    end
    if before then
      return before:call(tvb, pinfo, tree)
    end
    return 0
  end

  -- Each has one, so that it can be asked whether a filter needs it; packets come through the first.
  for _, proto in pairs(protocols) do
    proto.dissector = dissect
  end

  encapsulations:add(user0, protocols.fuse)
end
`;
