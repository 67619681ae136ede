/** Lua: packets of kind DAX window: what there is to say of a file and the window, and which inode's path it tells. */
export const windowLua = String.raw`
local dax_window = {}
do
  local format = string.format
  local at, words = tables.packet.window, tables.packet.window_words

  local function define(kind, name, ...)
    return fields.define("fuse", kind, "fuse.window." .. name, ...)
  end

  local f = {
    what = define("uint16", "what", "what", base.DEC, words),
    nodeid = define("uint64", "nodeid", "nodeid", base.DEC),
    file_offset = define("uint64", "file_offset", "where in the file", base.HEX),
    length = define("uint64", "length", "length", base.DEC),
    window_offset = define("uint64", "window_offset", "where in the window", base.HEX),
    path = define("string", "path", "path", base.NONE),
    text = define("string", "text", "said", base.NONE),
  }

  function dax_window.dissect(s, tvb, pinfo, root, proto)
    local tree = root:add(proto, tvb())
    pinfo.cols.protocol = "FUSE"
    if #s < at.text then
      tree:add_proto_expert_info(fuse.experts[1], format("%d bytes are no packet of this kind", #s))
      pinfo.cols.info = "(cut)"
      return
    end
    local m = fields.packet(s, tvb, tree, "fuse")
    tree:add_le(f.what, tvb(at.what, 2))
    tree:add_le(f.nodeid, tvb(at.nodeid, 8))
    tree:add_le(f.file_offset, tvb(at.fileOffset, 8))
    tree:add_le(f.length, tvb(at.length, 8))
    tree:add_le(f.window_offset, tvb(at.windowOffset, 8))
    local nul = s:find("\0", at.text + 1, true)
    local stop = nul and nul - 1 or #s
    local path = text.decode(s, at.text, stop - at.text)
    local said = nul and text.decode(s, nul, #s - nul) or ""
    if stop > at.text then
      fields.add_text(m, tree, f.path, "path", at.text, stop - at.text, path)
    end
    if nul and nul < #s then
      fields.add_text(m, tree, f.text, "text", nul, #s - nul, said)
    end
    local what = words[bytes.u16(s, at.what)] or format("what %d", bytes.u16(s, at.what))
    local line = format("DAX window: %s: %s%s", what, text.quote("/" .. path), said ~= "" and ": " .. said or "")
    tree:append_text(", " .. line)
    pinfo.cols.info = line
  end
end
`;
