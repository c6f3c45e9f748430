import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { HEADER } from '../contract/headers.ts';
import type { AddressOf } from '../http/authenticate.ts';
import { oneOf } from '../http/read-request.ts';
import type { Replica } from './lease.ts';

/**
 * Replicas know each other by what they share anyway: the API password of the manager account. What is made of it tells
 * nothing about it, and is never in Redis: who can write there can name no replica of their own, to which callers' keys
 * would be sent.
 */
export class Trust {
  readonly #secret: string;
  readonly #expected: Buffer;

  /** @param broker id: replicas of one broker are none of another's */
  constructor(password: string, login: string, broker: string) {
    this.#secret = createHmac('sha256', password).update(`mt5-edge-bridge replicas ${broker} ${login}`).digest('hex');
    this.#expected = Buffer.from(this.#secret);
  }

  /** For `HEADER.startSecret`, between replicas only. */
  get secret(): string {
    return this.#secret;
  }

  readonly proofOf = ({ id, url }: Replica): string =>
    createHmac('sha256', this.#secret).update(`${id} ${url}`).digest('hex');

  /** Whether another replica sent this, for a caller of its own. */
  readonly fromReplica = ({ headers }: IncomingMessage): boolean => {
    const given = headers[HEADER.startSecret];
    if (given === undefined) return false;
    const bytes = Buffer.from(oneOf(given) ?? '');
    return bytes.length === this.#expected.length && timingSafeEqual(bytes, this.#expected);
  };

  /** The client, as the replica that was asked saw it. */
  addressOf(own: AddressOf): AddressOf {
    return (request) => (this.fromReplica(request) ? oneOf(request.headers[HEADER.callerAddress]) : own(request));
  }
}
