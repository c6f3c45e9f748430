/**
 * `npm run sleep:replay`: every sleep policy against the same requests, seeded or a user's own
 * (`-- --log FILE`, times one a line). `-- --tune` tries thresholds of `learned` on the seeds for tuning; `-- --write`
 * writes `scripts/sleep/results/sleep.md` and `scripts/sleep/results/sleep.svg` from seeds that were not used for it.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { TradingHours } from '../../worker/holder/policy/trading-hours.ts';
import { chart } from './chart.ts';
import { type Row, rowOf, rowsOf, sum, tableOf, verdictTable } from './report.ts';
import { type Outcome, simulate } from './simulate.ts';
import { policy } from './strategies.ts';
import { CALENDAR, DAY_MS, FROM_MS, readLog, TO_MS, trace, TRACES } from './traces.ts';

const TUNING_SEEDS = [1, 2, 3, 4, 5];
const JUDGING_SEEDS = [101, 102, 103, 104, 105, 106, 107, 108, 109, 110];
/** The first four weeks are for learning, and are counted for no policy. */
const SPAN = { fromMs: FROM_MS, toMs: TO_MS, countFromMs: FROM_MS + 28 * DAY_MS };
const THRESHOLDS = [0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.7, 0.8];

const { values } = parseArgs({
  options: { log: { type: 'string' }, tune: { type: 'boolean' }, write: { type: 'boolean' } },
});

function tune(): void {
  const trading = new TradingHours(CALENDAR);
  for (const name of TRACES) {
    console.log(`\n## ${name}`);
    const rows: Row[] = rowsOf((seed) => trace(name, seed), TUNING_SEEDS, CALENDAR, SPAN).filter((row) =>
      row.name.startsWith('fixed'),
    );
    for (const learnedThreshold of THRESHOLDS) {
      const outcomes: Outcome[] = TUNING_SEEDS.map((seed) =>
        simulate(policy({ policy: 'learned', learnedThreshold }, CALENDAR, FROM_MS), trace(name, seed), SPAN, (ms) =>
          trading.isOpen(ms),
        ),
      );
      rows.push(rowOf(`learned ${learnedThreshold}`, sum(outcomes)));
    }
    console.log(tableOf(rows));
  }
}

function ofLog(file: string): void {
  const requests = readLog(file);
  const fromMs = requests[0] ?? 0;
  const toMs = (requests.at(-1) ?? 0) + 1;
  const learns = toMs - fromMs > 56 * DAY_MS ? 28 * DAY_MS : 0;
  console.log(tableOf(rowsOf(() => requests, [0], CALENDAR, { fromMs, toMs, countFromMs: fromMs + learns })));
}

function judge(): void {
  const byTrace = TRACES.map((name) => ({
    name,
    rows: rowsOf((seed) => trace(name, seed), JUDGING_SEEDS, CALENDAR, SPAN),
  }));
  const tables = byTrace.map(({ name, rows }) => `## ${name}\n\n${tableOf(rows)}`).join('\n\n');
  const text = `${tables}\n\n## What was asked, and what is reached\n\n${verdictTable(byTrace)}`;
  console.log(text);
  if (values.write !== true) return;
  const results = path.resolve(import.meta.dirname, 'results');
  const head = `# Sleep policies, replayed

Made by \`npm run sleep:replay -- --write\`. Requests of twelve weeks (February to April 2026: New York's clocks change, Good Friday is closed), the first four for learning and not counted, ${JUDGING_SEEDS.length} seeds that were not used for tuning. Figures are of one month of 30 days, the mean of the seeds. A cold hit is a request that finds nothing running; dollars are list prices of \`basic\`, plan included (\`npm run cost\`). The optimum knows the future. \`learned\` is compared with the best fixed time-out that is awake no longer than it; the last column sets it beside 60 minutes, whose cold hits no shorter one undercuts, and says where it is not better in both cold hits and hours: where uses come at no hour in particular (webhooks), nothing can be learned, and more hours awake are the only help.

![Cold hits against awake hours](sleep.svg)
`;
  writeFileSync(path.join(results, 'sleep.md'), `${head}\n${text}\n`);
  writeFileSync(path.join(results, 'sleep.svg'), chart(byTrace));
}

if (values.tune === true) tune();
else if (values.log !== undefined) ofLog(values.log);
else judge();
