import type { Row, TraceRows } from './report.ts';

const PANEL = { width: 340, height: 250, left: 52, right: 14, top: 34, bottom: 40 };
const COLUMNS = 2;
/** Steps of an axis of cold hits, a month. Its scale is that of log(1 + n): it shows zero and thousands. */
const TICKS = [0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000];
const MONTH_HOURS = 720;
const FIXED = '#c0392b';
const COLOURS: Readonly<Record<string, string>> = {
  calendar: '#0a7d34',
  learned: '#1f5fd0',
  optimum: '#b8860b',
  '24/5 cron': '#8a4fb0',
  'always on': '#555',
};
const SHORT: Readonly<Record<string, string>> = { 'always on': 'always', '24/5 cron': 'cron' };

/** One panel for each kind of use: cold hits a month against awake hours; to the left and below is better. */
export function chart(traces: readonly TraceRows[]): string {
  const rows = Math.ceil((traces.length + 1) / COLUMNS);
  const [width, height] = [PANEL.width * COLUMNS, PANEL.height * rows + 10];
  const panels = [...traces.map(panel), legend()].map((content, i) => {
    const [x, y] = [(i % COLUMNS) * PANEL.width, Math.floor(i / COLUMNS) * PANEL.height];
    return `<g transform="translate(${x} ${y})">${content}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="10">
<rect width="${width}" height="${height}" fill="#fff"/>
${panels.join('\n')}
</svg>
`;
}

function panel({ name, rows }: TraceRows): string {
  const { width, height, left, right, top, bottom } = PANEL;
  const mostCold = Math.max(1, ...rows.map(coldOf));
  const x = (hours: number): number => left + (hours / MONTH_HOURS) * (width - left - right);
  const y = (cold: number): number =>
    height - bottom - (Math.log1p(cold) / Math.log1p(mostCold)) * (height - top - bottom);
  const points = rows.map((row): Point => {
    const isFixed = row.name.startsWith('fixed');
    const label = isFixed ? row.name.slice(6).replace(' min', 'm') : (SHORT[row.name] ?? row.name);
    return { x: x(row.awakeHours), y: y(coldOf(row)), label, colour: COLOURS[row.name] ?? FIXED, isFixed };
  });
  const fixed = points.filter(({ isFixed }) => isFixed).map((one) => `${one.x.toFixed(1)} ${one.y.toFixed(1)}`);
  return [
    `<text x="${left}" y="20" font-size="13" font-weight="bold">${name}</text>`,
    `<path d="M${left} ${top}V${height - bottom}H${width - right}" fill="none" stroke="#888"/>`,
    `<text x="${(left + width) / 2}" y="${height - 8}" text-anchor="middle">awake hours a month</text>`,
    `<text transform="translate(12 ${height / 2}) rotate(-90)" text-anchor="middle">cold hits a month</text>`,
    ...[0, 180, 360, 540, MONTH_HOURS].map(
      (h) => `<text x="${x(h)}" y="${height - bottom + 13}" text-anchor="middle">${h}</text>`,
    ),
    ...TICKS.filter((tick) => tick <= mostCold).map((tick) => {
      const at = y(tick).toFixed(1);
      return `<text x="${left - 5}" y="${Number(at) + 3}" text-anchor="end">${tick}</text><path d="M${left} ${at}H${width - right}" stroke="#eee"/>`;
    }),
    `<path d="M${fixed.join('L')}" fill="none" stroke="${FIXED}" stroke-opacity="0.4"/>`,
    ...points.map(
      ({ x: px, y: py, colour }) => `<circle cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="3.5" fill="${colour}"/>`,
    ),
    ...labels(points),
  ].join('');
}

const coldOf = (row: Row): number => row.coldInTrading + row.coldOutside;

interface Point {
  readonly x: number;
  readonly y: number;
  readonly label: string;
  readonly colour: string;
  readonly isFixed: boolean;
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Of letters of 10 px, about. */
const LETTER_PX = 5.6;
const LINE_PX = 10;
const NEAR_PX = 24;

/** Each label at the first place around its point that is free; those of the policies before those of the time-outs. */
function labels(points: readonly Point[]): string[] {
  const taken: Box[] = points.map((one) => ({ x: one.x - 4, y: one.y - 4, width: 8, height: 8 }));
  return points
    .filter((one, i) => !one.isFixed || isTold(points, i))
    .sort((a, b) => Number(a.isFixed) - Number(b.isFixed))
    .map(({ x, y, label, colour }) => {
      const width = label.length * LETTER_PX;
      const places = [0, 1, 2, 3, 4].flatMap((step): Box[] => [
        { x: x + 6, y: y - 5 - step * 6, width, height: LINE_PX },
        { x: x - 6 - width, y: y - 5 - step * 6, width, height: LINE_PX },
        { x: x - width / 2, y: y - 15 - step * 6, width, height: LINE_PX },
        { x: x + 6, y: y - 5 + step * 6, width, height: LINE_PX },
        { x: x - width / 2, y: y + 5 + step * 6, width, height: LINE_PX },
      ]);
      const place = places.find((box) => isInside(box) && taken.every((other) => !overlap(box, other))) ?? places[0];
      if (place === undefined) return '';
      taken.push(place);
      return `<text x="${place.x.toFixed(1)}" y="${(place.y + 8).toFixed(1)}" fill="${colour}">${label}</text>`;
    });
}

/** Time-outs that lie together are told by the first and the last of them. */
function isTold(points: readonly Point[], i: number): boolean {
  const [before, one, after] = [points[i - 1], points[i], points[i + 1]];
  const isNear = (other: Point | undefined): boolean =>
    one !== undefined && other?.isFixed === true && Math.hypot(one.x - other.x, one.y - other.y) < NEAR_PX;
  return !(isNear(before) && isNear(after));
}

const isInside = ({ x, y, width, height }: Box): boolean =>
  x > PANEL.left && x + width < PANEL.width && y > PANEL.top - 12 && y + height < PANEL.height - PANEL.bottom;

const overlap = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/** In the place of a panel. */
function legend(): string {
  const lines: readonly (readonly [colour: string, text: string])[] = [
    [FIXED, 'fixed: asleep so many minutes after a request'],
    ['#0a7d34', 'calendar: awake in the broker’s trading hours'],
    ['#1f5fd0', 'learned: in the hours in which requests usually come'],
    ['#8a4fb0', 'cron: 24 hours on 5 days'],
    ['#555', 'always on'],
    ['#b8860b', 'optimum: who knows the future'],
  ];
  const { left, top } = PANEL;
  const rows = lines.map(([colour, text], i) => {
    const y = top + 14 + i * 20;
    return `<circle cx="${left}" cy="${y - 3}" r="3.5" fill="${colour}"/><text x="${left + 10}" y="${y}">${text}</text>`;
  });
  const y = top + 14 + lines.length * 20;
  return `${rows.join('')}<text x="${left - 4}" y="${y + 6}" fill="#555">To the left is cheaper, below is warmer.</text>`;
}
