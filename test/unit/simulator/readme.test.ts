import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { commands } from '../../simulator/commands/index.ts';
import { FEED_FAULTS, REQUEST_FAULTS, SERVER_FAULTS } from '../../simulator/faults.ts';
import { NUMBERS } from '../../simulator/flags.ts';
import { ACCOUNTS } from '../../simulator/managers.ts';
import { retcodeText } from '../../simulator/retcodes.ts';
import { defaultSwitches, SWITCHES } from '../../simulator/switches.ts';

const readme = readFileSync(new URL('../../simulator/README.md', import.meta.url), 'utf8');
const section = (title: string): string => readme.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
const isAdministration = (name: string): boolean =>
  /^user\/(?:archive|backup|certificate|otp_secret|restore|sync_external)|\/backup\//.test(name);
/** First cells of a section's table: the text between the first backquotes. */
const firstCells = (title: string): string[] =>
  [...section(title).matchAll(/^\| `([^`]+)`/gm)].map(([, name = '']) => name);

describe("the simulator's README says what its code does", () => {
  test('every switch, with its default', () => {
    const rows = [...section('Switches').matchAll(/^\| `([^`]+)` \| `([^`]+)` \|/gm)].map(([, name, value]) => [
      name,
      value,
    ]);
    expect(rows).toEqual(
      Object.entries(SWITCHES).map(([name, entry]) => [
        name,
        Array.isArray(entry.default) ? JSON.stringify(entry.default) : String(entry.default),
      ]),
    );
  });

  test('every flag with a number, its variable and its default', () => {
    const rows = [...readme.matchAll(/^\| `--([\w-]+)` \| `(\w+)` \| (\d+) \|/gm)];
    expect(new Map(rows.map(([, flag, variable, value]) => [flag, `${variable} ${value}`]))).toEqual(
      new Map(
        Object.entries(NUMBERS).map(([flag, entry]) => [
          flag,
          `${flag.toUpperCase().replaceAll('-', '_')} ${entry.default}`,
        ]),
      ),
    );
  });

  test('every fault', () => {
    expect(firstCells('Faults').sort()).toEqual([...REQUEST_FAULTS, ...SERVER_FAULTS, ...FEED_FAULTS].sort());
  });

  test('every command but those that nobody may use', () => {
    const listed = [...section('Commands').matchAll(/^\| `([a-z]+)\/` \| (.*) \|$/gm)].flatMap(
      ([, family = '', rest = '']) => [...rest.matchAll(/`([^`]+)`/g)].map(([, name = '']) => `${family}/${name}`),
    );
    expect(listed.length).toBeGreaterThan(60);
    const known = new Set([...commands.keys(), 'auth/start', 'auth/answer']);
    expect(listed.filter((name) => !known.has(name))).toEqual([]);
    const families = new Set(listed.map((name) => name.split('/')[0] ?? ''));
    const unlisted = [...commands.keys()].filter(
      (name) => families.has(name.split('/')[0] ?? '') && !listed.includes(name) && !isAdministration(name),
    );
    expect(unlisted).toEqual([]);
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
