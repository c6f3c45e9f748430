import { Breaker } from '../../container/contract/breaker.ts';
import type { SystemEvent } from '../../container/contract/frames.ts';
import type { Journal } from '../../container/state/journal.ts';

/** A container that dies is noticed by itself: five requests in a row fail only where that does not help. */
const ROAD_BREAKER = { failures: 5, firstOpenMs: 1_000, longestOpenMs: 30_000 } as const;

/** Tells the clients' streams. */
export type Announce = (event: SystemEvent, data: Readonly<Record<string, string | number | null>>) => void;

export interface RoadBreakerParts {
  readonly journal: Pick<Journal, 'write'>;
  readonly instanceId: () => string | null;
  readonly announce: Announce;
}

/** The circuit breaker of the road from the Durable Object to its container; journal and streams are told. */
export function roadBreaker({ journal, instanceId, announce }: RoadBreakerParts): Breaker {
  return new Breaker({
    ...ROAD_BREAKER,
    onChange: ({ state, reason, retryAtMs }) => {
      // Of a try only its end is told.
      if (state === 'half_open') return;
      const isOpen = state === 'open';
      const said = isOpen ? `The road’s circuit opened: ${reason}` : 'The road carries again: its circuit closed.';
      journal.write({ event: 'circuit', reason: said, instanceId: instanceId(), epoch: null, phasesMs: null });
      announce(isOpen ? 'circuit_open' : 'circuit_closed', { of: 'road', detail: reason, retryAtMs });
    },
  });
}
