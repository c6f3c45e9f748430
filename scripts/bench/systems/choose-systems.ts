import { isApart, SYSTEM_NAMES, wantsWork, type BenchOptions } from '../options.ts';
import { edge, edgeFloor, workerFloor } from './edge.ts';
import { fallback } from './fallback.ts';
import { bareHttp, fanOut, nginx, nginxVersion, pinnedProxy, wsLoop } from './floors.ts';
import { remote } from './remote.ts';
import type { System } from './system.ts';
import { uncounted } from './uncounted.ts';
import { POOL, vps } from './vps.ts';
import { vpsNginx } from './vps-nginx.ts';

/** What `GET /v1/symbols/EURUSD` answers has 3,029 bytes: the floors write as many. */
const BODY_BYTES = 3_029;
/** Sessions of a peer that opens one for each caller. */
const MANY = 32;
const REACH_TIMEOUT_MS = 3_000;

/** Everything this run can measure: the local systems with their floors, or those given by address. */
export async function chooseSystems(options: BenchOptions): Promise<{ systems: System[]; skipped: string[] }> {
  const skipped: string[] = [];
  const systems: System[] = [];
  const names = options.only.filter((name) => SYSTEM_NAMES.has(name)).map((name) => name.replace('-cold', ''));
  const wanted = ({ name, works }: System): boolean => {
    if (names.length > 0) return names.includes(name);
    if (options.only.length > 0 && options.only.every(isApart)) return false;
    return works.length > 0 || (wantsWork(options.only, 'crowd') && !options.quick);
  };
  if (options.edgeUrl === undefined && options.vpsUrl === undefined) {
    const version = nginxVersion();
    if (version === undefined) skipped.push('nginx, vps-nginx: nginx is not installed (Debian: nginx-light)');
    systems.push(
      ...[
        bareHttp(BODY_BYTES),
        ...(version === undefined ? [] : [nginx(version, BODY_BYTES)]),
        vps('vps', POOL),
        ...(version === undefined || options.quick ? [] : [vpsNginx(version)]),
        ...(options.quick ? [] : [uncounted(POOL)]),
        vps('vps-1', 1),
        pinnedProxy(1),
        pinnedProxy(POOL),
        pinnedProxy(MANY),
        vps('vps-none', POOL, { MARKET_ORDER_PRICE: 'none' }),
        vps('vps-dealers-2', POOL, { DEALER_CONNECTIONS: '2' }),
        vps('vps-none-dealers-2', POOL, { MARKET_ORDER_PRICE: 'none', DEALER_CONNECTIONS: '2' }),
        edge,
        ...(options.quick ? [] : [fallback]),
        edgeFloor(BODY_BYTES),
        workerFloor(BODY_BYTES),
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

async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(REACH_TIMEOUT_MS) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}
