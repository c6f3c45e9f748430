import type { Logger } from '../contract/logger.ts';
import type { StateLink } from '../host/state-link.ts';
import { AuditDirectory } from '../host/audit-dir.ts';
import { hostWebhookSender } from '../host/webhook-sender.ts';
import { Outbox } from '../outbox/outbox.ts';
import { Pump } from '../outbox/pump.ts';
import { Refusals } from '../outbox/refusals.ts';
import { StateBusyError } from '../state/sql.ts';

/** The outbox where the program itself holds it: on a VPS. */
export interface OwnOutbox {
  readonly outbox: Outbox;
  /** A key or token opened nothing. */
  readonly refused: () => void;
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
  /** Receivers of webhooks that may be private. */
  readonly webhookAllowedOrigins: readonly string[];
  readonly now: () => number;
  readonly log: Logger;
}

/** How soon what was taken is worked on: events of one moment go together. */
const SOON_MS = 1_000;
/** After work that failed. */
const AGAIN_MS = 5_000;
/** What waits at the end is handed over within this time, or by the next process. */
const CLOSE_MS = 500;

export function createOwnOutbox({
  state,
  broker,
  auditDir,
  webhookAllowedOrigins: allowedOrigins,
  now,
  log,
}: OwnOutboxParts): OwnOutbox {
  const warn = (message: string): void => log.warn('outbox', { reason: message });
  const fault = (error: unknown): void => {
    // Another program had the lock: it is tried again.
    if (!(error instanceof StateBusyError)) log.warn('background_work_failed', { kind: 'outbox', error });
  };
  const outbox = new Outbox({
    sql: state.sql,
    broker,
    now,
    warn,
    random: Math.random,
    webhooks: { sender: afterFlush(hostWebhookSender({ allowedOrigins }), 'send', state.durable), allowedOrigins },
    audit:
      auditDir === undefined ? undefined : { store: afterFlush(new AuditDirectory(auditDir), 'create', state.durable) },
  });
  const work = new Alarm(async () => {
    try {
      await outbox.work();
      return outbox.dueAtMs === null ? null : Math.max(outbox.dueAtMs, now() + SOON_MS);
    } catch (error) {
      fault(error);
      return now() + AGAIN_MS;
    }
  }, now);
  const due = (): void => {
    const { dueAtMs } = outbox;
    if (dueAtMs !== null) work.dueAt(Math.max(dueAtMs, now() + SOON_MS));
  };
  const pump = new Pump({
    outbox: state.local.outbox,
    take: async (batch) => {
      const taken = outbox.take(batch);
      due();
      return taken;
    },
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms).unref()),
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
    start: () => {
      state.local.outbox.onTold = () => void pump.run();
      void pump.run();
      due();
    },
    close: async () => {
      state.local.outbox.onTold = () => {};
      await Promise.race([pump.run(), new Promise((resolve) => setTimeout(resolve, CLOSE_MS))]);
      pump.close();
      await Promise.race([work.close(), new Promise((resolve) => setTimeout(resolve, CLOSE_MS))]);
    },
  };
}

/** What leaves must not tell more than the memory would know after the loss of power. */
function afterFlush<Target extends object, Name extends keyof Target>(
  target: Target,
  name: Name,
  durable: () => Promise<void>,
): Target {
  const member = target[name] as (...args: unknown[]) => unknown;
  return new Proxy(target, {
    get: (_, asked) => {
      if (asked === name) return (...args: unknown[]) => durable().then(() => member.apply(target, args));
      const other: unknown = Reflect.get(target, asked, target);
      return typeof other === 'function' ? other.bind(target) : other;
    },
  });
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
