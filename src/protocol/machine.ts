/**
 * Whose numbers a message of the guest has: x86-64 and arm64 differ in four of the open(2) flags, and in nothing else
 * that travels in FUSE messages.
 */

/** x86-64 stands for all machines with the numbers of asm-generic, arm64 for both of ARM. */
export type Machine = 'x86-64' | 'arm64';

/** Of a process's architecture, in Node's words. */
export const machineOf = (arch: string): Machine => (arch === 'arm64' || arch === 'arm' ? 'arm64' : 'x86-64');
