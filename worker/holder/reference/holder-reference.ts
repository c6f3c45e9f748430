import { BRIDGE_VERSION, CONTRACT_VERSION } from '../../../container/contract/version.ts';
import { doorConfig } from '../../config.ts';
import { logEvent } from '../../log.ts';
import { ownBroker } from '../../own-place.ts';
import type { Sql } from '../../../container/state/sql.ts';
import { ReferenceCache, type ReferenceCacheParts } from './reference-cache.ts';
import { ReferenceStore } from './reference-store.ts';

/** The cache of a broker's Durable Object, over its own SQLite. @param name the object's own */
export const holderReference = (
  ctx: Pick<DurableObjectState, 'waitUntil'>,
  sql: Sql,
  env: Env,
  name: string | undefined,
  parts: Pick<ReferenceCacheParts, 'now' | 'isAwake'>,
): ReferenceCache =>
  new ReferenceCache({
    ...parts,
    store: () => new ReferenceStore(sql, sourceOf(env, name)),
    waitUntil: (work) => ctx.waitUntil(work),
    onFault: (what, error) => logEvent('fault', { kind: what, error }, 'warn'),
  });

/** Whose answers they are, in which shape: a server that was changed by a deploy must not be answered for by the last one. */
function sourceOf(env: Env, name: string | undefined): string {
  const config = doorConfig(env);
  const { MT5_SERVER, MT5_LOGIN } = config.variablesOf(ownBroker(name, config));
  return JSON.stringify([BRIDGE_VERSION, CONTRACT_VERSION, MT5_SERVER, MT5_LOGIN]);
}
