/** Holds a capture that grows as it is, and lets it go on; not there where nothing comes any more. */
import { button, icon, set } from './dom';
import type { TimelineModel } from './model';

export function pauseButton(model: TimelineModel, pause: (paused: boolean) => void): HTMLElement {
  const element = button('Pause', 'pause', () => {
    model.paused = !model.paused;
    model.follow = !model.paused;
    const title = model.paused ? 'Go on' : 'Pause';
    set(element, { title, 'aria-label': title, 'aria-pressed': String(model.paused) });
    element.replaceChildren(icon(model.paused ? 'play' : 'pause'));
    pause(model.paused);
    model.rowsChanged();
  });
  element.hidden = true;
  model.on('state', () => {
    element.hidden = !model.growing;
  });
  return element;
}
