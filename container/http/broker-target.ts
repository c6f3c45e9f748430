import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { Duplex } from 'node:stream';
import { brokerNotFound, splitBrokerTarget } from '../contract/brokers.ts';
import { HEADER } from '../contract/headers.ts';
import { requestIdOf } from '../contract/trace.ts';
import { problemAsAnswer, writeAnswer } from './answer.ts';
import { oneOf } from './read-request.ts';

export type OnUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

const prefixes = new WeakMap<IncomingMessage, string>();

/** `/brokers/{id}` where the request came by it; '' = by a bare path. Goes before the paths that an answer names. */
export const prefixOf = (request: IncomingMessage): string => prefixes.get(request) ?? '';

/**
 * One process serves one broker; a proxy in front of several sends each `/brokers/{id}/…` on as it came. The own paths are
 * served like bare ones, those of others belong to no one here.
 */
export function ownTargets(broker: string): {
  requests(next: RequestListener): RequestListener;
  upgrades(next: OnUpgrade): OnUpgrade;
} {
  /** @returns the id of a broker that is not this one */
  const strip = (request: IncomingMessage): string | undefined => {
    const found = request.url?.startsWith('/brokers/') ? splitBrokerTarget(request.url) : undefined;
    if (!found) return undefined;
    if (found.id !== broker) return found.id;
    request.url = found.target;
    prefixes.set(request, found.prefix);
    return undefined;
  };
  return {
    requests: (next) => (request, response) => {
      const other = strip(request);
      if (other === undefined) return next(request, response);
      const requestId = requestIdOf(oneOf(request.headers[HEADER.requestId])) ?? randomUUID();
      writeAnswer(response, [HEADER.requestId, requestId], problemAsAnswer(brokerNotFound(other), requestId));
    },
    // A path of another broker is left as it is: no WebSocket is served on it.
    upgrades: (next) => (request, socket, head) => {
      strip(request);
      next(request, socket, head);
    },
  };
}
