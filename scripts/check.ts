/**
 * `npm run check`: format, lint, every tsconfig, generated files, the Worker's bundle. Runs all, reports all failures.
 */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import path from 'node:path';
import { bundleConsole } from './local/bundle-console.ts';
import { startProgress } from './local/terminal.ts';

const root = path.resolve(import.meta.dirname, '..');
const bin = (name: string): string => path.join(root, 'node_modules/.bin', name);
// Two TypeScripts: 7 (native) checks, 5 is what openapi-typescript needs. Only this path is surely the first.
const tsc = path.join(root, 'node_modules/@typescript/native/bin/tsc');

interface Check {
  readonly name: string;
  readonly command: readonly string[];
}

const tsconfigs = globSync('{worker,container,scripts,test}/**/tsconfig.json', { cwd: root }).filter(
  (file) => !file.includes('node_modules'),
);

const checks: Check[] = [
  { name: 'format', command: [bin('oxfmt'), '--check', '.'] },
  { name: 'lint', command: [bin('oxlint'), '--type-aware', '--deny-warnings', '.'] },
  ...tsconfigs.map((file) => ({ name: `types ${path.dirname(file)}`, command: [process.execPath, tsc, '-p', file] })),
  {
    name: 'wrangler types',
    command: [bin('wrangler'), 'types', 'worker/env.d.ts', '--include-runtime=false', '--check'],
  },
  {
    name: 'bundle',
    command: [bin('wrangler'), 'deploy', '--dry-run', '--containers-rollout=none', '--outdir', 'dist/worker'],
  },
  { name: 'openapi', command: [process.execPath, 'scripts/openapi.ts', '--check'] },
  { name: 'docs', command: [process.execPath, 'scripts/docs.ts', '--check'] },
];

/** Runs one command; resolves with its output if it failed. */
function run(check: Check): Promise<string | undefined> {
  const [file = '', ...args] = check.command;
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd: root,
      env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code) => resolve(code === 0 ? undefined : output || `exit code ${code}`));
  });
}

// The Worker's bundle looks for it.
await bundleConsole();
const startedAtMs = Date.now();
const running = new Set(checks.map(({ name }) => name));
const progress = startProgress(() => {
  const seconds = Math.round((Date.now() - startedAtMs) / 1000);
  return `${checks.length - running.size} of ${checks.length} done after ${seconds} s; ${[...running].join(', ')}`;
});
const results = await Promise.all(
  checks.map(async (check) => {
    const failure = await run(check);
    running.delete(check.name);
    return { check, failure };
  }),
);
progress.stop();
for (const { check, failure } of results) {
  console.log(`${failure === undefined ? 'ok    ' : 'FAILED'} ${check.name}`);
  if (failure !== undefined) console.log(failure);
}
process.exit(results.some(({ failure }) => failure !== undefined) ? 1 : 0);
