/**
 * A host system call as one line in strace's manner: `openat(7, "a.txt", O_RDONLY|O_NOFOLLOW, 0) = 9`.
 *
 * Which arguments there are and how each is shown is the table's business (protocol/hostCalls.ts).
 */
import { errnoName } from '../protocol/errno';
import { tableOn } from '../protocol/flagTable';
import { hostCalls, type HostArgument } from '../protocol/hostCalls';
import type { Machine } from '../protocol/machine';
import { printDevice, printEnum, printFlags, printHex, printSize } from '../protocol/print';
import { quote } from '../protocol/text';
import type { HostCallRecord } from './capture';

type CallWords = Pick<HostCallRecord, 'call' | 'arguments' | 'texts' | 'machine'>;

/** AT_FDCWD, where a descriptor is expected. */
const CURRENT_FOLDER = -100n;

export function hostCallName(call: number): string {
  return hostCalls[call]?.name ?? `call ${call}`;
}

export function hostCallLine(record: HostCallRecord): string {
  return `${hostCallWords(record)} = ${hostResult(record.result)}`;
}

/** `-1 ENOENT` for a negative errno. */
export const hostResult = (result: number): string => (result < 0 ? `-1 ${errnoName(result)}` : String(result));

/** Each argument by its name, as the line has it. */
export function hostArguments(record: CallWords): { readonly name: string; readonly text: string }[] {
  const row = hostCalls[record.call];
  let texts = 0;
  return record.arguments.map((value, index) => {
    const argument = row?.arguments[index];
    if (argument === undefined) return { name: `[${index}]`, text: printHex(value) };
    const { name } = argument;
    if (argument.kind !== 'path') return { name, text: hostArgument(argument, value, record.machine) };
    const text = record.texts[texts++];
    return { name, text: text === undefined ? '?' : quote(text) };
  });
}

/** The call without what came of it: `openat(7, "a.txt", O_RDONLY, 0)`. */
export const hostCallWords = (record: CallWords): string =>
  `${hostCallName(record.call)}(${hostArguments(record)
    .map(({ text }) => text)
    .join(', ')})`;

function hostArgument({ kind, show, flags, enum: names }: HostArgument, value: bigint, machine: Machine): string {
  if (kind === 'fd') return value === CURRENT_FOLDER ? 'AT_FDCWD' : value.toString();
  if (kind === 'address') return value === 0n ? 'NULL' : '…';
  if (flags) return printFlags(tableOn(flags, machine), value);
  if (names) return printEnum(names, value);
  switch (show) {
    case 'hex':
      return printHex(value);
    case 'size':
      return printSize(value);
    case 'mode':
    case 'octal':
      return `0${value.toString(8).padStart(3, '0')}`;
    case 'device':
      return printDevice(Number(BigInt.asUintN(32, value)));
    default:
      return value.toString();
  }
}
