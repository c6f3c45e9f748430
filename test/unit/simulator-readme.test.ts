import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FEED_FAULTS, REQUEST_FAULTS, SERVER_FAULTS } from '../simulator/faults.ts';
import { ACCOUNTS } from '../simulator/managers.ts';
import { retcodeText } from '../simulator/retcodes.ts';
import { defaultSwitches, SWITCHES } from '../simulator/switches.ts';

const readme = readFileSync(new URL('../simulator/README.md', import.meta.url), 'utf8');
const section = (title: string): string => readme.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
/** First cells of a section's table: the text between the first backquotes. */
const firstCells = (title: string): string[] =>
  [...section(title).matchAll(/^\| `([^`]+)`/gm)].map(([, name = '']) => name);

describe("the simulator's README says what its code does", () => {
  test('every switch, with its default', () => {
    const rows = [...section('Switches').matchAll(/^\| `([^`]+)` \| `([^`]+)` \|/gm)].map(([, name, value]) => [
      name,
      value,
    ]);
    expect(rows).toEqual(Object.entries(SWITCHES).map(([name, entry]) => [name, String(entry.default)]));
  });

  test('every fault', () => {
    expect(firstCells('Faults').sort()).toEqual([...REQUEST_FAULTS, ...SERVER_FAULTS, ...FEED_FAULTS].sort());
  });

  test('every manager, and what refuses it', () => {
    const rows = [...section('Who may sign in').matchAll(/^\| (\d+) \| `?([^`|]+?)`?(?: \([^)]*\))? \|/gm)];
    expect(rows.map(([, login, refusal]) => [Number(login), refusal])).toEqual(
      [...ACCOUNTS].map(([login, { refusal }]) => [
        login,
        refusal === undefined ? 'yes' : retcodeText(refusal, defaultSwitches()).replace(' Unknown error', ''),
      ]),
    );
  });
});
