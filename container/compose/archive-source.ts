import { BRIDGE_CALLER } from '../contract/events.ts';
import type { Caller } from '../contract/keys.ts';
import type { ArchiveSource } from '../outbox/archive/archive.ts';
import type { ReadService } from '../service/reads/read-service.ts';

/** Who asks for what nobody asked for. */
export const BRIDGE: Caller = { id: BRIDGE_CALLER, scopes: ['read'] };
const EVERYBODY = { group: '*' };
/** Of one question of many. */
const QUESTION_MS = 30_000;

/** Whole days of all accounts, as this program itself reads them. */
export const archiveSource =
  ({ tradeData, days }: Pick<ReadService, 'tradeData' | 'days'>, now: () => number): ArchiveSource =>
  (kind, { fromMs: from, toMs: to }) => {
    const context = {
      caller: BRIDGE,
      lane: BRIDGE.id,
      signal: new AbortController().signal,
      get deadlineAtMs() {
        return now() + QUESTION_MS;
      },
    };
    const window = { from, to };
    return kind === 'deals'
      ? tradeData.everyDeal(EVERYBODY, window, context)
      : days.everyReport(EVERYBODY, window, context);
  };
