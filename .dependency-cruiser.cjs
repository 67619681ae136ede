/**
 * Who may import whom, checked on the real import graph (`npm test -- --only checks`).
 *
 * `rooms` is the rule: a room under src/ may import itself and the rooms named. It may only shrink without a reason.
 */
const rooms = {
  base: [],
  protocol: ['base'],
  virtio: ['base', 'protocol'],
  vhostUser: ['base', 'protocol', 'virtio'],
  trace: ['base', 'protocol'],
  control: ['base', 'protocol', 'trace'],
  fs: ['base', 'protocol'],
  fuse: ['base', 'protocol', 'fs'],
  native: ['base', 'protocol', 'fs'],
  daemon: ['base', 'protocol', 'virtio', 'vhostUser', 'trace', 'control', 'fs', 'fuse', 'native'],
  vm: ['base', 'protocol', 'trace', 'control'],
  cli: ['base', 'protocol', 'trace', 'control', 'vm'],
  debug: ['base', 'protocol', 'trace', 'control'],
  ui: ['base', 'protocol', 'trace', 'control', 'debug'],
  webview: ['base', 'protocol', 'trace', 'control'],
};

/** Single files of other rooms. `share` checks what it hands on to the daemon by the daemon's own reading of it. */
const files = { cli: ['daemon/options'] };

/** Rooms that run anywhere: no Node modules, no native code. */
const pure = ['base', 'protocol', 'virtio', 'vhostUser', 'trace', 'fs', 'fuse'];

const only = (name, who, what) => ({
  name,
  severity: 'error',
  comment: `Only ${name} reaches this.`,
  from: { path: '^src/', pathNot: who },
  to: { path: what },
});

module.exports = {
  forbidden: [
    ...Object.entries(rooms).map(([room, allowed]) => ({
      name: `room-${room}`,
      severity: 'error',
      comment: `${room} may import ${[...allowed, ...(files[room] ?? [])].join(', ') || 'nothing'} besides itself.`,
      from: { path: `^src/${room}/` },
      to: {
        path: '^src/',
        pathNot: [
          `^src/(${[room, ...allowed].join('|')})/`,
          ...(files[room] ?? []).map((file) => `^src/${file}\\.ts$`),
        ],
      },
    })),
    {
      name: 'a-known-room',
      severity: 'error',
      comment: 'A new room is added to the table above, with what it may import.',
      from: { path: '^src/', pathNot: `^src/((${Object.keys(rooms).join('|')})/|extension\\.ts$)` },
      to: {},
    },
    {
      name: 'pure-rooms',
      severity: 'error',
      comment: 'Pure rooms use no Node modules.',
      from: { path: `^src/(${pure.join('|')})/` },
      to: { dependencyTypes: ['core'] },
    },
    only('native-koffi', '^src/native/', '^(node_modules/)?koffi'),
    {
      name: 'pages-run-in-browsers',
      severity: 'error',
      comment: 'Pages of webviews have no Node modules.',
      from: { path: '^src/webview/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'models-have-no-pages',
      severity: 'error',
      comment: 'What a page shows is computed without a DOM, so that it is tested without one.',
      from: { path: '^src/webview/[^/]+/model/' },
      to: { path: '^src/webview/[^/]+/view/' },
    },
    only('ui-vscode', '^src/(ui/|extension\\.ts$)', '^(vscode$|node_modules/@types/vscode/)'),
    {
      name: 'no-cycle',
      severity: 'error',
      comment: 'Files do not import each other in a circle, nor do their types.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^vscode$' },
    },
    {
      name: 'shipped',
      severity: 'error',
      comment: 'What src/ imports at run time is a dependency, not a devDependency.',
      from: { path: '^src/' },
      to: {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['type-only'],
        pathNot: '^(node_modules/@types/|vscode$)',
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['require', 'node', 'default', 'types'] },
  },
};
