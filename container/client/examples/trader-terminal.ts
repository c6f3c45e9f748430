/**
 * A trader's terminal: signs in with the login and the password of the account, shows its money, positions and prices as
 * they change, and trades. Commands come line by line on standard input:
 *
 *   buy EURUSD 0.10 · sell EURUSD 0.10 · stop 107185 1.10500 · close 107185 · quit
 *
 *   URL=… KEY=… LOGIN=1001 PASSWORD=… node trader-terminal.ts EURUSD XAUUSD
 *
 * `KEY` (scope trade) only opens the session: everything after that is asked for with the trader's own token.
 */
import { createInterface } from 'node:readline';
import { BridgeRequestError, createBridgeClient, type BridgeClient, type Schemas } from 'mt5-edge-bridge/client';

const { URL: baseUrl = '', KEY = '', LOGIN = '', PASSWORD = '' } = process.env;
const login = Number(LOGIN);
const symbols = process.argv.slice(2);
/** How far the market may have moved since the price that the trader saw, in points. */
const MAX_DEVIATION_POINTS = 50;

const { data: session } = await createBridgeClient({ baseUrl, key: KEY }).POST('/v1/sessions', {
  body: { login, password: PASSWORD },
});
const client = createBridgeClient({ baseUrl, key: session.token });
const quotes = new Map<string, { bid: string | null; ask: string | null }>();
const closing = new AbortController();
const { signal } = closing;

async function followPrices(): Promise<void> {
  for await (const event of client.stream('ticks', { symbols }, { signal }))
    if (event.type === 'snapshot' || event.type === 'delta')
      for (const { symbol, bid, ask } of event.data) {
        if (!quotes.has(symbol)) console.log(`price ${symbol} ${bid} ${ask}`);
        quotes.set(symbol, { bid, ask });
      }
    else if (event.type === 'stale') for (const symbol of event.data.symbols) quotes.delete(symbol);
}

async function followPositions(): Promise<void> {
  for await (const event of client.stream('positions', { logins: [login] }, { signal }))
    if (event.type === 'snapshot' || event.type === 'delta')
      for (const row of event.data)
        if (row.event !== 'changed')
          console.log(`position ${row.ticket} ${row.event ?? 'open'} ${row.side} ${row.volume} ${row.symbol}`);
}

async function followMoney(): Promise<void> {
  let shown = '';
  for await (const event of client.stream('accounts', { logins: [login] }, { signal }))
    if (event.type === 'snapshot' || event.type === 'delta')
      for (const { balance } of event.data)
        if (balance !== null && balance !== shown) console.log(`balance ${(shown = balance)}`);
}

async function market(side: 'buy' | 'sell', symbol = '', volume = ''): Promise<void> {
  const quote = quotes.get(symbol);
  const expectedPrice = side === 'buy' ? quote?.ask : quote?.bid;
  if (!expectedPrice) return console.log(`refused no price of ${symbol}`);
  // One key a wish: however often this is sent, it is executed once.
  const key = `terminal-${crypto.randomUUID()}`;
  const { data } = await client.POST('/v1/orders', {
    body: { login, symbol, side, type: 'market', volume, expectedPrice, maxDeviation: MAX_DEVIATION_POINTS },
    headers: { 'Idempotency-Key': key },
  });
  await report(data, key);
}

/** What became of it, waiting where nobody knows yet. */
async function report({ operation, result }: Schemas['TradeAnswer'], key: string): Promise<void> {
  const known = operation?.state === 'unknown' ? await client.waitForOperation(key, { signal }) : operation;
  console.log(`${known?.state} ${result?.detail ?? known?.detail} ${result?.price ?? ''}`.trim());
}

const COMMANDS: Readonly<Record<string, (...words: string[]) => Promise<void>>> = {
  buy: (symbol, volume) => market('buy', symbol, volume),
  sell: (symbol, volume) => market('sell', symbol, volume),
  stop: async (ticket = '', stopLoss = '') => {
    const key = crypto.randomUUID();
    const init = { params: { path: { ticket } }, body: { stopLoss }, headers: { 'Idempotency-Key': key } };
    await report((await client.PATCH('/v1/positions/{ticket}', init)).data, key);
  },
  close: async (ticket = '') => {
    const key = crypto.randomUUID();
    const init = { params: { path: { ticket } }, body: {}, headers: { 'Idempotency-Key': key } };
    await report((await client.POST('/v1/positions/{ticket}/close', init)).data, key);
  },
};

async function followCommands(): Promise<void> {
  for await (const line of createInterface(process.stdin)) {
    const [name = '', ...words] = line.trim().split(/\s+/);
    if (name === 'quit') break;
    await run(name, words);
  }
  closing.abort();
}

async function run(name: string, words: readonly string[]): Promise<void> {
  const command = COMMANDS[name];
  if (!command) return console.log(`refused expected one of ${Object.keys(COMMANDS).join(', ')}, quit`);
  try {
    await command(...words);
  } catch (error) {
    if (!(error instanceof BridgeRequestError)) throw error;
    console.log(`refused ${error.code}: ${error.message}`);
  }
}

const end = async (trader: BridgeClient): Promise<void> => {
  await trader.DELETE('/v1/sessions/current');
  console.log('signed out');
};

console.log(`signed in ${session.login} ${session.scopes.join(' ')}`);
await Promise.all([followPrices(), followPositions(), followMoney(), followCommands()]);
await end(client);
