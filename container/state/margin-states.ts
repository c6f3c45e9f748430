import { z } from 'zod';
import type { EventType } from '../contract/events.ts';
import type { EventOutbox } from './event-outbox.ts';
import type { Sql } from './sql.ts';
import type { AccountMargin, ClosedByStopOut, MarginApi } from './state-api.ts';
import { SETTING_NAMES, type StoredSettings } from './stored-settings.ts';

/** By login: `activation sinceMs` of those that are told of. */
const keptSchema = z.record(z.string(), z.string());

const TYPES: Readonly<Record<AccountMargin['activation'], EventType>> = {
  none: 'margin.restored',
  margin_call: 'margin.call',
  stop_out: 'margin.stop_out',
};

export interface MarginStatesParts {
  readonly sql: Sql;
  readonly stored: StoredSettings;
  readonly outbox: EventOutbox;
}

/** Accounts in margin call or stop-out, so that each is told of once, whatever restarts meanwhile. */
export class MarginStates implements MarginApi {
  readonly #parts: MarginStatesParts;

  constructor(parts: MarginStatesParts) {
    this.#parts = parts;
  }

  async known(): Promise<readonly number[]> {
    return Object.keys(this.#kept()).map(Number);
  }

  async saw(accounts: readonly AccountMargin[]): Promise<void> {
    const { sql, stored, outbox } = this.#parts;
    sql.transaction(() => {
      const kept: Record<string, string> = { ...this.#kept() };
      let isChanged = false;
      for (const { login, activation, sinceMs, ...data } of accounts) {
        const state = activation === 'none' ? undefined : `${activation} ${String(sinceMs)}`;
        if (kept[login] === state) continue;
        isChanged = true;
        if (state === undefined) delete kept[login];
        else kept[login] = state;
        outbox.tell({ type: TYPES[activation], login, data: { ...data, sinceMs } });
      }
      if (isChanged) stored.write(SETTING_NAMES.margin, kept);
    });
  }

  async closed(deals: readonly ClosedByStopOut[]): Promise<void> {
    const { sql, outbox } = this.#parts;
    sql.transaction(() => {
      for (const { login, ...data } of deals) outbox.tell({ type: 'margin.closed', login, data });
    });
  }

  #kept(): Readonly<Record<string, string>> {
    return this.#parts.stored.read(SETTING_NAMES.margin, keptSchema) ?? {};
  }
}
