import type { BridgeClient } from '../index.ts';

/** Net exposure of a group by symbol, in lots of 1/100 000 000 so that nothing is rounded. */
export async function exposure(client: BridgeClient, group: string): Promise<Map<string, bigint>> {
  const net = new Map<string, bigint>();
  for await (const position of client.each('/v1/positions', { query: { group, limit: 1000 } })) {
    const units = unitsOf(position.volume ?? '0');
    net.set(position.symbol, (net.get(position.symbol) ?? 0n) + (position.side === 'buy' ? units : -units));
  }
  return net;
}

const unitsOf = (lots: string): bigint => {
  const [whole = '0', fraction = ''] = lots.split('.');
  return BigInt(whole + fraction.padEnd(8, '0'));
};
