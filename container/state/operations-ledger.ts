import { BridgeError } from '../contract/errors.ts';
import type { Actor } from '../contract/events.ts';
import type { EventOutbox } from './event-outbox.ts';
import { Halts } from './halts.ts';
import { OldLedgers } from './old-ledgers.ts';
import { operationEvents } from './operation-events.ts';
import { maskCondition, toOperation } from './operation-rows.ts';
import { isSettled, OPERATION_TRANSITIONS } from './operation-states.ts';
import { randomBytes } from './random.ts';
import { overLimit } from './reservations.ts';
import { windowOpensAtMs } from './sign-in-policy.ts';
import type { Sql, SqlRow } from './sql.ts';
import type {
  BeginDecision,
  BeginRequest,
  HaltScope,
  InstanceId,
  Operation,
  OperationChange,
  OperationFilter,
  OperationsApi,
  OperationState,
  TradingHalt,
} from './state-api.ts';
import { waitingOperations } from './waiting-operations.ts';
import { toHex } from '../contract/hex.ts';

export interface LedgerPolicy {
  /** Settled rows are kept so long; RFC draft idempotency-key and Stripe keep 24 h. */
  readonly keepSettledMs: number;
  /** A `not_executed` row so young is still looked for. */
  readonly lateFindMs: number;
  /** Rows of one key or trader that are kept at most. */
  readonly perCaller: number;
}

export const LEDGER_POLICY: LedgerPolicy = {
  keepSettledMs: 7 * 86_400_000,
  lateFindMs: 15 * 60_000,
  perCaller: 1_000_000,
};

/** Setting: why this ledger may not hold everything that was sent. */
const DISTRUSTED = 'distrusted';
/** Setting: tags in the broker's books that an administrator was told of: they halt nothing again. */
const TOLD_TAGS = 'told_tags';
const RESUME_ADVICE =
  'Compare the broker’s books with what you sent, then resume trading (POST /admin/trading/resume).';
const MINUTE_MS = 60_000;
/** How often old rows are swept. */
const SWEEP_EVERY_MS = 600_000;
/** Rows of one sweep: a write waits for it. */
const SWEEP_ROWS = 500;

export interface LedgerParts {
  readonly sql: Sql;
  readonly warn: (message: string) => void;
  readonly now: () => number;
  readonly policy: LedgerPolicy;
  readonly requireUnfenced: (instanceId: InstanceId) => void;
  readonly outbox: EventOutbox;
}

/** Every mutation's row: written before anything is sent, kept after it is settled. */
export class OperationsLedger implements OperationsApi {
  readonly #parts: LedgerParts;
  readonly #halts: Halts;
  readonly #old: OldLedgers;
  /** Rows of each caller, counted once and then kept; at most too high by what was dropped, until the next sweep. */
  readonly #held = new Map<string, number>();
  #sweptAtMs = 0;

  constructor(parts: LedgerParts) {
    this.#parts = parts;
    this.#halts = new Halts(parts.sql, parts.now, parts.outbox);
    this.#old = new OldLedgers(parts.sql);
  }

  async recall(caller: string, key: string, fingerprint: string): Promise<BeginDecision | null> {
    return this.#recall(caller, key, fingerprint);
  }

  async begin(request: BeginRequest): Promise<BeginDecision> {
    const { sql, now, policy, requireUnfenced, outbox } = this.#parts;
    this.#sweep();
    return sql.transaction((): BeginDecision => {
      const known = this.#recall(request.caller, request.key, request.fingerprint);
      if (known) return known;
      requireUnfenced(request.instanceId);
      outbox.requireRoom();
      const nowMs = now();
      if (nowMs >= request.deadlineAtMs)
        throw new BridgeError('deadline_exceeded', 'The deadline passed before anything was sent.');
      if (request.trading) {
        const halt = this.#halts.of(request);
        if (halt) return { kind: 'halted', reason: halt.reason };
        const retryAtMs = this.#rateOpensAtMs(request, nowMs);
        if (retryAtMs > nowMs) return { kind: 'limited', retryAfterMs: retryAtMs - nowMs };
      }
      const over = overLimit(sql, request, nowMs);
      if (over) return over;
      if (this.#heldBy(request.caller) >= policy.perCaller)
        throw new BridgeError('overloaded', {
          detail: `The key has ${policy.perCaller} operations that are still kept; they go seven days after they settle.`,
          retryAfterMs: MINUTE_MS,
        });
      const [row = {}] = sql.run(
        `INSERT INTO operations (caller, operation_key, kind, trading, tag, state, login, fingerprint, request,
           instance_id, created_at_ms, updated_at_ms, empty_looks, budget, symbol, side, volume, reduces, amount,
           request_id, address, account_group)
         VALUES (?, ?, ?, ?, ?, 'sending', ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *`,
        request.caller,
        request.key,
        request.kind,
        request.trading ? 1 : 0,
        request.tag,
        request.login,
        request.fingerprint,
        request.request,
        request.instanceId,
        nowMs,
        nowMs,
        request.budget,
        request.symbol ?? null,
        request.trade?.side ?? null,
        request.trade?.volume ?? null,
        request.trade?.reduces ?? null,
        request.amount ?? null,
        request.requestId ?? null,
        request.address ?? null,
        request.group ?? null,
      );
      this.#held.set(request.caller, this.#heldBy(request.caller) + 1);
      this.#tell(row, 'sending', request.asked);
      return { kind: 'started', operation: toOperation(row) };
    });
  }

  async drop(caller: string, key: string, tag: string): Promise<boolean> {
    const { sql } = this.#parts;
    return sql.transaction(() => {
      const dropped = sql.run(
        `DELETE FROM operations WHERE caller = ? AND operation_key = ? AND tag = ? AND state = 'sending' RETURNING *`,
        caller,
        key,
        tag,
      );
      for (const row of dropped) this.#tell(row, 'dropped');
      return dropped.length > 0;
    });
  }

  async move(caller: string, key: string, change: OperationChange): Promise<boolean> {
    const { sql, now } = this.#parts;
    return sql.transaction(() => {
      const row = this.#row(caller, key);
      if (!row) return false;
      const from = row['state'] as OperationState;
      if (!OPERATION_TRANSITIONS[from].includes(change.to)) return false;
      const nowMs = now();
      const look = change.emptyLook === true;
      const [changed = {}] = sql.run(
        `UPDATE operations SET state = ?, updated_at_ms = ?, settled_at_ms = ?, request = ?, answer_status = ?,
           answer_body = ?, login = COALESCE(login, ?), empty_looks = empty_looks + ?, last_look_at_ms = ? WHERE id = ? RETURNING *`,
        change.to,
        nowMs,
        isSettled(change.to) ? (from === change.to ? (row['settled_at_ms'] ?? nowMs) : nowMs) : null,
        change.request ?? row['request'] ?? '',
        change.answer?.status ?? (from === change.to ? (row['answer_status'] ?? null) : null),
        change.answer?.body ?? (from === change.to ? (row['answer_body'] ?? null) : null),
        change.login ?? null,
        look ? 1 : 0,
        look ? nowMs : (row['last_look_at_ms'] ?? null),
        row['id'] ?? null,
      );
      if (change.to !== from) this.#tell(changed, change.to);
      return true;
    });
  }

  async get(caller: string, key: string): Promise<Operation | null> {
    const row = this.#row(caller, key) ?? this.#oldRow(caller, key);
    return row ? toOperation(row) : null;
  }

  async list(filter: OperationFilter): Promise<{ items: readonly Operation[]; nextCursor: string | null }> {
    const beforeId = filter.cursor === undefined ? null : Number(filter.cursor);
    if (beforeId !== null && !Number.isSafeInteger(beforeId))
      throw new BridgeError('invalid_field', {
        detail: 'query.cursor is not one of ours.',
        field: 'query.cursor',
        expected: 'the nextCursor of the page before',
      });
    const rows = this.#parts.sql.run(
      `SELECT * FROM operations
        WHERE (?1 IS NULL OR caller = ?1) AND (?2 IS NULL OR state = ?2) AND (?3 IS NULL OR login = ?3)
          AND (?4 IS NULL OR id < ?4) AND (?5 IS NULL OR tag = ?5) AND ${maskCondition(filter.logins)}
        ORDER BY id DESC LIMIT ?6`,
      filter.caller ?? null,
      filter.state ?? null,
      filter.login ?? null,
      beforeId,
      filter.tag ?? null,
      filter.limit + 1,
    );
    const page = rows.slice(0, filter.limit);
    const last = page.at(-1);
    return {
      items: page.map(toOperation),
      nextCursor: rows.length > filter.limit && last ? String(last['id']) : null,
    };
  }

  async unsettled(limit: number): Promise<readonly Operation[]> {
    const { sql, now, policy } = this.#parts;
    return sql
      .run(
        `SELECT * FROM operations WHERE state IN ('pending', 'unknown')
            OR (state = 'not_executed' AND created_at_ms > ?) ORDER BY id LIMIT ?`,
        now() - policy.lateFindMs,
        limit,
      )
      .map(toOperation);
  }

  async waiting(): Promise<ReturnType<typeof waitingOperations>> {
    return waitingOperations(this.#parts.sql);
  }

  async orphan(liveInstanceId: InstanceId | null): Promise<number> {
    const { sql, now } = this.#parts;
    return sql.transaction(() => {
      const orphans = sql.run(
        `UPDATE operations SET state = 'unknown', updated_at_ms = ?
          WHERE state = 'sending' AND (?2 IS NULL OR instance_id <> ?2) RETURNING *`,
        now(),
        liveInstanceId,
      );
      for (const row of orphans) this.#tell(row, 'unknown');
      return orphans.length;
    });
  }

  async halts(): Promise<readonly TradingHalt[]> {
    return this.#halts.list();
  }

  get haltReason(): string | null {
    return this.#halts.list().find(({ kind }) => kind === 'all')?.reason ?? null;
  }

  get isDistrusted(): boolean {
    return this.#setting(DISTRUSTED) !== undefined;
  }

  async distrust(reason: string, unknownTags: readonly string[] = []): Promise<void> {
    this.distrustNow(reason, unknownTags);
  }

  /** The same at once. Until it is resumed, ledgers that were set aside are consulted. */
  distrustNow(reason: string, unknownTags: readonly string[] = []): void {
    this.#parts.warn(reason);
    this.#parts.sql.transaction(() => {
      const reasons = [this.#setting(DISTRUSTED), reason].filter((one) => one !== undefined).join(' ');
      this.#halts.halt({ kind: 'all', value: '' }, `${reasons} ${RESUME_ADVICE}`);
      this.#set(DISTRUSTED, reasons);
      if (unknownTags.length > 0) this.#set(TOLD_TAGS, JSON.stringify([...this.#toldTags(), ...unknownTags]));
    });
  }

  async latest(): Promise<{ createdAtMs: number; logins: readonly number[] } | null> {
    const rows = this.#parts.sql.run('SELECT created_at_ms, login FROM operations ORDER BY id DESC LIMIT 1000');
    const [newest] = rows;
    if (!newest) return null;
    const logins = new Set(rows.flatMap(({ login }) => (typeof login === 'number' ? login : [])));
    return { createdAtMs: Number(newest['created_at_ms']), logins: [...logins] };
  }

  async unknownTags(tags: readonly string[]): Promise<readonly string[]> {
    const told = this.#toldTags();
    return this.#parts.sql
      .run(
        `SELECT asked.value AS tag FROM json_each(?) AS asked
          WHERE NOT EXISTS (SELECT 1 FROM operations WHERE tag = asked.value)`,
        JSON.stringify(tags),
      )
      .map(({ tag }) => String(tag))
      .filter((tag) => !told.has(tag));
  }

  async halt(scope: HaltScope, reason: string, by?: Actor): Promise<void> {
    this.#parts.sql.transaction(() => this.#halts.halt(scope, reason, by));
  }

  async resume(scope: HaltScope, by?: Actor): Promise<void> {
    const { sql } = this.#parts;
    sql.transaction(() => {
      this.#halts.resume(scope, by);
      if (scope.kind === 'all') sql.run('DELETE FROM settings WHERE name = ?', DISTRUSTED);
    });
  }

  async parts(caller: string, key: string): Promise<readonly Operation[]> {
    // `0` follows `/`: every key that begins with `key/`.
    return this.#parts.sql
      .run(
        'SELECT * FROM operations WHERE caller = ? AND operation_key >= ? AND operation_key < ? ORDER BY id',
        caller,
        `${key}/`,
        `${key}0`,
      )
      .map(toOperation);
  }

  async fingerprintSecret(): Promise<string> {
    return this.#parts.sql.transaction(() => {
      const known = this.#setting('fingerprint_secret');
      if (known !== undefined) return known;
      const made = toHex(randomBytes(32));
      this.#set('fingerprint_secret', made);
      return made;
    });
  }

  /** Within a transaction. */
  #tell(row: SqlRow, state: OperationState | 'dropped', asked?: string): void {
    for (const event of operationEvents(row, state, asked)) this.#parts.outbox.tell(event);
  }

  #recall(caller: string, key: string, fingerprint: string): BeginDecision | null {
    const row = this.#row(caller, key) ?? this.#oldRow(caller, key);
    if (!row) return null;
    // What was set aside was hashed with another secret.
    if (row['fingerprint'] !== null && row['fingerprint'] !== fingerprint) return { kind: 'other_body' };
    const operation = toOperation(row);
    return { kind: operation.state === 'sending' ? 'in_flight' : 'replay', operation };
  }

  #rateOpensAtMs(request: BeginRequest, nowMs: number): number {
    const perMinute = request.limits?.ordersPerMinute;
    if (perMinute === undefined) return nowMs;
    const times = this.#parts.sql
      .run(
        'SELECT created_at_ms FROM operations WHERE budget = ? AND created_at_ms > ? AND trading = 1 ORDER BY created_at_ms',
        request.budget,
        nowMs - MINUTE_MS,
      )
      .map((row) => Number(row['created_at_ms']));
    return windowOpensAtMs(times, perMinute, MINUTE_MS, nowMs);
  }

  #toldTags(): ReadonlySet<string> {
    return new Set(JSON.parse(this.#setting(TOLD_TAGS) ?? '[]') as readonly string[]);
  }

  #setting(name: string): string | undefined {
    const value = this.#parts.sql.run('SELECT value FROM settings WHERE name = ?', name)[0]?.['value'];
    return typeof value === 'string' ? value : undefined;
  }

  #set(name: string, value: string): void {
    this.#parts.sql.run('INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)', name, value);
  }

  #row(caller: string, key: string): SqlRow | undefined {
    return this.#parts.sql.run('SELECT * FROM operations WHERE caller = ? AND operation_key = ?', caller, key)[0];
  }

  #oldRow(caller: string, key: string): SqlRow | undefined {
    const row = this.isDistrusted ? this.#old.find(caller, key) : undefined;
    // The process that sent it is long gone.
    if (!row) return undefined;
    return isSettled(row['state'] as OperationState) ? row : { ...row, state: 'unknown' };
  }

  #heldBy(caller: string): number {
    const known = this.#held.get(caller);
    if (known !== undefined) return known;
    const counted = Number(
      this.#parts.sql.run('SELECT count(*) AS n FROM operations WHERE caller = ?', caller)[0]?.['n'],
    );
    this.#held.set(caller, counted);
    return counted;
  }

  #sweep(): void {
    const { sql, now, policy } = this.#parts;
    const nowMs = now();
    if (nowMs - this.#sweptAtMs < SWEEP_EVERY_MS) return;
    const gone = sql.run(
      `DELETE FROM operations WHERE id IN (SELECT id FROM operations WHERE settled_at_ms < ? LIMIT ${SWEEP_ROWS}) RETURNING id`,
      nowMs - policy.keepSettledMs,
    );
    if (gone.length > 0) this.#held.clear();
    // A full slice: the next write takes another.
    if (gone.length < SWEEP_ROWS) this.#sweptAtMs = nowMs;
  }
}
