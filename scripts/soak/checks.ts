import { setTimeout as delay } from 'node:timers/promises';
import type { Broker, BrokerBooks } from './broker.ts';
import type { Calls } from './calls.ts';
import { TRADED_LOGINS, type Told } from './load.ts';
import type { DealWatch } from './streams.ts';
import type { Violations } from './violations.ts';

/** Operations settle within the horizon of 200 s and two looks (service/writes/settler.ts). */
const SETTLE_WITHIN_MS = 330_000;
const OPEN_STATES: ReadonlySet<string> = new Set(['sending', 'pending', 'unknown']);

interface LedgerRow {
  readonly key: string;
  readonly state: string;
  readonly tag: string;
  readonly login: number | null;
}

/** Everything that the ledger holds of this soak. */
export async function ledger(calls: Calls, key: string): Promise<LedgerRow[]> {
  const rows: LedgerRow[] = [];
  for (let cursor = ''; ;) {
    const answer = await calls.send(`/v1/operations?limit=500${cursor && `&cursor=${cursor}`}`, key);
    if (answer?.status !== 200) {
      await delay(1_000);
      continue;
    }
    rows.push(...(answer.body['items'] as LedgerRow[]));
    const next = answer.body['nextCursor'];
    if (typeof next !== 'string') return rows;
    cursor = next;
  }
}

export async function untilSettled(calls: Calls, key: string, say: (line: string) => void): Promise<LedgerRow[]> {
  const endsAtMs = Date.now() + SETTLE_WITHIN_MS;
  for (;;) {
    const rows = await ledger(calls, key);
    const open = rows.filter(({ state }) => OPEN_STATES.has(state)).length;
    if (open === 0 || Date.now() > endsAtMs) return rows;
    say(`${open} operations are open still`);
    await delay(5_000);
  }
}

/** Ledger = books = what callers were told. */
export function checkLedger(
  rows: readonly LedgerRow[],
  books: BrokerBooks,
  told: readonly Told[],
  violations: Violations,
): void {
  const effects = effectsByTag(books);
  const byKey = new Map(rows.map((row) => [row.key, row]));
  for (const { key, state, tag } of rows) {
    const found = effects.get(tag) ?? 0;
    if (OPEN_STATES.has(state)) violations.note('never settled', `${key}: ${state}`);
    else if (state === 'done' && found !== 1)
      violations.note('ledger and books differ', `${key}: done, ${found} effects`);
    else if (state !== 'done' && found !== 0)
      violations.note('ledger and books differ', `${key}: ${state}, ${found} effects`);
  }
  const tags = new Set(rows.map(({ tag }) => tag));
  for (const tag of effects.keys())
    if (!tags.has(tag)) violations.note('an effect that no operation names', `tag ${tag}`);
  for (const { key, outcome } of told) {
    const state = byKey.get(key)?.state;
    if (outcome === 'executed' && state !== 'done')
      violations.note('told and ledger differ', `${key}: executed, ${state}`);
    if (outcome === 'refused' && state === 'done')
      violations.note('told and ledger differ', `${key}: refused, ${state}`);
  }
}

/** Deals of one order are one effect; so is an order that waits, and a balance operation. */
function effectsByTag(books: BrokerBooks): Map<string, number> {
  const seen = new Map<string, Set<string>>();
  const add = (comment: string, effect: string): void => {
    const tag = comment.split(' ').at(-1) ?? '';
    if (!/^[a-z2-7]{10}$/.test(tag)) return;
    const effects = seen.get(tag) ?? new Set();
    seen.set(tag, effects.add(effect));
  };
  for (const { login, deals, orders } of books.users) {
    if (!TRADED_LOGINS.some((traded) => traded === login)) continue;
    for (const { comment, deal, order } of deals) add(comment, order === 0 ? `deal ${deal}` : `order ${order}`);
    for (const { comment, order } of orders) add(comment, `order ${order}`);
  }
  return new Map([...seen].map(([tag, effects]) => [tag, effects.size]));
}

/** Tickets of the traded accounts' deals. */
export const dealsOf = (books: BrokerBooks): Set<string> =>
  new Set(
    books.users
      .filter(({ login }) => TRADED_LOGINS.some((traded) => traded === login))
      .flatMap(({ deals }) => deals.map(({ deal }) => String(deal))),
  );

/** Each deal since the start, once, at each client. */
export async function checkStreams(
  watches: readonly DealWatch[],
  broker: Broker,
  before: ReadonlySet<string>,
  violations: Violations,
): Promise<void> {
  const expected = [...dealsOf(await broker.books())].filter((ticket) => !before.has(ticket));
  const missing = (watch: DealWatch): string[] => {
    const seen = new Set(watch.tickets);
    return expected.filter((ticket) => !seen.has(ticket));
  };
  for (let tries = 0; tries < 60 && watches.some((watch) => missing(watch).length > 0); tries++) await delay(1_000);
  for (const [i, watch] of watches.entries()) {
    const lost = missing(watch);
    const twice = watch.tickets.length - new Set(watch.tickets).size;
    if (lost.length > 0)
      violations.note(
        'deals that a client was not told',
        `client ${i}: ${lost.length} of ${expected.length}, ${lost.slice(0, 5).join()}`,
      );
    if (twice > 0) violations.note('deals that a client was told twice', `client ${i}: ${twice}`);
  }
}
