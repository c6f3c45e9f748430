import { bundledBridgeProgram } from '../local/bridge-program.ts';
import { childrenNamed } from '../local/end-with-parent.ts';
import { startLocalEdge } from '../local/local-edge.ts';
import type { Broker } from './broker.ts';
import { type Fault, freeze, newSoakKeys, type Road, signal } from './road.ts';

/** The Worker in workerd and its container as a process. @param isGone while it says so, no container comes up */
export async function edgeRoad(
  broker: Broker,
  onLine: (source: string, line: string) => void,
  vars: Readonly<Record<string, string>> = {},
  isGone: () => boolean = () => false,
): Promise<Road> {
  const keys = await newSoakKeys();
  const bundle = await bundledBridgeProgram();
  const edge = await startLocalEdge({
    port: 0,
    program: () => (isGone() ? { ...bundle, command: [process.execPath, '-e', 'process.exit(3)'] } : bundle),
    // The product, and a path that ends its Durable Object as the platform does.
    main: 'test/worker/abortable-worker.ts',
    onLine: (line) => onLine('container', line),
    onWorkerLog: (line) => onLine('worker', line),
    vars: {
      BRIDGE_API_KEYS: keys.variable,
      MT5_SERVER: broker.server,
      MT5_LOGIN: '1000',
      MT5_PASSWORD: broker.password,
      MT5_TLS: `pin:${broker.certificateSha256}`,
      RATE_LIMIT_PER_SECOND: '100000',
      RATE_LIMIT_BURST: '100000',
      // What ends is started by requests: that is what is watched here.
      SLEEP_POLICY: 'fixed',
      ...vars,
    },
  });
  const { engine } = edge;
  const [workerd = 0] = childrenNamed('workerd');
  const container = (): number => engine.running().at(-1)?.pid ?? 0;
  const faults: Record<string, Fault> = {
    'kill container': { weight: 3, inject: async () => signal(container(), 'SIGKILL') },
    'SIGTERM container': { weight: 2, inject: async () => signal(container(), 'SIGTERM') },
    'freeze container': { weight: 3, inject: (durationMs) => freeze(container(), durationMs) },
    'freeze workerd': { weight: 2, inject: (durationMs) => freeze(workerd, durationMs), stopsEverybody: true },
    'abort Durable Object': {
      weight: 2,
      inject: async () => {
        await (await fetch(`${edge.url}/abort-for-test`)).body?.cancel();
      },
    },
    sleep: {
      weight: 1,
      inject: async () => {
        const answer = await fetch(`${edge.url}/admin/sleep`, {
          method: 'POST',
          headers: { authorization: `Bearer ${keys.admin}` },
        });
        await answer.body?.cancel();
      },
    },
  };
  return {
    name: 'edge',
    urls: [edge.url],
    keys,
    faults,
    skipped: [],
    starts: () => engine.processes.length,
    processes: () => ({ container: container(), workerd }),
    close: () => edge.close(),
  };
}
