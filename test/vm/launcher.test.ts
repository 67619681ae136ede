/** How the launcher ends when QEMU does not behave. QEMU here is a script. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { startGuest } from '../../src/vm/launcher';
import { onPath } from '../../src/vm/onPath';
import { Workplace } from '../../src/vm/workplace';

describe('the launcher, with a QEMU whose QMP makes no sense', () => {
  let base: string;

  beforeEach(() => {
    base = fs.mkdtempSync(path.join(os.tmpdir(), 'virtiofs-qemu-'));
  });

  afterEach(() => fs.rmSync(base, { recursive: true }));

  /** Rejects as the launcher does; nothing of the guest is left then. QMP is descriptor 7. */
  async function start(script: string): Promise<void> {
    const qemu = path.join(base, 'qemu');
    fs.writeFileSync(qemu, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const busybox = onPath('true') ?? assert.fail('no true');
    const kernel = { image: qemu, release: '1.0' };
    const tools = { name: 'test', machine: 'x64', folder: base, qemu: [qemu], kernel, busybox } as const;
    const workplace = await Workplace.open();
    let pid = 0;
    try {
      await startGuest(
        {
          kind: 'qemu',
          tools,
          shares: [],
          onStarted: ({ pid: started = 0 }) => (pid = started),
        },
        workplace,
      );
    } finally {
      assert.ok(pid > 0);
      assert.equal(fs.existsSync(`/proc/${pid}`), false, 'the process');
      assert.equal(fs.existsSync(workplace.folder), false, 'the folder');
    }
  }

  for (const [what, code, script, message] of [
    ['no JSON', 'qmpOdd', 'echo nonsense >&7; exec sleep 100', /no JSON object: "nonsense"/],
    ['a message without an end', 'qmpOdd', 'exec yes | tr -d "\\n" >&7', /a message without an end/],
    ['half a message', 'qmpOver', 'printf {\\"QMP >&7; exec 7>&-; exec sleep 100', /QEMU closed it within a message/],
    ['nothing any more', 'qmpOver', 'exec 7>&-; exec sleep 100', /QEMU closed it$/],
  ] as const) {
    it(`ends the guest that says ${what}, with the reason`, async () => {
      await assert.rejects(start(script), { code, message });
    });
  }

  it('tells what a QEMU has said that ends with it, and not that its QMP is over', async () => {
    const script = 'printf {\\"QMP >&7; exec 7>&-; echo "qemu-system-x86_64: no room" >&2; exit 1';
    await assert.rejects(start(script), { code: 'guestNotUp', message: /qemu-system-x86_64: no room/ });
  });
});
