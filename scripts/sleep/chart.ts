import type { Row, TraceRows } from './report.ts';

const PANEL = { width: 340, height: 250, left: 52, right: 14, top: 34, bottom: 40 };
const COLUMNS = 2;
/** Steps of an axis of cold hits, a month: a root scale shows zero and hundreds. */
const TICKS = [0, 1, 5, 20, 50, 100, 200, 400];
const COLOURS: Readonly<Record<string, string>> = {
  calendar: '#0a7d34',
  learned: '#1f5fd0',
  optimum: '#b8860b',
  '24/5 cron': '#8a4fb0',
  'always on': '#555',
};
const SHORT: Readonly<Record<string, string>> = { 'always on': 'always', '24/5 cron': 'cron' };

/** One panel for each kind of use: cold hits a month (root scale) against awake hours; to the left and below is better. */
export function chart(traces: readonly TraceRows[]): string {
  const rows = Math.ceil(traces.length / COLUMNS);
  const [width, height] = [PANEL.width * COLUMNS, PANEL.height * rows + 10];
  const panels = traces.map((trace, i) => {
    const [x, y] = [(i % COLUMNS) * PANEL.width, Math.floor(i / COLUMNS) * PANEL.height];
    return `<g transform="translate(${x} ${y})">${panel(trace)}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="10">
<rect width="${width}" height="${height}" fill="#fff"/>
${panels.join('\n')}
</svg>
`;
}

function panel({ name, rows }: TraceRows): string {
  const { width, height, left, right, top, bottom } = PANEL;
  const coldOf = (row: Row): number => row.coldInTrading + row.coldOutside;
  const mostCold = Math.max(1, ...rows.map((row) => coldOf(row)));
  const x = (hours: number): number => left + (hours / 720) * (width - left - right);
  const y = (cold: number): number => height - bottom - Math.sqrt(cold / mostCold) * (height - top - bottom);
  const axis = [
    `<text x="${left}" y="20" font-size="13" font-weight="bold">${name}</text>`,
    `<path d="M${left} ${top}V${height - bottom}H${width - right}" fill="none" stroke="#888"/>`,
    `<text x="${(left + width) / 2}" y="${height - 8}" text-anchor="middle">awake hours a month</text>`,
    `<text transform="translate(12 ${height / 2}) rotate(-90)" text-anchor="middle">cold hits a month</text>`,
    ...[0, 180, 360, 540, 720].map(
      (h) => `<text x="${x(h)}" y="${height - bottom + 13}" text-anchor="middle">${h}</text>`,
    ),
    ...TICKS.filter((tick) => tick <= mostCold).map(
      (tick) =>
        `<text x="${left - 5}" y="${y(tick) + 3}" text-anchor="end">${tick}</text><path d="M${left} ${y(tick)}H${width - right}" stroke="#eee"/>`,
    ),
  ];
  const points = rows.map((row, i) => {
    const [px, py] = [x(row.awakeHours), y(coldOf(row))];
    const label = row.name.startsWith('fixed') ? row.name.slice(6) : (SHORT[row.name] ?? row.name);
    // Policies without cold hits lie on the axis side by side: their names take turns above it.
    const up = coldOf(row) < mostCold / 100 ? 8 + (i % 3) * 11 : 6;
    const colour = COLOURS[row.name] ?? '#c0392b';
    const anchor = px > width - 60 ? 'end' : 'start';
    return `<circle cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="3.5" fill="${colour}"/><text x="${(px + 2).toFixed(1)}" y="${(py - up).toFixed(1)}" fill="${colour}" text-anchor="${anchor}">${label}</text>`;
  });
  return [...axis, ...points].join('');
}
