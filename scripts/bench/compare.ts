/**
 * `npm run bench:compare a.json b.json`: what became slower or quicker from the first report to the second. Ends with 1 if
 * anything became slower. A floor that changed too was the machine.
 */
import { parseArgs } from 'node:util';
import { compareReports } from './report/compare-reports.ts';
import { readReport } from './report/read-report.ts';
import { asText, machineLine } from './report/tables.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { tolerance: { type: 'string', default: '0.2' }, all: { type: 'boolean', default: false } },
});
const [first, second] = positionals;
const tolerance = Number(values.tolerance);
if (first === undefined || second === undefined || !(tolerance > 0 && tolerance < 10)) {
  console.error('npm run bench:compare -- [--tolerance 0.2] [--all] before.json after.json');
  process.exit(2);
}
const [before, after] = [readReport(first), readReport(second)];
const differences = compareReports(before, after, tolerance);
const shown = differences.filter(({ verdict }) => values.all || verdict !== 'same');
const slower = differences.filter(({ verdict }) => verdict === 'slower');
console.log(`before  ${machineLine(before)}\nafter   ${machineLine(after)}\n`);
if (shown.length > 0)
  console.log(
    asText({
      title: `More than ${tolerance * 100} % apart in the medians, and no repetition of one among those of the other`,
      head: ['row', 'figure', 'change', 'verdict'],
      rows: shown.map(({ row, figure, verdict, change }) => [
        row,
        figure,
        `${change > 0 ? '+' : ''}${(change * 100).toFixed(0)} %`,
        verdict,
      ]),
    }),
  );
console.log(`\n${differences.length} figures compared, ${slower.length} slower`);
process.exit(slower.length > 0 ? 1 : 0);
