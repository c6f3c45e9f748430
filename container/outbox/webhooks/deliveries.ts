import type { BridgeEvent } from '../../contract/events.ts';
import type { Sql } from '../../state/sql.ts';
import type { Digests } from '../digests.ts';
import type { EventLog, LoggedEvent } from '../event-log.ts';
import { type Attempt, Attempts, isTaken } from './attempts.ts';
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
/**
 * What came of the deliveries of a round is written down in one transaction: of each alone, it would cost a receiver of all
 * events as many syncs of the disk as the orders themselves. A program that is killed meanwhile tells a round again.
 */
const ROUND_MS = 1_000;
const ROUND_LANES = 100;
/** Of one lane in a round. */
const LANE_EVENTS = 20;
/** It says itself that it wants no more. */
const GONE = 410;

export interface DeliveriesParts {
  readonly sql: Sql;
  readonly now: () => number;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
  readonly log: EventLog;
  readonly webhooks: Webhooks;
  readonly sender: WebhookSender;
  readonly policy: DeliveryPolicy;
  readonly digests?: Digests | undefined;
}

/** A receiver that fails, whatever it is sent. */
interface Trouble {
  failures: number;
  untilMs: number;
}

/** A lane whose first event is due. */
interface Lane {
  readonly lane: string;
  /** Failures of that event, and the first of them, epoch ms. */
  readonly attempts: number;
  readonly firstFailedMs: number | null;
}

/** An event of a lane that was sent. */
interface Sent {
  readonly seq: number;
  /** undefined: the event is not kept any more. */
  readonly attempt: Attempt | undefined;
}

/**
 * What waits for each receiver, and its way there: at least once, in order for each login, never one event beside another of
 * the same login. A receiver that fails keeps nobody waiting but itself.
 */
export class Deliveries {
  readonly attempts: Attempts;
  readonly #parts: DeliveriesParts;
  /** Of this program: after its end everybody is tried again. */
  readonly #troubles = new Map<string, Trouble>();

  constructor(parts: DeliveriesParts) {
    this.#parts = parts;
    this.attempts = new Attempts(parts.sql);
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
    const { sql, log } = this.#parts;
    const [row = {}] = sql.run('SELECT count(*) AS n, min(seq) AS seq FROM webhook_deliveries WHERE webhook = ?', id);
    const oldest = typeof row['seq'] === 'number' ? log.at(row['seq']) : undefined;
    return { pending: Number(row['n']), oldestAtMs: oldest?.event.timeMs ?? null };
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
    this.attempts.add(webhook.id, attempt);
    return attempt;
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
      await this.#round(webhook, due);
    }
  }

  #isOpen(id: string): boolean {
    const isActive = this.#parts.webhooks.list().some((one) => one.id === id && one.disabledAtMs === null);
    return isActive && (this.#troubles.get(id)?.untilMs ?? 0) <= this.#parts.now();
  }

  /** Lanes that are due, those first that have waited longest. */
  #due(id: string): readonly Lane[] {
    return this.#parts.sql
      .run(
        `SELECT lane, attempts, first_failed_ms FROM webhook_lanes WHERE webhook = ? AND due_ms <= ?
          ORDER BY due_ms LIMIT ${ROUND_LANES}`,
        id,
        this.#parts.now(),
      )
      .map((row) => ({
        lane: String(row['lane']),
        attempts: Number(row['attempts']),
        firstFailedMs: typeof row['first_failed_ms'] === 'number' ? row['first_failed_ms'] : null,
      }));
  }

  /** Some lanes side by side, then what came of all of them is written down. @throws what reading or writing threw */
  async #round(webhook: Webhook, lanes: readonly Lane[]): Promise<void> {
    const { sql, now, policy, webhooks } = this.#parts;
    const untilMs = now() + ROUND_MS;
    const sent: (readonly [Lane, readonly Sent[]])[] = [];
    const rest = lanes.values();
    let isOver = false;
    const isOn = (): boolean => !isOver && now() <= untilMs && this.#isOpen(webhook.id);
    const serve = async (): Promise<void> => {
      for (const lane of rest) {
        const ofLane = await this.#send(webhook, lane, isOn);
        sent.push([lane, ofLane]);
        isOver ||= ofLane.at(-1)?.attempt?.status === GONE;
        if (!isOn()) return;
      }
    };
    // All of them end before anything is sent again: no event goes beside another of its login.
    const ended = await Promise.allSettled(Array.from({ length: policy.atOnce }, serve));
    const isThere = webhooks.list().some(({ id }) => id === webhook.id);
    sql.transaction(() => {
      if (isThere) for (const [lane, ofLane] of sent) this.#settle(webhook.id, lane, ofLane);
    });
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
  }

  /** The first events of a lane, one after the other, to the first that fails. */
  async #send(
    webhook: Webhook,
    { lane, attempts, firstFailedMs }: Lane,
    isOn: () => boolean,
  ): Promise<readonly Sent[]> {
    const rows = this.#parts.sql.run(
      `SELECT d.seq, e.event FROM webhook_deliveries d LEFT JOIN event_log e ON e.seq = d.seq
        WHERE d.webhook = ? AND d.lane = ? ORDER BY d.seq LIMIT ${LANE_EVENTS}`,
      webhook.id,
      lane,
    );
    const sent: Sent[] = [];
    for (const [i, { seq, event }] of rows.entries()) {
      if (i > 0 && !isOn()) break;
      if (typeof event !== 'string') {
        sent.push({ seq: Number(seq), attempt: undefined });
        continue;
      }
      const attempt = await this.#attempt(webhook, JSON.parse(event) as BridgeEvent, i === 0 ? attempts + 1 : 1);
      const isOk = isTaken(attempt);
      if (isOk) this.#troubles.delete(webhook.id);
      else this.#trouble(webhook.id, (i === 0 ? firstFailedMs : null) ?? attempt.atMs);
      sent.push({ seq: Number(seq), attempt });
      if (!isOk) break;
    }
    return sent;
  }

  /** Within a transaction. */
  #settle(id: string, { lane, firstFailedMs }: Lane, sent: readonly Sent[]): void {
    const { sql, now } = this.#parts;
    for (const [i, { seq, attempt }] of sent.entries()) {
      if (attempt) this.attempts.add(id, attempt);
      if (attempt && !isTaken(attempt))
        return this.#failed(id, lane, attempt, (i === 0 ? firstFailedMs : null) ?? attempt.atMs);
      sql.run('DELETE FROM webhook_deliveries WHERE webhook = ? AND lane = ? AND seq = ?', id, lane, seq);
    }
    // The next of the lane has its turn.
    sql.run(
      'UPDATE webhook_lanes SET attempts = 0, first_failed_ms = NULL, due_ms = ? WHERE webhook = ? AND lane = ?',
      now(),
      id,
      lane,
    );
    sql.run(
      `DELETE FROM webhook_lanes WHERE webhook = ?1 AND lane = ?2
         AND NOT EXISTS (SELECT 1 FROM webhook_deliveries WHERE webhook = ?1 AND lane = ?2)`,
      id,
      lane,
    );
    return undefined;
  }

  #failed(id: string, lane: string, { attempt, status, error }: Attempt, firstFailedMs: number): void {
    const { sql, now, webhooks, policy } = this.#parts;
    const why = error ?? `it answered ${String(status)}`;
    if (status === GONE) return webhooks.disable(id, 'it answered 410 Gone');
    const lastAtMs = firstFailedMs + policy.giveUpMs;
    if (now() >= lastAtMs) return webhooks.disable(id, `an event could not be delivered for a day: ${why}`);
    sql.run(
      'UPDATE webhook_lanes SET attempts = ?, first_failed_ms = ?, due_ms = ? WHERE webhook = ? AND lane = ?',
      attempt,
      firstFailedMs,
      Math.min(lastAtMs, now() + this.#waitMs(attempt)),
      id,
      lane,
    );
    return undefined;
  }

  /** One more failure of a receiver, of an event that has failed since then. */
  #trouble(id: string, firstFailedMs: number): void {
    const { now, policy } = this.#parts;
    const trouble = this.#troubles.get(id) ?? { failures: 0, untilMs: 0 };
    trouble.failures += 1;
    const beyond = trouble.failures - policy.failuresInRow;
    const waitMs = this.#waitMs(1 + Math.floor(beyond / policy.atOnce));
    if (beyond >= 0) trouble.untilMs = Math.min(firstFailedMs + policy.giveUpMs, now() + waitMs);
    this.#troubles.set(id, trouble);
  }

  /** With a tenth of jitter, so that receivers are not all called at once. */
  #waitMs(failures: number): number {
    const { policy, random } = this.#parts;
    const wait = policy.waitsMs[Math.min(failures, policy.waitsMs.length) - 1] ?? 0;
    return Math.round(wait * (0.9 + random() * 0.2));
  }

  async #attempt({ url, secret }: Webhook, event: BridgeEvent, attempt: number): Promise<Attempt> {
    const { now, sender, policy, digests } = this.#parts;
    const atMs = now();
    const body = JSON.stringify(event);
    const common = { eventId: event.id, type: event.type, login: event.login ?? null, atMs, attempt };
    try {
      const headers = await signedHeaders(secret, { id: event.id, body, nowMs: atMs }, digests);
      const { status } = await sender.send({ url, headers, body, timeoutMs: policy.timeoutMs });
      return { ...common, status, error: null, durationMs: now() - atMs };
    } catch (error) {
      const text = (error instanceof Error ? error.message : String(error)).slice(0, 300);
      return { ...common, status: null, error: text, durationMs: now() - atMs };
    }
  }
}
