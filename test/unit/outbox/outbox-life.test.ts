import { expect, it } from 'vitest';
import { outboxLife } from '../../support/outbox-life.ts';

/** `npm run soak -- --road outbox` does the same with ten thousand operations. */
it.each([1, 2])(
  'kills, a store and a receiver that fail, seed %i: nothing is lost, and everything is in order',
  async (seed) => {
    const verdict = await outboxLife({ operations: 60, seed });
    expect(verdict.faults).toEqual([]);
    expect(Math.min(verdict.kills, verdict.receiverFaults, verdict.repeated)).toBeGreaterThan(0);
  },
);
