/**
 * A risk monitor: who is in danger, told as it happens, and what is open in sum; and the means to stop it.
 *
 *   URL=… KEY=… node risk-monitor.ts 'real\*' --margin-level 150 --net-lots 50
 *
 * Prints a line for each account that crosses the margin level, and for each symbol whose net exposure crosses the bound;
 * such a symbol is halted until the exposure is within the bound again. `KEY`: scopes read and operate.
 */
import { parseArgs } from 'node:util';
import { createBridgeClient } from 'mt5-edge-bridge/client';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    'margin-level': { type: 'string', default: '150' },
    'net-lots': { type: 'string', default: '50' },
    'every-ms': { type: 'string', default: '5000' },
  },
});
const [group = '*'] = positionals;
const { URL: baseUrl = '', KEY: key = '' } = process.env;
const client = createBridgeClient({ baseUrl, key });
const closing = new AbortController();
const { signal } = closing;
process.once('SIGTERM', () => closing.abort());
process.once('SIGINT', () => closing.abort());

/** The broker's books are read once for all who follow: nobody polls accounts one by one. */
async function followAccounts(): Promise<void> {
  const bounds = { groups: [group], marginLevelBelow: values['margin-level'] };
  for await (const event of client.stream('equity', bounds, { signal })) {
    if (event.type === 'gap') console.log(`gap ${event.data.reason}`);
    if (event.type !== 'snapshot' && event.type !== 'delta') continue;
    for (const row of event.data)
      if (row.event !== 'changed') console.log(`account ${row.login} ${row.event ?? 'beyond'} ${row.marginLevel}`);
  }
}

/** Lots of 1/100 000 000, so that nothing is rounded. */
const units = (lots: string): bigint => {
  const [whole = '0', fraction = ''] = lots.replace('-', '').split('.');
  return BigInt(whole + fraction.padEnd(8, '0'));
};

async function followExposure(): Promise<void> {
  const bound = units(values['net-lots']);
  const halted = new Set<string>();
  while (!signal.aborted) {
    const { data } = await client.GET('/v1/exposure', { params: { query: { group } } });
    const net = new Map<string, bigint>();
    for (const { symbol, netLots } of data.items) {
      const lots = netLots.startsWith('-') ? -units(netLots) : units(netLots);
      net.set(symbol, (net.get(symbol) ?? 0n) + lots);
    }
    for (const [symbol, lots] of net) {
      const isBeyond = (lots < 0n ? -lots : lots) > bound;
      if (isBeyond === halted.has(symbol)) continue;
      if (isBeyond) await client.POST('/admin/trading/halt', { body: { symbol, reason: 'net exposure' } });
      else await client.POST('/admin/trading/resume', { body: { symbol } });
      if (isBeyond) halted.add(symbol);
      else halted.delete(symbol);
      console.log(`symbol ${symbol} ${isBeyond ? 'halted' : 'resumed'} ${Number(lots) / 1e8}`);
    }
    await pause(Number(values['every-ms']));
  }
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => resolve(clearTimeout(timer)), { once: true });
  });

await Promise.all([followAccounts(), followExposure()]);
console.log('ended');
