/** The instruments of the simulated broker. */
import { symbolRecord, type Instrument, type Market, type TradingHours } from './symbol-record.ts';
import { CALC_MODE, FILL_FLAG, SWAP_MODE, type WireRecord } from './symbols.ts';

const FX_VOLUME = [100, 5_000_000, 100] as const;
const BOTH = FILL_FLAG.fok | FILL_FLAG.ioc;

function forex(
  folder: 'Majors' | 'Crosses' | 'Exotics',
  pair: string,
  description: string,
  spread: number,
  swap: readonly [string, string],
): Instrument {
  const [base, profit] = [pair.slice(0, 3), pair.slice(3)];
  return {
    symbol: pair,
    folder: `Forex\\${folder}`,
    market: 'forex',
    description,
    base,
    profit,
    digits: profit === 'JPY' ? 3 : 5,
    spread,
    contract: 100_000,
    calcMode: CALC_MODE.forex,
    swap,
    stops: folder === 'Exotics' ? 30 : 0,
    volume: FX_VOLUME,
    marginRate: folder === 'Exotics' ? '2.00000000' : '1.00000000',
    fill: BOTH,
  };
}

function contract(
  market: Market,
  symbol: string,
  description: string,
  profit: string,
  size: { digits: number; spread: number; contract: number; calcMode: number; stops?: number; marginRate?: string },
  more: {
    swap: readonly [string, string];
    volume: readonly [number, number, number];
    fill?: number;
    extra?: WireRecord;
  },
): Instrument {
  const folders = { forex: 'Forex', metals: 'Metals', index: 'Indices', futures: 'Futures', crypto: 'Crypto' };
  return {
    symbol,
    folder: folders[market],
    market,
    description,
    base: market === 'metals' || market === 'crypto' ? symbol.slice(0, 3) : profit,
    profit,
    digits: size.digits,
    spread: size.spread,
    contract: size.contract,
    calcMode: size.calcMode,
    swap: more.swap,
    stops: size.stops ?? 0,
    volume: more.volume,
    marginRate: size.marginRate ?? '1.00000000',
    fill: more.fill ?? BOTH,
    ...(more.extra === undefined ? {} : { extra: more.extra }),
  };
}

const INDEX_VOLUME = [1000, 2_000_000, 1000] as const;
const { cfdIndex, cfdLeverage, futures, cfd } = CALC_MODE;

const INSTRUMENTS: readonly Instrument[] = [
  forex('Majors', 'EURUSD', 'Euro vs US Dollar', 3, ['-7.20', '3.10']),
  forex('Majors', 'GBPUSD', 'Great Britain Pound vs US Dollar', 6, ['-3.40', '-1.60']),
  forex('Majors', 'AUDUSD', 'Australian Dollar vs US Dollar', 5, ['-2.10', '-0.40']),
  forex('Majors', 'NZDUSD', 'New Zealand Dollar vs US Dollar', 8, ['-1.90', '-0.70']),
  forex('Majors', 'USDJPY', 'US Dollar vs Japanese Yen', 4, ['9.80', '-19.50']),
  forex('Majors', 'USDCHF', 'US Dollar vs Swiss Franc', 7, ['5.60', '-11.30']),
  forex('Majors', 'USDCAD', 'US Dollar vs Canadian Dollar', 6, ['1.80', '-6.10']),
  forex('Crosses', 'EURGBP', 'Euro vs Great Britain Pound', 8, ['-4.50', '0.90']),
  forex('Crosses', 'EURJPY', 'Euro vs Japanese Yen', 10, ['6.20', '-15.70']),
  forex('Crosses', 'EURCHF', 'Euro vs Swiss Franc', 11, ['1.40', '-5.80']),
  forex('Crosses', 'EURAUD', 'Euro vs Australian Dollar', 18, ['-6.80', '0.60']),
  forex('Crosses', 'EURCAD', 'Euro vs Canadian Dollar', 19, ['-6.10', '-0.20']),
  forex('Crosses', 'GBPJPY', 'Great Britain Pound vs Japanese Yen', 16, ['12.40', '-26.80']),
  forex('Crosses', 'GBPCHF', 'Great Britain Pound vs Swiss Franc', 20, ['6.10', '-13.90']),
  forex('Crosses', 'AUDJPY', 'Australian Dollar vs Japanese Yen', 13, ['5.30', '-12.20']),
  forex('Crosses', 'AUDNZD', 'Australian Dollar vs New Zealand Dollar', 21, ['-2.70', '-1.10']),
  forex('Crosses', 'CADJPY', 'Canadian Dollar vs Japanese Yen', 15, ['4.40', '-10.60']),
  forex('Crosses', 'CHFJPY', 'Swiss Franc vs Japanese Yen', 18, ['-1.20', '-6.30']),
  forex('Crosses', 'NZDJPY', 'New Zealand Dollar vs Japanese Yen', 17, ['4.10', '-9.90']),
  forex('Exotics', 'USDCNH', 'US Dollar vs Chinese Yuan (offshore)', 60, ['-4.00', '-22.00']),
  forex('Exotics', 'USDSEK', 'US Dollar vs Swedish Krona', 240, ['31.00', '-88.00']),
  contract(
    'metals',
    'XAUUSD',
    'Gold vs US Dollar',
    'USD',
    { digits: 2, spread: 18, contract: 100, calcMode: cfdLeverage, stops: 10 },
    { swap: ['-41.50', '17.20'], volume: [100, 1_000_000, 100] },
  ),
  contract(
    'metals',
    'XAGUSD',
    'Silver vs US Dollar',
    'USD',
    { digits: 3, spread: 22, contract: 5000, calcMode: cfdLeverage, stops: 20 },
    { swap: ['-6.10', '2.30'], volume: [100, 500_000, 100] },
  ),
  contract(
    'index',
    'US500',
    'US 500 Index',
    'USD',
    { digits: 1, spread: 5, contract: 1, calcMode: cfdIndex, marginRate: '0.05000000' },
    { swap: ['-8.10', '1.90'], volume: INDEX_VOLUME },
  ),
  contract(
    'index',
    'US30',
    'US Wall Street 30 Index',
    'USD',
    { digits: 1, spread: 24, contract: 1, calcMode: cfdIndex, marginRate: '0.05000000' },
    { swap: ['-62.00', '14.00'], volume: INDEX_VOLUME },
  ),
  contract(
    'index',
    'USTEC',
    'US Tech 100 Index',
    'USD',
    { digits: 1, spread: 14, contract: 1, calcMode: cfdIndex, marginRate: '0.05000000' },
    { swap: ['-31.00', '7.50'], volume: INDEX_VOLUME },
  ),
  contract(
    'index',
    'DE40',
    'Germany 40 Index',
    'EUR',
    { digits: 1, spread: 11, contract: 1, calcMode: cfdIndex, marginRate: '0.05000000' },
    { swap: ['-24.00', '3.00'], volume: INDEX_VOLUME },
  ),
  contract(
    'index',
    'UK100',
    'UK 100 Index',
    'GBP',
    { digits: 1, spread: 10, contract: 1, calcMode: cfdIndex, marginRate: '0.05000000' },
    { swap: ['-12.00', '1.10'], volume: INDEX_VOLUME },
  ),
  contract(
    'index',
    'JP225',
    'Japan 225 Index',
    'JPY',
    { digits: 0, spread: 8, contract: 100, calcMode: cfd, marginRate: '0.05000000' },
    { swap: ['-3.00', '-2.00'], volume: [1000, 500_000, 1000], fill: FILL_FLAG.fok },
  ),
  contract(
    'futures',
    'UKOIL',
    'Brent Crude Oil, rolling future',
    'USD',
    { digits: 2, spread: 4, contract: 1000, calcMode: futures },
    {
      swap: ['0.00', '0.00'],
      volume: [1000, 500_000, 1000],
      extra: { MarginInitial: '3200.00', MarginMaintenance: '2900.00', SwapMode: String(SWAP_MODE.disabled) },
    },
  ),
  contract(
    'crypto',
    'BTCUSD',
    'Bitcoin vs US Dollar',
    'USD',
    { digits: 2, spread: 1200, contract: 1, calcMode: cfdLeverage, marginRate: '5.00000000' },
    {
      swap: ['-20.00', '-10.00'],
      volume: [100, 500_000, 100],
      fill: FILL_FLAG.ioc,
      extra: { SwapMode: String(SWAP_MODE.interestCurrent) },
    },
  ),
  contract(
    'crypto',
    'ETHUSD',
    'Ethereum vs US Dollar',
    'USD',
    { digits: 2, spread: 150, contract: 1, calcMode: cfdLeverage, marginRate: '5.00000000' },
    {
      swap: ['-20.00', '-10.00'],
      volume: [100, 1_000_000, 100],
      fill: FILL_FLAG.ioc,
      extra: { SwapMode: String(SWAP_MODE.interestCurrent) },
    },
  ),
  contract(
    'crypto',
    'LTCUSD',
    'Litecoin vs US Dollar',
    'USD',
    { digits: 2, spread: 25, contract: 1, calcMode: cfdLeverage, marginRate: '5.00000000' },
    {
      swap: ['-25.00', '-15.00'],
      volume: [1000, 5_000_000, 1000],
      fill: FILL_FLAG.ioc,
      extra: { SwapMode: String(SWAP_MODE.interestCurrent) },
    },
  ),
  contract(
    'crypto',
    'XRPUSD',
    'Ripple vs US Dollar',
    'USD',
    { digits: 5, spread: 300, contract: 1000, calcMode: cfdLeverage, marginRate: '5.00000000' },
    {
      swap: ['-25.00', '-15.00'],
      volume: [100, 1_000_000, 1],
      fill: FILL_FLAG.ioc,
      extra: { SwapMode: String(SWAP_MODE.interestCurrent) },
    },
  ),
];

export function catalogRecords(hours: TradingHours): WireRecord[] {
  return INSTRUMENTS.map((item) => symbolRecord(item, hours));
}

/** Every field of a symbol with the value a new one starts from. */
export function symbolDefaults(): WireRecord {
  const [first] = INSTRUMENTS;
  if (first === undefined) throw new Error('the catalogue is empty');
  return symbolRecord({ ...first, symbol: '', folder: '', description: '', market: 'crypto' }, 'always');
}
