import path from 'node:path';
import { bundleContainer } from './bundle-container.ts';
import type { ProgramSpec } from './process-container.ts';

const root = path.resolve(import.meta.dirname, '../..');

const programOf = (file: string, env: Readonly<Record<string, string>> = {}): ProgramSpec => ({
  command: [process.execPath, file],
  cwd: root,
  // That of worker/holder/bridge-container.ts.
  containerPort: 8080,
  env: { NODE_ENV: 'production', HOST: '0.0.0.0', ...env },
});

/** As the Dockerfile says, and why is said there; compiled code of one start serves the next. */
export const bundleEnvironment = (file: string): Record<string, string> => ({
  NODE_COMPILE_CACHE: path.join(path.dirname(file), 'cache'),
  NODE_OPTIONS: '--max-semi-space-size=8',
  MALLOC_ARENA_MAX: '1',
});

/** What the image runs: the container program as one file, made now. */
export async function bundledBridgeProgram(): Promise<ProgramSpec> {
  const file = path.join(root, 'dist/container/main.cjs');
  await bundleContainer(file);
  return programOf(file, bundleEnvironment(file));
}
