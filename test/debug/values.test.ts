import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { checkConfiguration } from '../../src/debug/configuration';
import { memoryOf, parseMemory } from '../../src/debug/memory';
import { parseNode } from '../../src/debug/values';
import { decodeStruct, type Node } from '../../src/protocol/decode';
import { opcodes } from '../../src/protocol/fuse/opcodes';
import { CreateIn, InHeader, OutHeader, SetattrIn } from '../../src/protocol/fuse/structs';
import { printNode } from '../../src/protocol/print';
import { decodeText } from '../../src/protocol/text';
import type { StructTable } from '../../src/protocol/struct';

interface Manifest {
  readonly contributes: {
    readonly debuggers: readonly {
      readonly configurationAttributes: Readonly<
        Record<
          'launch' | 'attach',
          { readonly properties: Record<string, { readonly type: 'string' | 'boolean' | 'number' | 'array' }> }
        >
      >;
      readonly configurationSnippets: readonly { readonly body: Configured }[];
      readonly initialConfigurations: readonly Configured[];
    }[];
  };
}
type Configured = { readonly request: 'launch' | 'attach' } & Readonly<Record<string, unknown>>;

const leaves = (node: Node): Node[] => (node.children ? node.children.flatMap(leaves) : [node]);
const tables = [
  ...new Set<StructTable>([InHeader, OutHeader, ...opcodes.flatMap(({ in: args, out }) => [...args, ...out])]),
];

/** The bytes of what a person writes for a field; or what is wanted instead. */
function written(table: StructTable, field: string, text: string): string {
  const tree = decodeStruct(table, new Uint8Array(table.size));
  const node = leaves(tree).find(({ name }) => name === field) ?? assert.fail(`no ${field}`);
  const parsed = parseNode(node, text);
  return 'wanted' in parsed ? parsed.wanted : Buffer.from(parsed.bytes).toString('hex');
}

describe('values as people write them', () => {
  it('are numbers, sizes, modes, flags, names of the tables and errnos', () => {
    assert.equal(written(InHeader, 'nodeid', '5'), '0500000000000000');
    assert.equal(written(InHeader, 'len', '0x1_000'), '00100000');
    assert.equal(written(InHeader, 'len', '4K'), '00100000');
    assert.equal(written(InHeader, 'opcode', 'FUSE_READ'), '0f000000');
    assert.equal(written(InHeader, 'opcode', 'READ'), '0f000000');
    assert.equal(written(CreateIn, 'mode', '0644'), 'a4010000');
    assert.equal(written(CreateIn, 'flags', 'O_RDWR|CREAT | 0x4'), '46000000');
    assert.equal(written(OutHeader, 'error', 'ENOENT'), 'feffffff');
    assert.equal(written(OutHeader, 'error', '2'), 'feffffff');
    assert.equal(written(OutHeader, 'error', '-2'), 'feffffff');
    assert.equal(written(OutHeader, 'error', '0'), '00000000');
  });

  it('are refused with what is wanted', () => {
    assert.match(written(InHeader, 'len', '5G'), /^a number that a u32 holds/);
    assert.match(written(InHeader, 'len', '-1'), /^a number that a u32 holds/);
    for (const none of ['08', '_', '0x', '0x_', '0b_', '-', 'K']) {
      assert.match(written(InHeader, 'len', none), /^a number that a u32 holds/, none);
    }
    assert.match(written(InHeader, 'opcode', 'RAED'), /^one of FUSE_LOOKUP/);
    assert.match(written(CreateIn, 'flags', 'O_RDWR|O_KREAT'), /^flags such as O_/);
    assert.match(written(OutHeader, 'error', 'ENOSUCH'), /^an errno/);
    assert.match(written(SetattrIn, 'size', ''), /^a number that a u64 holds/);
  });

  it('names are read as they are shown, whatever is in them', () => {
    const name = fc.array(fc.constantFrom(...'abnrtux0"\\\n\t\u0007\u202e\u0085é𝄞'.split(''), '\xff'), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(
        fc.oneof(
          name.map((parts) => Buffer.from(parts.join(''))),
          fc.uint8Array({ min: 1 }),
        ),
        (bytes) => {
          const value = decodeText(bytes);
          const node: Node = { name: 'name', at: 0, length: bytes.length + 1, value };
          const parsed = parseNode(node, printNode(node));
          assert.ok('bytes' in parsed, printNode(node));
          assert.deepEqual(Buffer.from(parsed.bytes), Buffer.from([...bytes, 0]), printNode(node));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('are read as they are shown, whatever the bytes: of every field of every structure', () => {
    fc.assert(
      fc.property(fc.constantFrom(...tables), fc.uint8Array({ minLength: 200, maxLength: 200 }), (table, bytes) => {
        for (const node of leaves(decodeStruct(table, bytes))) {
          // Seconds and devices are shown for people; texts are cut at their NUL.
          if (node.value === null || node.field?.show === 'padding' || node.field?.show === 'device') continue;
          if (node.field?.type === 'char' || node.field?.show === 'errno') continue;
          const parsed = parseNode(node, printNode(node));
          assert.ok('bytes' in parsed, `${table.name}.${node.name} = ${printNode(node)}`);
          assert.deepEqual(Buffer.from(parsed.bytes), Buffer.from(bytes.subarray(node.at, node.at + node.length)));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('never throw', () => {
    fc.assert(
      fc.property(fc.constantFrom(...tables), fc.string({ maxLength: 60 }), (table, text) => {
        for (const node of leaves(decodeStruct(table, new Uint8Array(table.size)))) parseNode(node, text);
      }),
    );
  });

  it('may be names, with their NUL, and bytes', () => {
    const name: Node = { name: 'name', at: 40, length: 2, value: 'a' };
    const bytes = (node: Node, text: string): string => {
      const parsed = parseNode(node, text);
      return 'bytes' in parsed ? Buffer.from(parsed.bytes).toString('latin1') : parsed.wanted;
    };
    assert.equal(bytes(name, '"b c"'), 'b c\0');
    assert.equal(bytes(name, 'b'), 'b\0');
    assert.equal(bytes(name, '"\\xff\\\\"'), '\xff\\\0');
    assert.equal(bytes(name, 'a\0b'), 'a text without NUL');
    const data: Node = { name: 'data', at: 80, length: 2, value: null };
    assert.equal(bytes(data, '6f 6b'), 'ok');
    assert.equal(bytes(data, '"ok"'), 'ok');
    assert.match(bytes(data, 'fine'), /^bytes such as/);
  });
});

describe('memory references', () => {
  it('say whose bytes they are, and from where', () => {
    assert.deepEqual(parseMemory(memoryOf(1007, 'reply', 40)), { kind: 'reply', thread: 1007, at: 40 });
    assert.deepEqual(parseMemory('0x1F000'), { kind: 'guest', thread: 0, at: 0x1f000 });
    for (const text of ['', 'reply', 'reply/1', 'reply/x/0', 'host/1/0', '0x', '-1', `0x${'f'.repeat(14)}`]) {
      assert.throws(() => parseMemory(text), { code: 'debugMemoryUnknown' });
    }
  });
});

describe('debug configurations', () => {
  const manifest = JSON.parse(readFileSync(resolve(__dirname, '../../../package.json'), 'utf8')) as Manifest;
  const [{ configurationAttributes, configurationSnippets, initialConfigurations }] = manifest.contributes.debuggers;

  for (const request of ['launch', 'attach'] as const) {
    it(`are what the schema of launch.json says: ${request}`, () => {
      for (const [name, { type }] of Object.entries(configurationAttributes[request].properties)) {
        const good = { string: name === 'guest' ? 'uml' : 'x', boolean: true, number: 7, array: ['x'] }[type];
        const others = request === 'launch' && name !== 'directory' && name !== 'capture' ? { directory: '/srv' } : {};
        assert.ok(checkConfiguration(request, { ...others, [name]: good }), name);
        assert.throws(() => checkConfiguration(request, { ...others, [name]: {} }), new RegExp(`"${name}"`));
      }
    });
  }

  it('are what the snippets and a new launch.json begin with', () => {
    for (const configuration of [...configurationSnippets.map(({ body }) => body), ...initialConfigurations]) {
      assert.ok(checkConfiguration(configuration.request, configuration));
    }
  });

  it('say what contradicts what', () => {
    for (const [request, args, what] of [
      ['launch', { capture: 'a', directory: '/srv' }, /"capture" and "directory"/],
      ['launch', { capture: 'a', faults: [] }, /"capture" and "faults"/],
      ['attach', { capture: 'a' }, /"capture" and "request": "attach"/],
      ['attach', { pid: 7, share: 'work' }, /"pid" and "share"/],
      ['attach', { pid: 7, directory: '/srv' }, /"pid" and "directory"/],
    ] as const) {
      assert.throws(() => checkConfiguration(request, args), what);
    }
  });

  it('a capture contradicts whatever is said of a share that runs', () => {
    for (const name of [
      'directory',
      'share',
      'pid',
      'guest',
      'tag',
      'readOnly',
      'command',
      'options',
      'inspectDaemon',
      'stopWorld',
      'faults',
    ]) {
      const both = new RegExp(`"capture" and "${name}"`);
      assert.throws(() => checkConfiguration('launch', { capture: 'a', [name]: 'x' }), both);
    }
  });

  it('attach to a share by its name, its folder or its process, empty texts being none', () => {
    const live = { stopWorld: false, faults: [] };
    for (const [args, share] of [
      [{}, undefined],
      [{ share: '' }, undefined],
      [{ share: 'work' }, 'work'],
      [{ share: '', directory: '/srv' }, '/srv'],
      [{ pid: 7 }, '7'],
      [{ pid: 7, share: '' }, '7'],
    ] as const) {
      assert.deepEqual(checkConfiguration('attach', args), { kind: 'attach', share, live });
    }
    for (const pid of [0, -1, 1.5, '7', null]) {
      assert.throws(() => checkConfiguration('attach', { pid }), /"pid" is not a process id/);
    }
  });

  it('launch a guest of a kind that there is, of a folder that is named', () => {
    for (const guest of ['qemu', 'uml']) assert.ok(checkConfiguration('launch', { directory: '/srv', guest }), guest);
    assert.throws(() => checkConfiguration('launch', { directory: '/srv', guest: 'xen' }), /"guest" is not "qemu" or/);
    assert.throws(() => checkConfiguration('launch', { directory: '' }), /"directory" is not a text/);
    assert.throws(() => checkConfiguration('launch', { capture: '' }), /"capture" is not a text/);
    for (const name of ['options', 'faults']) {
      const args = { directory: '/srv', [name]: ['x', 7] };
      assert.throws(() => checkConfiguration('launch', args), new RegExp(`"${name}" is not a list of texts`));
    }
  });

  it('are checked, and never more than refused', () => {
    const value = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.anything()));
    const names = [
      'directory',
      'capture',
      'guest',
      'tag',
      'readOnly',
      'command',
      'options',
      'faults',
      'stopWorld',
      'noDebug',
      'pid',
      'share',
    ];
    fc.assert(
      fc.property(
        fc.constantFrom('launch', 'attach'),
        fc.dictionary(fc.constantFrom(...names), value),
        (request, args) => {
          try {
            checkConfiguration(request as 'launch' | 'attach', args);
          } catch (error) {
            assert.equal((error as { code?: string }).code, 'debugConfigurationBad');
          }
        },
      ),
    );
  });
});
