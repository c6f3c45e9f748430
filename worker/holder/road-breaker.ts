import { Breaker } from '../../container/contract/breaker.ts';
import type { SystemEvent } from '../../container/contract/frames.ts';
import type { OriginName } from '../../container/contract/schemas/status.ts';
import type { Journal } from '../../container/state/journal.ts';

/** A container that dies is noticed by itself: five requests in a row fail only where that does not help. */
const ROAD_BREAKER = { failures: 5, firstOpenMs: 1_000, longestOpenMs: 30_000 } as const;

/** Tells the clients' streams. */
export type Announce = (event: SystemEvent, data: Readonly<Record<string, string | number | null>>) => void;

export interface RoadBreakerParts {
  /** Where the road leads. */
  readonly name: OriginName;
  readonly journal: Pick<Journal, 'write'>;
  readonly instanceId: () => string | null;
  readonly announce: Announce;
}

/** The circuit breaker of the road from the Durable Object to an origin; journal and streams are told. */
export function roadBreaker({ name, journal, instanceId, announce }: RoadBreakerParts): Breaker {
  return new Breaker({
    ...ROAD_BREAKER,
    onChange: ({ state, reason, retryAtMs }) => {
      // Of a try only its end is told.
      if (state === 'half_open') return;
      const isOpen = state === 'open';
      const said = isOpen
        ? `The circuit of the road to the ${name} opened: ${reason}`
        : `The road to the ${name} carries again: its circuit closed.`;
      journal.write({ event: 'circuit', reason: said, instanceId: instanceId(), epoch: null, phasesMs: null });
      announce(isOpen ? 'circuit_open' : 'circuit_closed', { of: 'road', origin: name, detail: reason, retryAtMs });
    },
  });
}
