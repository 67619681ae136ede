/**
 * Lua: which reply belongs to which request, and what INIT has settled; filled on the first pass over the file.
 *
 * By packet number, so that a packet shown again, in any order, is shown the same.
 */
export const exchangesLua = String.raw`
local exchanges = {}
do
  local format = string.format

  function exchanges.reset()
    exchanges.pending = {}
    exchanges.request_of = {}
    exchanges.reply_of = {}
    exchanges.requests = {}
    exchanges.by_taken = {}
    exchanges.calls = {}
    exchanges.session = nil
    paths.reset()
  end

  local function key(h)
    return format("%d/%d/%d/%d", h.queue, h.head, h.unique_low or 0, h.unique_high or 0)
  end

  local function taken_key(queue, head, low, high)
    return format("%d/%d/%d/%d", queue, head, low, high)
  end

  -- request: what its reply needs to know of it.
  function exchanges.take_request(number, h, request)
    exchanges.requests[number] = request
    if not (request.row and request.row.silent) then
      exchanges.pending[key(h)] = number
    end
    exchanges.by_taken[taken_key(h.queue, h.head, h.taken_low, h.taken_high)] = number
  end

  -- The request of a reply that is seen for the first time.
  function exchanges.take_reply(number, h)
    local own = key(h)
    local request = exchanges.pending[own]
    if request then
      exchanges.pending[own] = nil
      exchanges.request_of[number] = request
      exchanges.reply_of[request] = number
    end
  end

  function exchanges.take_call(number, queue, head, low, high)
    local own = taken_key(queue, head, low, high)
    local list = exchanges.calls[own] or {}
    exchanges.calls[own] = list
    list[#list + 1] = number
  end

  function exchanges.request_taken(queue, head, low, high)
    return exchanges.by_taken[taken_key(queue, head, low, high)]
  end

  function exchanges.calls_of(h)
    return exchanges.calls[taken_key(h.queue, h.head, h.taken_low, h.taken_high)] or {}
  end

  exchanges.reset()
end
`;
