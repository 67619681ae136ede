/**
 * The list on memfs, through the FUSE server and the rings, over plain memory: the protocol side without a system call.
 */
import type { Cut } from '../driver/fuseClient';
import { crooked, whole } from './cuts';
import { openMemory } from './places';
import { features, runCases } from './runCases';

const ways: Readonly<Record<string, Cut | undefined>> = {
  'as Linux cuts': undefined,
  'one descriptor each way': whole,
  'crooked cuts': crooked,
};

for (const [way, cut] of Object.entries(ways)) {
  describe(`conformance: memfs, ${way}`, () => {
    runCases({ name: way, features: features('host', 'fileFlags', 'whiteout'), open: () => openMemory(cut) });
  });
}
