import type { BridgeEvent } from '../../contract/events.ts';
import type { Sql, SqlRow } from '../../state/sql.ts';
import type { EventLog, LoggedEvent } from '../event-log.ts';
import { signedHeaders } from './signature.ts';
import { type Webhook, type Webhooks, wants } from './webhooks.ts';

/** Hands a signed event to a receiver. */
export interface WebhookSender {
  /** Redirects are not followed. @throws Error, whose message says why no answer came */
  send(request: {
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
    readonly timeoutMs: number;
  }): Promise<{ readonly status: number }>;
}

export interface DeliveryPolicy {
  /** The specification advises 15 to 30 s. */
  readonly timeoutMs: number;
  /** Waits after the first, second … failure of an event; the last one again and again. */
  readonly waitsMs: readonly number[];
  /** An event that fails for so long disables its receiver. */
  readonly giveUpMs: number;
  /** Failures in a row, of whichever events, after which a receiver is left alone for a while. */
  readonly failuresInRow: number;
  /** Sent side by side to one receiver: each of another login. */
  readonly atOnce: number;
  /** Events that wait for one receiver at most. */
  readonly most: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

export const DELIVERY_POLICY: DeliveryPolicy = {
  timeoutMs: 15_000,
  waitsMs: [5_000, 30_000, 2 * MINUTE_MS, 10 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS, 2 * HOUR_MS, 4 * HOUR_MS],
  giveUpMs: 24 * HOUR_MS,
  failuresInRow: 5,
  atOnce: 8,
  most: 100_000,
};

/** One piece of work: an alarm of a Durable Object may run for 15 minutes. */
const WORK_MS = 30_000;
/** Attempts of one receiver that are remembered. */
const KEEP_ATTEMPTS = 200;

export interface DeliveriesParts {
  readonly sql: Sql;
  readonly now: () => number;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
  readonly log: EventLog;
  readonly webhooks: Webhooks;
  readonly sender: WebhookSender;
  readonly policy: DeliveryPolicy;
}

export interface Attempt {
  readonly eventId: string;
  readonly type: string;
  readonly login: number | null;
  readonly atMs: number;
  readonly attempt: number;
  /** null = no answer came. */
  readonly status: number | null;
  readonly error: string | null;
  readonly durationMs: number;
}

/** A receiver that fails, whatever it is sent. */
interface Trouble {
  failures: number;
  untilMs: number;
}

/**
 * What waits for each receiver, and its way there: at least once, in order for each login, never one event beside another of
 * the same login. A receiver that fails keeps nobody waiting but itself.
 */
export class Deliveries {
  readonly #parts: DeliveriesParts;
  /** Of this program: after its end everybody is tried again. */
  readonly #troubles = new Map<string, Trouble>();

  constructor(parts: DeliveriesParts) {
    this.#parts = parts;
  }

  /** An event came: within the transaction that keeps it. */
  enqueue({ seq, event }: LoggedEvent): void {
    for (const webhook of this.#parts.webhooks.of(event)) this.#enqueue(webhook, seq, event.login);
  }

  /** Tells everything again from this event on, as far as it is kept. @returns how many events */
  replay(webhook: Webhook, fromSeq: number): number {
    const { sql, log } = this.#parts;
    let events = 0;
    for (let after = fromSeq - 1; ;) {
      const page = log.after(after, 1000);
      const last = page.at(-1);
      if (!last) return events;
      sql.transaction(() => {
        for (const { seq, event } of page) {
          if (!wants(webhook, event)) continue;
          events += 1;
          this.#enqueue(webhook, seq, event.login);
        }
      });
      after = last.seq;
    }
  }

  /** When something must be sent, epoch ms; null = nothing waits. */
  get dueAtMs(): number | null {
    let least: number | null = null;
    for (const { id, disabledAtMs } of this.#parts.webhooks.list()) {
      if (disabledAtMs !== null) continue;
      const [row] = this.#parts.sql.run('SELECT min(due_ms) AS due FROM webhook_lanes WHERE webhook = ?', id);
      if (typeof row?.['due'] !== 'number') continue;
      const dueMs = Math.max(row['due'], this.#troubles.get(id)?.untilMs ?? 0);
      least = Math.min(least ?? dueMs, dueMs);
    }
    return least;
  }

  /** Events that wait for a receiver, and when the oldest of them happened. */
  backlogOf(id: string): { readonly pending: number; readonly oldestAtMs: number | null } {
    const [row = {}] = this.#parts.sql.run(
      `SELECT count(*) AS n, min(e.at_ms) AS at FROM webhook_deliveries d JOIN event_log e ON e.seq = d.seq
        WHERE d.webhook = ?`,
      id,
    );
    return { pending: Number(row['n']), oldestAtMs: typeof row['at'] === 'number' ? row['at'] : null };
  }

  /** Events from here on are still needed. */
  get oldestSeq(): number | null {
    const seq = this.#parts.sql.run('SELECT min(seq) AS seq FROM webhook_deliveries')[0]?.['seq'];
    return typeof seq === 'number' ? seq : null;
  }

  /** Sends what is due, to every receiver beside the others. Never rejects for a receiver's sake. */
  async work(): Promise<void> {
    const active = this.#parts.webhooks.list().filter(({ disabledAtMs }) => disabledAtMs === null);
    await Promise.all(active.map((webhook) => this.#serve(webhook)));
  }

  /** Sends one event now, whatever waits. */
  async sendNow(webhook: Webhook, event: BridgeEvent): Promise<Attempt> {
    const attempt = await this.#attempt(webhook, event, 1);
    this.#remember(webhook.id, attempt);
    return attempt;
  }

  /** The newest first. */
  attempts(id: string, limit: number): readonly Attempt[] {
    return this.#parts.sql
      .run('SELECT * FROM webhook_attempts WHERE webhook = ? ORDER BY id DESC LIMIT ?', id, limit)
      .map((row) => ({
        eventId: String(row['event_id']),
        type: String(row['type']),
        login: typeof row['login'] === 'number' ? row['login'] : null,
        atMs: Number(row['at_ms']),
        attempt: Number(row['attempt']),
        status: typeof row['status'] === 'number' ? row['status'] : null,
        error: typeof row['error'] === 'string' ? row['error'] : null,
        durationMs: Number(row['duration_ms']),
      }));
  }

  #enqueue({ id }: Webhook, seq: number, login: number | undefined): void {
    const { sql, now, webhooks, policy } = this.#parts;
    const lane = login === undefined ? '' : String(login);
    sql.run('INSERT OR IGNORE INTO webhook_deliveries (webhook, lane, seq) VALUES (?, ?, ?)', id, lane, seq);
    sql.run(
      'INSERT OR IGNORE INTO webhook_lanes (webhook, lane, due_ms, attempts) VALUES (?, ?, ?, 0)',
      id,
      lane,
      now(),
    );
    // Counted seldom: a receiver may have some more.
    if (seq % 1000 !== 0) return;
    const [row] = sql.run('SELECT count(*) AS n FROM webhook_deliveries WHERE webhook = ?', id);
    if (Number(row?.['n']) > policy.most) webhooks.disable(id, `more than ${policy.most} events waited for it`);
  }

  async #serve(webhook: Webhook): Promise<void> {
    const untilMs = this.#parts.now() + WORK_MS;
    while (this.#isOpen(webhook.id) && this.#parts.now() < untilMs) {
      const due = this.#due(webhook.id);
      if (due.length === 0) return;
      await Promise.all(due.map((row) => this.#deliver(webhook, row)));
    }
  }

  #isOpen(id: string): boolean {
    const isActive = this.#parts.webhooks.list().some((one) => one.id === id && one.disabledAtMs === null);
    return isActive && (this.#troubles.get(id)?.untilMs ?? 0) <= this.#parts.now();
  }

  /** Lanes that are due, with the first event of each. */
  #due(id: string): readonly SqlRow[] {
    const { sql, now, policy } = this.#parts;
    return sql.run(
      `SELECT l.*, (SELECT min(seq) FROM webhook_deliveries d WHERE d.webhook = l.webhook AND d.lane = l.lane) AS seq
         FROM webhook_lanes l WHERE l.webhook = ? AND l.due_ms <= ? ORDER BY l.due_ms LIMIT ?`,
      id,
      now(),
      policy.atOnce,
    );
  }

  async #deliver(webhook: Webhook, row: SqlRow): Promise<void> {
    const { sql, log } = this.#parts;
    const logged = log.at(Number(row['seq']));
    if (!logged) {
      sql.transaction(() => this.#done(row));
      return;
    }
    const attempt = await this.#attempt(webhook, logged.event, Number(row['attempts']) + 1);
    sql.transaction(() => {
      this.#remember(webhook.id, attempt);
      if (isTaken(attempt)) {
        this.#troubles.delete(webhook.id);
        this.#done(row);
      } else this.#failed(webhook, row, attempt);
    });
  }

  /** The next of its lane has its turn. */
  #done({ webhook = '', lane = '', seq = 0 }: SqlRow): void {
    const { sql, now } = this.#parts;
    sql.run('DELETE FROM webhook_deliveries WHERE webhook = ? AND lane = ? AND seq = ?', webhook, lane, seq);
    sql.run(
      'UPDATE webhook_lanes SET attempts = 0, first_failed_ms = NULL, due_ms = ? WHERE webhook = ? AND lane = ?',
      now(),
      webhook,
      lane,
    );
    sql.run(
      `DELETE FROM webhook_lanes WHERE webhook = ?1 AND lane = ?2
         AND NOT EXISTS (SELECT 1 FROM webhook_deliveries WHERE webhook = ?1 AND lane = ?2)`,
      webhook,
      lane,
    );
  }

  #failed({ id }: Webhook, row: SqlRow, { attempt, status, error, atMs }: Attempt): void {
    const { sql, now, webhooks, policy } = this.#parts;
    const why = error ?? `it answered ${String(status)}`;
    const firstFailedMs = typeof row['first_failed_ms'] === 'number' ? row['first_failed_ms'] : atMs;
    // 410: it says itself that it wants no more.
    if (status === 410) return webhooks.disable(id, 'it answered 410 Gone');
    const lastAtMs = firstFailedMs + policy.giveUpMs;
    if (now() >= lastAtMs) return webhooks.disable(id, `an event could not be delivered for a day: ${why}`);
    const dueMs = Math.min(lastAtMs, now() + this.#waitMs(attempt));
    sql.run(
      'UPDATE webhook_lanes SET attempts = ?, first_failed_ms = ?, due_ms = ? WHERE webhook = ? AND lane = ?',
      attempt,
      firstFailedMs,
      dueMs,
      id,
      row['lane'] ?? '',
    );
    const trouble = this.#troubles.get(id) ?? { failures: 0, untilMs: 0 };
    trouble.failures += 1;
    const beyond = trouble.failures - policy.failuresInRow;
    if (beyond >= 0) trouble.untilMs = Math.min(lastAtMs, now() + this.#waitMs(1 + Math.floor(beyond / policy.atOnce)));
    this.#troubles.set(id, trouble);
    return undefined;
  }

  /** With a tenth of jitter, so that receivers are not all called at once. */
  #waitMs(failures: number): number {
    const { policy, random } = this.#parts;
    const wait = policy.waitsMs[Math.min(failures, policy.waitsMs.length) - 1] ?? 0;
    return Math.round(wait * (0.9 + random() * 0.2));
  }

  async #attempt({ url, secret }: Webhook, event: BridgeEvent, attempt: number): Promise<Attempt> {
    const { now, sender, policy } = this.#parts;
    const atMs = now();
    const body = JSON.stringify(event);
    const common = { eventId: event.id, type: event.type, login: event.login ?? null, atMs, attempt };
    try {
      const headers = await signedHeaders(secret, { id: event.id, body, nowMs: atMs });
      const { status } = await sender.send({ url, headers, body, timeoutMs: policy.timeoutMs });
      return { ...common, status, error: null, durationMs: now() - atMs };
    } catch (error) {
      const text = (error instanceof Error ? error.message : String(error)).slice(0, 300);
      return { ...common, status: null, error: text, durationMs: now() - atMs };
    }
  }

  #remember(id: string, attempt: Attempt): void {
    const { sql } = this.#parts;
    const [written] = sql.run(
      `INSERT INTO webhook_attempts (webhook, event_id, type, login, at_ms, attempt, status, error, duration_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
      id,
      attempt.eventId,
      attempt.type,
      attempt.login,
      attempt.atMs,
      attempt.attempt,
      attempt.status,
      attempt.error,
      attempt.durationMs,
    );
    if (Number(written?.['id']) % 50 !== 0) return;
    sql.run(
      `DELETE FROM webhook_attempts WHERE webhook = ?1 AND id NOT IN (
         SELECT id FROM webhook_attempts WHERE webhook = ?1 ORDER BY id DESC LIMIT ${KEEP_ATTEMPTS})`,
      id,
    );
  }
}

const isTaken = ({ status }: Attempt): boolean => status !== null && status >= 200 && status < 300;
