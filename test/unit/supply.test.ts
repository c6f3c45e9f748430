import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/** What is shipped is what was looked at: every package by its hash, no script of one run that is not named, an image without root. */

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

interface Locked {
  readonly link?: boolean;
  readonly version?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly optional?: boolean;
}

it('every package is locked by its hash, and those whose scripts run are named', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> };
  const { allowScripts = {} } = JSON.parse(read('package.json')) as { allowScripts?: Record<string, boolean> };
  const installed = Object.entries(packages).filter(([path]) => path !== '');
  expect(installed.length).toBeGreaterThan(100);
  expect(installed.filter(([, { integrity }]) => !integrity?.startsWith('sha512-')).map(([path]) => path)).toEqual([]);
  const scripts = installed.filter(([, { hasInstallScript, optional }]) => hasInstallScript && !optional);
  for (const [path] of scripts) expect(Object.keys(allowScripts)).toContain(path.split('node_modules/').at(-1));
});

it('dependencies are exact versions', () => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
    expect(`${name}@${version}`).toMatch(/@(?:npm:[\w@/-]+@)?\d+\.\d+\.\d+(?:-[\w.]+)?$/);
});

it('the image runs without root, from one bundled file, and holds nothing that is not named', () => {
  const [, program = ''] = read('Dockerfile')
    .split(/^FROM .*$/m)
    .slice(1);
  const lines = program.split('\n').filter((line) => /^[A-Z]+ /.test(line));
  expect(lines.filter((line) => line.startsWith('USER '))).toEqual(['USER node']);
  expect(lines.slice(lines.indexOf('USER node')).filter((line) => line.startsWith('COPY '))).toEqual([]);
  for (const line of lines.filter((each) => each.startsWith('COPY '))) expect(line).toContain('--from=build');
  expect(program).not.toMatch(/npm (?:ci|install)/);
  // Everything is left out of the build but what is named after it.
  expect(read('.dockerignore').split('\n')[0]).toBe('*');
});
