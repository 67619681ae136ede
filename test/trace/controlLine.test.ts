import assert from 'node:assert/strict';
import fc from 'fast-check';
import { controlLine } from '../../src/trace/controlLine';

describe('a vhost-user message as a line', () => {
  const words = (...list: number[]): Uint8Array => new Uint8Array(Uint32Array.from(list).buffer);
  const line = (bytes: Uint8Array, fromFrontEnd = true, descriptors = 0): string =>
    controlLine({ start: 0, fromFrontEnd, descriptors, bytes });

  it('names features', () => {
    assert.equal(line(words(1, 1, 0)), '-> GET_FEATURES');
    assert.equal(
      line(words(1, 5, 8, 0x4000_0000, 1), false),
      '<- GET_FEATURES answer u64=VHOST_USER_F_PROTOCOL_FEATURES|VIRTIO_F_VERSION_1',
    );
    assert.equal(
      line(words(16, 9, 8, 0x208, 0)),
      '-> SET_PROTOCOL_FEATURES u64=REPLY_ACK|CONFIG VHOST_USER_NEED_REPLY',
    );
    assert.equal(line(words(2, 5, 8, 0, 0), false), '<- SET_FEATURES answer u64=0');
  });

  it('shows memory regions and descriptors', () => {
    const table = words(5, 1, 40, 1, 0, 0, 0, 0x1000_0000, 0, 0xf000, 0x7f00, 0, 0);
    assert.equal(
      line(table, true, 1),
      '-> SET_MEM_TABLE nregions=1 guest_phys_addr=0x0 memory_size=256M userspace_addr=0x7f000000f000 mmap_offset=0x0 fds=1',
    );
  });

  it('shows the set-up of rings', () => {
    assert.equal(line(words(8, 1, 8, 1, 1024)), '-> SET_VRING_NUM index=1 num=1024');
    assert.match(line(words(12, 1, 8, 1, 0), true, 1), /^-> SET_VRING_KICK u64=0x1 fds=1$/);
  });

  it('tells requests of the back-end from answers', () => {
    assert.equal(line(words(2, 1, 0), false), '<- BACKEND_CONFIG_CHANGE_MSG');
  });

  it('takes any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, from) => {
        assert.doesNotMatch(line(bytes, from), /[\u0000-\u001f]/);
      }),
    );
  });
});
