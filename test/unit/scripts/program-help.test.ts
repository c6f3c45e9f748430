import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../../..');
const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  scripts: Readonly<Record<string, string>>;
};
/** Those that are ours; the others are tools with a `--help` of their own. */
const programs = Object.entries(scripts).flatMap(([name, command]) => {
  const [, program] = /\bexec node (.+)$/.exec(command) ?? [];
  return program === undefined ? [] : [[name, program] as const];
});

it('every program that npm runs is ours or a tool', () => {
  const tools = Object.keys(scripts).filter((name) => !programs.some(([ours]) => ours === name));
  expect(tools).toEqual(['test', 'format', 'lint', 'cf-typegen']);
});

it.each(programs)('npm run %s -- --help says what it does, and does nothing', (name, program) => {
  const args = [...program.split(' '), '--help'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  // Its own name first, and then more than that.
  expect(stdout).toMatch(new RegExp(`npm (run )?${name}\\b[^]{40,}`));
});
