import { createHash } from 'node:crypto';
import type { Engine, ProgramSpec } from '../../../scripts/local/engine.ts';
import type { Refusal } from '../../../scripts/local/ingress-sidecar.ts';
import { startLocalEdge } from '../../../scripts/local/local-edge.ts';
import type { Simulator } from '../../simulator/server.ts';
import { bridgeProgram } from '../../support/bridge-process.ts';
import { TEST_KEYS, testKeysVariable } from '../../support/test-keys.ts';
import { simulatorVariables } from '../../support/simulator-variables.ts';

export interface Edge {
  readonly url: string;
  readonly keys: typeof TEST_KEYS;
  readonly engine: Engine;
  /** Lines that the container wrote. */
  readonly containerLog: readonly string[];
  /** With the read key unless the headers say otherwise. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Answer as JSON, with its status. */
  json(path: string, init?: RequestInit): Promise<{ status: number; body: Record<string, unknown> }>;
  /** Fires the cron trigger. */
  scheduled(): Promise<void>;
  close(): Promise<void>;
}

/** The whole road: the Worker in real workerd, its container as a process, in front of a simulator. */
export async function startEdge(options: {
  simulator: Pick<Simulator, 'host' | 'port' | 'certificateSha256'>;
  vars?: Readonly<Record<string, string>>;
  /** A program that exits non-zero is started again in the same container, as Docker's `on-failure` does. */
  restartOnFailure?: boolean;
  refusal?: Refusal;
  /** With the page at `/`. */
  page?: boolean;
  /** As if wrangler.jsonc declared no `containers`. */
  withoutContainers?: boolean;
  /** Another entry of the Worker than the product's. */
  main?: string;
  /** What runs in place of the container's program, made of it; asked at each start of a container. */
  around?: (program: ProgramSpec) => ProgramSpec;
}): Promise<Edge> {
  const { simulator, vars, restartOnFailure = false, main, refusal, around = (same) => same } = options;
  const { withoutContainers = false, page = false } = options;
  const containerLog: string[] = [];
  const bundle = await bridgeProgram();
  const edge = await startLocalEdge({
    port: 0,
    program: () => around(bundle),
    restartOnFailure,
    withoutContainers,
    page,
    ...(main === undefined ? {} : { main }),
    ...(refusal === undefined ? {} : { refusal }),
    onLine: (line) => containerLog.push(line),
    vars: {
      BRIDGE_API_KEYS: testKeysVariable((key) => createHash('sha256').update(key).digest('hex')),
      ...simulatorVariables(simulator),
      // The simulator's market is always open: its calendar would keep every container awake.
      SLEEP_POLICY: 'fixed',
      ...vars,
    },
  });
  const send = (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    if (!headers.has('authorization') && !headers.has('x-api-key'))
      headers.set('authorization', `Bearer ${TEST_KEYS.read}`);
    return fetch(edge.url + path, { ...init, headers });
  };
  return {
    url: edge.url,
    keys: TEST_KEYS,
    engine: edge.engine,
    containerLog,
    fetch: send,
    json: async (path, init) => {
      const answer = await send(path, init);
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    },
    scheduled: () => edge.scheduled(),
    close: () => edge.close(),
  };
}
