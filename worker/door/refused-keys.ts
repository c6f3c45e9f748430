import { waitUntil } from 'cloudflare:workers';
import { Refusals } from '../../container/outbox/refusals.ts';
import type { Broker } from '../config.ts';
import { logEvent } from '../log.ts';
import { outboxOf } from '../stubs.ts';

/** Of this isolate, by broker. */
const refusals = new Map<string, Refusals>();

/** A key or token opened nothing at this broker. */
export function noteRefused(env: Env, broker: Broker): void {
  let counted = refusals.get(broker.id);
  if (!counted) {
    counted = new Refusals({
      tell: (count) => outboxOf(env, broker).refused(count),
      later: (ms, then) => waitUntil(scheduler.wait(ms).then(then)),
      onFault: (error) => logEvent('fault', { kind: 'refused keys', error }, 'error'),
    });
    refusals.set(broker.id, counted);
  }
  counted.note(Date.now());
}
