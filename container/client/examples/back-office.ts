/**
 * A back office for people who serve clients, on the bridge's client alone:
 *
 *   node back-office.ts find email ann@                      accounts whose e-mail (name, phone …) holds the text
 *   node back-office.ts open 'demo\forex' 'Ann Example'      opens an account, with passwords that it makes
 *   node back-office.ts pay 1001 250.00 payment-981          books a payment once, however often it is told
 *   node back-office.ts statement 1001 2026-01-01 2026-02-01 (csv and html as a last word: a table, a page to print)
 *   node back-office.ts close 1001                           closes and cancels everything, then disables the account
 *
 * `URL` and `KEY` (scopes manage and trade) say where the bridge is and who asks.
 */
import { BridgeRequestError, createBridgeClient, type BridgeClient, type Schemas } from 'mt5-edge-bridge/client';

type Operation = Schemas['Operation'];
const byLogin = (login: string) => ({ params: { path: { login: Number(login) } } });

const SOUGHT = ['name', 'email', 'phone', 'externalAccount', 'comment'] as const;

async function find(client: BridgeClient, by = '', text = ''): Promise<void> {
  if (!SOUGHT.some((field) => field === by)) throw new Error(`expected one of ${SOUGHT.join(', ')}`);
  const sought: Partial<Record<(typeof SOUGHT)[number], string>> = { [by]: text };
  for await (const account of client.each('/v1/accounts', { query: { group: '*', ...sought } })) {
    const { login, name, email, phone, money } = account;
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
      body: { kind: 'balance', amount, clientReference: payment },
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

/** Every deal of the time, and what they sum up to: as lines, or as the table or the page that the bridge writes. */
async function statement(client: BridgeClient, login = '', from = '', to = '', form = ''): Promise<void> {
  const params = { path: { login: Number(login) }, query: { from, to } };
  if (form === 'csv' || form === 'html') {
    const headers = { accept: `text/${form}` };
    const { data } = await client.GET('/v1/accounts/{login}/statement', { params, headers, parseAs: 'text' });
    console.log(data);
    return;
  }
  const { data } = await client.GET('/v1/accounts/{login}/statement', { params });
  const { name, group, currency, openingBalance, closingBalance, totals } = data;
  console.log(`${login}\t${name}\t${group}`);
  for (const { executedAt, action, volume, symbol, price, profit } of data.items)
    console.log(`${executedAt}\t${action}\t${volume ?? ''}\t${symbol ?? ''}\t${price ?? ''}\t${profit}`);
  for (const [total, amount] of Object.entries(totals)) console.log(`${total}\t${amount}`);
  console.log(`balance ${openingBalance} to ${closingBalance} ${currency}`);
}

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
