/** The names of the lanes at their left, with how many requests each has, and the captions above those of one side. */
import type { Side } from '../../../control/timeline';
import { CAPTION, type Layout } from '../model/layout';
import { thousands } from '../../../trace/countText';
import { laneName } from './laneNames';
import type { TimelineModel } from './model';
import type { PathTexts } from './pathTexts';
import type { TextWidths } from './textWidths';
import type { Theme } from './theme';

const SIDES = ['A', 'B'] as const;

/** The lanes, as far as they matter here: where they are, in CSS pixels. */
export interface LanesBeside {
  readonly theme: Theme;
  readonly left: number;
  readonly ruler: number;
  readonly width: number;
  readonly height: number;
  readonly plotHeight: number;
  readonly layout: Layout;
  readonly scroll: number;
}

export class NamesColumn {
  constructor(
    private readonly model: TimelineModel,
    private readonly paths: PathTexts,
    private readonly view: LanesBeside,
    private readonly widths: TextWidths,
  ) {}

  /** Whether a caption lies above the bars too, which are drawn each time. */
  draw(context: CanvasRenderingContext2D): boolean {
    const { model, view, widths } = this;
    const { theme, left, ruler, width, height: bottom, layout, scroll } = view;
    const compared = model.captures.length > 1;
    context.fillStyle = theme.background;
    context.fillRect(0, ruler, left, view.plotHeight);
    context.save();
    context.beginPath();
    context.rect(0, ruler, width, view.plotHeight);
    context.clip();
    for (const { side, lane, top, height, caption } of layout.lanes) {
      const y = top - scroll + ruler;
      if (y > bottom) break;
      if (caption) this.drawCaption(context, side, y - CAPTION);
      if (y + height < ruler) continue;
      const { text, short, path } = laneName(lane, model.grouping, side, this.paths);
      const badge = compared ? 18 : 0;
      const two = height >= 38;
      const middle = two ? y + height / 2 - 7 : y + height / 2;
      if (compared) this.drawBadge(context, side, 10, middle);
      context.fillStyle = theme.foreground;
      const count = thousands(lane.count);
      const room = left - 20 - badge - (two ? 0 : widths.of(context, count) + 6);
      const name = short !== undefined && widths.of(context, text) > room ? short : text;
      context.fillText(widths.fitted(context, name, room, path === true), 10 + badge, middle);
      context.fillStyle = theme.muted;
      if (two) {
        const failed = lane.failed > 0 ? `${thousands(lane.failed)} failed` : '';
        const both = [count, failed].filter((part) => part !== '').join(' · ');
        // Where there is no room for both, what has failed is told.
        const told = failed !== '' && widths.of(context, both) > left - 20 - badge ? failed : both;
        context.fillText(widths.fitted(context, told, left - 20 - badge, false), 10 + badge, middle + 15);
      } else {
        context.textAlign = 'right';
        context.fillText(count, left - 8, y + height / 2);
        context.textAlign = 'left';
      }
      context.fillStyle = theme.line;
      context.fillRect(0, y + height - 1, left, 1);
    }
    context.restore();
    context.fillStyle = theme.line;
    context.fillRect(left - 1, 0, 1, bottom);
    return layout.lanes.some(({ caption }) => caption);
  }

  private drawCaption(context: CanvasRenderingContext2D, side: Side, y: number): void {
    const { theme, width } = this.view;
    const title = `only in ${this.model.states[side]?.title ?? SIDES[side]}`;
    context.fillStyle = theme.background;
    context.fillRect(0, y, width, CAPTION);
    this.drawBadge(context, side, 10, y + CAPTION / 2);
    context.fillStyle = theme.muted;
    context.fillText(title, 28, y + CAPTION / 2);
    context.fillStyle = theme.line;
    context.fillRect(0, y + CAPTION - 1, width, 1);
  }

  private drawBadge(context: CanvasRenderingContext2D, side: Side, x: number, y: number): void {
    const { theme } = this.view;
    context.fillStyle = theme.muted;
    context.fillRect(x - 2, y - 7, 14, 14);
    context.fillStyle = theme.background;
    context.textAlign = 'center';
    context.fillText(SIDES[side], x + 5, y + 0.5);
    context.textAlign = 'left';
  }
}
