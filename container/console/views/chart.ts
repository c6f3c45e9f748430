import { noChange } from 'lit/html.js';
import { AsyncDirective, directive } from 'lit/async-directive.js';
import type { ElementPart } from 'lit/html.js';
import uPlot from 'uplot';
import { clock, type Zone } from '../format.ts';

/** Lines over time on a canvas. What it shows stands in words and figures beside it: it is hidden from screen readers. */
export interface ChartLines {
  /** Epoch seconds. */
  readonly seconds: readonly number[];
  readonly lines: readonly {
    readonly label: string;
    /** Name of a colour of the style sheet. */
    readonly colour: '--accent' | '--warn' | '--bad' | '--soft';
    readonly values: readonly (number | null)[];
  }[];
  readonly heightPx: number;
  readonly unit: string;
  readonly zone: Zone;
}

const FONT = '11px system-ui, sans-serif';

class Chart extends AsyncDirective {
  #plot: uPlot | undefined;
  #element: HTMLElement | undefined;
  #lines: ChartLines | undefined;
  /** A chart is as wide as its place, and drawn again in the colours of day or night. */
  readonly #resized = new ResizeObserver(() => this.#resize());
  readonly #themed = matchMedia('(prefers-color-scheme: dark)');
  readonly #redraw = (): void => {
    this.#plot?.destroy();
    this.#plot = undefined;
    this.#draw();
  };

  render(_lines: ChartLines): typeof noChange {
    return noChange;
  }

  override update({ element }: ElementPart, [lines]: [ChartLines]): typeof noChange {
    this.#lines = lines;
    if (this.#element !== element) {
      this.#element = element as HTMLElement;
      this.#resized.observe(element);
      this.#themed.addEventListener('change', this.#redraw);
    }
    // Drawn first while it is no part of the document yet, where it has no width and no colours.
    queueMicrotask(() => this.#draw());
    return noChange;
  }

  override disconnected(): void {
    this.#resized.disconnect();
    this.#themed.removeEventListener('change', this.#redraw);
    this.#plot?.destroy();
    this.#plot = undefined;
    this.#element = undefined;
  }

  #draw(): void {
    const [element, lines] = [this.#element, this.#lines];
    if (!element?.isConnected || !lines) return;
    const data = [[...lines.seconds], ...lines.lines.map(({ values }) => [...values])] as uPlot.AlignedData;
    if (this.#plot && this.#plot.series.length === data.length) this.#plot.setData(data);
    else {
      this.#plot?.destroy();
      this.#plot = new uPlot(optionsOf(lines, element), data, element);
    }
  }

  #resize(): void {
    const width = this.#element?.clientWidth ?? 0;
    if (width > 0 && this.#lines) this.#plot?.setSize({ width, height: this.#lines.heightPx });
  }
}

function optionsOf({ lines, heightPx, unit, zone }: ChartLines, element: HTMLElement): uPlot.Options {
  const style = getComputedStyle(element);
  // A custom property is told as it is written: what `light-dark()` comes to is told of a property that uses it.
  const colour = (name: string): string => {
    element.style.setProperty('outline-color', `var(${name})`);
    const told = style.outlineColor;
    element.style.removeProperty('outline-color');
    return told;
  };
  const axis: uPlot.Axis = {
    stroke: colour('--soft'),
    font: FONT,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth || 300,
    height: heightPx,
    cursor: { show: false },
    legend: { show: false },
    padding: [8, 8, 0, 0],
    series: [
      {},
      ...lines.map(({ label, colour: name }) => ({ label, stroke: colour(name), width: 1.5, points: { show: false } })),
    ],
    axes: [
      {
        ...axis,
        size: 28,
        space: 90,
        values: (_plot, ticks) => ticks.map((tick) => clock(tick * 1000, zone, Date.now())),
      },
      { ...axis, size: 60, values: (_plot, ticks) => ticks.map((tick) => `${tick}${unit}`) },
    ],
  };
}

/** `<div aria-hidden="true" ${chart(lines)}></div>` */
export const chart = directive(Chart);
