import type { BenchOptions } from '../options.ts';
import { edge, edgeFloor } from './edge.ts';
import { bareHttp, fanOut, nginx, pinnedProxy, wsLoop } from './floors.ts';
import { remote } from './remote.ts';
import type { System } from './system.ts';
import { vps } from './vps.ts';

/** What `GET /v1/symbols/EURUSD` answers has 3,029 bytes: the floors write as many. */
const BODY_BYTES = 3_029;
/** `POOL_MAX` as it comes. */
export const POOL = 4;
const REACH_TIMEOUT_MS = 3_000;

/** Everything this run can measure: the local systems with their floors, or those given by address. */
export async function chooseSystems(options: BenchOptions): Promise<{ systems: System[]; skipped: string[] }> {
  const skipped: string[] = [];
  const systems: System[] = [];
  const wanted = (system: System): boolean => {
    const names = options.only.filter((name) => LOCAL_NAMES.has(name.replace('-cold', '')));
    return names.length === 0 || names.some((name) => name.replace('-cold', '') === system.name);
  };
  if (options.edgeUrl === undefined && options.vpsUrl === undefined) {
    const floorOfNginx = nginx(BODY_BYTES);
    if (!floorOfNginx) skipped.push('nginx floor: nginx is not installed');
    systems.push(
      ...[
        bareHttp(BODY_BYTES),
        ...(floorOfNginx ? [floorOfNginx] : []),
        vps('vps', POOL),
        vps('vps-1', 1),
        pinnedProxy(1),
        pinnedProxy(POOL),
        edge,
        edgeFloor(BODY_BYTES),
        fanOut,
        wsLoop,
      ].filter(wanted),
    );
  } else {
    const works = ['cached', 'typed', 'passthrough', 'batch', 'stream'] as const;
    const { key, edgeUrl, vpsUrl } = options;
    if (vpsUrl !== undefined) systems.push(remote({ name: 'vps', kind: 'vps', url: vpsUrl, key, works }));
    if (edgeUrl !== undefined) systems.push(remote({ name: 'edge', kind: 'edge', url: edgeUrl, key, works }));
    skipped.push('orders, cold starts, CPU, memory and upstream counters: not of servers given by address');
  }
  for (const { name, url, path } of options.peers) {
    if (await answers(url + path))
      systems.push(remote({ name, kind: 'peer', url, key: undefined, works: ['cached'], cachedPath: path }));
    else skipped.push(`peer ${name}: ${url}${path} does not answer`);
  }
  return { systems, skipped };
}

const LOCAL_NAMES = new Set([
  'node-http',
  'nginx',
  'vps',
  'vps-1',
  'node-undici-1',
  'node-undici-4',
  'edge',
  'edge-floor',
  'ws-loop',
  'fan-out',
]);

async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(REACH_TIMEOUT_MS) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}
