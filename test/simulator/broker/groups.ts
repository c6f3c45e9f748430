/** Groups: margin mode, currency, commissions and the overrides of symbols; the wire record is the source. */
import { parseDecimal } from './money.ts';
import { compileMask } from './masks.ts';
import { integerOf, textOf, type SymbolSpec, type WireRecord, type WireValue } from './symbols.ts';

export const MARGIN_MODE = { retail: 0, exchangeDiscount: 1, retailHedged: 2 } as const;
export const FREE_MARGIN = { notUsePl: 0, usePl: 1, profit: 2, loss: 3 } as const;
export const STOP_OUT = { percent: 0, money: 1 } as const;
export const COMMISSION_TIER = { money: 0, percent: 1 } as const;

/** One rule: money per lot, or per cent of the deal's value, charged with each deal it covers. */
interface CommissionRule {
  readonly covers: (symbol: SymbolSpec) => boolean;
  readonly kind: 'per-lot' | 'percent';
  /** Smallest currency unit per lot; or per cent with four decimals. */
  readonly value: number;
  /** 0 = in and out, 1 = in, 2 = out. */
  readonly entryMode: number;
}

export interface Group {
  readonly name: string;
  readonly currency: string;
  readonly currencyDigits: number;
  readonly company: string;
  readonly hedging: boolean;
  readonly marginMode: number;
  readonly freeMarginMode: number;
  readonly stopOutMode: number;
  /** Per cent with two decimals, or money, by stopOutMode. */
  readonly marginCall: number;
  readonly marginStopOut: number;
  readonly limitOrders: number;
  readonly limitPositions: number;
  readonly passwordMinimum: number;
  /** Clients may sign in. */
  readonly enabled: boolean;
  readonly swaps: boolean;
  readonly commissions: readonly CommissionRule[];
  /** The overrides of symbols: first entry whose Path fits. */
  readonly symbols: readonly { readonly fits: (symbol: SymbolSpec) => boolean; readonly record: WireRecord }[];
  readonly record: WireRecord;
  readonly json: string;
}

const asRecords = (value: WireValue | undefined): readonly WireRecord[] =>
  Array.isArray(value) ? (value as readonly WireRecord[]) : [];

export function groupFromRecord(record: WireRecord): Group {
  const digits = integerOf(record, 'CurrencyDigits', 2);
  const stopOutMode = integerOf(record, 'MarginSOMode');
  const level = (key: string): number =>
    parseDecimal(textOf(record, key) || '0', stopOutMode === STOP_OUT.percent ? 2 : digits) ?? 0;
  const marginMode = integerOf(record, 'MarginMode');
  const pathMask = (path: string): ((symbol: SymbolSpec) => boolean) => {
    const matches = compileMask(path);
    return (symbol) => matches(symbol.name, symbol.path);
  };
  return {
    name: textOf(record, 'Group'),
    currency: textOf(record, 'Currency'),
    currencyDigits: digits,
    company: textOf(record, 'Company'),
    hedging: marginMode === MARGIN_MODE.retailHedged,
    marginMode,
    freeMarginMode: integerOf(record, 'MarginFreeMode', FREE_MARGIN.usePl),
    stopOutMode,
    marginCall: level('MarginCall'),
    marginStopOut: level('MarginStopOut'),
    limitOrders: integerOf(record, 'LimitOrders'),
    limitPositions: integerOf(record, 'LimitPositions'),
    passwordMinimum: integerOf(record, 'AuthPasswordMin', 8),
    enabled: (integerOf(record, 'PermissionsFlags', 2) & 2) !== 0,
    swaps: (integerOf(record, 'TradeFlags', 1) & 1) !== 0,
    commissions: asRecords(record['Commissions']).flatMap((rule) => {
      const covers = pathMask(textOf(rule, 'Path') || '*');
      return asRecords(rule['Tiers']).map((tier): CommissionRule => {
        const percent = integerOf(tier, 'Mode') === COMMISSION_TIER.percent;
        return {
          covers,
          kind: percent ? 'percent' : 'per-lot',
          value: parseDecimal(textOf(tier, 'Value') || '0', percent ? 4 : digits) ?? 0,
          entryMode: integerOf(rule, 'EntryMode'),
        };
      });
    }),
    symbols: asRecords(record['Symbols']).map((entry) => ({ fits: pathMask(textOf(entry, 'Path')), record: entry })),
    record,
    json: JSON.stringify(record),
  };
}

/** What a group changes about a symbol: the fields of the first entry of its list that fits. */
export function overridesOf(group: Group, symbol: SymbolSpec): WireRecord | undefined {
  return group.symbols.find(({ fits }) => fits(symbol))?.record;
}

/** Asked for with every price: groups and symbols are replaced, never changed, when the configuration is. */
const spreads = new WeakMap<Group, WeakMap<SymbolSpec, number>>();

/** Points that the group adds to the spread, all on the ask. */
export function spreadDifference(group: Group, symbol: SymbolSpec): number {
  let bySymbol = spreads.get(group);
  if (bySymbol === undefined) {
    bySymbol = new WeakMap();
    spreads.set(group, bySymbol);
  }
  let difference = bySymbol.get(symbol);
  if (difference === undefined) {
    difference = integerOf(overridesOf(group, symbol) ?? {}, 'SpreadDiff');
    bySymbol.set(symbol, difference);
  }
  return difference;
}
