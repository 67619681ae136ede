/** The list on our daemon, through our own front-end: the way Linux sends requests, and ways that no guest does. */
import { need } from '../support/need';
import type { Cut } from '../driver/fuseClient';
import { whyMissing } from '../driver/daemons';
import { type DaemonPlaceOptions, openDaemon } from './places';
import { features, runCases } from './runCases';

/** Descriptors of lengths that no structure border agrees with. */
const crooked: Cut = (lengths) => {
  const cuts: number[] = [];
  let left = lengths.reduce((sum, length) => sum + length, 0);
  for (let i = 0; left > 0 && cuts.length < 60; i++) {
    const length = Math.min(left, [1, 7, 40, 3, 129, 4097][i % 6]);
    cuts.push(length);
    left -= length;
  }
  return left > 0 ? [...cuts, left] : cuts;
};

const whole: Cut = (lengths) => [lengths.reduce((sum, length) => sum + length, 0)];

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
