/**
 * JSON-RPC over one socket, for both ends of the debug protocol: framing, a bound on what one message may take, and
 * what is done when the other end talks nonsense (the connection ends). Knows no message.
 */
import type { Socket } from 'node:net';
import {
  createMessageConnection,
  type Logger,
  type MessageConnection,
  SocketMessageReader,
  SocketMessageWriter,
} from 'vscode-jsonrpc/node';

/** The longest message, with room for base64 and JSON around `MOST_BYTES`. */
const MOST_MESSAGE = 4 << 20;
/** What may wait to be sent to a client that does not read. */
const MOST_WAITING = 16 << 20;

const silent: Logger = { error: () => undefined, warn: () => undefined, info: () => undefined, log: () => undefined };

/** `ended` is called once, with why where it was the other end's fault. */
export function overSocket(socket: Socket, ended: (why?: string) => void): MessageConnection {
  let over = false;
  const end = (why?: string): void => {
    if (over) return;
    over = true;
    socket.destroy();
    ended(why);
  };
  const reader = new SocketMessageReader(socket);
  // Otherwise half a message at the end leaves a timer that starts itself again for ever.
  reader.partialMessageTimeout = 0;
  // A length that is announced is waited for and kept by the reader: what has come since the last whole message is
  // counted.
  let since = 0;
  // Messages are handled one by one, later: those that came before the end count.
  let arrived = 0;
  let handled = 0;
  const endAfterAll = (before = -1): void => {
    // One is handled each round; those that were cancelled never are.
    if (handled < arrived && handled !== before && !over) setImmediate(endAfterAll, handled);
    else end();
  };
  socket.on('data', (bytes: Buffer) => {
    since += bytes.length;
    if (since > MOST_MESSAGE) end('a message is too long');
    else if (socket.writableLength > MOST_WAITING) end('it does not read what it is told');
  });
  const connection = createMessageConnection(
    {
      onError: reader.onError,
      onClose: reader.onClose,
      onPartialMessage: reader.onPartialMessage,
      listen: (callback) =>
        reader.listen((message) => {
          since = 0;
          arrived++;
          callback(message);
        }),
      dispose: () => reader.dispose(),
    },
    new SocketMessageWriter(socket),
    silent,
    {
      messageStrategy: {
        handleMessage: (message, next) => {
          handled++;
          return next(message);
        },
      },
    },
  );
  connection.onError(([error]) => end(error.message));
  connection.onClose(() => endAfterAll());
  socket.on('error', () => end());
  socket.on('close', () => endAfterAll());
  return connection;
}
