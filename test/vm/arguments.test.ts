/** Command lines of guests: pure functions, so their words are compared. */
import * as assert from 'node:assert/strict';
import { qemuArguments, type QemuOptions } from '../../src/vm/qemuArguments';
import { umlArguments, umlEnvironment } from '../../src/vm/umlArguments';

const options: QemuOptions = {
  machine: 'x64',
  accelerator: 'tcg',
  kernel: '/k/vmlinuz',
  initramfs: '/t/initramfs',
  memoryMiB: 512,
  cpus: 2,
  shares: [{ tag: 'work', socket: '/t/share0.sock' }],
  queues: 1,
  queueSize: 1024,
  consoleFd: 3,
  channelFd: 4,
  errorsFd: 6,
  qmpFd: 7,
  reboot: false,
};

/** The values that follow a word, in order. */
function after(words: readonly string[], word: string): string[] {
  return words.flatMap((one, index) => (one === word ? [words[index + 1]] : []));
}

describe('the command line of QEMU', () => {
  it('shares the guest memory with the back-ends', () => {
    const words = qemuArguments(options);
    assert.deepEqual(after(words, '-object'), ['memory-backend-memfd,id=memory,size=512M,share=on']);
    assert.match(after(words, '-machine')[0], /^q35,.*,memory-backend=memory$/);
    assert.deepEqual(after(words, '-m'), ['512M']);
  });

  it('has a device for each share, with a large queue', () => {
    const shares = [...options.shares, { tag: 'a,b', socket: '/t/x,y.sock' }];
    const words = qemuArguments({ ...options, shares, queues: 4 });
    assert.deepEqual(
      after(words, '-device').filter((device) => device.startsWith('vhost-user-fs-pci')),
      [
        'vhost-user-fs-pci,chardev=share0,tag=work,queue-size=1024,num-request-queues=4',
        'vhost-user-fs-pci,chardev=share1,tag=a,,b,queue-size=1024,num-request-queues=4',
      ],
    );
    assert.ok(words.includes('socket,id=share1,path=/t/x,,y.sock'));
  });

  it('has another device for a share with a DAX window, whose tag comes from the back-end', () => {
    const shares = [{ ...options.shares[0], dax: true }];
    const words = qemuArguments({ ...options, shares, queues: 2 });
    assert.deepEqual(
      after(words, '-device').filter((device) => device.startsWith('vhost-user')),
      ['vhost-user-test-device-pci,chardev=share0,virtio-id=26,num_vqs=3,config_size=40,vq_size=1024'],
    );
  });

  it('hands over the console, the channel, the errors of commands, QMP and the extra channel', () => {
    const sockets = (words: string[]): string[] => after(words, '-chardev').filter((word) => word.includes('fd='));
    assert.deepEqual(sockets(qemuArguments(options)), [
      'socket,id=console,fd=3',
      'socket,id=channel,fd=4',
      'socket,id=errors,fd=6',
      'socket,id=qmp,fd=7',
    ]);
    assert.ok(sockets(qemuArguments({ ...options, extraFd: 5 })).includes('socket,id=extra,fd=5'));
    const ports = after(qemuArguments({ ...options, extraFd: 5 }), '-device').filter((word) => word.includes('port'));
    // The guest numbers them in this order.
    assert.deepEqual(
      ports.map((port) => /chardev=(\w+)/.exec(port)?.[1]),
      ['channel', 'errors', 'extra'],
    );
  });

  it('emulates a processor or uses that of the host', () => {
    assert.deepEqual(after(qemuArguments(options), '-accel'), ['tcg,thread=multi']);
    const kvm = qemuArguments({ ...options, accelerator: 'kvm' });
    assert.deepEqual([after(kvm, '-accel'), after(kvm, '-cpu')], [['kvm'], ['host']]);
    assert.ok(!after(kvm, '-append')[0].includes('init_on_alloc'), 'hardening stays where it costs nothing');
  });

  it('ends at a reboot or panic, unless told to go on', () => {
    assert.ok(qemuArguments(options).includes('-no-reboot'));
    assert.ok(!qemuArguments({ ...options, reboot: true }).includes('-no-reboot'));
  });

  it("puts the user's words last", () => {
    const words = qemuArguments({ ...options, extra: ['-smp', '4'], kernelArguments: ['debug'] });
    assert.deepEqual(words.slice(-2), ['-smp', '4']);
    assert.match(after(words, '-append')[0], / debug$/);
  });
});

describe('the command line of User Mode Linux', () => {
  const uml = {
    initramfs: '/t/i',
    memoryMiB: 256,
    sockets: ['/t/a', '/t/b'],
    folder: '/t',
    hostfs: '/t/records',
    consoleFd: 3,
    channelFd: 4,
    errorsFd: 6,
  };

  it('has a vhost-user device of type 26 for each share', () => {
    const words = umlArguments(uml).filter((word) => word.startsWith('virtio_uml'));
    assert.deepEqual(words, ['virtio_uml.device=/t/a:26', 'virtio_uml.device=/t/b:26']);
  });

  it('ends at a reboot', () => {
    assert.ok(umlArguments(uml).includes('noreboot'));
  });

  it('keeps its files in the given folder', () => {
    assert.ok(umlArguments(uml).includes('uml_dir=/t'));
    assert.ok(umlArguments(uml).includes('hostfs=/t/records'));
    assert.deepEqual(umlEnvironment('/t', '/dev/shm'), { HOME: '/t', TMPDIR: '/dev/shm', PATH: '/usr/bin:/bin' });
  });

  it('joins terminals to descriptors', () => {
    const words = umlArguments({ ...uml, extraFd: 5 });
    for (const word of ['con=null', 'con0=fd:3,fd:3', 'con1=fd:4,fd:4', 'con2=fd:6,fd:6', 'con3=fd:5,fd:5']) {
      assert.ok(words.includes(word), word);
    }
  });
});
