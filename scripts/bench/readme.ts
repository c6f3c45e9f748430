/**
 * `npm run bench:readme [report.json]`: writes the README's table, and the guide that sets edge and VPS side by side with
 * its plots, from a report; `npm run docs` then takes the guide over. `--check` only says whether they are up to date.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { putIntoGuide } from './report/guide-part.ts';
import { readReport } from './report/read-report.ts';
import { putIntoReadme } from './report/readme-table.ts';

const root = path.resolve(import.meta.dirname, '../..');
const README = path.join(root, 'README.md');
const GUIDES = path.join(root, 'container/contract/docs/guides');
const GUIDE = path.join(GUIDES, '14-edge-or-vps.md');

const textOf = (file: string): string => readFileSync(file, 'utf8');

const check = process.argv.includes('--check');
const given = process.argv.slice(2).find((argument) => !argument.startsWith('--'));
const report = readReport(given ?? path.join(import.meta.dirname, 'results/record.json'));
const { guide, plots } = putIntoGuide(textOf(GUIDE), report);
const files = new Map([
  [README, putIntoReadme(textOf(README), report)],
  [GUIDE, guide],
]);
if (check) {
  const stale = [...files].filter(([file, text]) => textOf(file) !== text).map(([file]) => path.relative(root, file));
  for (const file of stale)
    console.error(`${file}: its figures are not those of the report of record; npm run bench:readme`);
  process.exit(stale.length > 0 ? 1 : 0);
}
mkdirSync(path.join(GUIDES, 'plots'), { recursive: true });
for (const [name, svg] of Object.entries(plots)) files.set(path.join(GUIDES, 'plots', name), `${svg}\n`);
for (const [file, text] of files) writeFileSync(file, text);
