/**
 * Says where the captures of a share are, now that its daemons have ended. It is the last of a share, whose own end it
 * does not change: what cannot be read any more is said as well.
 */
import { Trouble } from '../base/catalogue';
import { systemReason } from '../base/systemReason';
import { captureParts } from '../control/captureFiles';
import { quote } from '../protocol/text';
import { sizeText } from '../trace/sizeText';

/** Name and size, of a capture in two halves each. */
export function tellCaptures(captures: readonly string[], say: (line: string) => void): void {
  for (const capture of captures) {
    try {
      for (const { file, bytes } of captureParts(capture)) say(`capture: ${quote(file)}, ${sizeText(bytes)}`);
    } catch (error) {
      const why = error instanceof Trouble ? error.message : systemReason(error);
      if (why === undefined) throw error;
      say(`capture: ${quote(capture)}: ${why}`);
    }
  }
}
