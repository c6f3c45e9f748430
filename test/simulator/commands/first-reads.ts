import { done, refused, type Command, type CommandRequest } from '../command.ts';

/** Reads that answer before there are books: clients 1001…1100, three symbols. */
const SYMBOLS = [
  { Symbol: 'EURUSD', Path: 'Forex\\EURUSD', Digits: 5, bid: 1.10868 },
  { Symbol: 'GBPUSD', Path: 'Forex\\GBPUSD', Digits: 5, bid: 1.27012 },
  { Symbol: 'XAUUSD', Path: 'Metals\\XAUUSD', Digits: 2, bid: 2391.15 },
];

const client = ({ parameters }: CommandRequest): number | undefined => {
  const login = parameters.integer('login');
  return login !== undefined && login >= 1001 && login <= 1100 ? login : undefined;
};

const serverTime = (): string => {
  const seconds = Math.floor(Date.now() / 1000);
  const text = new Date(seconds * 1000).toISOString().replace('T', ' ').replaceAll('-', '.').slice(0, 19);
  return `${seconds} ${text}`;
};

export const firstReads: readonly Command[] = [
  { path: 'time/server', rights: [], run: () => done({ Time: serverTime() }) },
  {
    path: 'user/get',
    rights: ['RIGHT_ACC_READ'],
    run: (request) => {
      if (!request.parameters.integer('login')) return refused(3);
      const login = client(request);
      if (login === undefined) return refused(13);
      return done({ Login: login, Group: 'demo\\forex', Name: `Client ${login}`, Leverage: 100, Balance: '26000.00' });
    },
  },
  {
    path: 'user/account/get',
    rights: ['RIGHT_ACC_READ'],
    run: (request) => {
      if (!request.parameters.integer('login')) return refused(3);
      const login = client(request);
      if (login === undefined) return refused(13);
      return done({ Login: login, CurrencyDigits: 2, Balance: '26000.00', Credit: '0.00', Equity: '26000.00' });
    },
  },
  {
    path: 'user/logins',
    rights: ['RIGHT_ACC_READ'],
    run: () => done(Array.from({ length: 100 }, (_, index) => String(1001 + index))),
  },
  { path: 'symbol/list', rights: [], run: () => done(SYMBOLS.map(({ Symbol }) => Symbol)) },
  {
    path: 'symbol/get',
    rights: [],
    run: ({ parameters }) => {
      const found = SYMBOLS.find(({ Symbol }) => Symbol === parameters.text('symbol'));
      return found === undefined ? refused(13) : done({ Symbol: found.Symbol, Path: found.Path, Digits: found.Digits });
    },
  },
  {
    path: 'tick/last',
    rights: [],
    run: ({ parameters }) => {
      const asked = (parameters.text('symbol') ?? '').split(',');
      const ticks = SYMBOLS.filter(({ Symbol }) => asked.includes(Symbol)).map(({ Symbol, Digits, bid }) => ({
        Symbol,
        Digits,
        Datetime: Math.floor(Date.now() / 1000),
        DatetimeMsc: Date.now(),
        Bid: bid.toFixed(Digits),
        Ask: (bid * 1.0001).toFixed(Digits),
        Last: (0).toFixed(Digits),
        Volume: 0,
        VolumeReal: '0.00',
      }));
      return { retcode: 0, top: { trans_id: String(Date.now()) }, answer: ticks };
    },
  },
];
