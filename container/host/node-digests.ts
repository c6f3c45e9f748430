import { createHash, createHmac } from 'node:crypto';
import type { Digests } from '../outbox/digests.ts';

/** Node's own, which take some microseconds and no other thread. */
export const NODE_DIGESTS: Digests = {
  sha256: (text) => createHash('sha256').update(text).digest('hex'),
  hmacSha256: (key, text) => createHmac('sha256', key).update(text).digest(),
};
