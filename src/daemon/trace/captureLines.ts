import type { CaptureHeader } from './header';
import type { TraceSink } from './sink';
export class CaptureLines implements TraceSink {
  readonly full = false;
  constructor(
    readonly header: CaptureHeader,
    readonly line: (text: string) => void,
  ) {}
  begin(): void {}
  write(): void {}
  lost(): void {}
  end(): void {}
}
