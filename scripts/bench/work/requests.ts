import { MAX_BODY_BYTES } from '../../../container/contract/json-body.ts';
import type { LoadRequest } from '../load/job.ts';
import type { System, WorkName } from '../systems/system.ts';

/** Clients of the simulator's book. */
const FIRST_LOGIN = 1001;
const LOGINS = 100;
const BATCH_READS = 20;

const logins = Array.from({ length: LOGINS }, (_, index) => FIRST_LOGIN + index);
/** Clients with ordinary rights and few positions. */
const TRADING_LOGINS = logins.slice(3, 43);
const get = (path: string): LoadRequest => ({ method: 'GET', path });

/** The requests of each kind of HTTP work. Reads that must not be answered together name distinct logins. */
export function requestsOf(work: WorkName, system?: Pick<System, 'cachedPath'>): LoadRequest[] {
  switch (work) {
    case 'cached':
      return [get(system?.cachedPath ?? '/v1/symbols/EURUSD')];
    case 'typed':
      return logins.map((login) => get(`/v1/accounts/${login}/money`));
    case 'passthrough':
      return logins.map((login) => get(`/api/user/account/get?login=${login}`));
    case 'batch':
      return Array.from({ length: LOGINS / BATCH_READS }, (_, batch) => ({
        method: 'POST',
        path: '/v1/batch',
        body: JSON.stringify({
          requests: logins
            .slice(batch * BATCH_READS, (batch + 1) * BATCH_READS)
            .map((login) => ({ path: `/v1/accounts/${login}/money` })),
        }),
      }));
    case 'worst-body':
      return [{ method: 'POST', path: '/v1/batch', body: worstBody() }];
    case 'order':
      return TRADING_LOGINS.flatMap((login) =>
        (['buy', 'sell'] as const).map((side) => ({
          method: 'POST' as const,
          path: '/v1/orders',
          body: JSON.stringify({ login, symbol: 'EURUSD', side, type: 'market', volume: '0.01' }),
        })),
      );
    case 'stream':
    case 'fan-out':
      return [];
    default:
      return work satisfies never;
  }
}

/** Of the bodies of the largest size, the one that takes the longest to refuse: as many names as it holds, none known. */
function worstBody(): string {
  let body = '{"a":0';
  for (let name = 0; body.length < MAX_BODY_BYTES - 20; name++) body += `,"${name.toString(36)}_":0`;
  return `${body}}`;
}

/** Status of an answer that counts; `undefined` = any 2xx. */
export const expectedStatusOf = (work: WorkName): number | undefined => (work === 'worst-body' ? 422 : undefined);

export const isWrite = (work: WorkName): boolean => work === 'order';

/** Connections of the reads. */
export const HTTP_CONNECTIONS = 32;

/** Connections and rate of each work: the rate is below what the slowest system can do, so that latencies compare. */
export function loadOf(work: WorkName, upstreamLatencyMs: number): { connections: number; ratePerSecond: number } {
  if (work === 'order') return { connections: 8, ratePerSecond: upstreamLatencyMs > 0 ? 5 : 25 };
  if (work === 'worst-body') return { connections: 4, ratePerSecond: 5 };
  if (work === 'batch') return { connections: 8, ratePerSecond: upstreamLatencyMs > 0 ? 5 : 25 };
  return { connections: HTTP_CONNECTIONS, ratePerSecond: upstreamLatencyMs > 0 ? 20 : 200 };
}
