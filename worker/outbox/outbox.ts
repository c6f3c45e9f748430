import { DurableObject } from 'cloudflare:workers';
import {
  allowedOriginsSchema,
  type AuditBacklog,
  type BatchTaken,
  type EventBatch,
  type OutboxFigures,
  type StreamGap,
} from '../../container/contract/events.ts';
import { type Asked, OUTBOX_ANSWERS, type OutboxRoute } from '../../container/outbox/outbox-answers.ts';
import { Outbox as OutboxCore } from '../../container/outbox/outbox.ts';
import { StorageSql } from '../storage-sql.ts';
import { archiveBucketOf, auditBucketOf } from '../config.ts';
import { type PlainInput, type Told, told } from '../told.ts';
import { archiveSource } from './archive-source.ts';
import { ObjectBucket } from './object-bucket.ts';
import { fetchSender } from './fetch-sender.ts';
import { logEvent } from '../log.ts';
import { ownName } from '../own-place.ts';
import { outboxBroker } from '../placement.ts';

/** How soon what was taken is worked on: events of one moment go together. */
const SOON_MS = 1_000;

/**
 * Keeps a broker's events and delivers them, apart from the object that owns the container, whose alarm belongs to the
 * library: this one's alarm is due when its work is. It outlives a raised `INSTANCE_VERSION`, so that the audit goes on.
 */
export class Outbox extends DurableObject<Env> {
  readonly #core: OutboxCore;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const broker = outboxBroker(ownName(ctx));
    const [auditBucket, archiveBucket] = [auditBucketOf(env), archiveBucketOf(env)];
    this.#core = new OutboxCore({
      sql: new StorageSql(ctx.storage),
      broker,
      now: () => this.now(),
      warn: (message) => logEvent('outbox', { reason: message }, 'warn'),
      audit: auditBucket && { store: new ObjectBucket(auditBucket) },
      archive: archiveBucket && { store: new ObjectBucket(archiveBucket), source: archiveSource(env, broker) },
      random: Math.random,
      webhooks: {
        sender: fetchSender,
        allowedOrigins: allowedOriginsSchema.catch([]).parse(env.WEBHOOK_ALLOWED_ORIGINS),
      },
    });
  }

  /** Resolves when the events are kept. */
  async take(batch: EventBatch): Promise<BatchTaken> {
    const taken = this.#core.take(batch);
    await this.#due();
    return taken;
  }

  /** So many keys or tokens opened nothing. */
  async refused(count: number): Promise<void> {
    this.#core.refused(count);
    await this.#due();
  }

  /** Subscriptions of streams were told that something is missing. */
  async gaps(gaps: readonly StreamGap[]): Promise<void> {
    this.#core.gaps(gaps);
    await this.#due();
  }

  /** A route that the outbox alone can answer, as JSON text. `input` has passed the route's schemas. */
  answer(operationId: OutboxRoute['id'], input: PlainInput, by: Asked): Promise<Told<string>> {
    return told(async () => {
      const body = JSON.stringify(await OUTBOX_ANSWERS[operationId](this.#core, input, by));
      await this.#due();
      return body;
    });
  }

  /** Cron: keeps the days that are closed. Resolves when it is done, or another run is. */
  async archive(): Promise<void> {
    await this.#core.archive?.run();
  }

  /** How far the audit is behind; null = there is none. */
  backlog(): AuditBacklog | null {
    return this.#core.backlog;
  }

  /** What there is before it, for `/metrics`. */
  figures(): OutboxFigures {
    return this.#core.figures;
  }

  override async alarm(): Promise<void> {
    await this.#core.work();
    await this.#due();
  }

  /** The clock of everything that is stored; a test sets another. */
  protected now(): number {
    return Date.now();
  }

  async #due(): Promise<void> {
    const dueAtMs = this.#core.dueAtMs;
    if (dueAtMs === null) return;
    const atMs = Math.max(dueAtMs, Date.now() + SOON_MS);
    const set = await this.ctx.storage.getAlarm();
    if (set === null || set > atMs) await this.ctx.storage.setAlarm(atMs);
  }
}
