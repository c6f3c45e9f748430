import { parseMask } from '../contract/masks.ts';
import type { Actor } from '../contract/events.ts';
import type { EventOutbox } from './event-outbox.ts';
import type { Sql } from './sql.ts';
import type { BeginRequest, HaltScope, TradingHalt } from './state-api.ts';

/** Trading halts: of everybody, or of a group mask, a symbol or a login. */
export class Halts {
  readonly #sql: Sql;
  readonly #now: () => number;

  readonly #outbox: EventOutbox;

  constructor(sql: Sql, now: () => number, outbox: EventOutbox) {
    this.#sql = sql;
    this.#now = now;
    this.#outbox = outbox;
  }

  list(): readonly TradingHalt[] {
    return this.#sql.run('SELECT * FROM halts ORDER BY since_ms, kind, value').map((row) => ({
      kind: row['kind'] as HaltScope['kind'],
      value: String(row['value']),
      reason: String(row['reason']),
      sinceMs: Number(row['since_ms']),
    }));
  }

  /** Within a transaction. */
  halt({ kind, value }: HaltScope, reason: string, by?: Actor): void {
    this.#sql.run(
      'INSERT OR REPLACE INTO halts (kind, value, reason, since_ms) VALUES (?, ?, ?, ?)',
      kind,
      value,
      reason,
      this.#now(),
    );
    const login = loginOf({ kind, value });
    this.#outbox.tell({ type: 'admin.trading_halted', by, login, data: { kind, value, reason } });
  }

  /** Within a transaction. */
  resume({ kind, value }: HaltScope, by?: Actor): void {
    this.#outbox.tell({ type: 'admin.trading_resumed', by, login: loginOf({ kind, value }), data: { kind, value } });
    this.#sql.run('DELETE FROM halts WHERE kind = ? AND value = ?', kind, value);
  }

  /** The halt that a trade falls under. What does not say its login, symbol or group may be any of them. */
  of(trade: Pick<BeginRequest, 'login' | 'symbol' | 'group'>): TradingHalt | undefined {
    return this.list().find((halt) => concerns(halt, trade));
  }
}

const loginOf = ({ kind, value }: HaltScope): number | null => (kind === 'login' ? Number(value) : null);

function concerns({ kind, value }: TradingHalt, { login, symbol, group }: Parameters<Halts['of']>[0]): boolean {
  if (kind === 'login') return login === null || String(login) === value;
  if (kind === 'symbol') return symbol === undefined || symbol === value;
  return kind === 'all' || group === undefined || parseMask(value).matches(group);
}
