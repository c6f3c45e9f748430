import type { BridgeClient } from '../index.ts';

/** A month's statement of an account: what it traded, what that brought, and where it stands. */
export async function statement(
  client: BridgeClient,
  login: number,
  month: { readonly from: string; readonly to: string },
): Promise<string> {
  const { data: account } = await client.GET('/v1/accounts/{login}', { params: { path: { login } } });
  const lines = [`${account?.name ?? login} · ${account?.group ?? ''}`];
  let profitCents = 0n;
  for await (const deal of client.each('/v1/accounts/{login}/deals', {
    path: { login },
    query: { ...month, limit: 500 },
  })) {
    if (deal.entry !== 'out') continue;
    profitCents += cents(deal.profit) + cents(deal.commission) + cents(deal.storage);
    lines.push(`${deal.executedAt} ${deal.side} ${deal.volume} ${deal.symbol} at ${deal.price}: ${deal.profit}`);
  }
  lines.push(`Result ${decimal(profitCents)}, balance ${account?.balance}, equity ${account?.money?.equity}`);
  return lines.join('\n');
}

/** Money is exact: decimals are text, and cents are whole numbers. */
const cents = (amount: string | null): bigint => {
  const [whole = '0', fraction = ''] = (amount ?? '0').replace('-', '').split('.');
  const value = BigInt(whole + fraction.padEnd(2, '0').slice(0, 2));
  return amount?.startsWith('-') ? -value : value;
};
const decimal = (value: bigint): string => {
  const digits = (value < 0n ? -value : value).toString().padStart(3, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
};
