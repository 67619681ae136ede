/** The real tshark with the dissector of this checkout: what it prints, and its packets as trees of fields. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { VERSION } from '../../../src/base/version';
import { DISSECTOR_FILE, dissectorLua } from '../../../src/trace/dissector/dissector';

export interface PdmlField {
  readonly name: string;
  readonly showname: string;
  readonly show: string;
  readonly pos: number;
  readonly size: number;
  readonly hidden: boolean;
}

const NOBODY = 65534;

export const hasTshark = (): boolean => spawnSync('tshark', ['--version']).status === 0;

/** A folder with the dissector, for as long as it is needed; a HOME of its own keeps the user's plugins away. */
export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'virtiofs-tshark-'));
  readonly lua = join(this.folder, DISSECTOR_FILE);
  private files = 0;

  /** `change`: makes another dissector of it. */
  constructor(change: (lua: string) => string = (lua) => lua) {
    chmodSync(this.folder, 0o755);
    writeFileSync(this.lua, change(dissectorLua(VERSION)));
  }

  /** A file with these bytes. */
  file(bytes: Uint8Array): string {
    const path = join(this.folder, `capture-${this.files++}.pcapng`);
    writeFileSync(path, bytes);
    return path;
  }

  /** Not as root: from 4.4 on it runs no scripts then. */
  private get options(): { env: NodeJS.ProcessEnv; uid?: number; gid?: number } {
    const env = { ...process.env, HOME: this.folder, XDG_CONFIG_HOME: this.folder, XDG_DATA_HOME: this.folder };
    const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
    return { env: { ...env, LC_ALL: 'C.UTF-8', TZ: 'UTC' }, ...user };
  }

  private arguments(file: string, rest: readonly string[]): string[] {
    return ['-2', '-X', `lua_script:${this.lua}`, '-r', file, ...rest];
  }

  /** Goes through a file once; what it prints is thrown away. Throws when it fails. */
  onePass(file: string, rest: readonly string[]): void {
    chmodSync(dirname(file), 0o755);
    const words = ['-X', `lua_script:${this.lua}`, '-r', file, ...rest];
    const { status } = spawnSync('tshark', words, { stdio: 'ignore', ...this.options });
    if (status !== 0) throw new Error(`tshark ended with ${status}`);
  }

  /** What tshark prints. */
  run(file: string, ...rest: string[]): { output: string; errors: string } {
    const { stdout, stderr } = spawnSync('tshark', this.arguments(file, rest), {
      encoding: 'utf8',
      maxBuffer: 1 << 29,
      ...this.options,
    });
    return { output: stdout, errors: stderr };
  }

  /** What tshark alone prints. */
  withoutDissector(file: string, ...rest: string[]): string {
    return spawnSync('tshark', ['-2', '-r', file, ...rest], { encoding: 'utf8', ...this.options }).stdout;
  }

  /** Numbers of the packets that a display filter selects. */
  select(file: string, filter: string): number[] {
    const { output, errors } = this.run(file, '-Y', filter, '-T', 'fields', '-e', 'frame.number');
    if (errors !== '') throw new Error(errors);
    return output.trim() === '' ? [] : output.trim().split('\n').map(Number);
  }

  /** The Info column of each packet. */
  info(file: string): string[] {
    const { output } = this.run(file, '-T', 'fields', '-e', '_ws.col.Info');
    return output.replace(/\n$/, '').split('\n');
  }

  /** The fields of each packet, in order, one packet at a time. */
  async *packets(file: string): AsyncGenerator<PdmlField[]> {
    const child = spawn('tshark', this.arguments(file, ['-T', 'pdml']), this.options);
    let text = '';
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
    for await (const chunk of child.stdout.setEncoding('utf8') as AsyncIterable<string>) {
      text += chunk;
      for (let end = text.indexOf('</packet>'); end >= 0; end = text.indexOf('</packet>')) {
        yield pdmlFields(text.slice(0, end));
        text = text.slice(end + '</packet>'.length);
      }
    }
    if (errors !== '') throw new Error(`tshark: ${errors}`);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

const unescape = (text: string): string =>
  text.replace(/&(?:#x([0-9a-f]+)|(\w+));/gi, (all: string, hex: string | undefined, name: string) =>
    hex === undefined ? (entities[name] ?? all) : String.fromCodePoint(parseInt(hex, 16)),
  );

function pdmlFields(packet: string): PdmlField[] {
  const fields: PdmlField[] = [];
  for (const [, attributes] of packet.matchAll(/<(?:field|proto) ((?:[^">]|"[^"]*")*)>/g)) {
    const found: Record<string, string> = {};
    for (const [, key, value] of attributes.matchAll(/(\w+)="([^"]*)"/g)) found[key] = unescape(value);
    const { name = '', showname = '', show = '', pos = '0', size = '0', hide } = found;
    fields.push({ name, showname, show, pos: Number(pos), size: Number(size), hidden: hide === 'yes' });
  }
  return fields;
}
