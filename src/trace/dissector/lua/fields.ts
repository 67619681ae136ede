/**
 * Lua: the fields that Wireshark knows, made from the structures when the file is loaded, and structures as subtrees.
 *
 * A structure's fields are called PREFIX.field; what the prefix is, message by message, is decided in messages.ts.
 */
export const fieldsLua = String.raw`
local fields = { lists = {} }
do
  local format, floor, min = string.format, math.floor, math.min
  local known = {}

  -- Makes a field, once for each filter name. list: "fuse", "vhost_user" or "hostcall".
  function fields.define(list, kind, abbr, name, ...)
    local found = known[abbr]
    if found then
      assert(found.kind == kind, "two kinds of " .. abbr)
      return found.field
    end
    local field = ProtoField[kind](abbr, name, ...)
    known[abbr] = { kind = kind, field = field }
    fields.lists[list] = fields.lists[list] or {}
    table.insert(fields.lists[list], field)
    return field
  end

  local kinds = { u8 = "uint8", u16 = "uint16", u32 = "uint32", u64 = "uint64", i32 = "int32", i64 = "int64" }
  local bases = { octal = base.OCT, mode = base.OCT, hex = base.HEX }

  -- -ENOENT as the 32 bits it is on the wire.
  local errors = { [0] = "OK" }
  for number, name in pairs(tables.errnos) do
    errors[4294967296 - number] = name
  end

  local function scalar(list, abbr, field)
    local strings = nil
    if field.enum then
      strings = tables.enums[field.enum]
    elseif field.show == "errno" then
      strings = errors
    end
    local shown = field.flags and base.HEX or bases[field.show] or base.DEC
    return fields.define(list, kinds[field.type], abbr, field.name, shown, strings, nil, field.doc)
  end

  function fields.bits(list, abbr, flags)
    local made = {}
    for _, rows in ipairs({ flags.bits, flags.arm64 }) do
      for _, row in ipairs(rows) do
        made[row] = fields.define(list, "bool", abbr .. "." .. row.key, row.name, base.NONE, nil, nil, row.doc)
      end
    end
    return made
  end

  -- A structure with the fields of one place where it occurs.
  function fields.layout(list, prefix, name)
    local struct = tables.structs[name]
    local layout = { struct = struct }
    for _, field in ipairs(struct.fields) do
      if field.show ~= "padding" then
        local abbr = prefix .. "." .. field.name
        local row = { field = field }
        if field.struct then
          row.inner = fields.layout(list, abbr, field.struct)
        else
          row.pf = scalar(list, abbr, field)
          row.bits = field.flags and fields.bits(list, abbr, tables.flags[field.flags])
          if list == "fuse" and field.show == "id" and field.name:find("^fh") then
            row.alias = fields.define(list, "uint64", "fuse.fh", "fh", base.DEC, nil, nil, "Any open handle.")
          end
        end
        layout[#layout + 1] = row
      end
    end
    return layout
  end

  function fields.layouts(list, prefix, names)
    local made = {}
    for i, name in ipairs(names) do
      made[i] = fields.layout(list, prefix, name)
    end
    return made
  end

  -- Bytes from at as far as they were captured; nil for none.
  function fields.range(m, at, length)
    local room = m.size - at
    if room > 0 and length > 0 then
      return m.tvb(at, min(length, room))
    end
  end

  -- A packet to be read. visible: all of it is shown; looked: some field of its protocol is, or a filter needs one.
  -- Neither is so on the first of several passes, and when only columns are printed.
  function fields.packet(s, tvb, tree, protocol)
    local handle = Dissector.get(protocol)
    return { s = s, tvb = tvb, size = #s, tree = tree, visible = tree.visible, looked = tree:referenced(handle) }
  end

  -- Whether anybody looks at a field: all that is shown, or a filter, a column. Most passes look at few.
  function fields.wanted(m, tree, pf)
    return m.visible or (m.looked and tree:referenced(pf))
  end

  -- Adds a field at a place that is there; value: where it is not the bytes themselves, little-endian.
  function fields.put(m, tree, pf, at, length, value)
    if m.visible or (m.looked and tree:referenced(pf)) then
      if value ~= nil then
        return tree:add(pf, m.tvb(at, length), value)
      end
      return tree:add_le(pf, m.tvb(at, length))
    end
  end

  -- Adds a field that was computed, and is not in the bytes.
  function fields.generate(m, tree, pf, value)
    if m.visible or (m.looked and tree:referenced(pf)) then
      tree:add(pf, value):set_generated()
    end
  end

  -- A line without a field, for groups and for what is not there; nothing where nobody looks.
  function fields.label(m, tree, at, length, words)
    if not m.visible then
      return tree
    end
    local range = fields.range(m, at, length)
    if range then
      return tree:add(range, words)
    end
    return tree:add(words)
  end

  local function missing(m, tree, at, length, name)
    fields.label(m, tree, at, length, name .. ": ? (not captured)")
  end

  -- The bits that are set, one line each.
  function fields.add_bits(m, tree, at, length, flags, bits, low)
    if low == 0 and not flags.named_zero then
      return
    end
    for _, row in ipairs((text.split(flags, low))) do
      local item = fields.put(m, tree, bits[row], at, length, true)
      if item then
        item:set_text(row.name .. ": " .. row.doc)
      end
    end
  end

  -- What to add to Wireshark's own text of a value.
  local function remark(field, low, high)
    local show = field.show
    if field.flags then
      return text.flags(tables.flags[field.flags], low, high)
    elseif show == "device" then
      return text.device(low)
    elseif show == "seconds" then
      return text.date(low, high)
    elseif show == "size" then
      local words = text.size(low, high)
      return words:find("%a$") and words
    elseif show == "id" and high and high > 0 then
      return text.hex(low, high)
    end
  end

  local function add_scalar(m, tree, row, at, low, high)
    local field = row.field
    local length = bytes.size[field.type]
    local item = fields.put(m, tree, row.pf, at, length)
    if item and m.visible then
      local more = remark(field, low, high)
      if field.show == "mode" or field.show == "octal" then
        item:set_text(field.name .. ": " .. text.value(field, low, high))
      elseif more then
        item:append_text(" (" .. more .. ")")
      end
    end
    if row.bits then
      fields.add_bits(m, item or tree, at, length, tables.flags[field.flags], row.bits, low)
    end
    if row.alias then
      local alias = fields.put(m, tree, row.alias, at, length)
      if alias then
        alias:set_hidden()
      end
    end
  end

  local function add_array(m, tree, row, at)
    local field = row.field
    local one = floor(field.size / field.count)
    local group = fields.label(m, tree, at, field.size, format("%s: %d of them", field.name, field.count))
    for i = 0, field.count - 1 do
      local place = at + i * one
      add_scalar(m, group, row, place, bytes.scalar[field.type](m.s, place))
    end
  end

  -- A flags field with no bit set, in a table that has no name for that.
  local function is_empty(field, low, high)
    return field.flags and low == 0 and (high or 0) == 0 and not tables.flags[field.flags].named_zero
  end

  -- The fields in the first size bytes of a structure at at. parts: collects name=value for the Info column, or nil.
  function fields.add(m, tree, layout, at, size, parts)
    if not m.looked and not parts then
      return
    end
    for _, row in ipairs(layout) do
      local field = row.field
      local place = at + field.at
      if field.at + field.size > size then
        return
      end
      local quiet = not field.detail and parts or nil
      if not m.looked and not quiet then
        -- Nobody would see it.
      elseif place + field.size > m.size then
        missing(m, tree, place, field.size, field.name)
      elseif row.inner then
        fields.add(m, fields.label(m, tree, place, field.size, field.name), row.inner, place, field.size, quiet)
      elseif field.count then
        add_array(m, tree, row, place)
      else
        local low, high = bytes.scalar[field.type](m.s, place)
        local valid = field.valid
        local value = valid and (bytes.scalar["u" .. valid.size * 8](m.s, at + valid.at)) or 0
        if valid and bytes.band(value, valid.mask) == 0 then
          -- Not as a field: a filter on it would find values that do not count.
          if m.visible then
            local shown = text.value(field, low, high)
            local words = format("%s: %s (does not count, see %s)", field.name, shown, valid.name)
            fields.label(m, tree, place, field.size, words)
          end
        else
          add_scalar(m, tree, row, place, low, high)
          if quiet and not is_empty(field, low, high) then
            quiet[#quiet + 1] = field.name .. "=" .. text.value(field, low, high)
          end
        end
      end
    end
  end

  -- A field of the structure at at, as a number; nil where it is not there. size: the structure's bytes here.
  function fields.number(m, struct, at, size, name)
    for _, field in ipairs(struct.fields) do
      if field.name == name and field.at + field.size <= size then
        local low, high = bytes.scalar[field.type](m.s, at + field.at)
        return low and (high and bytes.wide(low, high) or low)
      end
    end
  end

  -- A string; it may stand for more bytes than were captured.
  function fields.add_text(m, tree, pf, name, at, length, decoded)
    if not fields.wanted(m, tree, pf) then
      return
    end
    local range = fields.range(m, at, length)
    if not range then
      fields.label(m, tree, at, 0, format(length == 0 and '%s: ""' or "%s: ? (not captured)", name))
      return
    end
    local item = tree:add(pf, range, decoded)
    item:set_text(name .. ": " .. text.quote(decoded) .. (at + length > m.size and " (cut)" or ""))
  end
end
`;
