import { BridgeError } from '../../contract/errors.ts';
import { type Actor, type BridgeEvent, type EventDraft, eventTypeMatches } from '../../contract/events.ts';
import { toHex } from '../../contract/hex.ts';
import { loginAllowed, parseLoginMask } from '../../contract/keys.ts';
import { parseMask } from '../../contract/masks.ts';
import { randomBytes } from '../../state/random.ts';
import type { Sql, SqlRow } from '../../state/sql.ts';
import { newWebhookSecret } from './signature.ts';
import { requireTarget, type TargetRules } from './targets.ts';

/** A receiver, and what it is told. */
export interface Webhook {
  readonly id: string;
  readonly url: string;
  /** Types and families (`operation.*`). */
  readonly events: readonly string[];
  /** Login mask; null = of all, and of none. */
  readonly logins: string | null;
  /** Masks of the accounts' groups; null = of all, and of none. */
  readonly groups: readonly string[] | null;
  readonly secret: string;
  readonly createdAtMs: number;
  readonly disabledAtMs: number | null;
  readonly disabledReason: string | null;
}

export type WebhookWish = Pick<Webhook, 'url' | 'events'> & {
  readonly logins?: string | undefined;
  readonly groups?: readonly string[] | undefined;
};

/** Each event is looked at for each of them. */
const MOST_WEBHOOKS = 20;

export interface WebhooksParts {
  readonly sql: Sql;
  readonly now: () => number;
  readonly rules: Pick<TargetRules, 'allowedOrigins'>;
  /** Within the transaction. */
  readonly tell: (event: EventDraft) => void;
}

/** Who is told. */
export class Webhooks {
  readonly #parts: WebhooksParts;
  #all: readonly Webhook[] | undefined;

  constructor(parts: WebhooksParts) {
    this.#parts = parts;
  }

  list(): readonly Webhook[] {
    return (this.#all ??= this.#parts.sql.run('SELECT * FROM webhooks ORDER BY created_at_ms, id').map(toWebhook));
  }

  /** @throws BridgeError `object_not_found` */
  require(id: string): Webhook {
    const found = this.list().find((webhook) => webhook.id === id);
    if (found) return found;
    throw new BridgeError('object_not_found', { detail: `There is no webhook ${id}.`, outcome: 'not_sent' });
  }

  /** Those that are told of an event. */
  of(event: BridgeEvent): readonly Webhook[] {
    return this.list().filter((webhook) => webhook.disabledAtMs === null && wants(webhook, event));
  }

  /** @throws BridgeError `invalid_field` · `overloaded` */
  create(wish: WebhookWish, by: Actor, ownHosts: readonly string[]): Webhook {
    const { sql, now, rules, tell } = this.#parts;
    requireTarget(wish.url, { ...rules, ownHosts });
    if (this.list().length >= MOST_WEBHOOKS)
      throw new BridgeError('overloaded', `There are ${MOST_WEBHOOKS} webhooks, which is the most; delete one first.`);
    const id = `wh_${toHex(randomBytes(8))}`;
    sql.transaction(() => {
      sql.run(
        'INSERT INTO webhooks (id, url, events, logins, group_masks, secret, created_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)',
        id,
        wish.url,
        JSON.stringify(wish.events),
        wish.logins ?? null,
        wish.groups === undefined ? null : JSON.stringify(wish.groups),
        newWebhookSecret(),
        now(),
      );
      this.#all = undefined;
      const { origin } = new URL(wish.url);
      tell({ type: 'admin.webhook_created', by, data: { id, origin, events: wish.events } });
    });
    return this.require(id);
  }

  /** Nothing more is sent to it; what waits for it is given up. */
  disable(id: string, reason: string, by?: Actor): void {
    const { sql, now, tell } = this.#parts;
    sql.transaction(() => {
      const [row] = sql.run(
        `UPDATE webhooks SET disabled_at_ms = ?, disabled_reason = ?
          WHERE id = ? AND disabled_at_ms IS NULL RETURNING url`,
        now(),
        reason,
        id,
      );
      if (!row) return;
      this.#giveUp(id);
      this.#all = undefined;
      tell({ type: 'admin.webhook_disabled', by, data: { id, origin: new URL(String(row['url'])).origin, reason } });
    });
  }

  enable(id: string, by: Actor): void {
    const { sql, tell } = this.#parts;
    const { url } = this.require(id);
    sql.transaction(() => {
      sql.run('UPDATE webhooks SET disabled_at_ms = NULL, disabled_reason = NULL WHERE id = ?', id);
      this.#all = undefined;
      tell({ type: 'admin.webhook_enabled', by, data: { id, origin: new URL(url).origin } });
    });
  }

  /** What waits for it. */
  #giveUp(id: string): void {
    this.#parts.sql.run('DELETE FROM webhook_deliveries WHERE webhook = ?', id);
    this.#parts.sql.run('DELETE FROM webhook_lanes WHERE webhook = ?', id);
  }

  delete(id: string, by: Actor): boolean {
    const { sql, tell } = this.#parts;
    return sql.transaction(() => {
      const [row] = sql.run('DELETE FROM webhooks WHERE id = ? RETURNING url', id);
      this.#all = undefined;
      if (!row) return false;
      this.#giveUp(id);
      sql.run('DELETE FROM webhook_attempts WHERE webhook = ?', id);
      tell({ type: 'admin.webhook_deleted', by, data: { id, origin: new URL(String(row['url'])).origin } });
      return true;
    });
  }
}

/** Whether it is told of an event. One that is bound to logins or groups is told of those alone. */
export function wants({ events, logins, groups }: Webhook, { type, login, data }: BridgeEvent): boolean {
  if (!events.some((pattern) => eventTypeMatches(pattern, type))) return false;
  if (logins !== null && (login === undefined || !loginAllowed(parseLoginMask(logins), login))) return false;
  const { group } = data;
  return groups === null || (typeof group === 'string' && groups.some((mask) => parseMask(mask).matches(group)));
}

function toWebhook(row: SqlRow): Webhook {
  const groups = row['group_masks'];
  return {
    id: String(row['id']),
    url: String(row['url']),
    events: JSON.parse(String(row['events'])) as string[],
    logins: typeof row['logins'] === 'string' ? row['logins'] : null,
    groups: typeof groups === 'string' ? (JSON.parse(groups) as string[]) : null,
    secret: String(row['secret']),
    createdAtMs: Number(row['created_at_ms']),
    disabledAtMs: typeof row['disabled_at_ms'] === 'number' ? row['disabled_at_ms'] : null,
    disabledReason: typeof row['disabled_reason'] === 'string' ? row['disabled_reason'] : null,
  };
}
