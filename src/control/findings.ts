/** What `virtiofs-studio doctor --json` prints: the shape, and the check of what comes in. Pure. */

export type Verdict = 'ok' | 'warning' | 'missing';

export interface Finding {
  readonly subject: string;
  readonly verdict: Verdict;
  readonly found: string;
  /** What to do; only where the verdict is not `ok`. */
  readonly fix?: string;
  /** The same as a shell line, where it is one. */
  readonly command?: string;
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.length < 64 << 10;

/** Undefined for what is no list of findings. */
export function parseFindings(text: string): Finding[] | undefined {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(said) || said.length > 1000) return undefined;
  const findings: Finding[] = [];
  for (const entry of said as unknown[]) {
    const { subject, verdict, found, fix, command } = (entry ?? {}) as Record<string, unknown>;
    if (!isText(subject) || !isText(found)) return undefined;
    if (verdict !== 'ok' && verdict !== 'warning' && verdict !== 'missing') return undefined;
    findings.push({
      subject,
      verdict,
      found,
      ...(isText(fix) ? { fix } : {}),
      ...(isText(command) ? { command } : {}),
    });
  }
  return findings;
}
