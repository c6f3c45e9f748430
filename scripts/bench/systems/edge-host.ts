/** Runs one Worker in workerd with its containers in the process engine, as a process of its own. */
import path from 'node:path';
import { bundleEnvironment } from '../../local/bridge-program.ts';
import { startLocalEdge } from '../../local/local-edge.ts';
import { CONTAINER_BUNDLE } from './vps.ts';
import type { EdgeHostAnswer, EdgeHostRequest } from './edge.ts';

/** The name of a Worker of floors/worker/; unset = ours. */
const floor = process.env['FLOOR'];
/** As where no container can be had: what is started ends at once. */
const noContainer = process.env['NO_CONTAINER'] === '1';
const vars = JSON.parse(process.env['VARS'] ?? '{}') as Record<string, string>;
const floors = path.resolve(import.meta.dirname, '../floors');

const edge = await startLocalEdge({
  port: 0,
  vars,
  ...(floor ? { main: path.join(floors, 'worker', `${floor}.ts`) } : {}),
  program: floor
    ? {
        command: [process.execPath, path.join(floors, 'empty-program.ts')],
        cwd: process.cwd(),
        containerPort: 8080,
        env: { NODE_ENV: 'production', BODY_BYTES: process.env['BODY_BYTES'] ?? '1000' },
      }
    : {
        command: noContainer ? ['false'] : [process.execPath, CONTAINER_BUNDLE],
        cwd: process.cwd(),
        containerPort: 8080,
        env: { NODE_ENV: 'production', HOST: '0.0.0.0', ...bundleEnvironment(CONTAINER_BUNDLE) },
      },
  ...(process.env['VERBOSE'] === '1' ? { onLine: (line: string) => console.error(line) } : {}),
});
console.log(`listening ${edge.url}`);

process.on('message', (request: EdgeHostRequest) => {
  if (request.op === 'kill') edge.engine.kill('SIGTERM');
  const newest = edge.engine.running().at(-1);
  if (request.op === 'kill newest' && newest) process.kill(newest.pid, 'SIGKILL');
  const answer: EdgeHostAnswer = { running: edge.engine.running().length };
  process.send?.(answer);
});
process.once('SIGTERM', () => {
  void edge.close().then(() => process.exit(0));
});
