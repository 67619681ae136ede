/**
 * What /proc says about a process, and the arithmetic of medians. Linux only.
 */
import * as fs from 'node:fs';
import { runOn } from '../driver/host';

const threads = (pid: number): number[] => fs.readdirSync(`/proc/${pid}/task`).map(Number);

/**
 * CPU time of all threads of a process in milliseconds: utime + stime, from schedstat (nanoseconds) where the kernel
 * has it, else from stat (ticks of 10 ms).
 */
export function cpuMilliseconds(pid: number): number {
  try {
    return threads(pid).reduce((sum, tid) => {
      const [run] = fs.readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ');
      return sum + Number(run) / 1e6;
    }, 0);
  } catch {
    const fields = fs
      .readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }
}

/** CPU time of the threads of this name, in milliseconds. Throws where the kernel keeps no schedstat. */
export function threadMilliseconds(pid: number, name: string): number {
  return threads(pid)
    .filter((tid) => fs.readFileSync(`/proc/${pid}/task/${tid}/comm`, 'utf8').trimEnd() === name)
    .reduce((sum, tid) => {
      const [run] = fs.readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ');
      return sum + Number(run) / 1e6;
    }, 0);
}

/** Milliseconds that these CPUs have worked for anybody, from /proc/stat (in steps of 10 ms). */
export function busyMilliseconds(cpus: readonly number[]): number {
  const lines = fs.readFileSync('/proc/stat', 'utf8').split('\n');
  return cpus.reduce((sum, cpu) => {
    const [, user, nice, system, , , irq, softirq, steal] = (lines[cpu + 1] ?? '').split(/\s+/).map(Number);
    return sum + 10 * (user + nice + system + irq + softirq + steal);
  }, 0);
}

/** Resident bytes without shared memory (which is the guest's). */
export function residentBytes(pid: number): number {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  const kib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  return (kib('RssAnon') + kib('RssFile')) * 1024;
}

/** All threads of a process run on this CPU only. */
export function confine(pid: number, cpu: number): void {
  for (const tid of threads(pid)) runOn(cpu, tid);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
