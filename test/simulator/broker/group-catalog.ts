/** The groups of the simulated broker. */
import { COMMISSION_TIER, MARGIN_MODE, STOP_OUT } from './groups.ts';
import type { WireRecord } from './symbols.ts';

interface GroupLine {
  readonly name: string;
  readonly currency: string;
  readonly marginMode: number;
  readonly stopOutMode?: number;
  readonly marginCall: string;
  readonly stopOut: string;
  /** Deposit and leverage of a new demo account. */
  readonly demo?: readonly [deposit: string, leverage: number];
  readonly commissions?: readonly WireRecord[];
  readonly symbols?: readonly WireRecord[];
  readonly limitOrders?: number;
  readonly limitPositions?: number;
  readonly permissions?: number;
  readonly tradeFlags?: number;
}

function commission(name: string, path: string, mode: number, value: string, currency: string): WireRecord {
  return {
    Name: name,
    Description: '',
    Path: path,
    Mode: '0',
    RangeMode: '0',
    ChargeMode: '2',
    TurnoverCurrency: currency,
    EntryMode: '0',
    Tiers: [
      {
        Mode: String(mode),
        Type: '1',
        Value: value,
        Minimal: '0.00',
        Maximal: '0.00',
        RangeFrom: '0.00',
        RangeTo: '0.00',
        Currency: currency,
      },
    ],
  };
}

/** Connections allowed, passwords may be reset, notices of deals and balances. */
const PERMISSIONS = 0x2 | 0x4 | 0x40 | 0x100;
/** Swaps, trailing, experts, expiration. */
const TRADE_FLAGS = 0x1 | 0x2 | 0x4 | 0x8;
const { retail, retailHedged } = MARGIN_MODE;

const LINES: readonly GroupLine[] = [
  { name: 'managers\\administrators', currency: 'USD', marginMode: retail, marginCall: '50.00', stopOut: '30.00' },
  { name: 'managers\\dealers', currency: 'USD', marginMode: retail, marginCall: '50.00', stopOut: '30.00' },
  {
    name: 'real\\hedge-usd',
    currency: 'USD',
    marginMode: retailHedged,
    marginCall: '100.00',
    stopOut: '50.00',
    commissions: [commission('Raw spread', 'Forex\\*,Metals\\*', COMMISSION_TIER.money, '3.50', 'USD')],
  },
  {
    name: 'real\\netting-usd',
    currency: 'USD',
    marginMode: retail,
    marginCall: '80.00',
    stopOut: '30.00',
    symbols: [
      { Path: 'Forex\\Majors\\*', SpreadDiff: '4' },
      { Path: 'Forex\\*', SpreadDiff: '8' },
    ],
  },
  {
    name: 'real\\hedge-eur',
    currency: 'EUR',
    marginMode: retailHedged,
    marginCall: '100.00',
    stopOut: '50.00',
    commissions: [commission('Turnover', '*', COMMISSION_TIER.percent, '0.0030', 'EUR')],
  },
  {
    name: 'real\\pro-netting-eur',
    currency: 'EUR',
    marginMode: retail,
    stopOutMode: STOP_OUT.money,
    marginCall: '1000.00',
    stopOut: '250.00',
    commissions: [commission('Pro', 'Forex\\*', COMMISSION_TIER.money, '2.25', 'EUR')],
    symbols: [{ Path: 'Crypto\\*', TradeMode: '3' }],
  },
  {
    name: 'demo\\forex',
    currency: 'USD',
    marginMode: retailHedged,
    marginCall: '100.00',
    stopOut: '50.00',
    demo: ['10000.00', 100],
    limitOrders: 200,
    limitPositions: 200,
  },
  {
    name: 'demo\\netting',
    currency: 'USD',
    marginMode: retail,
    marginCall: '100.00',
    stopOut: '50.00',
    demo: ['25000.00', 200],
  },
  {
    name: 'demo\\forex-jpy',
    currency: 'JPY',
    marginMode: retailHedged,
    marginCall: '100',
    stopOut: '50',
    demo: ['1000000', 25],
    tradeFlags: TRADE_FLAGS & ~1,
  },
  {
    name: 'demo\\closed',
    currency: 'USD',
    marginMode: retailHedged,
    marginCall: '100.00',
    stopOut: '50.00',
    demo: ['1000.00', 50],
    permissions: 0x4,
  },
];

function recordOf(line: GroupLine): WireRecord {
  const digits = line.currency === 'JPY' ? 0 : 2;
  const zero = digits === 0 ? '0' : '0.00';
  return {
    Group: line.name,
    Server: '1',
    PermissionsFlags: String(line.permissions ?? PERMISSIONS),
    AuthMode: '0',
    AuthPasswordMin: '8',
    AuthOTPMode: '0',
    Company: 'Simulated Markets Ltd.',
    CompanyPage: 'https://broker.example',
    CompanyEmail: 'desk@broker.example',
    CompanySupportPage: 'https://broker.example/support',
    CompanySupportEmail: 'support@broker.example',
    CompanyCatalog: '',
    CompanyDepositURL: '',
    CompanyWithdrawalURL: '',
    Currency: line.currency,
    CurrencyDigits: String(digits),
    ReportsMode: '1',
    ReportsFlags: '0',
    ReportsEmail: '0',
    ReportsSMTP: '',
    ReportsSMTPLogin: '',
    ReportsSMTPPass: '',
    NewsMode: '2',
    NewsCategory: '',
    NewsLangs: [],
    MailMode: '1',
    TradeFlags: String(line.tradeFlags ?? TRADE_FLAGS),
    TradeTransferMode: '0',
    TradeInterestrate: '0.00',
    TradeVirtualCredit: zero,
    MarginMode: String(line.marginMode),
    MarginSOMode: String(line.stopOutMode ?? 0),
    MarginFreeMode: '1',
    MarginCall: line.marginCall,
    MarginStopOut: line.stopOut,
    MarginFreeProfitMode: '0',
    DemoLeverage: String(line.demo?.[1] ?? 0),
    DemoDeposit: line.demo?.[0] ?? zero,
    DemoInactivityPeriod: '0',
    DemoTradesClean: '0',
    LimitHistory: '0',
    LimitOrders: String(line.limitOrders ?? 0),
    LimitSymbols: '0',
    LimitPositions: String(line.limitPositions ?? 0),
    Commissions: line.commissions ?? [],
    Symbols: line.symbols ?? [{ Path: '*' }],
  };
}

export function groupCatalog(): WireRecord[] {
  return LINES.map(recordOf);
}

export function groupDefaults(): WireRecord {
  return recordOf({ name: '', currency: 'USD', marginMode: retail, marginCall: '50.00', stopOut: '30.00' });
}
