import { asBridgeError } from '../contract/errors.ts';
import { ApiKeys } from './api-keys.ts';
import { EventOutbox, OUTBOX_POLICY, type OutboxPolicy } from './event-outbox.ts';
import { CONSUMER_SESSION_POLICY, ConsumerSessions, type ConsumerSessionPolicy } from './consumer-sessions.ts';
import { Figures } from './figures.ts';
import { Cost, type CostSettings } from './cost/cost.ts';
import { Journal } from './journal.ts';
import { LEDGER_POLICY, OperationsLedger, type LedgerPolicy } from './operations-ledger.ts';
import { MarginStates } from './margin-states.ts';
import { migrate } from './schema.ts';
import { endedKey, endedSession } from '../contract/keys.ts';
import { SIGN_IN_POLICY, type SignInPolicy } from './sign-in-policy.ts';
import { SignInState } from './sign-in-state.ts';
import type { Sql } from './sql.ts';
import type { StateApi } from './state-api.ts';
import { StoredSettings } from './stored-settings.ts';
import { KeptSymbols } from './symbols-in-use.ts';

export interface BridgeStateOptions {
  readonly now?: () => number;
  /** In [0, 1), for jitter. */
  readonly random?: () => number;
  readonly signIn?: Partial<SignInPolicy>;
  readonly sessions?: Partial<ConsumerSessionPolicy>;
  readonly ledger?: Partial<LedgerPolicy>;
  /** Id of the broker, for the events. */
  readonly broker?: string;
  readonly outbox?: Partial<OutboxPolicy>;
  readonly warn?: (message: string) => void;
  /** Behind the Worker: what the bill of the month is of. */
  readonly cost?: CostSettings;
  /** Why what was remembered before is not here: trading begins halted. */
  readonly distrust?: string | null;
  /** What ended before its time or expired (`endedSession`, `endedKey`): its streams close. */
  readonly onEnded?: (ended: string) => void;
}

/** The state itself, over whatever `Sql` is. Whoever holds it in-process calls it directly; others through `RemoteState`. */
export class BridgeState implements StateApi {
  readonly signIn: SignInState;
  readonly sessions: ConsumerSessions;
  readonly operations: OperationsLedger;
  readonly journal: Journal;
  readonly figures: Figures;
  readonly keys: ApiKeys;
  readonly symbols: KeptSymbols;
  readonly cost: Cost;
  readonly margin: MarginStates;
  readonly outbox: EventOutbox;
  readonly #sql: Sql;
  readonly #now: () => number;

  constructor(sql: Sql, options: BridgeStateOptions = {}) {
    const now = options.now ?? Date.now;
    this.#sql = sql;
    this.#now = now;
    const outbox = new EventOutbox({
      sql,
      now,
      broker: options.broker ?? 'main',
      policy: { ...OUTBOX_POLICY, ...options.outbox },
    });
    const journal = new Journal(sql, now, outbox);
    this.outbox = outbox;
    const warn = (message: string): void => {
      options.warn?.(message);
      try {
        journal.write({ event: 'error', reason: message, instanceId: null, epoch: null, phasesMs: null });
      } catch (error) {
        // The log has it.
        if (asBridgeError(error).code !== 'state_unavailable') throw error;
      }
    };
    const { warnings, distrust } = migrate(sql, now());
    for (const warning of warnings) warn(warning);
    this.journal = journal;
    const stored = new StoredSettings(sql);
    this.symbols = new KeptSymbols(stored, now);
    this.margin = new MarginStates({ sql, stored, outbox });
    this.cost = new Cost({
      settings: options.cost ?? null,
      stored,
      journal,
      now,
      onWarning: (message) => options.warn?.(message),
    });
    this.signIn = new SignInState({
      sql,
      now,
      warn,
      random: options.random ?? Math.random,
      policy: { ...SIGN_IN_POLICY, ...options.signIn },
      journal: (entry) => journal.write(entry),
      outbox,
    });
    const onEnded = options.onEnded ?? (() => {});
    this.keys = new ApiKeys({
      sql,
      now,
      warn,
      journal: (reason) => journal.write({ event: 'key', reason, instanceId: null, epoch: null, phasesMs: null }),
      outbox,
      onChanged: (id, { endsSessions }) => {
        onEnded(endedKey(id));
        if (endsSessions) this.sessions.revokeKey(id, `the key ${id} was changed or revoked`);
      },
    });
    this.sessions = new ConsumerSessions({
      sql,
      now,
      keyOf: (id) => this.keys.find(id),
      policy: { ...CONSUMER_SESSION_POLICY, ...options.sessions },
      journal: (reason) =>
        journal.write({ event: 'session_ended', reason, instanceId: null, epoch: null, phasesMs: null }),
      outbox,
      onRevoked: (sessionId) => onEnded(endedSession(sessionId)),
    });
    this.operations = new OperationsLedger({
      sql,
      warn,
      now,
      policy: { ...LEDGER_POLICY, ...options.ledger },
      requireUnfenced: (instanceId) => this.signIn.requireUnfenced(instanceId),
      outbox,
    });
    this.figures = new Figures({ sql, requireUnfenced: (instanceId) => this.signIn.requireUnfenced(instanceId) });
    const reason = options.distrust ?? distrust;
    if (reason !== null) this.distrust(reason);
  }

  /**
   * What is remembered is not, or may not be, what was done: an order that is sent again with its old key would be a
   * second order. Everybody's trading is halted until an administrator resumes it; what was set aside is consulted.
   */
  distrust(reason: string): void {
    this.operations.distrustNow(reason);
  }

  /** Writes something. @throws BridgeError `state_unavailable` where that cannot be done */
  prove(): void {
    this.#sql.run('INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)', 'proven', String(this.#now()));
  }

  /** Why everybody's trading is halted, if it is. */
  get haltReason(): string | null {
    return this.operations.haltReason;
  }
}
