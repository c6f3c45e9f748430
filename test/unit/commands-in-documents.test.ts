import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { blocksOf, guideBlocks, guideFiles } from '../support/guide-examples.ts';

/**
 * Every command that README, CONTRIBUTING and guides name: the test that runs it, with words of that test by which it does,
 * or why no test does. The blocks of the guides and the README are run by `guide-examples.test.ts` unless they say why not.
 */
const ROOT = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

interface Run {
  readonly by: string;
  /** What stands in that file. */
  readonly says: string;
}
const by = (file: string, says: string): Run => ({ by: `test/${file}`, says });
const START = by('e2e/start.test.ts', "start(['npm', 'start'])");
const GUIDES = by('integration/guide-examples.test.ts', 'programs(language)');
const AUDIT = by('integration/document-contract.test.ts', 'scripts/audit/main.ts');
const CI = 'CI runs it before any test';

const COMMANDS: readonly (readonly [command: RegExp, run: Run | string])[] = [
  [/^npm ci$/, CI],
  [/^(?:npm ci && )?npm start$/, START],
  [/^MT5_SERVER=\S+ MT5_LOGIN=\S+ MT5_PASSWORD=\S+ npm start$/, by('e2e/start.test.ts', 'MT5_SERVER')],
  [/^(?:npm ci && )?npm test$/, 'it is what runs the tests'],
  [/^npm run check(?: && npm test)?$/, CI],
  [/^bash \.ci\/run$/, CI],
  [/^npm run (?:format|cf-typegen)$/, 'rewrites files; the check fails where it would change one'],
  [/^npm run (?:openapi|docs)$/, 'rewrites files; the check fails where it would change one'],
  [/^npm run simulator$/, by('integration/simulator/program.test.ts', 'main.ts')],
  [/npm run bridge$/, by('integration/container-process.test.ts', 'container/main.ts')],
  [/^npm run client:pack$/, by('integration/client-package.test.ts', "'client:pack'")],
  [/^npm install(?: <tarball>)?$/, by('integration/client-package.test.ts', "'install'")],
  [/npm run probe$/, by('integration/probe.test.ts', 'scripts/probe/main.ts')],
  [/^npm run key -- /, GUIDES],
  [/^npm run deploy(?: -- --secrets-file FILE)?$/, by('e2e/deploying.test.ts', "'deploy.ts'")],
  [/^npm run smoke -- /, by('e2e/deploying.test.ts', "'smoke.ts'")],
  [/^npm run state -- (?:backup|restore) /, by('integration/writes/restored-state.test.ts', 'scripts/state.ts')],
  [/^npm run sleep:replay$/, by('unit/scripts/sleep-replay.test.ts', 'sleep')],
  [/^npm run cost$/, GUIDES],
  [/^npm run tune(?: -- .*)?$/, by('unit/scripts/tune.test.ts', 'execFile')],
  [/^npm run (?:audit:verify|audit:erase|archive:erase)(?: -- .*)?$/, AUDIT],
  [/^npm run bench(?: -- .*)?$/, 'a benchmark takes the machine for itself for minutes'],
  [/^node test\/simulator\/bench\.ts$/, 'a benchmark takes the machine for itself'],
  [/^npm run faults$/, 'it is what runs the tests; unit/faults.test.ts holds what it writes to the list'],
  [/^npx wrangler /, 'needs a Cloudflare account'],
  [/^docker build /, 'needs Docker: npm run check:engine does it where there is an engine'],
  [/^docker compose /, 'needs Docker; unit/scripts/compose.test.ts looks at the file'],
  [/^ssh /, 'reaches another machine'],
  [/^kubectl /, 'needs a Kubernetes cluster'],
  [/^curl /, GUIDES],
];

const RUNS = /^(?:[A-Z0-9_]+=\S+ )*(?:npm|npx|node|docker|curl|bash|git|ssh|kubectl|systemctl|apt-get) /;
/** Spans of code, and lines of shell blocks without their comments. */
function commandsOf(markdown: string): readonly string[] {
  const blocks = blocksOf('', markdown).filter(({ language }) => language === 'sh');
  const lines = blocks.flatMap(({ code }) => code.replaceAll('\\\n', ' ').split('\n'));
  const prose = markdown.replaceAll(/^```[^]*?^```/gm, '');
  const spans = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
  return [...lines, ...spans]
    .map((text) =>
      text
        .replace(/\s+# .*$/, '')
        .replace(/^npm ci && (?=[A-Z0-9_]+=)/, '')
        .trim(),
    )
    .filter((text) => RUNS.test(text));
}

const guides = guideBlocks();
const proseOfGuides = guideFiles().map((file) => readFileSync(file, 'utf8').replaceAll(/^```[^]*?^```/gm, ''));
const named = [
  read('README.md'),
  read('CONTRIBUTING.md'),
  read('SECURITY.md'),
  read('container/client/README.md'),
  read('container/outbox/README.md'),
  read('test/simulator/README.md'),
  ...proseOfGuides,
].flatMap((text) => commandsOf(text));

it('finds the commands of README and CONTRIBUTING', () => {
  expect(named).toEqual(expect.arrayContaining(['npm ci && npm start', 'npm run cost', 'npm run client:pack']));
});

it.each([...new Set(named)])('%s is run by a test, or it is said why not', (command) => {
  expect(COMMANDS.filter(([pattern]) => pattern.test(command))).toHaveLength(1);
});

it.each(COMMANDS)('%s is named somewhere, and the test that runs it says so', (pattern, run) => {
  expect(named.filter((command) => pattern.test(command))).not.toEqual([]);
  if (typeof run === 'string') expect(run).toMatch(/\w+ \w+/);
  else expect(read(run.by)).toContain(run.says);
});

it('the shell blocks of the guides are run, or say why not; a test that they name is there', () => {
  const reasons = guides.flatMap(({ notRun }) => notRun ?? []);
  expect(reasons.length).toBeGreaterThan(5);
  for (const reason of reasons)
    for (const [file] of reason.matchAll(/\btest\/[\w/.-]+\.ts\b/g))
      expect([file, existsSync(path.join(ROOT, file))]).toEqual([file, true]);
  const languages = new Set(guides.filter(({ notRun }) => notRun === undefined).map(({ language }) => language));
  expect(languages).toEqual(new Set(['sh', 'ts', 'python', 'json']));
});
