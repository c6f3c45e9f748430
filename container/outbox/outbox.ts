import type {
  AuditBacklog,
  BatchTaken,
  BridgeEvent,
  EventBatch,
  EventDraft,
  OutboxFigures,
  StreamGap,
} from '../contract/events.ts';
import { BridgeError } from '../contract/errors.ts';
import { newEvent } from '../state/new-event.ts';
import type { Sql } from '../state/sql.ts';
import { Archive, type ArchiveSource } from './archive/archive.ts';
import type { ArchiveStore } from './archive/store.ts';
import { AUDIT_POLICY, AuditLog, type AuditPolicy } from './audit/audit-log.ts';
import type { AuditStore } from './audit/store.ts';
import type { Digests } from './digests.ts';
import { EVENT_LOG_POLICY, EventLog, type EventLogPolicy, type LoggedEvent } from './event-log.ts';
import { migrateOutbox, OutboxSettings } from './tables.ts';
import type { Attempt } from './webhooks/attempts.ts';
import { Deliveries, DELIVERY_POLICY, type DeliveryPolicy, type WebhookSender } from './webhooks/deliveries.ts';
import { type Webhook, Webhooks } from './webhooks/webhooks.ts';

export interface OutboxParts {
  readonly sql: Sql;
  readonly broker: string;
  readonly now: () => number;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
  readonly warn: (message: string) => void;
  /** The runtime's own; WebCrypto if absent. */
  readonly digests?: Digests | undefined;
  /** Lets others have their turn, between parts of what takes long. */
  readonly yieldTurn?: () => Promise<void>;
  readonly log?: Partial<EventLogPolicy>;
  /** Where the audit is stored; absent = there is none. */
  readonly audit?: { readonly store: AuditStore; readonly policy?: Partial<AuditPolicy> } | undefined;
  /** Where closed days are kept, and who knows them; absent = they are not. */
  readonly archive?: { readonly store: ArchiveStore; readonly source: ArchiveSource } | undefined;
  readonly webhooks: {
    readonly sender: WebhookSender;
    /** Origins that may be called whatever they are. */
    readonly allowedOrigins: readonly string[];
    readonly policy?: Partial<DeliveryPolicy>;
  };
}

/** Setting: keys refused in a minute that is not told yet, as `RefusedMinute`. */
const REFUSED = 'refused_keys';
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

interface RefusedMinute {
  readonly sinceMs: number;
  readonly count: number;
}

/**
 * Keeps what was told and sees to it that it arrives. One implementation for both roads: in a Durable Object of its own
 * behind the Worker, in the program itself on a VPS. Whoever holds it calls `work` when it is due.
 */
export class Outbox {
  readonly webhooks: Webhooks;
  readonly deliveries: Deliveries;
  readonly archive: Archive | undefined;
  readonly #parts: OutboxParts;
  readonly #log: EventLog;
  readonly #settings: OutboxSettings;
  readonly #audit: AuditLog | undefined;
  #sweptAtMs = -Infinity;

  constructor(parts: OutboxParts) {
    migrateOutbox(parts.sql);
    this.#parts = parts;
    const { audit, archive, webhooks } = parts;
    const settings = new OutboxSettings(parts.sql);
    const log = new EventLog({ ...parts, policy: { ...EVENT_LOG_POLICY, ...parts.log } });
    this.#settings = settings;
    this.#log = log;
    this.#audit =
      audit &&
      new AuditLog({ ...parts, settings, log, store: audit.store, policy: { ...AUDIT_POLICY, ...audit.policy } });
    this.archive = archive && new Archive({ ...parts, ...archive, settings });
    this.webhooks = new Webhooks({ ...parts, rules: webhooks, tell: (event) => this.#tell(event) });
    this.deliveries = new Deliveries({
      ...parts,
      log,
      webhooks: this.webhooks,
      sender: webhooks.sender,
      policy: { ...DELIVERY_POLICY, ...webhooks.policy },
    });
  }

  get broker(): string {
    return this.#parts.broker;
  }

  /**
   * Keeps the events of a source, each once, whatever is handed over again. While too much waits to be stored, nothing is
   * taken: it waits where it was told.
   */
  take({ source, events }: EventBatch): BatchTaken {
    const audit = this.#audit;
    return this.#parts.sql.transaction(() => {
      const { taken, added } = this.#log.take({ source, events: audit?.isFull ? [] : events });
      for (const logged of added) this.deliveries.enqueue(logged);
      return { taken, audit: audit?.backlog ?? null };
    });
  }

  /** When there is something to do, epoch ms; null = when the next event comes. */
  get dueAtMs(): number | null {
    const refused = this.#refused();
    const times = [refused && refused.sinceMs + MINUTE_MS, this.#audit?.dueAtMs, this.deliveries.dueAtMs];
    return times.reduce<number | null>(
      (least, at) => (at === null || at === undefined ? least : Math.min(at, least ?? at)),
      null,
    );
  }

  /** How far the audit is behind; null = there is none. */
  get backlog(): AuditBacklog | null {
    return this.#audit?.backlog ?? null;
  }

  /** What there is before it. */
  get figures(): OutboxFigures {
    const all = this.webhooks.list();
    const active = all.filter(({ disabledAtMs }) => disabledAtMs === null);
    const backlogs = active.map(({ id }) => this.deliveries.backlogOf(id));
    const times = backlogs.flatMap(({ oldestAtMs }) => oldestAtMs ?? []);
    return {
      audit: this.backlog,
      webhooks: {
        pending: backlogs.reduce((sum, { pending }) => sum + pending, 0),
        oldestAtMs: times.length === 0 ? null : Math.min(...times),
        disabled: all.length - active.length,
      },
    };
  }

  /** @throws BridgeError `object_not_found` where no audit is kept */
  requireAudit(): { readonly log: AuditLog; readonly store: AuditStore } {
    const { audit } = this.#parts;
    if (this.#audit && audit) return { log: this.#audit, store: audit.store };
    throw new BridgeError('object_not_found', {
      detail: 'No audit is kept: bind an R2 bucket as AUDIT, or on a VPS set AUDIT_DIR.',
      outcome: 'not_sent',
    });
  }

  /** @throws BridgeError `object_not_found` where no archive is kept */
  requireArchive(): Archive {
    if (this.archive) return this.archive;
    throw new BridgeError('object_not_found', {
      detail: 'No archive is kept: bind an R2 bucket as ARCHIVE, or on a VPS set ARCHIVE_DIR.',
      outcome: 'not_sent',
    });
  }

  /** The newest first. */
  lastEvents(limit: number): BridgeEvent[] {
    return this.#log.last(limit).map(({ event }) => event);
  }

  /** Stores what waits for the audit, now. @throws what the store threw */
  async flush(): Promise<void> {
    await this.#audit?.flush();
  }

  /** Tells a receiver everything again, from this event on. @throws BridgeError `object_not_found` */
  replay(webhook: Webhook, eventId: string): number {
    const first = this.#log.find(eventId);
    if (first) return this.deliveries.replay(webhook, first.seq);
    throw new BridgeError('object_not_found', {
      detail: `There is no event ${eventId}, or it is not kept any more.`,
      outcome: 'not_sent',
    });
  }

  /** Sends a receiver an event that tells of nothing, at once. */
  async test(webhook: Webhook, by: EventDraft['by']): Promise<Attempt> {
    const { id } = webhook;
    const event = newEvent({ type: 'admin.webhook_test', by, data: { id } }, this.broker, this.#parts.now());
    return this.deliveries.sendNow(webhook, event);
  }

  /** So many keys or tokens opened nothing: told by the minute. */
  refused(count: number): void {
    const sinceMs = Math.floor(this.#parts.now() / MINUTE_MS) * MINUTE_MS;
    this.#parts.sql.transaction(() => {
      this.#tellRefused();
      const known = this.#refused();
      this.#settings.set(REFUSED, JSON.stringify({ sinceMs, count: count + (known?.count ?? 0) }));
    });
  }

  /** Subscriptions of streams were told that something is missing. */
  gaps(gaps: readonly StreamGap[]): void {
    this.#parts.sql.transaction(() => {
      for (const gap of gaps) this.#tell({ type: 'stream.gap', data: { ...gap } });
    });
  }

  /** Does what is due. @returns when there is something to do again, epoch ms; null = when the next event comes */
  async work(): Promise<number | null> {
    this.#parts.sql.transaction(() => this.#tellRefused());
    await Promise.all([this.#store(), this.deliveries.work()]);
    this.#sweep();
    return this.dueAtMs;
  }

  /** What the store threw is kept as the audit's fault, and when it is tried again. */
  async #store(): Promise<void> {
    const dueAtMs = this.#audit?.dueAtMs ?? null;
    if (dueAtMs !== null && dueAtMs <= this.#parts.now()) await this.#audit?.flush().catch(() => undefined);
  }

  /** An event of the outbox itself, within the transaction of what it tells. */
  #tell(draft: EventDraft): void {
    const event: BridgeEvent = newEvent(draft, this.broker, this.#parts.now());
    const logged: LoggedEvent | undefined = this.#log.add(event);
    if (logged) this.deliveries.enqueue(logged);
  }

  #refused(): RefusedMinute | undefined {
    const text = this.#settings.get(REFUSED);
    return text === undefined ? undefined : (JSON.parse(text) as RefusedMinute);
  }

  /** The minute is over: one event for all of its refusals. */
  #tellRefused(): void {
    const refused = this.#refused();
    if (!refused || this.#parts.now() < refused.sinceMs + MINUTE_MS) return;
    this.#settings.delete(REFUSED);
    const { sinceMs, count } = refused;
    this.#tell({ type: 'key.refused', data: { count, since: new Date(sinceMs).toISOString(), sinceMs } });
  }

  /** What the audit has not stored, or a receiver has not taken, stays. */
  #sweep(): void {
    const nowMs = this.#parts.now();
    if (Math.abs(nowMs - this.#sweptAtMs) < HOUR_MS) return;
    this.#sweptAtMs = nowMs;
    const stored = this.#audit?.storedUpTo ?? Number.MAX_SAFE_INTEGER;
    this.#log.sweep(Math.min(stored, (this.deliveries.oldestSeq ?? Number.MAX_SAFE_INTEGER) - 1));
  }
}
