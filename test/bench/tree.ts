/**
 * The folder that is shared while measuring, on a tmpfs, so that no disk is in the figures.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';

export const TREE = {
  files: 'files',
  fileCount: 1000,
  fileName: (index: number): string => `file${String(index).padStart(4, '0')}`,
  scratch: 'scratch',
  readFile: 'read.bin',
  writeFile: 'write.bin',
  fileBytes: 16 << 20,
  walk: 'walk',
  /** Folders in `walk`, folders in each of those, files in each of these. */
  walkShape: [8, 8, 16],
} as const;

/** Entries that a walk meets, folders included, the top not. */
export const walkEntries = (): number => {
  const [first, second, files] = TREE.walkShape;
  return first + first * second + first * second * files;
};

/** Makes the tree in a new folder and returns its path; the caller removes it. */
export function makeTree(): string {
  const root = fs.mkdtempSync('/dev/shm/virtiofs-bench-');
  const at = (...parts: string[]): string => path.join(root, ...parts);
  for (const folder of [TREE.files, TREE.scratch, TREE.walk]) fs.mkdirSync(at(folder));
  for (let i = 0; i < TREE.fileCount; i++) fs.writeFileSync(at(TREE.files, TREE.fileName(i)), 'x'.repeat(100));
  for (const file of [TREE.readFile, TREE.writeFile]) fs.writeFileSync(at(file), Buffer.alloc(TREE.fileBytes, 7));
  const [first, second, files] = TREE.walkShape;
  for (let i = 0; i < first; i++) {
    for (let j = 0; j < second; j++) {
      fs.mkdirSync(at(TREE.walk, `folder${i}`, `folder${j}`), { recursive: true });
      for (let k = 0; k < files; k++) fs.writeFileSync(at(TREE.walk, `folder${i}`, `folder${j}`, `file${k}`), '');
    }
  }
  return root;
}
