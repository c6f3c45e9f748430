/**
 * A back office for people who serve clients, on the bridge's client alone:
 *
 *   node back-office.ts find ann                             accounts whose name, e-mail or phone holds the word
 *   node back-office.ts open 'demo\forex' 'Ann Example'      opens an account, with passwords that it makes
 *   node back-office.ts pay 1001 250.00 payment-981          books a payment once, however often it is told
 *   node back-office.ts statement 1001 2026-01-01 2026-02-01
 *   node back-office.ts close 1001                           closes and cancels everything, then disables the account
 *
 * `URL` and `KEY` (scopes manage and trade) say where the bridge is and who asks.
 */
import { BridgeRequestError, createBridgeClient, type BridgeClient, type Schemas } from 'mt5-edge-bridge/client';

type Operation = Schemas['Operation'];
const byLogin = (login: string) => ({ params: { path: { login: Number(login) } } });

async function find(client: BridgeClient, word = ''): Promise<void> {
  const sought = word.toLowerCase();
  for await (const account of client.lines('/v1/accounts', { query: { group: '*' } })) {
    const { login, name, email, phone, money } = account;
    if ([name, email, phone].some((text) => text?.toLowerCase().includes(sought)))
      console.log(`${login}\t${name}\t${email}\t${phone}\t${money?.balance}`);
  }
}

async function open(client: BridgeClient, group = '', name = ''): Promise<void> {
  const [passwordMain, passwordInvestor] = [password(), password()];
  const { data } = await client.POST('/v1/accounts', {
    body: { group, name, leverage: 100, passwordMain, passwordInvestor },
  });
  console.log(`${data.login}\t${passwordMain}\t${passwordInvestor}`);
}

/** MT5 wants lower case, upper case, a digit and another character. */
const password = (): string => `Aa1!${crypto.randomUUID().slice(0, 8)}`;

/** The payment's own id is the key: told twice, it is booked once. */
async function pay(client: BridgeClient, login = '', amount = '', payment = ''): Promise<void> {
  const operation = await settled(client, payment, async () => {
    const { data } = await client.POST('/v1/accounts/{login}/balance', {
      ...byLogin(login),
      body: { kind: 'balance', amount, comment: payment.slice(0, 20) },
      headers: { 'Idempotency-Key': payment },
    });
    return data.operation;
  });
  const { data: money } = await client.GET('/v1/accounts/{login}/money', byLogin(login));
  console.log(`${operation.state}\t${operation.detail}\t${money.balance}`);
}

/** The fate of a write: its answer's, or what the ledger says where no answer came. */
async function settled(
  client: BridgeClient,
  key: string,
  send: () => Promise<Operation | undefined>,
): Promise<Operation> {
  try {
    const operation = await send();
    if (operation && operation.state !== 'unknown') return operation;
  } catch (error) {
    // What is refused is told; what may have happened is looked up.
    if (!(error instanceof BridgeRequestError) || error.outcome !== 'unknown') throw error;
  }
  return client.waitForOperation(key);
}

/** Every deal of the time, and what it brought. */
async function statement(client: BridgeClient, login = '', from = '', to = ''): Promise<void> {
  const { data: account } = await client.GET('/v1/accounts/{login}', byLogin(login));
  console.log(`${account.login}\t${account.name}\t${account.group}`);
  let cents = 0n;
  const deals = client.each('/v1/accounts/{login}/deals', {
    path: { login: Number(login) },
    query: { from, to, limit: 1000 },
  });
  for await (const { executedAt, action, volume, symbol, price, profit, commission, storage } of deals) {
    if (action === 'buy' || action === 'sell') cents += centsOf(profit) + centsOf(commission) + centsOf(storage);
    console.log(`${executedAt}\t${action}\t${volume ?? ''}\t${symbol ?? ''}\t${price ?? ''}\t${profit}`);
  }
  console.log(`result ${decimalOf(cents)}\tbalance ${account.balance}\tequity ${account.money?.equity}`);
}

/** Money is exact: decimals are text, and cents are whole numbers. */
const centsOf = (amount: string | null): bigint => {
  const [whole = '0', fraction = ''] = (amount ?? '0').replace('-', '').split('.');
  const value = BigInt(whole + fraction.padEnd(2, '0').slice(0, 2));
  return amount?.startsWith('-') ? -value : value;
};
const decimalOf = (cents: bigint): string => {
  const digits = (cents < 0n ? -cents : cents).toString().padStart(3, '0');
  return `${cents < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
};

/** Cancels and closes everything, then disables the account: each once, and in the order that the broker takes. */
async function close(client: BridgeClient, login = ''): Promise<void> {
  const { data } = await client.POST('/v1/accounts/{login}/liquidate', { ...byLogin(login), body: {} });
  for (const { ticket, outcome } of data.items ?? []) console.log(`${ticket}\t${outcome}`);
  console.log(`${data.operation?.state}\t${data.operation?.detail}`);
}

const COMMANDS: Readonly<Record<string, (client: BridgeClient, ...words: string[]) => Promise<void>>> = {
  find,
  open,
  pay,
  statement,
  close,
};

const { URL: baseUrl = '', KEY: key = '' } = process.env;
const [name = '', ...words] = process.argv.slice(2);
const command = COMMANDS[name];
if (!command) throw new Error(`expected one of ${Object.keys(COMMANDS).join(', ')}`);
await command(createBridgeClient({ baseUrl, key }), ...words).catch((error: unknown) => {
  if (!(error instanceof BridgeRequestError)) throw error;
  console.error(`${error.code ?? error.status}: ${error.message}`);
  process.exitCode = 1;
});
