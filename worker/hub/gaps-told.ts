import type { StreamGap } from '../../container/contract/events.ts';
import type { Outbox } from '../outbox/outbox.ts';

/** Hands on what subscriptions were told to miss; where that fails, the count is in `/metrics` all the same. */
export const gapsTold =
  (ctx: DurableObjectState, outbox: () => DurableObjectStub<Outbox>) =>
  (gaps: readonly StreamGap[]): void =>
    ctx.waitUntil(Promise.resolve(outbox().gaps(gaps)).catch(() => undefined));
