/** Single values in kernel terms. */
import assert from 'node:assert/strict';
import { errnoReason } from '../../src/protocol/errno';
import { accessFlags, ioctlCommands, openFlags, seekWhence } from '../../src/protocol/fuse/flags';
import { Attr, OutHeader, ReadIn } from '../../src/protocol/fuse/structs';
import { printDevice, printEnum, printFlags, printHex, printId, printValue } from '../../src/protocol/print';
import type { StructTable } from '../../src/protocol/struct';

const field = (table: StructTable, name: string) => {
  const found = table.fields.find((each) => each.name === name);
  assert.ok(found);
  return found;
};

describe('printing values', () => {
  it('open flags: the access mode, flags that contain others, bits without a name', () => {
    assert.equal(printFlags(openFlags, 0), 'O_RDONLY');
    assert.equal(printFlags(openFlags, 0o102), 'O_RDWR|O_CREAT');
    assert.equal(printFlags(openFlags, 0o4010001), 'O_WRONLY|O_SYNC');
    assert.equal(printFlags(openFlags, 0o10001), 'O_WRONLY|O_DSYNC');
    assert.equal(printFlags(openFlags, 0o20200002), 'O_RDWR|O_TMPFILE');
    assert.equal(printFlags(openFlags, 0o200000), 'O_RDONLY|O_DIRECTORY');
    assert.equal(printFlags(openFlags, 0x8000_0001), 'O_WRONLY|0x80000000');
    assert.equal(printFlags(openFlags, 1n << 40n), 'O_RDONLY|0x10000000000');
  });

  it('an empty mask has a name where the table has one', () => {
    assert.equal(printFlags(accessFlags, 0), 'F_OK');
    assert.equal(printFlags(accessFlags, 6), 'R_OK|W_OK');
  });

  it('enumerations, known and not', () => {
    assert.equal(printEnum(seekWhence, 4), 'SEEK_HOLE');
    assert.equal(printEnum(seekWhence, 9), '9');
    assert.equal(printEnum(ioctlCommands, 0x80086601, true), 'FS_IOC_GETFLAGS');
    assert.equal(printEnum(ioctlCommands, 0x5401, true), '0x5401');
  });

  it('identities stay short, beyond 32 bits they show their halves', () => {
    assert.equal(printId(5n), '5');
    assert.equal(printId(0x3_0000_0007n), '0x300000007');
    assert.equal(printValue(field(ReadIn, 'offset'), 1n << 40n), '1099511627776');
    assert.equal(printValue(field(ReadIn, 'offset'), 0x7fff_ffff_ffff_ffffn), '0x7fffffffffffffff');
  });

  it('errors in words, for a person', () => {
    assert.equal(errnoReason(-2), 'no such file or directory (ENOENT)');
    assert.equal(errnoReason(111), 'connection refused (ECONNREFUSED)');
    assert.equal(errnoReason(-4000), 'errno 4000');
  });

  it('modes, errno, devices, hexadecimal', () => {
    assert.equal(printValue(field(Attr, 'mode'), 0o100644), '0100644');
    assert.equal(printValue(field(Attr, 'mode'), 0o40755), '040755');
    assert.equal(printValue(field(OutHeader, 'error'), -13), 'EACCES');
    assert.equal(printValue(field(OutHeader, 'error'), 0), '0');
    assert.equal(printDevice(0x103), '1:3');
    assert.equal(printDevice((0x12345 & 0xff) | (259 << 8) | ((0x12345 & ~0xff) << 12)), '259:74565');
    assert.equal(printHex(-1), '-0x1');
    assert.equal(printHex(0xffff_ffff_ffff_ffffn), '0xffffffffffffffff');
  });
});
