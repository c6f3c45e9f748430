import type { Accounts } from './account.ts';
import type { PastMarket } from './bars.ts';
import type { Books } from './books.ts';
import type { DealerQueue } from './dealer-queue.ts';
import type { Execution } from './execution.ts';
import type { Feed } from './feed.ts';
import type { PostRoom } from './post-room.ts';
import type { PricePath } from './price-path.ts';
import type { Random } from './random.ts';
import type { Rates } from './rates.ts';
import type { RecordRoom } from './record-room.ts';
import type { User } from './records.ts';

/** The parts of a broker that a reset replaces. */
export interface World {
  readonly books: Books;
  readonly path: PricePath;
  readonly past: PastMarket;
  readonly market: Feed;
  readonly rates: Rates;
  readonly accounts: Accounts;
  readonly execution: Execution;
  readonly random: Random;
  readonly dealers: DealerQueue;
  readonly post: PostRoom;
  readonly records: RecordRoom;
  /** Accounts that were moved out of the books, by login. */
  readonly archive: Map<number, User>;
}
