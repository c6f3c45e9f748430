import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ERRORS } from '../../container/contract/errors.ts';
import { CLOSE } from '../../container/contract/frames.ts';
import { publicDocument } from '../../container/contract/documents.ts';
import { SETTINGS } from '../../container/contract/settings.ts';
import { BRIDGE_VERSION } from '../../container/contract/version.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const readme = read('README.md');

/** Rows of the table under a heading, as cells without back-ticks. */
function tableUnder(heading: string): string[][] {
  const section = readme.split(/^## /m).find((text) => text.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`README has no section "${heading}"`);
  return section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
}

/** Text of the cells of the table under a heading of the page. */
function cellsUnder(id: string): string[][] {
  const page = publicDocument('/docs')?.text ?? '';
  const section = page.slice(page.indexOf(`<h2 id="${id}">`)).split(/<h2 |<\/main>/)[1] ?? '';
  return [...section.matchAll(/<tr>(<td>.*?)<\/tr>/g)].map(([, row = '']) =>
    [...row.matchAll(/<td>(.*?)<\/td>/g)].map(([, cell = '']) => cell.replaceAll(/<[^>]*>/g, '')),
  );
}

it('/docs lists every error code with its status, retry and outcome', () => {
  const codes = Object.entries(ERRORS).map(([code, { status, title, retry, outcome }]) => [
    code,
    String(status),
    title,
    retry,
    outcome,
  ]);
  expect(cellsUnder('errors')).toEqual(codes);
});

it('/docs lists every close code of the streams', () => {
  const codes = Object.entries(CLOSE).map(([name, { code, means }]) => [String(code), name, means]);
  expect(cellsUnder('close-codes')).toEqual(codes);
});

it('/docs lists every variable of the configuration, and no other', () => {
  const container = [...read('container/host/config.ts').matchAll(/^ {4}([A-Z][A-Z0-9_]+): /gm)].map(
    ([, name]) => name,
  );
  const worker = [...read('worker/env.d.ts').matchAll(/^\t*\s*([A-Z][A-Z0-9_]+)\??: (?:string|"|`)/gm)].map(
    ([, name]) => name,
  );
  // Secrets that most Workers do not have.
  const known = new Set([...container, ...worker, 'VPS_KEY', 'FALLBACK_KEY']);
  // Made by the Worker at each start, never set by a user.
  known.delete('BRIDGE_START_SECRET');
  expect(new Set(SETTINGS.map(({ name }) => name))).toEqual(known);
  expect(cellsUnder('configuration').map(([name]) => name)).toEqual(SETTINGS.map(({ name }) => name));
});

it('/docs tells the defaults that wrangler.jsonc has', () => {
  const [production = ''] = read('wrangler.jsonc').split('"env": {');
  const defaults = [...production.matchAll(/^ {4}"([A-Z][A-Z0-9_]+)": "([^"]*)",/gm)];
  expect(defaults.length).toBeGreaterThan(5);
  for (const [, name, value] of defaults)
    expect([name, SETTINGS.find((setting) => setting.name === name)?.default]).toEqual([name, value]);
});

it('says why each dependency is there', () => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read('package.json')) as Record<
    string,
    Record<string, string>
  >;
  const named = new Set(
    tableUnder('Dependencies, and why').flatMap(([names = '']) =>
      names.split(/[, ]+/).filter((name) => /\D/.test(name)),
    ),
  );
  expect(named).toEqual(new Set(Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })));
});

it('is of the version that the contract tells', () => {
  expect(JSON.parse(read('package.json'))).toMatchObject({ version: BRIDGE_VERSION });
  expect(readme.split('\n').length).toBeLessThanOrEqual(200);
});
