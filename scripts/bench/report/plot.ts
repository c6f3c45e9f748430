/** Plots as SVG without style, script or font: for a page of its own, for Markdown, and inside a page with a strict policy. */

const WIDTH = 860;
const LABEL = 330;
const BAR = 18;
const TEXT_ROOM = 110;
/** Readable on white and on black, where the SVG is an image and cannot know; a page that it stands in may set its own. */
const TEXT = '#6e7781';
const COLOURS = {
  vps: '#2563eb',
  'vps-nginx': '#7c9fe8',
  edge: '#f6821f',
  fallback: '#b45309',
  other: '#94a3b8',
} as const;

export const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

function colourOf(system: string): string {
  if (system === 'edge-floor') return COLOURS.other;
  if (system === 'vps-nginx' || system === 'fallback') return COLOURS[system];
  return system.startsWith('edge') ? COLOURS.edge : system.startsWith('vps') ? COLOURS.vps : COLOURS.other;
}

export interface Bar {
  readonly label: string;
  readonly system: string;
  readonly value: number;
  readonly text: string;
}

/**
 * Horizontal bars, on a logarithmic scale where not told otherwise: a floor and what stands on it often differ by tens.
 * @returns `''` where nothing is to be shown
 */
export function bars(title: string, entries: readonly Bar[], scaleName: ScaleName = 'logarithmic'): string {
  const shown = entries.filter(({ value }) => isPositive(value));
  const scale = SCALES[scaleName](shown.map(({ value }) => value));
  return figureOf(
    scaleName === 'logarithmic' ? `${title} (logarithmic)` : title,
    shown.map(({ label, system, value, text }) => ({
      label,
      text,
      endsAt: scale(value),
      marks: `<rect x="${LABEL}" y="0" width="${scale(value).toFixed(1)}" height="${BAR}" fill="${colourOf(system)}"/>`,
    })),
  );
}

export interface Spread {
  readonly label: string;
  readonly system: string;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly text: string;
}

/** From the median to the 99th percentile, with a mark at the 90th, on a logarithmic scale. */
export function spreads(title: string, entries: readonly Spread[]): string {
  const shown = entries.filter(({ p50, p90, p99 }) => [p50, p90, p99].every(isPositive));
  const scale = logarithmic(shown.flatMap(({ p50, p99 }) => [p50, p99]));
  return figureOf(
    `${title}: p50, p90, p99 (logarithmic)`,
    shown.map(({ label, system, p50, p90, p99, text }) => {
      const [from, mark, to] = [scale(p50), scale(p90), scale(p99)];
      const colour = colourOf(system);
      const at = (x: number, width: number, height: number): string =>
        `<rect x="${(LABEL + x).toFixed(1)}" y="${(BAR - height) / 2}" width="${width.toFixed(1)}" height="${height}" fill="${colour}"/>`;
      const marks = at(from, Math.max(2, to - from), 6) + at(from, 5, BAR) + at(mark, 3, 12) + at(to, 3, BAR - 4);
      return { label, text, endsAt: to + 3, marks };
    }),
  );
}

const isPositive = (value: number): boolean => Number.isFinite(value) && value > 0;

/** Half of the least is the left edge. */
function logarithmic(values: readonly number[]): (value: number) => number {
  const least = Math.log10(Math.min(...values) / 2);
  const most = Math.log10(Math.max(...values));
  return (value) => Math.max(2, ((Math.log10(value) - least) / (most - least)) * (WIDTH - LABEL - TEXT_ROOM));
}

/** From nothing. */
const linear =
  (values: readonly number[]) =>
  (value: number): number =>
    (value / Math.max(...values)) * (WIDTH - LABEL - TEXT_ROOM);

const SCALES = { logarithmic, linear };
type ScaleName = keyof typeof SCALES;

interface Line {
  readonly label: string;
  readonly text: string;
  readonly endsAt: number;
  readonly marks: string;
}

function figureOf(title: string, lines: readonly Line[]): string {
  if (lines.length === 0) return '';
  const drawn = lines.map(
    ({ label, text, endsAt, marks }, index) =>
      `<g transform="translate(0 ${28 + index * (BAR + 6)})"><text x="${LABEL - 8}" y="13" text-anchor="end">${escape(label)}</text>${marks}` +
      `<text x="${(LABEL + endsAt + 6).toFixed(1)}" y="13">${escape(text)}</text></g>`,
  );
  const height = 36 + lines.length * (BAR + 6);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${escape(title)}" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui,sans-serif" font-size="12" fill="${TEXT}">` +
    `<text x="0" y="16" font-weight="600">${escape(title)}</text>${drawn.join('')}</svg>`
  );
}
