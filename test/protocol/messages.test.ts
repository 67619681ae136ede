/** Whole messages as bytes, each field with its comment, and what decoder and summary make of them. */
import assert from 'node:assert/strict';
import { find, plain } from '../../src/protocol/decode';
import { encodeReply, encodeRequest, encodeStruct } from '../../src/protocol/encode';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import * as s from '../../src/protocol/fuse/structs';
import { decodeReply, decodeRequest } from '../../src/protocol/message';
import { replyLine, requestLine } from '../../src/protocol/summary';
import { hex } from './hex';

const lookup = hex(`
  2e000000          ; len 46
  01000000          ; opcode LOOKUP
  0a00000000000000  ; unique 10
  0100000000000000  ; nodeid 1
  e8030000          ; uid 1000
  e8030000          ; gid 1000
  7b000000          ; pid 123
  0000 0000         ; total_extlen, padding
  612e74787400      ; "a.txt"
`);

const lookupReply = hex(`
  90000000          ; len 144
  00000000          ; error 0
  0a00000000000000  ; unique 10
  0500000000000000  ; nodeid 5
  0000000000000000  ; generation
  0100000000000000  ; entry_valid 1 s
  0100000000000000  ; attr_valid 1 s
  00000000 00000000 ; entry_valid_nsec, attr_valid_nsec
  3930000000000000  ; attr.ino 12345
  0c00000000000000  ; attr.size 12
  0800000000000000  ; attr.blocks 8
  00f1536500000000  ; attr.atime 1700000000
  00f1536500000000  ; attr.mtime
  00f1536500000000  ; attr.ctime
  01000000 02000000 03000000 ; attr.atimensec, mtimensec, ctimensec
  a4810000          ; attr.mode 0100644
  01000000          ; attr.nlink
  e8030000 e8030000 ; attr.uid, gid
  00000000          ; attr.rdev
  00100000          ; attr.blksize 4096
  00000000          ; attr.flags
`);

const read = hex(`
  50000000          ; len 80
  0f000000          ; opcode READ
  0c00000000000000  ; unique 12
  0500000000000000  ; nodeid 5
  00000000 00000000 ; uid, gid
  01000000          ; pid 1
  0000 0000         ; total_extlen, padding
  0200000000000000  ; fh 2
  0010000000000000  ; offset 4096
  00000200          ; size 128K
  02000000          ; read_flags LOCKOWNER
  efbeadde00000000  ; lock_owner
  02800000          ; flags O_RDWR|O_LARGEFILE
  00000000          ; padding
`);

const init = hex(`
  68000000          ; len 104
  1a000000          ; opcode INIT
  0200000000000000  ; unique 2
  0000000000000000  ; nodeid 0
  00000000 00000000 00000000 ; uid, gid, pid
  0000 0000         ; total_extlen, padding
  07000000 2e000000 ; major 7, minor 46
  00000200          ; max_readahead 128K
  02004040          ; flags POSIX_LOCKS, MAX_PAGES, INIT_EXT
  02000000          ; flags2 HAS_INODE_DAX
  00000000 00000000 00000000 00000000 00000000 00000000 ; unused
  00000000 00000000 00000000 00000000 00000000
`);

const readdirReply = hex(`
  58000000          ; len 88
  00000000          ; error 0
  1400000000000000  ; unique 20
  0100000000000000  ; ino 1
  0100000000000000  ; off 1
  01000000          ; namelen 1
  04000000          ; type DT_DIR
  2e00000000000000  ; "." and padding
  0700000000000000  ; ino 7
  0200000000000000  ; off 2
  09000000          ; namelen 9
  08000000          ; type DT_REG
  66696c652e74657874 00000000000000 ; "file.text" and padding
`);

const batchForget = hex(`
  50000000          ; len 80
  2a000000          ; opcode BATCH_FORGET
  1600000000000000  ; unique 22
  0000000000000000  ; nodeid 0
  00000000 00000000 00000000 0000 0000 ; uid, gid, pid, total_extlen, padding
  02000000 00000000 ; count 2, dummy
  0500000000000000 0300000000000000 ; nodeid 5, nlookup 3
  0600000000000000 0100000000000000 ; nodeid 6, nlookup 1
`);

const mkdirWithExtensions = hex(`
  70000000          ; len 112
  09000000          ; opcode MKDIR
  1800000000000000  ; unique 24
  0100000000000000  ; nodeid 1
  e8030000 e8030000 7b000000 ; uid, gid, pid
  0700 0000         ; total_extlen 7 * 8 = 56, padding
  ed010000          ; mode 0755
  12000000          ; umask 022
  6469722d6e616d00  ; "dir-nam"
  28000000 01000000 ; fuse_secctx_header: size 40, nr_secctx 1
  04000000 00000000 ; fuse_secctx: size 4, padding
  73656375726974792e73656c696e757800 ; "security.selinux"
  61626300          ; "abc"
  000000            ; to a multiple of 8
  10000000 20000000 ; fuse_ext_header: size 16, type EXT_GROUPS
  01000000 2a000000 ; nr_groups 1, group 42
`);

const header = { unique: 7, nodeid: 5 };
const line = (request: Uint8Array): string => requestLine(decodeRequest(request));
const answer = (request: Uint8Array, reply: Uint8Array): string =>
  replyLine(decodeReply(reply, decodeRequest(request)));

describe('FUSE messages as bytes', () => {
  it('LOOKUP', () => {
    const request = decodeRequest(lookup);
    assert.deepEqual(request.problems, []);
    assert.deepEqual(plain(request.header), {
      len: 46,
      opcode: 1,
      unique: 10n,
      nodeid: 1n,
      uid: 1000,
      gid: 1000,
      pid: 123,
      total_extlen: 0,
    });
    assert.deepEqual(request.names, ['a.txt']);
    const name = request.nodes[1];
    assert.deepEqual([name.name, name.at, name.length, name.value], ['name', 40, 6, 'a.txt']);
    assert.equal(requestLine(request), 'LOOKUP nodeid=1 "a.txt"');
  });

  it('the reply to LOOKUP', () => {
    const reply = decodeReply(lookupReply, decodeRequest(lookup));
    assert.deepEqual(reply.problems, []);
    const [entry] = reply.structs;
    assert.equal(find(entry, 'nodeid')?.value, 5n);
    assert.equal(find(entry, 'attr.ino')?.value, 12345n);
    assert.equal(find(entry, 'attr.mtime')?.value, 1700000000n);
    assert.equal(find(entry, 'attr.mtimensec')?.value, 2);
    assert.equal(find(entry, 'attr.mode')?.at, 16 + 40 + 60);
    assert.equal(replyLine(reply), '-> nodeid=5 size=12 mode=0100644 uid=1000 gid=1000');
    assert.equal(answer(lookup, encodeReply(10, -2)), '-> ENOENT');
  });

  it('READ and its reply', () => {
    assert.equal(line(read), 'READ nodeid=5 fh=2 offset=4096 size=128K read_flags=FUSE_READ_LOCKOWNER');
    assert.equal(find(decodeRequest(read).structs[0], 'lock_owner')?.value, 0xdeadbeefn);
    assert.equal(answer(read, encodeReply(12, 0, new Uint8Array(4096))), '-> 4096 bytes');
    assert.equal(answer(read, encodeReply(12, 0)), '-> 0 bytes');
  });

  it('READ whose reply has been cut by the capture', () => {
    const whole = encodeReply(12, 0, new Uint8Array(4096));
    const reply = decodeReply(whole.subarray(0, 100), decodeRequest(read));
    assert.deepEqual(reply.problems, []);
    assert.equal(reply.length, 4112);
    assert.equal(reply.payload?.length, 4096);
    assert.equal(reply.payload?.missing, true);
    assert.equal(replyLine(reply), '-> 4096 bytes');
  });

  it('INIT, of today and of 7.8', () => {
    assert.equal(
      line(init),
      'INIT major=7 minor=46 max_readahead=128K flags=FUSE_POSIX_LOCKS|FUSE_MAX_PAGES|FUSE_INIT_EXT flags2=FUSE_HAS_INODE_DAX',
    );
    const old = encodeRequest({ opcode: Opcode.INIT }, encodeStruct(s.InitIn, { major: 7, minor: 8 }, 16));
    const request = decodeRequest(old);
    assert.deepEqual(request.problems, []);
    assert.equal(request.structs[0].length, 16);
    const reply = decodeReply(encodeReply(0n, 0, encodeStruct(s.InitOut, { major: 7, minor: 4 }, 8)), request);
    assert.deepEqual(reply.problems, []);
    assert.equal(replyLine(reply), '-> major=7 minor=4');
  });

  it('the session decides what the bytes leave open', () => {
    const session = { minor: 8, hasFlag: () => false };
    const create = encodeRequest({ ...header, opcode: Opcode.CREATE }, encodeStruct(s.CreateIn, { flags: 2 }, 8), 'a');
    assert.deepEqual(decodeRequest(create, session).names, ['a']);
    assert.deepEqual(decodeRequest(create, session).problems, []);
    const getattr = encodeRequest({ ...header, opcode: Opcode.GETATTR });
    assert.deepEqual(decodeRequest(getattr, session).problems, []);
    assert.deepEqual(decodeRequest(getattr, { ...session, minor: 38 }).problems, [
      'fuse_getattr_in needs 16 bytes, 0 are left',
    ]);
    assert.deepEqual(decodeRequest(init, session).problems, []);
    const entry = encodeStruct(s.EntryOut, { nodeid: 3 }, 120);
    assert.deepEqual(decodeReply(encodeReply(10, 0, entry), decodeRequest(lookup), session).problems, []);
  });

  it('READDIR: a record for each entry', () => {
    const request = decodeRequest(encodeRequest({ ...header, opcode: Opcode.READDIR, unique: 20 }, new Uint8Array(40)));
    const reply = decodeReply(readdirReply, request);
    assert.deepEqual(reply.problems, []);
    const entries = reply.payload?.children ?? [];
    assert.deepEqual(
      entries.map((entry) => entry.value),
      ['.', 'file.text'],
    );
    assert.deepEqual(
      entries.map((entry) => [entry.at, entry.length]),
      [
        [16, 32],
        [48, 40],
      ],
    );
    assert.equal(replyLine(reply), '-> 2 entries');
  });

  it('BATCH_FORGET: a record for each inode', () => {
    const request = decodeRequest(batchForget);
    assert.deepEqual(request.problems, []);
    assert.deepEqual(request.payload?.children?.map(plain), [
      { nodeid: 5n, nlookup: 3n },
      { nodeid: 6n, nlookup: 1n },
    ]);
    assert.equal(request.opcode?.reply, false);
  });

  it('MKDIR with security context and supplementary group', () => {
    const request = decodeRequest(mkdirWithExtensions);
    assert.deepEqual(request.problems, []);
    assert.equal(requestLine(request), 'MKDIR nodeid=1 mode=0755 "dir-nam"');
    const extensions = request.nodes.at(-1);
    assert.deepEqual([extensions?.name, extensions?.at, extensions?.length], ['extensions', 56, 56]);
    const [contexts, groups] = extensions?.children ?? [];
    assert.equal(find(contexts, 'fuse_secctx.name')?.value, 'security.selinux');
    assert.equal(find(contexts, 'fuse_secctx.context')?.value, 'abc');
    assert.equal(find(groups, 'groups[0]')?.value, 42);
  });

  it('an extension that claims more than there is ends there, whatever it claims', () => {
    for (const size of [0xffff_ffff, 0xffff_fff9, 0xffff_fff0, 0x8000_0000]) {
      const args = encodeStruct(s.MkdirIn, { mode: 0o755 });
      const extension = encodeStruct(s.ExtHeader, { size, type: 32 });
      const request = decodeRequest(encodeRequest({ ...header, opcode: Opcode.MKDIR }, args, 'dir-nam', extension));
      assert.equal(request.nodes.at(-1)?.children?.length, 1, `${size}`);
    }
  });

  it('SETXATTR, long and short', () => {
    const value = Uint8Array.of(1, 2, 3);
    for (const size of [16, 8]) {
      const args = encodeStruct(s.SetxattrIn, { size: 3, flags: 1 }, size);
      const request = decodeRequest(encodeRequest({ ...header, opcode: Opcode.SETXATTR }, args, 'user.a', value));
      assert.deepEqual(request.problems, []);
      assert.equal(requestLine(request), 'SETXATTR nodeid=5 size=3 flags=XATTR_CREATE "user.a"');
      assert.equal(request.payload?.length, 3);
    }
  });

  it('GETXATTR: a length for size 0, else a value', () => {
    const ask = (size: number): Uint8Array =>
      encodeRequest({ ...header, opcode: Opcode.GETXATTR }, encodeStruct(s.GetxattrIn, { size }), 'user.a');
    assert.equal(line(ask(256)), 'GETXATTR nodeid=5 size=256 "user.a"');
    assert.equal(answer(ask(0), encodeReply(7, 0, encodeStruct(s.GetxattrOut, { size: 9 }))), '-> size=9');
    assert.equal(answer(ask(256), encodeReply(7, 0, new Uint8Array(9))), '-> 9 bytes');
  });

  it('SETATTR: only what counts', () => {
    const args = encodeStruct(s.SetattrIn, { valid: (1 << 0) | (1 << 3), mode: 0o600, size: 1 << 20, uid: 99, fh: 3 });
    assert.equal(
      line(encodeRequest({ ...header, opcode: Opcode.SETATTR }, args)),
      'SETATTR nodeid=5 size=1M mode=0600',
    );
  });

  it('CREATE has two structures in its reply', () => {
    const args = encodeStruct(s.CreateIn, { flags: 0o102 | 0o100000, mode: 0o100644, umask: 0o22 });
    const request = encodeRequest({ ...header, opcode: Opcode.CREATE }, args, 'neu');
    assert.equal(line(request), 'CREATE nodeid=5 flags=O_RDWR|O_CREAT|O_LARGEFILE mode=0100644 "neu"');
    const entry = encodeStruct(s.EntryOut, { nodeid: 9, attr: { mode: 0o100644 } });
    const open = encodeStruct(s.OpenOut, { fh: 4, open_flags: 2 });
    assert.equal(
      answer(request, encodeReply(7, 0, entry, open)),
      '-> nodeid=9 size=0 mode=0100644 uid=0 gid=0 fh=4 open_flags=FOPEN_KEEP_CACHE',
    );
  });

  it('RENAME2, SYMLINK, READLINK: two names, a text', () => {
    const rename = encodeRequest(
      { ...header, opcode: Opcode.RENAME2 },
      encodeStruct(s.Rename2In, { newdir: 6, flags: 2 }),
      'a',
      'b',
    );
    assert.equal(line(rename), 'RENAME2 nodeid=5 newdir=6 flags=RENAME_EXCHANGE "a" "b"');
    const symlink = encodeRequest({ ...header, opcode: Opcode.SYMLINK }, 'link', '../to "here"\n');
    assert.equal(line(symlink), 'SYMLINK nodeid=5 "link" "../to \\"here\\"\\n"');
    const readlink = encodeRequest({ ...header, opcode: Opcode.READLINK });
    assert.equal(answer(readlink, encodeReply(7, 0, Uint8Array.of(0x61, 0x62))), '-> "ab"');
  });

  it('LISTXATTR with more names than a kernel takes: the first of them', () => {
    const request = decodeRequest(
      encodeRequest({ ...header, opcode: Opcode.LISTXATTR }, encodeStruct(s.GetxattrIn, { size: 1 << 20 })),
    );
    const reply = decodeReply(encodeReply(7, 0, new Uint8Array(1 << 20)), request);
    assert.equal(reply.payload?.children?.length, 65536);
    assert.deepEqual(reply.problems, ['only the first 65536 names are decoded']);
  });

  it('FLUSH answers OK, LISTXATTR with names', () => {
    assert.equal(
      answer(encodeRequest({ ...header, opcode: Opcode.FLUSH }, new Uint8Array(24)), encodeReply(7, 0)),
      '-> OK',
    );
    const list = encodeRequest({ ...header, opcode: Opcode.LISTXATTR }, encodeStruct(s.GetxattrIn, { size: 64 }));
    const reply = decodeReply(encodeReply(7, 0, hex('757365722e6100 757365722e6200')), decodeRequest(list));
    assert.deepEqual(
      reply.payload?.children?.map((name) => name.value),
      ['user.a', 'user.b'],
    );
  });

  it('notifications', () => {
    const bytes = encodeReply(0, 3, encodeStruct(s.NotifyInvalEntryOut, { parent: 1, namelen: 1 }), hex('6100'));
    const reply = decodeReply(bytes);
    assert.equal(reply.kind, 'notification');
    assert.equal(replyLine(reply), 'NOTIFY_INVAL_ENTRY parent=1 namelen=1 1 entry');
  });
});

describe('messages that are wrong', () => {
  const problems = (bytes: Uint8Array): readonly string[] => decodeRequest(bytes).problems;

  it('say what is wrong', () => {
    assert.deepEqual(problems(new Uint8Array(10)), ['10 bytes are no fuse_in_header']);
    assert.deepEqual(problems(encodeRequest({ opcode: 7 })), ['7 is no opcode']);
    assert.deepEqual(problems(encodeRequest({ opcode: Opcode.READ }, new Uint8Array(8))), [
      'fuse_read_in needs 40 bytes, 8 are left',
    ]);
    assert.deepEqual(problems(encodeRequest({ opcode: Opcode.LOOKUP }, Uint8Array.of(0x61))), ['name has no NUL']);
    assert.deepEqual(problems(encodeRequest({ opcode: Opcode.WRITE }, encodeStruct(s.WriteIn, { size: 100 }))), [
      '100 bytes are announced, 0 are left',
    ]);
    assert.deepEqual(problems(encodeRequest({ opcode: Opcode.DESTROY }, Uint8Array.of(1))), [
      '1 bytes more than expected',
    ]);
    const wrongUnique = decodeReply(encodeReply(8, 0), decodeRequest(lookup));
    assert.ok(wrongUnique.problems.includes('unique is not that of the request'));
    assert.deepEqual(decodeReply(encodeReply(10, -5000), decodeRequest(lookup)).problems, ['-5000 is no errno']);
  });

  it('an unfinished name in a cut capture is no mistake of the sender', () => {
    const request = decodeRequest(lookup.subarray(0, 43));
    assert.deepEqual(request.problems, []);
    assert.equal(request.nodes[1].missing, true);
    assert.deepEqual(request.names, ['a.t']);
  });

  it('nor is a payload whose length has been cut off', () => {
    const write = encodeRequest({ opcode: Opcode.WRITE }, encodeStruct(s.WriteIn, { size: 5 }), new Uint8Array(5));
    for (let length = 40; length < write.length; length++) {
      assert.deepEqual(decodeRequest(write.subarray(0, length)).problems, [], `${length} bytes`);
    }
  });
});
