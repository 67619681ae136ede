/** A lane of its own below the others: how full the DAX window was. There only where a capture has a window. */
import type { Side } from '../../../control/timeline';
import { Opcode } from '../../../protocol/fuse/opcodeNumbers';
import type { Occupancy } from '../../../trace/dax/windowOccupancy';
import { placeOf, timeAt } from '../model/timeScale';
import { partAt, windowStrip } from '../model/windowLane';
import { eachFrame, el, set } from './dom';
import type { TimelineModel } from './model';
import { cssOf, type Theme } from './theme';

const HEIGHT = 34;
/** It is asked for again at most so often, milliseconds. */
const PACE = 1000;

export class WindowLane {
  private readonly canvas = el('canvas', { 'aria-hidden': 'true' });
  readonly element = el('div', { class: 'window-lane', role: 'img', hidden: true }, this.canvas);
  readonly draw = eachFrame(() => this.drawNow());
  /** For each side. */
  private occupancies: (Occupancy | undefined)[] = [];
  private seen: number[] = [];
  private asking = false;
  private dirty = false;
  private pointer: number | undefined;

  constructor(
    private readonly model: TimelineModel,
    public theme: Theme,
    private readonly parts: {
      ask(side: Side): Promise<Occupancy>;
      /** Where the time begins, pixels from the left. */
      left(): number;
    },
  ) {
    model.on('rows', () => this.look());
    model.on('span', this.draw);
    new ResizeObserver(this.draw).observe(this.element);
    this.element.addEventListener('pointermove', ({ clientX }) => {
      this.pointer = clientX - this.element.getBoundingClientRect().left;
      this.draw();
    });
    this.element.addEventListener('pointerleave', () => {
      this.pointer = undefined;
      this.draw();
    });
  }

  /** Whether new rows are about the window. */
  private look(): void {
    let about = false;
    this.model.captures.forEach(({ rows }, side) => {
      const from = this.seen[side] ?? 0;
      if (rows.count < from) this.occupancies[side] = undefined;
      const { opcode } = rows.columns;
      for (let row = rows.count < from ? 0 : from; row < rows.count && !about; row++) {
        about = opcode[row] === Opcode.SETUPMAPPING || opcode[row] === Opcode.REMOVEMAPPING;
      }
      this.seen[side] = rows.count;
    });
    this.dirty ||= about;
    if (this.dirty && !this.asking) void this.ask();
  }

  private async ask(): Promise<void> {
    this.asking = true;
    while (this.dirty) {
      this.dirty = false;
      for (const side of this.model.captures.keys()) {
        const occupancy = await this.parts.ask(side as Side).catch(() => undefined);
        if (occupancy) this.occupancies[side] = occupancy;
      }
      this.element.hidden = this.shown.length === 0;
      this.draw();
      await new Promise((resolve) => setTimeout(resolve, PACE));
    }
    this.asking = false;
  }

  private get shown(): readonly Occupancy[] {
    return this.occupancies
      .slice(0, this.model.captures.length)
      .filter((one) => one !== undefined && one.size > 0 && one.times.length > 0) as Occupancy[];
  }

  private drawNow(): void {
    const { canvas, element, theme, shown } = this;
    if (shown.length === 0 || element.hidden) return;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const whole = Math.max(1, element.clientWidth);
    const height = HEIGHT * shown.length;
    element.style.height = `${height}px`;
    canvas.width = Math.round(whole * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext('2d');
    if (!context) return;
    context.scale(ratio, ratio);
    const left = this.parts.left();
    const width = Math.max(1, Math.floor(whole - left));
    const { span } = this.model;
    const pointed = this.pointer !== undefined && this.pointer >= left ? this.pointer : undefined;
    const time = pointed === undefined ? span.to : timeAt(pointed - left, span, width);
    const words: string[] = [];
    shown.forEach((occupancy, index) => {
      const top = HEIGHT * index + 3;
      const tall = HEIGHT - 6;
      const { end, most } = windowStrip(occupancy, span, width);
      context.fillStyle = cssOf(theme.palette.lane);
      context.fillRect(left, top, width, tall);
      context.fillStyle = cssOf(theme.palette.families[1]);
      for (let x = 0; x < width; x++) {
        context.globalAlpha = 0.4;
        context.fillRect(left + x, top + tall * (1 - most[x]), 1, tall * most[x]);
        context.globalAlpha = 1;
        context.fillRect(left + x, top + tall * (1 - end[x]), 1, tall * end[x]);
      }
      const part = `${(partAt(occupancy, time) * 100).toFixed(0)} %`;
      words.push(part);
      context.font = theme.font;
      context.textBaseline = 'middle';
      context.fillStyle = theme.foreground;
      const room = left - 24 - context.measureText(part).width;
      const name = ['DAX window', 'DAX'].find((text) => context.measureText(text).width <= room);
      if (name !== undefined) context.fillText(name, 10, top + tall / 2);
      context.textAlign = 'right';
      context.fillStyle = theme.muted;
      context.fillText(part, left - 8, top + tall / 2);
      context.textAlign = 'left';
    });
    context.fillStyle = theme.line;
    context.fillRect(left - 1, 0, 1, height);
    if (pointed !== undefined) context.fillRect(left + placeOf(time, span, width), 0, 1, height);
    set(element, { 'aria-label': `DAX window: ${words.join(', ')} in use at ${(time / 1e9).toFixed(3)} seconds` });
  }
}
