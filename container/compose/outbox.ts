import { setTimeout as delay } from 'node:timers/promises';
import type { StreamGap } from '../contract/events.ts';
import type { Logger } from '../contract/logger.ts';
import type { StateLink } from '../host/state-link.ts';
import { NODE_DIGESTS } from '../host/node-digests.ts';
import { ObjectDirectory } from '../host/object-dir.ts';
import { hostWebhookSender } from '../host/webhook-sender.ts';
import type { ArchiveSource } from '../outbox/archive/archive.ts';
import { Outbox } from '../outbox/outbox.ts';
import { Pump } from '../outbox/pump.ts';
import { Refusals } from '../outbox/refusals.ts';
import type { WebhookSender } from '../outbox/webhooks/deliveries.ts';
import { Breather } from '../service/broker/breathe.ts';
import { StateBusyError } from '../state/sql.ts';

/** The outbox where the program itself holds it: on a VPS. */
export interface OwnOutbox {
  readonly outbox: Outbox;
  /** A key or token opened nothing. */
  readonly refused: () => void;
  /** Subscriptions of streams were told that something is missing. */
  readonly gaps: (gaps: readonly StreamGap[]) => void;
  /** Hands over and delivers from here on. */
  start(): void;
  /** Hands over what waits, and ends. */
  close(): Promise<void>;
}

export interface OwnOutboxParts {
  readonly state: Extract<StateLink, { where: 'here' }>;
  readonly broker: string;
  /** Folder of the audit. */
  readonly auditDir: string | undefined;
  /** Folder of the archive. */
  readonly archiveDir: string | undefined;
  readonly archiveSource: ArchiveSource;
  /** Somebody's order is under way: what is delivered gives way. */
  readonly isWriting: () => boolean;
  /** Receivers of webhooks that may be private. */
  readonly webhookAllowedOrigins: readonly string[];
  readonly now: () => number;
  readonly log: Logger;
}

/** Events of one moment are taken together, and worked on together: each step's flush of the disk is one that orders wait behind. */
const GATHER_MS = 500;
const SOON_MS = 500;
/** While the program ends. */
const ENDING_MS = 10;
/** A cron of its own: days that are closed are looked for so often. */
const ARCHIVE_EVERY_MS = 30 * 60_000;
/** After work that failed. */
const AGAIN_MS = 5_000;
/** What waits at the end is handed over within this time, or by the next process. */
const CLOSE_MS = 500;

export function createOwnOutbox(parts: OwnOutboxParts): OwnOutbox {
  const { state, now, log } = parts;
  const fault = (error: unknown): void => {
    // Another program had the lock: it is tried again.
    if (!(error instanceof StateBusyError)) log.warn('background_work_failed', { kind: 'outbox', error });
  };
  const outbox = coreOf(parts);
  const work = new Alarm(async () => {
    try {
      await outbox.work();
      return outbox.dueAtMs === null ? null : Math.max(outbox.dueAtMs, now() + SOON_MS);
    } catch (error) {
      fault(error);
      return now() + AGAIN_MS;
    }
  }, now);
  const { archive } = outbox;
  const archiving = new Alarm(async () => {
    await archive?.run().catch(fault);
    return now() + ARCHIVE_EVERY_MS;
  }, now);
  const due = (): void => {
    const { dueAtMs } = outbox;
    if (dueAtMs !== null) work.dueAt(Math.max(dueAtMs, now() + SOON_MS));
  };
  const ending = new AbortController();
  const pump = new Pump({
    outbox: state.local.outbox,
    gatherMs: GATHER_MS,
    take: async (batch) => {
      const taken = state.sql.transaction(() => {
        const answer = outbox.take(batch);
        state.local.outbox.taken(answer.taken);
        return answer;
      });
      due();
      return taken;
    },
    pause: (ms) => pause(ms, ending.signal),
    onFault: fault,
  });
  const refusals = new Refusals({
    tell: async (count) => {
      outbox.refused(count);
      due();
    },
    later: (ms, then) => void setTimeout(() => void then(), ms).unref(),
    onFault: fault,
  });
  return {
    outbox,
    refused: () => refusals.note(now()),
    gaps: (gaps) => {
      try {
        outbox.gaps(gaps);
        due();
      } catch (error) {
        fault(error);
      }
    },
    start: () => {
      state.local.outbox.onTold = () => void pump.run();
      void pump.run();
      due();
      if (archive) archiving.dueAt(now());
    },
    close: async () => {
      state.local.outbox.onTold = () => {};
      ending.abort();
      await Promise.race([pump.run(), new Promise((resolve) => setTimeout(resolve, CLOSE_MS))]);
      pump.close();
      await Promise.race([
        Promise.all([work.close(), archiving.close()]),
        new Promise((resolve) => setTimeout(resolve, CLOSE_MS)),
      ]);
    },
  };
}

function coreOf({ state, broker, auditDir, archiveDir, now, log, ...parts }: OwnOutboxParts): Outbox {
  const { webhookAllowedOrigins: allowedOrigins, archiveSource: source } = parts;
  const { durable } = state;
  const sender = givingWay(hostWebhookSender({ allowedOrigins }), new Breather(parts.isWriting), durable);
  const audit = auditDir === undefined ? undefined : new ObjectDirectory(auditDir, { ...AUDIT, durable });
  const archive = archiveDir === undefined ? undefined : new ObjectDirectory(archiveDir, { ...ARCHIVE, durable });
  return new Outbox({
    sql: state.sql,
    broker,
    now,
    warn: (message) => log.warn('outbox', { reason: message }),
    random: Math.random,
    digests: NODE_DIGESTS,
    yieldTurn: () => new Promise((resolve) => void setImmediate(resolve)),
    webhooks: { sender, allowedOrigins },
    audit: audit && { store: audit },
    archive: archive && { store: archive, source },
  });
}

/** After orders, and not before the memory would still know the event after the loss of power. */
const givingWay = (sender: WebhookSender, breather: Breather, durable: () => Promise<void>): WebhookSender => ({
  send: async (request) => {
    await durable();
    await breather.rest();
    return sender.send(request);
  },
});

const AUDIT = { setting: 'AUDIT_DIR', ending: '.ndjson' } as const;
const ARCHIVE = { setting: 'ARCHIVE_DIR', ending: '.json' } as const;

/** Cut short when the program ends. */
async function pause(ms: number, ending: AbortSignal): Promise<void> {
  const options = ending.aborted ? { ref: false } : { ref: false, signal: ending };
  await delay(ending.aborted ? Math.min(ms, ENDING_MS) : ms, undefined, options).catch(() => undefined);
}

/** What an alarm is to a Durable Object: one run at a time, at the earliest moment that was asked for. */
class Alarm {
  readonly #run: () => Promise<number | null>;
  readonly #now: () => number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #setAtMs = Infinity;
  #running: Promise<void> | undefined;
  #isClosed = false;

  /** `run` never rejects; it tells when it is due again. */
  constructor(run: () => Promise<number | null>, now: () => number) {
    this.#run = run;
    this.#now = now;
  }

  dueAt(atMs: number): void {
    if (this.#isClosed || atMs >= this.#setAtMs) return;
    this.#setAtMs = atMs;
    clearTimeout(this.#timer);
    if (!this.#running) this.#set();
  }

  /** Resolves when what runs has ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #set(): void {
    this.#timer = setTimeout(() => this.#fire(), Math.max(0, this.#setAtMs - this.#now())).unref();
  }

  #fire(): void {
    this.#running = this.#once();
  }

  async #once(): Promise<void> {
    this.#setAtMs = Infinity;
    const nextAtMs = await this.#run();
    this.#running = undefined;
    const earliest = Math.min(this.#setAtMs, nextAtMs ?? Infinity);
    this.#setAtMs = Infinity;
    this.dueAt(earliest);
  }
}
