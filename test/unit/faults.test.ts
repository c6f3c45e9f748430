import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '../../container/contract/errors.ts';
import { FAULT_GROUPS, FAULTS } from '../support/faults/index.ts';
import {
  faultsPage,
  isNamedIn,
  outcomeOf,
  type RunReport,
  shortcomings,
  withoutCounts,
} from '../support/faults/report.ts';

const TESTS = path.resolve(import.meta.dirname, '..');
const NOTHING_RAN: RunReport = { testResults: [] };

it('there is a row for each fault, once', () => {
  const numbered = (letter: string, count: number): string[] =>
    Array.from({ length: count }, (_, n) => `${letter}${n + 1}`);
  const wanted = [
    ...numbered('S', 15),
    ...numbered('O', 11),
    ...numbered('W', 10),
    ...numbered('H', 9),
    ...numbered('A', 8),
    ...numbered('P', 11),
  ].filter((id) => id !== 'A3');
  expect(FAULTS.map(({ id }) => id)).toEqual(wanted);
});

describe.each(FAULTS)('$id $fault', ({ codes = [], shownBy }) => {
  it('is told by codes that exist', () => {
    expect(Object.keys(ERRORS)).toEqual(expect.arrayContaining([...codes]));
  });

  it('is shown by tests that exist', () => {
    const names = Object.entries(shownBy).flatMap(([file, list]) => list.map((name) => [file, name] as const));
    expect(names.length).toBeGreaterThan(0);
    for (const [file, name] of names) {
      const source = path.join(TESTS, `${file}.test.ts`);
      expect([file, existsSync(source)]).toEqual([file, true]);
      expect([file, name, isNamedIn(readFileSync(source, 'utf8'), name)]).toEqual([file, name, true]);
    }
  });
});

it('the page is that of the list', () => {
  const page = readFileSync(path.join(TESTS, 'FAULTS.md'), 'utf8');
  expect(withoutCounts(page)).toBe(withoutCounts(faultsPage(FAULT_GROUPS, NOTHING_RAN)));
  expect(page).not.toMatch(/ \| 0 \|$/m);
  expect(readFileSync(path.join(TESTS, '../README.md'), 'utf8')).toContain(`${FAULTS.length} faults and bad inputs`);
});

it('a run tells of each name what became of it, and what did not run', () => {
  const report: RunReport = {
    testResults: [
      {
        name: '/repository/test/unit/a.test.ts',
        assertionResults: [
          { ancestorTitles: ['a group'], title: '3 at once (x) are one', status: 'passed' },
          { ancestorTitles: ['a group'], title: 'other', status: 'failed' },
          { ancestorTitles: [], title: 'absent here', status: 'skipped' },
        ],
      },
    ],
  };
  expect(outcomeOf(report, 'unit/a', '${n} at once (%s) are one')).toEqual({ passed: 1, failed: 0, skipped: 0 });
  expect(outcomeOf(report, 'unit/a', 'a group')).toEqual({ passed: 1, failed: 1, skipped: 0 });
  const fault = { id: 'X1', fault: 'f', holds: 'h' };
  const said = (names: string[]): readonly string[] =>
    shortcomings([{ ...fault, shownBy: { 'unit/a': names } }], report);
  expect(said(['${n} at once (%s) are one', 'absent here'])).toEqual([]);
  expect(said(['absent here'])).toEqual(['X1: no test of it passed']);
  expect(said(['a group', 'gone'])).toEqual(['X1: 1 failed: unit/a: a group', 'X1: did not run: unit/a: gone']);
});
