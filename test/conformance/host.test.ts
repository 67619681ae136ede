/** The list against this machine's own kernel: shows that the cases themselves are right. */
import { need } from '../support/need';
import { onPath } from '../../src/vm/onPath';
import { openHost } from './places';
import { features, runCases } from './runCases';

describe('conformance: Linux itself, on a tmpfs', () => {
  before(function () {
    need(this, 'perl', onPath('perl') !== undefined, 'the cases make their system calls through perl');
    need(this, 'root', process.getuid?.() === 0, 'the cases change users');
  });
  runCases({
    name: 'host',
    features: features('fileFlags'),
    differences: {
      'POSIX ACLs are refused: whoever checks modes only would let the wrong users in': 'here the kernel checks them',
    },
    open: openHost,
  });
});
