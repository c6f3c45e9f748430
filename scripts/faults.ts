/**
 * `npm run faults`: runs the tests of the list of faults (`test/support/faults`) and writes `test/FAULTS.md` from what became
 * of them; the exit code is 1 where a fault has no test that passed. `-- --report FILE` takes a run that was made already
 * (vitest's reporter `json`); with `--check` nothing is written.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { FAULT_GROUPS, FAULTS } from '../test/support/faults/index.ts';
import { faultsPage, type RunReport, shortcomings } from '../test/support/faults/report.ts';

const root = path.resolve(import.meta.dirname, '..');
const reportAt = (file: string): RunReport => JSON.parse(readFileSync(file, 'utf8')) as RunReport;

/** Every file that the list names, and nothing else. */
function run(): RunReport {
  const files = new Set(FAULTS.flatMap(({ shownBy }) => Object.keys(shownBy).map((file) => `test/${file}.test.ts`)));
  const folder = mkdtempSync(path.join(tmpdir(), 'faults-'));
  const file = path.join(folder, 'report.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const args = ['run', '--config', 'test/vitest.config.ts', ...reporters, ...files];
    spawnSync(path.join(root, 'node_modules/.bin/vitest'), args, { cwd: root, stdio: ['ignore', 2, 2] });
    return reportAt(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const { values } = parseArgs({ options: { report: { type: 'string' }, check: { type: 'boolean', default: false } } });
const report = values.report === undefined ? run() : reportAt(values.report);
const wrong = shortcomings(FAULTS, report);
for (const line of wrong) console.log(line);
if (wrong.length === 0 && !values.check)
  writeFileSync(path.join(root, 'test/FAULTS.md'), faultsPage(FAULT_GROUPS, report));
console.log(`${FAULTS.length} faults, ${wrong.length === 0 ? 'each shown by tests that passed' : 'not all shown'}`);
process.exitCode = wrong.length === 0 ? 0 : 1;
