/** The conformance list on the file system in memory, behind the real server and rings over plain memory. */
import { Arena } from '../../../src/base/arena';
import { FUSE_AREA_BYTES, layOutFuse } from '../../../src/fuse/areas';
import { FuseServer } from '../../../src/fuse/server';
import { FuseMount } from '../../conformance/fuseMount';
import { FusePosix } from '../../conformance/fusePosix';
import { type OpenPlace, features, runCases } from '../../conformance/runCases';
import { FuseCalls } from '../../driver/fuseCalls';
import { FuseClient } from '../../driver/fuseClient';
import { JoinedDevice } from '../../driver/joinedDevice';
import { defaultFuseOptions } from '../../fuse/defaultOptions';
import { MEMORY_AREAS_SIZE, MemoryFileSystem, memoryAreas } from './memfs';

function openMemory(): Promise<OpenPlace> {
  const deviceAt = MEMORY_AREAS_SIZE + FUSE_AREA_BYTES;
  const arena = new Arena(new ArrayBuffer(deviceAt + JoinedDevice.ARENA_BYTES), 0);
  const memory = new MemoryFileSystem(arena, memoryAreas(0));
  const server = new FuseServer(arena, layOutFuse(MEMORY_AREAS_SIZE), memory, defaultFuseOptions);
  const device = new JoinedDevice(arena, deviceAt, server);
  const calls = new FuseCalls(new FuseClient(device));
  calls.init();
  return Promise.resolve({
    root: new FusePosix(new FuseMount(calls)),
    close: () => {
      device.close();
      return Promise.resolve();
    },
  });
}

describe('memfs', () => {
  runCases({
    name: 'a server in this process',
    features: features('host', 'fileFlags', 'whiteout'),
    open: openMemory,
  });
});
