import path from 'node:path';
import { bundleContainer } from './bundle-container.ts';
import type { ProgramSpec } from './process-container.ts';

const root = path.resolve(import.meta.dirname, '../..');

const programOf = (file: string, env: Readonly<Record<string, string>> = {}): ProgramSpec => ({
  command: [process.execPath, file],
  cwd: root,
  // That of worker/bridge-container.ts.
  containerPort: 8080,
  env: { NODE_ENV: 'production', ...env },
});

/** The container program from its sources: nothing to build, slower to start. */
export const bridgeProgram = programOf('container/main.ts');

/** What the image runs: the container program as one file, made now. */
export async function bundledBridgeProgram(): Promise<ProgramSpec> {
  const file = path.join(root, 'dist/container/main.cjs');
  await bundleContainer(file);
  // As in the image: compiled code of one start serves the next.
  return programOf(file, { NODE_COMPILE_CACHE: path.join(path.dirname(file), 'cache') });
}
