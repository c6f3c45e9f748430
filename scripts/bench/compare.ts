/**
 * `npm run bench:compare a.json b.json`: what became slower or quicker from the first report to the second, and whether the
 * ratios inside the two runs agree. Ends with 1 if anything became slower, and with `--agree` also if a ratio does not agree.
 * A floor that changed too was the machine: the ratios tell.
 */
import { parseArgs } from 'node:util';
import { compareReports } from './report/compare-reports.ts';
import { ratio } from './report/numbers.ts';
import { compareRatios } from './report/ratios.ts';
import { readReport } from './report/read-report.ts';
import { asText, machineLine } from './report/tables.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tolerance: { type: 'string', default: '0.2' },
    all: { type: 'boolean', default: false },
    agree: { type: 'boolean', default: false },
  },
});
const [first, second] = positionals;
const tolerance = Number(values.tolerance);
if (first === undefined || second === undefined || !(tolerance > 0 && tolerance < 10)) {
  console.error('npm run bench:compare -- [--tolerance 0.2] [--all] [--agree] before.json after.json');
  process.exit(2);
}
const percent = (change: number): string => `${change > 0 ? '+' : ''}${(change * 100).toFixed(0)} %`;
const show = (title: string, head: readonly string[], rows: readonly (readonly string[])[]): void => {
  if (rows.length > 0) console.log(`${asText({ title, head, rows })}\n`);
};

const [before, after] = [readReport(first), readReport(second)];
console.log(`before  ${machineLine(before)}\nafter   ${machineLine(after)}\n`);

const differences = compareReports(before, after, tolerance);
const slower = differences.filter(({ verdict }) => verdict === 'slower');
show(
  values.all
    ? 'Figures'
    : `Figures more than ${tolerance * 100} % apart in the medians, no repetition of one among those of the other`,
  ['row', 'figure', 'change', 'verdict'],
  differences
    .filter(({ verdict }) => values.all || verdict !== 'same')
    .map(({ row, figure, verdict, change }) => [row, figure, percent(change), verdict]),
);

const ratios = compareRatios(before, after);
const disagreeing = ratios.filter(({ change }) => Math.abs(change) > tolerance);
show(
  values.all ? 'Ratios inside each run' : `Ratios inside each run that are more than ${tolerance * 100} % apart`,
  ['ratio', 'before', 'after', 'change'],
  (values.all ? ratios : disagreeing).map((each) => [
    each.what,
    ratio(each.before),
    ratio(each.after),
    percent(each.change),
  ]),
);
console.log(`${differences.length} figures compared, ${slower.length} slower`);
console.log(
  `${ratios.length} ratios of throughput and p50 compared, ${ratios.length - disagreeing.length} within ${tolerance * 100} %`,
);
process.exit(slower.length > 0 || (values.agree && disagreeing.length > 0) ? 1 : 0);
