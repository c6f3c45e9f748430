import path from 'node:path';
import type { ProgramSpec } from './process-container.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** What the image runs, run from the sources. The port is that of `worker/bridge-container.ts`. */
export const bridgeProgram: ProgramSpec = {
  command: [process.execPath, 'container/main.ts'],
  cwd: root,
  containerPort: 8080,
  env: { NODE_ENV: 'production' },
};
