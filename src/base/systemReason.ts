/**
 * What the system said when a call on a file failed, for a person: "read-only file system (EROFS)". Undefined for an
 * error of any other kind, which is not to be taken for the machine's.
 */
export function systemReason(error: unknown): string | undefined {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code !== 'string' || typeof message !== 'string') return undefined;
  // As Node words them all: "EROFS: read-only file system, mkdir '/x'".
  const [, words] = /^[A-Z\d]+: ([^,]+), /.exec(message) ?? [];
  return words === undefined || !message.startsWith(`${code}: `) ? undefined : `${words} (${code})`;
}
