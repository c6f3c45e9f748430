import type { RequestHandler } from 'express';
import type { IncomingMessage } from 'node:http';
import type { ClusterStatus } from '../contract/cluster.ts';
import { BridgeError } from '../contract/errors.ts';
import { INTERNAL_PATH } from '../contract/headers.ts';
import { unauthenticated } from '../contract/keys.ts';
import type { ReferenceClass } from '../contract/reference-data.ts';
import type { AddressOf } from '../http/authenticate.ts';
import { factsOf } from '../http/request-facts.ts';
import type { Sql } from '../state/sql.ts';
import type { StateApi } from '../state/state-api.ts';

/** What a replica gives the bridge that it makes once it holds the session. */
export interface Holding {
  /** Every write of the ledger goes through it. */
  readonly fence: (sql: Sql) => Sql;
  /** Why trading begins halted; `null` = it does not. */
  readonly distrust: string | null;
  /** Another replica sends this for a caller of its own. */
  readonly fromReplica: (request: IncomingMessage) => boolean;
  /** The caller behind another replica. */
  readonly addressOf: (own: AddressOf) => AddressOf;
  readonly status: () => ClusterStatus;
  /** Told to the other replicas. */
  readonly changed: (classes: readonly ReferenceClass[]) => void;
  readonly ended: (ended: readonly string[]) => void;
}

/** What the holder tells other replicas of their callers, by path. For anybody else there is no such path. */
export function answersForReplicas(
  fromReplica: Holding['fromReplica'],
  sessions: Pick<StateApi['sessions'], 'find'>,
): Readonly<Record<string, RequestHandler>> {
  const forReplicas =
    (answer: (request: IncomingMessage) => Promise<unknown>): RequestHandler =>
    async (request, response) => {
      if (!fromReplica(request)) throw new BridgeError('route_not_found', 'No such route.');
      response.json(await answer(request));
    };
  return {
    [INTERNAL_PATH.caller]: forReplicas(async (request) => {
      const { caller } = factsOf(request);
      if (!caller) throw unauthenticated();
      return caller;
    }),
    [INTERNAL_PATH.sessions]: forReplicas(async ({ url = '' }) => {
      const proofs = (new URL(url, 'http://holder').searchParams.get('proofs') ?? '').split(',');
      const found = await Promise.all(proofs.map((proof) => sessions.find(proof)));
      return proofs.filter((_, i) => found[i] !== null);
    }),
  };
}
