/**
 * MT5's enumerations, numbers as in the SDK headers (mt5-webapi §3.10); names are the SDK's without their prefix, in
 * lower case.
 */
export type EnumTable = Readonly<Record<number, string>>;
/** Bit → name. */
export type FlagTable = Readonly<Record<number, string>>;

export const SIDE_OF_ACTION = { 0: 'buy', 1: 'sell' } as const;

export const SIDE_OF_ORDER = {
  0: 'buy',
  1: 'sell',
  2: 'buy',
  3: 'sell',
  4: 'buy',
  5: 'sell',
  6: 'buy',
  7: 'sell',
} as const;

export const ORDER_TYPE = {
  0: 'market',
  1: 'market',
  2: 'limit',
  3: 'limit',
  4: 'stop',
  5: 'stop',
  6: 'stop_limit',
  7: 'stop_limit',
  8: 'close_by',
} as const;

export const ORDER_FILLING = { 0: 'fok', 1: 'ioc', 2: 'return' } as const;
export const ORDER_TIME = { 0: 'gtc', 1: 'day', 2: 'gtd', 3: 'gtd_day' } as const;

export const ORDER_STATE = {
  0: 'started',
  1: 'placed',
  2: 'canceled',
  3: 'partial',
  4: 'filled',
  5: 'rejected',
  6: 'expired',
  7: 'request_add',
  8: 'request_modify',
  9: 'request_cancel',
} as const;

export const ORDER_ACTIVATION = { 0: 'none', 1: 'pending', 2: 'stop_limit', 3: 'expiration', 4: 'stop_out' } as const;

/** Order, deal and position reasons share their numbers. */
export const REASON = {
  0: 'client',
  1: 'expert',
  2: 'dealer',
  3: 'sl',
  4: 'tp',
  5: 'so',
  6: 'rollover',
  7: 'external_client',
  8: 'vmargin',
  9: 'gateway',
  10: 'signal',
  11: 'settlement',
  12: 'transfer',
  13: 'sync',
  14: 'external_service',
  15: 'migration',
  16: 'mobile',
  17: 'web',
  18: 'split',
} as const;

export const DEAL_ACTION = {
  0: 'buy',
  1: 'sell',
  2: 'balance',
  3: 'credit',
  4: 'charge',
  5: 'correction',
  6: 'bonus',
  7: 'commission',
  8: 'commission_daily',
  9: 'commission_monthly',
  10: 'agent_daily',
  11: 'agent_monthly',
  12: 'interest_rate',
  13: 'buy_canceled',
  14: 'sell_canceled',
  15: 'dividend',
  16: 'dividend_franked',
  17: 'tax',
  18: 'agent',
  19: 'so_compensation',
  20: 'so_compensation_credit',
} as const;

export const DEAL_ENTRY = { 0: 'in', 1: 'out', 2: 'inout', 3: 'out_by' } as const;
export const DEAL_ENTRIES = Object.values(DEAL_ENTRY);
export const POSITION_ACTIVATION = { 0: 'none', 1: 'sl', 2: 'tp', 3: 'stop_out' } as const;
export const STOP_OUT_ACTIVATION = { 0: 'none', 1: 'margin_call', 2: 'stop_out' } as const;

/** The bit of a user's right (`USER_RIGHT_…`). */
export const userRightBit = (name: UserRight): number =>
  Number(Object.entries(USER_RIGHTS).find(([, known]) => known === name)?.[0]);

export const USER_RIGHTS = {
  0x1: 'enabled',
  0x2: 'password',
  0x4: 'trade_disabled',
  0x8: 'investor',
  0x10: 'confirmed',
  0x20: 'trailing',
  0x40: 'expert',
  0x80: 'obsolete',
  0x100: 'reports',
  0x200: 'readonly',
  0x400: 'reset_pass',
  0x800: 'otp_enabled',
  0x2000: 'sponsored_hosting',
  0x4000: 'api_enabled',
  0x8000: 'push_notification',
  0x10000: 'technical',
  0x20000: 'exclude_reports',
} as const;

type UserRight = (typeof USER_RIGHTS)[keyof typeof USER_RIGHTS];
export type SettableRight = Exclude<UserRight, 'obsolete' | 'investor'>;
/** What a manager gives and takes: `obsolete` and `investor` are the server's own marks. */
export const SETTABLE_RIGHTS = Object.values(USER_RIGHTS).filter(
  (name): name is SettableRight => name !== 'obsolete' && name !== 'investor',
);

export const TRADE_MODE = { 0: 'disabled', 1: 'long_only', 2: 'short_only', 3: 'close_only', 4: 'full' } as const;
export const EXECUTION_MODE = { 0: 'request', 1: 'instant', 2: 'market', 3: 'exchange' } as const;

export const CALC_MODE = {
  0: 'forex',
  1: 'futures',
  2: 'cfd',
  3: 'cfd_index',
  4: 'cfd_leverage',
  5: 'forex_no_leverage',
  32: 'exch_stocks',
  33: 'exch_futures',
  34: 'exch_futures_forts',
  35: 'exch_options',
  36: 'exch_options_margin',
  37: 'exch_bonds',
  38: 'exch_stocks_moex',
  39: 'exch_bonds_moex',
  64: 'serv_collateral',
} as const;

export const GTC_MODE = { 0: 'gtc', 1: 'daily', 2: 'daily_no_stops' } as const;
export const CHART_MODE = { 0: 'bid_price', 1: 'last_price', 255: 'old' } as const;

export const SWAP_MODE = {
  0: 'disabled',
  1: 'points',
  2: 'symbol_currency',
  3: 'margin_currency',
  4: 'group_currency',
  5: 'interest_current',
  6: 'interest_open',
  7: 'reopen_by_close_price',
  8: 'reopen_by_bid',
  9: 'profit_currency',
} as const;

export const SWAP_DAY = {
  0: 'sunday',
  1: 'monday',
  2: 'tuesday',
  3: 'wednesday',
  4: 'thursday',
  5: 'friday',
  6: 'saturday',
  7: 'disabled',
} as const;

export const FILLING_FLAGS = { 1: 'fok', 2: 'ioc' } as const;
export const EXPIRATION_FLAGS = { 1: 'gtc', 2: 'day', 4: 'gtd', 8: 'gtd_day' } as const;
export const ORDER_FLAGS = {
  1: 'market',
  2: 'limit',
  4: 'stop',
  8: 'stop_limit',
  16: 'sl',
  32: 'tp',
  64: 'close_by',
} as const;

export const MARGIN_MODE = { 0: 'retail', 1: 'exchange_discount', 2: 'retail_hedged' } as const;
export const STOP_OUT_MODE = { 0: 'percent', 1: 'money' } as const;
export const FREE_MARGIN_MODE = { 0: 'not_use_pl', 1: 'use_pl', 2: 'profit', 3: 'loss' } as const;
export const HISTORY_LIMIT = {
  0: 'all',
  1: 'months_1',
  2: 'months_3',
  3: 'months_6',
  4: 'year_1',
  5: 'year_2',
  6: 'year_3',
} as const;

export const GROUP_TRADE_FLAGS = {
  0x1: 'swaps',
  0x2: 'trailing',
  0x4: 'experts',
  0x8: 'expiration',
  0x10: 'signals_all',
  0x20: 'signals_own',
  0x40: 'so_compensation',
  0x80: 'so_fully_hedged',
  0x100: 'fifo_close',
  0x200: 'hedge_prohibit',
  0x400: 'deal_cost',
  0x800: 'so_compensation_credit',
} as const;

/** Deduced: 0 none, 1 up, 2 down (mt5-webapi §3.5). */
export const PRICE_DIRECTION = { 0: 'none', 1: 'up', 2: 'down' } as const;

/** IMTBook item types, in the order of the SDK header: sell and buy, each also as a market order. */
export const BOOK_SIDE = { 1: 'sell', 2: 'buy', 3: 'sell', 4: 'buy' } as const;
