import type { Dealer, Upstream } from '../../session/upstream.ts';
import type { ClockSource } from './broker-clock.ts';
import { changedBy } from '../../contract/reference-data.ts';
import type { Broker } from './broker.ts';

/**
 * An upstream whose writes are seen by the reads: who reads after a write has been answered never gets what was asked
 * for before it, neither from the cache nor from a read under way.
 */
export function notingWrites(
  upstream: Upstream,
  broker: Pick<Broker, 'forgetReads'>,
  clock: Pick<ClockSource, 'invalidate'>,
): Upstream {
  const noting = async <T>(path: string, call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } finally {
      // Also after a failure: it may have been executed.
      broker.forgetReads(...changedBy(path));
      if (path.startsWith('time/')) clock.invalidate();
    }
  };
  const notingDealer = (dealer: Dealer): Dealer => ({
    get isAvailable() {
      return dealer.isAvailable;
    },
    get generation() {
      return dealer.generation;
    },
    mutate: (command, options) => noting(command.path, dealer.mutate(command, options)),
    // A dealer request is executed some time after it was taken: its result tells when.
    read: (command, generation, options) => noting(command.path, dealer.read(command, generation, options)),
  });
  const [first, ...others] = upstream.dealers;
  return {
    read: (command, options) => upstream.read(command, options),
    mutate: (command, options) => noting(command.path, upstream.mutate(command, options)),
    dealers: [notingDealer(first), ...others.map(notingDealer)],
  };
}
