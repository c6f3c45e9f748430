import type { Logger } from '../contract/logger.ts';
import type { Config } from '../host/config.ts';
import { MarginWatch } from '../service/process/margin-watch.ts';
import type { ReadService } from '../service/reads/read-service.ts';
import type { MarginApi } from '../state/state-api.ts';
import { BRIDGE } from './archive-source.ts';
import type { Streaming } from './streaming.ts';

export interface MarginWatchOptions {
  readonly config: Pick<Config, 'marginWatch'>;
  readonly state: MarginApi;
  readonly reads: Pick<ReadService, 'accounts'>;
  readonly streaming: Pick<Streaming, 'poller'>;
  readonly now: () => number;
  readonly log: Logger;
}

/** Of one question about one account. */
const DEADLINE_MS = 10_000;

/** @returns undefined where nobody asked for it */
export function createMarginWatch(options: MarginWatchOptions): MarginWatch | undefined {
  const { config, state, reads, streaming, now, log } = options;
  if (config.marginWatch === '') return undefined;
  return new MarginWatch({
    groups: config.marginWatch,
    attach: (emit) => streaming.poller.attach(emit),
    groupOf: async (login) => {
      const signal = AbortSignal.timeout(DEADLINE_MS);
      const context = { caller: BRIDGE, lane: BRIDGE.id, signal, deadlineAtMs: now() + DEADLINE_MS };
      return (await reads.accounts.account(login, context)).group ?? undefined;
    },
    state,
    onError: (error) => log.warn('background_work_failed', { kind: 'tell margin', error }),
  });
}
