/** `npm run bench:readme [report.json]`: writes the README's table from a report; `--check` only says whether it is up to date. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readReport } from './report/read-report.ts';
import { putIntoReadme } from './report/readme-table.ts';

const check = process.argv.includes('--check');
const given = process.argv.slice(2).find((argument) => !argument.startsWith('--'));
const report = readReport(given ?? path.join(import.meta.dirname, 'results/record.json'));
const file = path.resolve(import.meta.dirname, '../../README.md');
const before = readFileSync(file, 'utf8');
const after = putIntoReadme(before, report);
if (check && before !== after) {
  console.error('README.md: the benchmark table is not that of the report of record; npm run bench:readme');
  process.exit(1);
}
if (!check) writeFileSync(file, after);
