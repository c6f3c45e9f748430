import { z } from 'zod';
import { BridgeError } from './errors.ts';

/** Several brokers behind one address: `/brokers/{id}/…` is the API of one of them, bare paths are that of the first. */

export const brokerIdSchema = z
  .string({ error: 'is missing' })
  .regex(/^[a-z0-9-]{1,32}$/, 'expected 1–32 of a–z 0–9 -');

export const brokerPath = (id: string): string => `/brokers/${id}`;

/** A target below `/brokers/{id}`, without it. */
export interface BrokerTarget {
  readonly id: string;
  /** `/brokers/{id}`. */
  readonly prefix: string;
  /** Path and query as the broker's API knows them. */
  readonly target: string;
}

/** `undefined` = a bare path. */
export function splitBrokerTarget(target: string): BrokerTarget | undefined {
  const [prefix, id] = /^\/brokers\/([^/?#]+)/.exec(target) ?? [];
  if (prefix === undefined || id === undefined) return undefined;
  const rest = target.slice(prefix.length);
  return { id, prefix, target: rest.startsWith('/') ? rest : `/${rest}` };
}

export const brokerNotFound = (id: string): BridgeError =>
  new BridgeError('broker_not_found', `There is no broker ${id.slice(0, 32)} here; GET /v1/brokers tells which are.`);
