/**
 * Lua: names of inodes, as far as the capture itself tells them: nodeid → parent and name.
 *
 * Simple on purpose: of several hard links the latest name counts, and names stay when an inode is forgotten. It grows
 * on the first pass over the file, so a path is the one that held when the request was seen.
 */
export const pathsLua = String.raw`
local paths = {}
do
  local MOST_FOLDERS = 256

  -- Inodes by nodeid: as a number where that is exact, else as a text.
  function paths.key(low, high)
    if high and high >= 2097152 then
      return high .. ":" .. low
    end
    return bytes.wide(low, high)
  end

  function paths.reset()
    paths.nodes = {}
    paths.children = {}
  end

  local function child(parent, name)
    local names = paths.children[parent]
    return names and names[name]
  end

  function paths.bind(key, parent, name)
    if key == 0 or key == parent or name == "." or name == ".." or name == "" then
      return
    end
    paths.nodes[key] = { parent, name }
    local names = paths.children[parent]
    if not names then
      names = {}
      paths.children[parent] = names
    end
    names[name] = key
  end

  function paths.unbind(key)
    paths.nodes[key] = nil
  end

  function paths.remove(parent, name)
    local names = paths.children[parent]
    if names then
      names[name] = nil
    end
  end

  function paths.move(parent, name, new_parent, new_name, exchange)
    local from, to = child(parent, name), child(new_parent, new_name)
    paths.remove(parent, name)
    if from then
      paths.bind(from, new_parent, new_name)
    else
      paths.remove(new_parent, new_name)
    end
    if exchange and to then
      paths.bind(to, parent, name)
    end
  end

  -- nil when it is not known all the way up.
  function paths.of(key, name)
    local parts = { name }
    for _ = 1, MOST_FOLDERS do
      if key == 1 then
        return "/" .. table.concat(parts, "/")
      end
      local node = paths.nodes[key]
      if not node then
        return nil
      end
      table.insert(parts, 1, node[2])
      key = node[1]
    end
  end

  paths.reset()
end
`;
