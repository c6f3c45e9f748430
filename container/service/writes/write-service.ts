import type { moneyRoutes } from '../../contract/routes/money.ts';
import type { reconcileOperation } from '../../contract/routes/operations.ts';
import type { openSession } from '../../contract/routes/sessions.ts';
import type { tradingRoutes } from '../../contract/routes/trading.ts';
import type { Upstream } from '../../session/upstream.ts';
import type { StateApi } from '../../state/state-api.ts';
import type { StateRoute } from '../../state/state-answers.ts';
import type { bulkRoutes } from '../../contract/routes/bulk.ts';
import { AccountsAdmin, type AccountsAdminParts } from './accounts-admin.ts';
import { BalanceWrites } from './balance.ts';
import type { Broker } from '../broker/broker.ts';
import type { ClockSource } from '../broker/broker-clock.ts';
import type { ManyRows } from '../broker/many-rows.ts';
import { ConsumerSessionService } from './consumer-sessions.ts';
import type { HandlersOf } from '../handler.ts';
import { operationHandlers } from './operations.ts';
import type { PassthroughMutation } from '../broker/passthrough.ts';
import { BulkWrites } from './bulk-writes.ts';
import { BookLooks } from './book-looks.ts';
import { TradeBooks } from './books.ts';
import { DealerDesks } from './dealer-desks.ts';
import type { MarketOrderPrice } from './market-price.ts';
import { OpenRows } from './open-rows.ts';
import { OperationRunner } from './operation-runner.ts';
import { passthroughMutation } from './passthrough-mutation.ts';
import { LedgerCheck } from './ledger-check.ts';
import { Tags } from './tags.ts';
import { SETTLE_POLICY, Settler, type SettlePolicy } from './settler.ts';
import { TradingService, type TradingParts } from './trading-service.ts';

export interface WriteServiceOptions {
  readonly upstream: Upstream;
  readonly broker: Broker;
  readonly many: ManyRows;
  readonly clock: ClockSource;
  readonly state: StateApi;
  readonly instanceId: string;
  readonly marketOrderPrice: MarketOrderPrice;
  readonly now: () => number;
  readonly settle?: Partial<SettlePolicy>;
  /** How many operations are pending or unknown. */
  readonly onUnsettled: (count: number) => void;
  readonly onError: (what: string, error: unknown) => void;
}

type WriteRoute =
  | (typeof tradingRoutes)[number]
  | (typeof bulkRoutes)[number]
  | (typeof moneyRoutes)[number]
  | StateRoute
  | typeof openSession
  | typeof reconcileOperation;

export interface WriteService {
  readonly handlers: HandlersOf<WriteRoute>;
  readonly mutatePassthrough: PassthroughMutation;
  /** Operations that are pending or unknown, as last counted, and those on their way. */
  readonly unsettled: number;
  /** What a timer does every five minutes: ends consumer sessions whose account was disabled, removed or given another password. */
  /** Operations on their way. */
  readonly running: number;
  recheckSessions(): Promise<void>;
  /** Once the state can be reached: takes over what earlier instances left unsettled. A second call does nothing. */
  start(): void;
  /** Callers that still wait are told the way to their operations. */
  release(): void;
  close(): Promise<void>;
}

/** Everything that writes to the broker, put together. */
export function createWriteService(options: WriteServiceOptions): WriteService {
  const { upstream, broker, many, clock, state, instanceId, marketOrderPrice, now } = options;
  const books = new TradeBooks(broker, clock, now);
  const tags = new Tags(() => state.operations.fingerprintSecret());
  const onError = (what: string) => (error: unknown) => options.onError(what, error);
  const check = new LedgerCheck({ state, books, tags, now, onError: onError('ledger check') });
  const runner: OperationRunner = new OperationRunner({
    state,
    tags,
    instanceId,
    now,
    onUnsettled: () => settler.nudge(),
    onError: onError('write'),
  });
  let unsettled = 0;
  let started = false;
  const settler: Settler = new Settler({
    state,
    instanceId,
    runner,
    looks: new BookLooks({ books, state }),
    now,
    policy: { ...SETTLE_POLICY, ...options.settle },
    onUnsettled: (count) => {
      if (count === unsettled) return;
      unsettled = count;
      options.onUnsettled(count);
    },
    onError: onError('settle'),
  });
  const desks = new DealerDesks(upstream, now);
  const sessions = new ConsumerSessionService({
    state,
    upstream,
    books,
    now,
    onError: onError('recheck_sessions'),
  });
  const onAccountChanged = (login: number | undefined): void => void sessions.accountChanged(login);
  const open = new OpenRows({ broker, many });
  const parts = { runner, desks, books, open, broker, upstream, clock, state, marketOrderPrice, now, onAccountChanged };
  return {
    handlers: {
      ...writeHandlers(parts),
      ...sessions.handlers(),
      ...operationHandlers(state, settler),
    },
    mutatePassthrough: passthroughMutation({
      runner,
      upstream,
      books,
      onAccountChanged,
    }),
    get unsettled() {
      return Math.max(unsettled, runner.running);
    },
    get running() {
      return runner.running;
    },
    recheckSessions: () => sessions.recheck(),
    start: () => {
      if (started) return;
      started = true;
      settler.start();
      check.start();
      sessions.start();
    },
    release: () => runner.release(),
    close: async () => {
      check.close();
      runner.close();
      sessions.close();
      await settler.close();
    },
  };
}

function writeHandlers(parts: TradingParts & AccountsAdminParts & { readonly open: OpenRows }) {
  const trading = new TradingService(parts);
  const accounts = new AccountsAdmin(parts);
  return {
    ...trading.handlers(),
    ...accounts.handlers(),
    ...new BalanceWrites(parts).handlers(),
    ...new BulkWrites({ ...parts, trading, accounts }).handlers(),
  };
}
