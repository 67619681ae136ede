/**
 * Who may open /dev/kvm, and what would let somebody else: membership of its group helps only where the group has
 * rights, and is one that people are put into.
 */
export interface DeviceAccess {
  readonly mode: number;
  readonly gid: number;
}

/** The shell line that lets the user "$USER" open it. `groups`: what /etc/group says. */
export function kvmAccessCommand({ mode, gid }: DeviceAccess, groups: string): string {
  const names = new Map(groups.split('\n').map((line): [string, string] => [line.split(':')[2], line.split(':')[0]]));
  const group = names.get(String(gid));
  if (gid !== 0 && group !== undefined && (mode & 0o060) === 0o060) return `sudo usermod -aG ${group} $USER`;
  // Until the device is made anew: a distribution's udev then gives it to its group, where there is a udev. An entry
  // of an access control list would take less, and a package (acl) that not every system has.
  return 'sudo chown $USER /dev/kvm';
}
