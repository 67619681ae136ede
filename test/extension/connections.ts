/**
 * Where this extension host connects to for the extension, from when this file is loaded: every way out of Node.js is
 * watched, and asked who wanted it. What VS Code and other extensions do is not looked at.
 */
import dgram from 'node:dgram';
import dns from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';

/** Of a bundle of the extension, on a stack. */
const OURS = /[\\/]dist[\\/](extension|compareWorker)[^\\/]*\.js/;

/** Paths of sockets, hosts and addresses; in order. */
export const connections: string[] = [];

type Callable = (this: unknown, ...args: unknown[]) => unknown;

/** `target`: where a call goes to; undefined: nowhere. */
function watch(owner: object, name: string, target: (args: readonly unknown[]) => string | undefined): void {
  const methods = owner as Record<string, Callable>;
  const original = methods[name];
  methods[name] = function (...args) {
    const to = target(args);
    if (to !== undefined && OURS.test(new Error().stack ?? '')) connections.push(to);
    return original.apply(this, args);
  };
}

/** Of what `net` has made of its arguments: [options, listener]. */
function socketTarget([first]: readonly unknown[]): string {
  const options: unknown = Array.isArray(first) ? first[0] : first;
  if (typeof options !== 'object' || options === null) return String(options);
  const { path, host, port } = options as { path?: string; host?: string; port?: number };
  return path ?? `${host ?? 'localhost'}:${port}`;
}

/** To look up what is an address asks nobody; whoever listens on one does it. */
const name = ([first]: readonly unknown[]): string | undefined =>
  net.isIP(String(first)) === 0 ? `name ${String(first)}` : undefined;

const said = ([first]: readonly unknown[]): string =>
  typeof first === 'object' ? JSON.stringify(first) : String(first);

Error.stackTraceLimit = Math.max(Error.stackTraceLimit, 50);
watch(net.Socket.prototype, 'connect', socketTarget);
watch(dgram.Socket.prototype, 'connect', (args) => `udp ${args.join(' ')}`);
watch(dgram.Socket.prototype, 'send', (args) => `udp ${args.slice(1).join(' ')}`);
watch(dns, 'lookup', name);
watch(dns.promises, 'lookup', name);
for (const each of [http, https]) for (const method of ['request', 'get']) watch(each, method, said);
watch(globalThis, 'fetch', said);
