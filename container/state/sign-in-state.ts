import { z } from 'zod';
import { BridgeError } from '../contract/errors.ts';
import type { Actor } from '../contract/events.ts';
import type { EventOutbox } from './event-outbox.ts';
import { backoffMs, windowOpensAtMs, type SignInPolicy } from './sign-in-policy.ts';
import type { Sql, SqlRow } from './sql.ts';
import { DAYLIGHT_RULES } from './state-api.ts';
import type {
  CheckpointClock,
  InstanceId,
  JournalEntry,
  PermitDecision,
  SignInReport,
  SignInStateApi,
  UpstreamCheckpoint,
} from './state-api.ts';

/** Zones lie between UTC−12 and UTC+14. */
export const checkpointClock = z.object({ zoneMinutes: z.int().min(-840).max(840), daylight: z.enum(DAYLIGHT_RULES) });

/** Each field is a row of its own: one that cannot be read costs that field, not the checkpoint. */
const FIELDS = {
  epoch: z.int().nonnegative(),
  instanceId: z.string().nullable(),
  signedInAtMs: z.number().nullable(),
  serverBuild: z.string().nullable(),
  address: z.string().nullable(),
  clock: checkpointClock.nullable(),
  failures: z.int().nonnegative(),
  backoffUntilMs: z.number(),
  lastFailure: z
    .object({
      atMs: z.number(),
      kind: z.enum(['refused', 'unreachable', 'impostor', 'died']),
      retcode: z.number().nullable(),
      reason: z.string(),
    })
    .nullable(),
} satisfies { [Name in keyof UpstreamCheckpoint]: z.ZodType<UpstreamCheckpoint[Name]> };

const EMPTY: UpstreamCheckpoint = {
  epoch: 0,
  instanceId: null,
  signedInAtMs: null,
  serverBuild: null,
  address: null,
  clock: null,
  failures: 0,
  backoffUntilMs: 0,
  lastFailure: null,
};

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DIED_REASON = 'A sign-in was begun and its process was not heard of again.';

export interface SignInStateParts {
  readonly sql: Sql;
  readonly now: () => number;
  readonly random: () => number;
  readonly policy: SignInPolicy;
  readonly warn: (message: string) => void;
  readonly journal: (entry: Omit<JournalEntry, 'atMs'>) => void;
  readonly outbox: EventOutbox;
}

/** Permits, back-off, epoch and fence. */
export class SignInState implements SignInStateApi {
  readonly #parts: SignInStateParts;

  constructor(parts: SignInStateParts) {
    this.#parts = parts;
  }

  async read(): Promise<UpstreamCheckpoint> {
    return this.#read();
  }

  async permit(instanceId: InstanceId): Promise<PermitDecision> {
    const { sql, now, random, policy } = this.#parts;
    return sql.transaction(() => {
      this.requireUnfenced(instanceId);
      const nowMs = now();
      const upstream = this.#read();
      sql.run('DELETE FROM permits WHERE at_ms <= ?', nowMs - HOUR_MS);
      const healthy = upstream.instanceId === instanceId && upstream.failures === 0;
      const openAtMs = Math.max(healthy ? nowMs : upstream.backoffUntilMs, this.#windowsOpenAtMs(instanceId, nowMs));
      if (openAtMs > nowMs) {
        const { lastFailure } = upstream;
        return {
          granted: false,
          retryAtMs: openAtMs,
          reason: lastFailure?.reason ?? 'There were too many sign-ins recently.',
          retcode: lastFailure?.retcode ?? null,
        };
      }
      const permitId = crypto.randomUUID();
      sql.run(
        `INSERT INTO permits (permit_id, instance_id, at_ms, outcome, booked) VALUES (?, ?, ?, 'open', ?)`,
        permitId,
        instanceId,
        nowMs,
        healthy ? 0 : 1,
      );
      if (!healthy) {
        const failures = upstream.failures + 1;
        // A process that dies over a wrong password has a wrong password still: the known failure stays.
        const lastFailure = upstream.lastFailure ?? {
          atMs: nowMs,
          kind: 'died' as const,
          retcode: null,
          reason: DIED_REASON,
        };
        this.#write({
          failures,
          lastFailure,
          backoffUntilMs: nowMs + backoffMs(policy, failures, lastFailure.kind, random()),
        });
      }
      return { granted: true, permitId };
    });
  }

  async succeeded(instanceId: InstanceId, report: SignInReport): Promise<{ epoch: number }> {
    const { sql, now, journal } = this.#parts;
    return sql.transaction(() => {
      this.requireUnfenced(instanceId);
      const upstream = this.#read();
      const first = upstream.instanceId !== instanceId;
      const epoch = first ? upstream.epoch + 1 : upstream.epoch;
      sql.run(`UPDATE permits SET outcome = ? WHERE permit_id = ?`, first ? 'first' : 'further', report.permitId);
      this.#write({
        failures: 0,
        backoffUntilMs: 0,
        lastFailure: null,
        address: report.address,
        serverBuild: report.serverBuild,
        ...(first ? { epoch, instanceId, signedInAtMs: now() } : {}),
      });
      if (first) {
        sql.run('DELETE FROM instances WHERE epoch <= ?', epoch - 100);
        sql.run(
          'INSERT OR REPLACE INTO instances (instance_id, epoch, signed_in_at_ms, released) VALUES (?, ?, ?, 0)',
          instanceId,
          epoch,
          now(),
        );
        journal({
          event: 'ready',
          reason: `signed in to ${report.address}`,
          instanceId,
          epoch,
          phasesMs: report.phasesMs ?? null,
        });
      }
      return { epoch };
    });
  }

  async failed(
    instanceId: InstanceId,
    failure: { permitId: string; kind: 'refused' | 'unreachable' | 'impostor'; retcode: number | null; reason: string },
  ): Promise<{ retryAtMs: number }> {
    const { sql, now, random, policy, outbox } = this.#parts;
    return sql.transaction(() => {
      this.requireUnfenced(instanceId);
      const nowMs = now();
      const upstream = this.#read();
      const permit = sql.run('SELECT booked FROM permits WHERE permit_id = ?', failure.permitId)[0];
      sql.run(`UPDATE permits SET outcome = 'failed' WHERE permit_id = ?`, failure.permitId);
      // Connections of one pool that fail together are one failure.
      const counted = permit?.['booked'] === 1 || nowMs < upstream.backoffUntilMs;
      const failures = Math.max(1, upstream.failures + (counted ? 0 : 1));
      const retryAtMs = Math.max(
        nowMs + backoffMs(policy, failures, failure.kind, random()),
        this.#windowsOpenAtMs(instanceId, nowMs),
      );
      const { kind, retcode, reason } = failure;
      this.#write({ failures, backoffUntilMs: retryAtMs, lastFailure: { atMs: nowMs, kind, retcode, reason } });
      outbox.tell({ type: 'container.sign_in_failed', data: { kind, retcode, reason, failures, instanceId } });
      return { retryAtMs };
    });
  }

  async clock(instanceId: InstanceId, clock: CheckpointClock | null): Promise<void> {
    this.#parts.sql.transaction(() => {
      this.requireUnfenced(instanceId);
      this.#write({ clock });
    });
  }

  async released(instanceId: InstanceId): Promise<void> {
    this.#parts.sql.run('UPDATE instances SET released = 1 WHERE instance_id = ?', instanceId);
  }

  async reset(by?: Actor): Promise<void> {
    const { sql, outbox } = this.#parts;
    sql.transaction(() => {
      sql.run('DELETE FROM permits');
      outbox.tell({ type: 'admin.sign_in_reset', by, data: {} });
      this.#write({ failures: 0, backoffUntilMs: 0, lastFailure: null });
    });
  }

  /** @throws BridgeError `draining` for an instance whose epoch has passed */
  requireUnfenced(instanceId: InstanceId): void {
    const upstream = this.#read();
    if (upstream.instanceId === instanceId) return;
    const known = this.#parts.sql.run('SELECT epoch FROM instances WHERE instance_id = ?', instanceId)[0];
    if (known === undefined) return;
    throw new BridgeError(
      'draining',
      `Another instance holds the session since epoch ${upstream.epoch}; this one had epoch ${known['epoch']}.`,
    );
  }

  /** The moment from which the windows leave room for one more sign-in of this instance. */
  #windowsOpenAtMs(instanceId: InstanceId, nowMs: number): number {
    const { sql, policy } = this.#parts;
    const rows = sql.run(
      `SELECT p.at_ms AS at_ms,
              p.outcome IN ('open', 'failed') AS failed,
              (p.outcome = 'first' AND p.instance_id <> ? AND coalesce(i.released, 0) = 0) AS vanished
         FROM permits p LEFT JOIN instances i ON i.instance_id = p.instance_id
        WHERE p.at_ms > ? ORDER BY p.at_ms`,
      instanceId,
      nowMs - HOUR_MS,
    );
    const times = (of: readonly SqlRow[]): number[] => of.map((row) => Number(row['at_ms']));
    const all = times(rows);
    const failed = times(rows.filter((row) => row['failed'] === 1));
    const vanished = times(rows.filter((row) => row['vanished'] === 1));
    return Math.max(
      windowOpensAtMs(failed, policy.failedPerMinute, MINUTE_MS, nowMs),
      windowOpensAtMs(failed, policy.failedPerHour, HOUR_MS, nowMs),
      windowOpensAtMs(vanished, policy.vanishedPerMinute, MINUTE_MS, nowMs),
      windowOpensAtMs(vanished, policy.vanishedPerHour, HOUR_MS, nowMs),
      windowOpensAtMs(all, policy.allPerMinute, MINUTE_MS, nowMs),
      windowOpensAtMs(all, policy.allPerHour, HOUR_MS, nowMs),
    );
  }

  #read(): UpstreamCheckpoint {
    const stored: Record<string, unknown> = {};
    for (const row of this.#parts.sql.run('SELECT name, value FROM upstream')) {
      const name = String(row['name']);
      const schema = (FIELDS as Readonly<Record<string, z.ZodType>>)[name];
      const parsed = schema?.safeParse(parseJson(String(row['value'])));
      if (parsed?.success) stored[name] = parsed.data;
      else this.#discard(name, schema === undefined);
    }
    return { ...EMPTY, ...stored };
  }

  #discard(name: string, unknownField: boolean): void {
    this.#parts.sql.run('DELETE FROM upstream WHERE name = ?', name);
    this.#parts.warn(`The checkpoint's field ${name} ${unknownField ? 'is not known' : 'cannot be read'}: left out.`);
  }

  #write(fields: Partial<UpstreamCheckpoint>): void {
    for (const [name, value] of Object.entries(fields))
      this.#parts.sql.run(
        'INSERT INTO upstream (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
        name,
        JSON.stringify(value),
      );
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
