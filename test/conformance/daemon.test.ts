/** The list on our daemon, through our own front-end: the way Linux sends requests, and ways that no guest does. */
import { need } from '../support/need';
import { whyMissing } from '../driver/daemons';
import { crooked, whole } from './cuts';
import { type DaemonPlaceOptions, openDaemon } from './places';
import { features, runCases } from './runCases';

const ways: Readonly<Record<string, DaemonPlaceOptions>> = {
  'as Linux does': {},
  'one descriptor each way, no EVENT_IDX, a small queue': { device: { eventIdx: false, queueSize: 64 }, cut: whole },
  'indirect tables, crooked cuts, memory in slots, two regions': {
    device: { memory: 'slots', regions: [48 << 20, 48 << 20], mapOffset: 8192 },
    indirect: true,
    cut: crooked,
  },
  'with a kernel of FUSE 7.31': { minor: 31 },
};

describe('conformance: two of our daemons on one folder', () => {
  before(function () {
    need(this, 'daemon', whyMissing('ours') === undefined, whyMissing('ours') ?? '');
    need(this, 'root', process.getuid?.() === 0, 'the cases change users');
  });
  const place = { arguments: ['--cache', 'never', '--xattr'] };
  runCases({ name: 'two daemons', features: features('fileFlags'), open: () => openDaemon('ours', place, 2) });
});

for (const [way, options] of Object.entries(ways)) {
  describe(`conformance: our daemon, ${way}`, () => {
    before(function () {
      need(this, 'daemon', whyMissing('ours') === undefined, whyMissing('ours') ?? '');
      need(this, 'root', process.getuid?.() === 0, 'the cases change users');
    });
    const place = { ...options, arguments: ['--cache', 'never', '--xattr'] };
    runCases({ name: way, features: features('fileFlags'), open: () => openDaemon('ours', place) });
  });
}
