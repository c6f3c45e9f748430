import type { Upstream } from '../../session/upstream.ts';
import { DealerDesk, type PrepareRequest } from './dealer-desk.ts';
import type { DealerResult } from './dealer-results.ts';
import type { SendHooks } from './operation-runner.ts';

interface Account {
  readonly desk: DealerDesk;
  /** Its trades that wait, or are at the dealer. */
  trades: number;
}

/** A desk for each dealer connection. An account that trades stays on one: its requests are sent in their order. */
export class DealerDesks {
  readonly #first: DealerDesk;
  readonly #desks: readonly DealerDesk[];
  readonly #accounts = new Map<number, Account>();

  constructor(upstream: Upstream, now: () => number) {
    const [first, ...others] = upstream.dealers.map(
      (dealer) =>
        new DealerDesk({
          dealer,
          // Not the hooks themselves: handing over this read is not handing over the request.
          read: (command, { deadlineAtMs, signal, timings }) =>
            upstream.read(command, { deadlineAtMs, signal, timings, urgent: true }),
          now,
        }),
    );
    if (!first) throw new Error('an upstream has a dealer connection');
    this.#first = first;
    this.#desks = [first, ...others];
  }

  /** As `DealerDesk.execute`. @throws DealerRefusal · SessionError */
  async execute(login: number, prepare: PrepareRequest, hooks: SendHooks): Promise<DealerResult> {
    let account = this.#accounts.get(login);
    if (!account) this.#accounts.set(login, (account = { desk: this.#leastLoaded(), trades: 0 }));
    account.trades++;
    try {
      return await account.desk.execute(prepare, hooks);
    } finally {
      account.trades--;
      if (account.trades === 0) this.#accounts.delete(login);
    }
  }

  #leastLoaded(): DealerDesk {
    let least = this.#first;
    for (const desk of this.#desks) if (desk.isAvailable && desk.load < least.load) least = desk;
    return least;
  }
}
