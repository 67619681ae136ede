/**
 * What lies above the lanes: the part of time that is being chosen, notes, what is pointed at and what is selected.
 * Draws nothing, and touches no pixel, while there is none of it.
 */
import { type Layout, PADDING } from '../model/layout';
import { placeOf } from '../model/timeScale';
import type { Selected, TimelineModel } from './model';
import type { Theme } from './theme';

/** The lanes below, as far as they matter here: where they are, in CSS pixels, and what the pointer does with them. */
export interface LanesBelow {
  readonly surface: HTMLCanvasElement;
  readonly theme: Theme;
  /** Device pixels of a CSS pixel. */
  readonly ratio: number;
  readonly left: number;
  readonly ruler: number;
  readonly width: number;
  readonly height: number;
  readonly plotWidth: number;
  readonly plotHeight: number;
  readonly layout: Layout;
  readonly scroll: number;
  readonly hovered: Selected | undefined;
  /** The part of time that is being chosen. */
  readonly band: { readonly from: number; readonly to: number } | undefined;
}

export class LanesOverlay {
  private blank = true;

  constructor(
    private readonly model: TimelineModel,
    private readonly view: LanesBelow,
  ) {}

  draw(): void {
    const { model, view } = this;
    const { ratio, theme, left, ruler, width, height, plotWidth, plotHeight, band, hovered } = view;
    const nothing = !band && !hovered && !model.selected && model.notes.length === 0;
    const context = nothing && this.blank ? null : view.surface.getContext('2d');
    if (!context) return;
    this.blank = nothing;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.save();
    context.beginPath();
    context.rect(left, 0, plotWidth, height);
    context.clip();
    if (band) {
      const x0 = left + placeOf(band.from, model.span, plotWidth);
      const x1 = left + placeOf(band.to, model.span, plotWidth);
      context.globalAlpha = 0.2;
      context.fillStyle = theme.selection;
      context.fillRect(x0, 0, x1 - x0, height);
      context.globalAlpha = 1;
    }
    for (const note of model.notes) {
      const x = left + placeOf(note.at, model.span, plotWidth);
      if (x < left - 8 || x > width) continue;
      context.fillStyle = theme.note;
      context.globalAlpha = 0.5;
      context.fillRect(Math.round(x), ruler, 1, plotHeight);
      context.globalAlpha = 1;
      context.beginPath();
      context.moveTo(x, ruler);
      context.lineTo(x - 4, ruler - 5);
      context.lineTo(x - 4, ruler - 9);
      context.lineTo(x + 5, ruler - 9);
      context.lineTo(x + 5, ruler - 5);
      context.fill();
    }
    if (hovered) this.outline(context, hovered, theme.hover, 1);
    if (model.selected) this.outline(context, model.selected, theme.selection, 2);
    context.restore();
  }

  private outline(context: CanvasRenderingContext2D, { side, row }: Selected, colour: string, thick: number): void {
    const { left, ruler, plotWidth, plotHeight, width, height, layout, scroll, theme } = this.view;
    const capture = this.model.captures[side];
    const lane = capture?.lanes.of(row);
    if (!capture || !lane) return;
    const placed = layout.lanes.find((each) => each.side === side && each.lane === lane);
    const position = lane.placeOf(row);
    if (!placed || position < 0) return;
    const { rows } = capture;
    const { span } = this.model;
    const x0 = left + Math.max(-9, placeOf(rows.columns.start[row], span, plotWidth));
    const x1 = Math.max(x0 + 2, left + Math.min(plotWidth + 9, placeOf(rows.until(row), span, plotWidth)));
    if (x1 < left || x0 > width) return;
    let y0 = placed.top - scroll + ruler + PADDING;
    let tall = placed.height - 2 * PADDING;
    if (this.model.height === 'overlap') {
      tall /= lane.tracks;
      y0 += lane.track[position] * tall;
    }
    if (y0 + tall < ruler || y0 > height) return;
    context.save();
    context.beginPath();
    context.rect(left, ruler, plotWidth, plotHeight);
    context.clip();
    context.strokeStyle = colour;
    context.lineWidth = thick;
    context.strokeRect(Math.round(x0) - 0.5, Math.round(y0) - 0.5, Math.round(x1 - x0) + 1, Math.round(tall) + 1);
    if (thick > 1) {
      // A bar of a pixel is found by the line above it.
      context.fillStyle = colour;
      context.globalAlpha = 0.6;
      context.fillRect(Math.round((x0 + x1) / 2), ruler, 1, Math.max(0, y0 - ruler));
      context.globalAlpha = 1;
      context.fillStyle = theme.selection;
    }
    context.restore();
  }
}
