import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulator, type Simulator } from '../simulator/server.ts';
import { type BridgeUnderTest, startBridge } from '../support/bridge.ts';
import { type Language, mismatches, programs } from '../support/guide-examples.ts';

/** The guides' examples in curl and Python, as a reader runs them; those in TypeScript run in `client-package.test.ts`. */

const ROOT = path.resolve(import.meta.dirname, '../..');
const TOOLS: readonly {
  readonly name: string;
  readonly language: Language;
  readonly command: string;
  readonly argument: string;
}[] = [
  { name: 'curl', language: 'sh', command: 'bash', argument: '-c' },
  { name: 'Python', language: 'python', command: 'python3', argument: '-c' },
];
const PROBE: Readonly<Record<string, readonly string[]>> = {
  curl: ['bash', '-c', 'curl --version'],
  Python: ['python3', '--version'],
};
const isThere = ([command = '', ...args]: readonly string[]): boolean => spawnSync(command, args).status === 0;

describe.each(TOOLS)('examples in $name', ({ name, language, command, argument }) => {
  const there = isThere(PROBE[name] ?? []);
  let simulator: Simulator;
  let bridge: BridgeUnderTest;
  let folder: string;
  beforeAll(async () => {
    simulator = await startSimulator();
    folder = await mkdtemp(path.join(tmpdir(), 'guide-examples-'));
    bridge = await startBridge({ simulator, env: { AUDIT_DIR: path.join(folder, 'audit') } });
  });
  afterAll(async () => {
    await bridge.close();
    await simulator.close();
    await rm(folder, { recursive: true, force: true });
  });

  // One after the other: a fault that one asks for must not meet another's request.
  for (const program of programs(language))
    it.skipIf(!there)(
      there ? program.guide : `${program.guide}: skipped, since this machine has no ${name}`,
      async () => {
        const { stdout } = await promisify(execFile)(command, [argument, program.text], {
          cwd: program.blocks.some(({ repository }) => repository) ? ROOT : folder,
          env: {
            ...process.env,
            URL: bridge.url,
            KEY: bridge.adminKey,
            CONTROL: `http://127.0.0.1:${simulator.controlPort}`,
          },
          timeout: 60_000,
        });
        expect(mismatches(program, stdout)).toEqual([]);
      },
      90_000,
    );
});
