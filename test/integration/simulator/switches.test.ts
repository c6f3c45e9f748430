import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/server.ts';
import { SWITCHES, type SwitchName } from '../../simulator/switches.ts';
import { Mt5Client, type WireAnswer } from '../../support/mt5-client.ts';
import { Wire } from '../../support/wire.ts';

let simulator: Simulator;
let client: Mt5Client;

beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 0 });
  client = new Mt5Client(simulator);
  await client.signIn();
});
afterAll(async () => {
  client.close();
  await simulator.close();
});
afterEach(() => simulator.reset(['counters', 'faults', 'switches', 'latency']));

const DEPOSIT = '/api/trade/balance?login=1001&type=2&balance=10.00&comment=test';
const connect = async (login = 1000): Promise<Mt5Client> => {
  const other = new Mt5Client(simulator);
  await other.signIn(login);
  return other;
};

/** What each switch changes on the wire, against its default. A switch without an entry does not compile. */
const SEEN: Readonly<Record<SwitchName, () => Promise<void>>> = {
  idleTimeoutSeconds: async () => {
    const wire = await Wire.signedIn(simulator);
    expect(await wire.get('/api/test/access')).toContain('200 OK');
    simulator.switch({ idleTimeoutSeconds: 0.05 });
    expect(await wire.closed).toBe('end');
    client = await connect();
  },
  authWindowSeconds: async () => {
    simulator.switch({ authWindowSeconds: 0.05 });
    simulator.latency({ authLatencyMs: 0 });
    const other = new Mt5Client(simulator);
    await other.send('/api/auth/start?version=484&agent=t&login=1000&type=manager');
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(
      (await other.send(`/api/auth/answer?srv_rand_answer=${'0'.repeat(32)}&cli_rand=${'0'.repeat(32)}`)).status,
    ).toBe(403);
    await expect.poll(() => simulator.stats().connections).toBe(2);
    other.close();
  },
  cookie: async () => {
    const other = new Mt5Client(simulator);
    expect((await other.signIn()).headers['set-cookie']).toBeUndefined();
    simulator.switch({ cookie: true });
    expect((await other.signIn()).headers['set-cookie']).toEqual([
      expect.stringMatching(/^MT5SESSION=[0-9a-f]{32}; Path=\//),
    ]);
    expect((await other.send('/api/test/access')).retcode).toBe(0);
    other.close();
  },
  scalarCasing: async () => {
    expect((await client.send(DEPOSIT)).json?.['answer']).toEqual({ ticket: expect.stringMatching(/^\d+$/) });
    expect((await client.send('/api/time/server')).json?.['answer']).toHaveProperty('time');
    simulator.switch({ scalarCasing: 'documented' });
    expect((await client.send(DEPOSIT)).json?.['answer']).toEqual({ Ticket: expect.stringMatching(/^\d+$/) });
    expect((await client.send('/api/time/server')).json?.['answer']).toHaveProperty('Time');
  },
  unknownResultIds: async () => {
    const ask = (): Promise<WireAnswer> => client.send('/api/dealer/get_request_result?id=4711');
    expect((await ask()).json).toEqual({ retcode: '0 Done', answer: {} });
    simulator.switch({ unknownResultIds: '13' });
    expect((await ask()).retcode).toBe(13);
  },
  userUpdate: async () => {
    const change = (body: object): Promise<WireAnswer> =>
      client.send('/api/user/update', { method: 'POST', body: JSON.stringify(body) });
    const user = async (): Promise<unknown> => (await client.send('/api/user/get?login=1001')).json?.['answer'];
    const before = (await user()) as Record<string, string>;
    expect((await change({ Login: '1001', City: 'Tartu', Leverage: '9999', MQID: 'F5986B14' })).retcode).toBe(0);
    expect(await user()).toEqual({ ...before, City: 'Tartu', MQID: 'F5986B14' });
    simulator.switch({ userUpdate: 'whole' });
    expect((await change({ Login: '1001', City: 'Narva' })).retcode).toBe(3);
  },
  longText: async () => {
    const named = async (): Promise<number | undefined> =>
      (await client.send(`/api/user/update?login=1001&city=${'x'.repeat(100)}`)).retcode;
    expect(await named()).toBe(0);
    expect((await client.send('/api/user/get?login=1001')).text).toContain(`"City":"${'x'.repeat(64)}"`);
    simulator.switch({ longText: 'refuse' });
    expect(await named()).toBe(3);
  },
  totalZero: async () => {
    const rows = async (): Promise<number> =>
      list(await client.send('/api/deal/get_page?login=1001&from=0&to=9999999999&offset=0&total=0')).length;
    expect(await rows()).toBeGreaterThan(0);
    simulator.switch({ totalZero: 'empty' });
    expect(await rows()).toBe(0);
  },
  bookUntilSubscribed: async () => {
    const items = async (): Promise<unknown> =>
      (await client.send('/api/book/get?symbol=EURUSD')).text.includes('"Items":[]');
    expect(await items()).toBe(true);
    expect((await client.send('/api/book/subscribe?symbol=EURUSD')).retcode).toBe(0);
    expect(await items()).toBe(false);
    expect((await client.send('/api/book/unsubscribe?symbol=EURUSD')).retcode).toBe(0);
    simulator.switch({ bookUntilSubscribed: 'full' });
    expect(await items()).toBe(false);
  },
  missingCommands: async () => {
    simulator.switch({ missingCommands: ['user/group'] });
    expect((await client.send('/api/user/group?login=1001')).status).toBe(400);
    expect((await client.send('/api/user/get?login=1001')).retcode).toBe(0);
  },
  marginRates: async () => {
    const symbol = async (): Promise<unknown> => (await client.send('/api/symbol/get?symbol=EURUSD')).json?.['answer'];
    expect(await symbol()).toMatchObject({
      MarginInitialBuy: '1.00000000',
      MarginMaintenanceSellStopLimit: '0.00000000',
    });
    simulator.switch({ marginRates: 'nested' });
    expect(await symbol()).toMatchObject({ MarginRateInitial: { Buy: '1.00000000' } });
    expect(await symbol()).not.toHaveProperty('MarginInitialBuy');
  },
  resultIds: async () => {
    // Each result is taken once: a request for each place.
    const places = async (): Promise<unknown[]> => {
      const id = await sendRequest();
      const { json = {} } = await client.send(`/api/dealer/get_request_result?id=${id}`);
      return [Object.hasOwn(json, id), Object.hasOwn(Object(json['answer']), id)];
    };
    expect(await places()).toEqual([true, true]);
    simulator.switch({ resultIds: 'top' });
    expect(await places()).toEqual([true, false]);
    simulator.switch({ resultIds: 'answer' });
    expect(await places()).toEqual([false, true]);
  },
  textOf10009: async () => {
    expect(await executed(await sendRequest())).toContain('"10009 Request executed"');
    simulator.switch({ textOf10009: 'Done' });
    expect(await executed(await sendRequest())).toContain('"10009 Done"');
  },
  marketFlag: async () => {
    const { ask, symbol } = simulator.broker.world.market.quote('EURUSD') ?? expect.unreachable();
    const fixed = (points: number): string => (points / 10 ** symbol.digits).toFixed(symbol.digits);
    const executedAt = async (): Promise<string> =>
      executed(await sendRequest({ PriceOrder: fixed(ask - 50), Flags: '2' }));
    expect(await executedAt()).toContain(`"ResultPrice":"${fixed(ask)}"`);
    simulator.switch({ marketFlag: 'priceOrder' });
    expect(await executedAt()).toContain(`"ResultPrice":"${fixed(ask - 50)}"`);
  },
  businessErrorStatus: async () => {
    const paths = ['/api/user/get?login=4242', '/api/user/get', '/api/server/restart'];
    const statuses = async (): Promise<unknown[]> =>
      Promise.all(paths.map(async (path) => client.send(path).then(({ status, retcode }) => [status, retcode])));
    expect(await statuses()).toEqual([
      [200, 13],
      [200, 3],
      [200, 8],
    ]);
    simulator.switch({ businessErrorStatus: '4xx' });
    expect(await statuses()).toEqual([
      [404, 13],
      [400, 3],
      [403, 8],
    ]);
  },
  permissionAs403: async () => {
    const weak = await connect(998);
    expect(await weak.send('/api/user/get?login=1001')).toMatchObject({ status: 200, retcode: 8 });
    simulator.switch({ permissionAs403: true });
    expect(await weak.send('/api/user/get?login=1001')).toMatchObject({ status: 403, text: '403 Forbidden' });
    expect(await weak.send('/api/test/access')).toMatchObject({ retcode: 0 });
    weak.close();
  },
  badLoginForm: async () => {
    const other = new Mt5Client(simulator);
    expect(await other.signIn(4242)).toMatchObject({ status: 200, retcode: 1001 });
    simulator.switch({ badLoginForm: '403' });
    expect(await other.signIn(4242)).toMatchObject({ status: 403, text: '403 Forbidden' });
    other.close();
  },
  wrongAnswer: async () => {
    const other = new Mt5Client(simulator);
    simulator.switch({ wrongAnswer: 'keep' });
    expect(await other.signIn(1000, 'wrong')).toMatchObject({ status: 403, headers: { connection: 'keep-alive' } });
    expect((await other.signIn()).retcode).toBe(0);
    expect(simulator.stats().perConnection.filter(({ open }) => open)).toHaveLength(2);
    simulator.switch({ wrongAnswer: 'close' });
    expect(await other.signIn(1000, 'wrong')).toMatchObject({ status: 403, headers: { connection: 'close' } });
    other.close();
  },
  secondSignInEndsFirst: async () => {
    const [one, two] = [await connect(), await connect()];
    expect((await one.send('/api/test/access')).status).toBe(200);
    simulator.switch({ secondSignInEndsFirst: true });
    const reader = await connect(999);
    await two.signIn();
    expect(await one.send('/api/test/access')).toMatchObject({ status: 403, text: '403 Forbidden' });
    expect((await two.send('/api/test/access')).status).toBe(200);
    expect((await reader.send('/api/test/access')).status).toBe(200);
    for (const each of [one, two, reader]) each.close();
    await client.signIn();
  },
  unknownCommand: async () => {
    expect((await client.send('/api/no/such')).status).toBe(400);
    simulator.switch({ unknownCommand: '404' });
    expect(await client.send('/api/no/such')).toMatchObject({ status: 404, text: '404 Not Found' });
  },
  contentType: async () => {
    const contentType = async (): Promise<unknown> => (await client.send('/api/test/access')).headers['content-type'];
    expect(await contentType()).toBe('application/json');
    simulator.switch({ contentType: 'text/plain' });
    expect(await contentType()).toBe('text/plain');
    simulator.switch({ contentType: 'none' });
    expect(await contentType()).toBeUndefined();
  },
  acceptBody: async () => {
    const send = (contentType?: string): Promise<unknown> =>
      client
        .send('/api/user/get', {
          method: 'POST',
          body: '{"Login":1001}',
          ...(contentType === undefined ? {} : { contentType }),
        })
        .then(({ status }) => status);
    const [form, json] = ['application/x-www-form-urlencoded', 'application/json'];
    expect([await send(form), await send(json), await send()]).toEqual([200, 200, 200]);
    simulator.switch({ acceptBody: 'form' });
    expect([await send(form), await send(json), await send()]).toEqual([200, 415, 415]);
    simulator.switch({ acceptBody: 'json' });
    expect([await send(form), await send(json)]).toEqual([415, 200]);
    expect((await client.send('/api/user/get?login=1001', { method: 'POST' })).status).toBe(200);
  },
  plusInQuery: async () => {
    expect((await client.send('/api/user/get?login=1001+')).retcode).toBe(3);
    const start = '/api/auth/start?version=484&agent=a+b&login=1000&type=manager';
    const other = new Mt5Client(simulator);
    expect((await other.send(start)).retcode).toBe(3);
    simulator.switch({ plusInQuery: 'plus' });
    expect((await other.send(start)).retcode).toBe(0);
    other.close();
  },
  requestsPerSecond: async () => {
    simulator.switch({ requestsPerSecond: 3 });
    const answers = await Promise.all(Array.from({ length: 12 }, () => client.send('/api/test/access')));
    expect(answers.filter(({ retcode }) => retcode === 12).length).toBeGreaterThanOrEqual(6);
    expect(answers.find(({ retcode }) => retcode === 12)?.text).toBe('{"retcode":"12 Too frequent requests"}');
  },
  outage: async () => {
    simulator.switch({ outage: '10' });
    expect((await client.send('/api/user/get?login=1001')).text).toBe('{"retcode":"10 No connection"}');
    expect((await client.signIn()).retcode).toBe(0);
    simulator.switch({ outage: '15' });
    expect((await client.send('/api/user/get?login=1001')).retcode).toBe(15);
  },
  pageLimit: async () => {
    const rows = async (total: number): Promise<number> =>
      list(await client.send(`/api/deal/get_page?login=1001&from=0&to=4000000000&offset=0&total=${total}`)).length;
    expect(await rows(1000)).toBe(100);
    simulator.switch({ pageLimit: 120 });
    expect([await rows(1000), await rows(7)]).toEqual([120, 7]);
  },
  mostObjects: async () => {
    const deals = '/api/deal/get_batch?login=1001,1002&from=0';
    simulator.switch({ mostObjects: 7 });
    const cut = await client.send(deals);
    expect([Object(cut.json)['retcode'], list(cut).length]).toEqual(['14 Operation has not been completed', 7]);
    simulator.switch({ mostObjects: 5000 });
    expect(list(await client.send(deals)).length).toBeGreaterThan(1000);
  },
  mostUsers: async () => {
    const accounts = '/api/user/account/get_batch?group=*';
    expect(list(await client.send(accounts)).length).toBeGreaterThan(99);
    simulator.switch({ mostUsers: 10 });
    const cut = await client.send(accounts);
    expect([Object(cut.json)['retcode'], list(cut).length]).toEqual(['14 Operation has not been completed', 10]);
  },
  emptyResult: async () => {
    const none = '/api/deal/get_page?login=1001&from=1&to=2&offset=0&total=10';
    expect((await client.send(none)).text).toBe('{"retcode":"0 Done","answer":[]}');
    simulator.switch({ emptyResult: '13' });
    expect((await client.send(none)).text).toBe('{"retcode":"13 Not found"}');
  },
  userAddLogin: async () => {
    const added = await addUser('Passw0rd!');
    const login = String(Object(added.json?.['answer'])['Login']);
    expect(added.json).toMatchObject({ retcode: '0 Done', login });
    simulator.switch({ userAddLogin: 'answer' });
    const other = await addUser('Passw0rd!');
    expect(other.json).not.toHaveProperty('login');
    expect(Number(Object(other.json?.['answer'])['Login'])).toBe(Number(login) + 1);
  },
  passwordPolicy: async () => {
    expect((await addUser('Passw0rdd')).text).toBe('{"retcode":"3006 Invalid account password"}');
    simulator.switch({ passwordPolicy: 'two-of-three' });
    expect((await addUser('Passw0rdd')).retcode).toBe(0);
    expect((await addUser('password')).retcode).toBe(3006);
  },
  modifyFlags: async () => {
    const order = async (): Promise<object> => list(await client.send('/api/order/get_batch?group=*'))[0] ?? {};
    expect(await order()).toHaveProperty('ModificationFlags');
    simulator.switch({ modifyFlags: 'ModifyFlags' });
    expect(await order()).toHaveProperty('ModifyFlags');
    expect(await order()).not.toHaveProperty('ModificationFlags');
  },
  apiDataUnsigned: async () => {
    const cells = async (): Promise<string> => (await client.send('/api/position/get_batch?group=*')).text;
    expect(await cells()).toContain('"ValueUInt":"0"');
    simulator.switch({ apiDataUnsigned: 'ValueUint' });
    expect(await cells()).not.toContain('"ValueUInt"');
    expect(await cells()).toContain('"ValueUint":"0"');
  },
  optionsMode: async () => {
    const symbol = async (): Promise<unknown> => (await client.send('/api/symbol/get?symbol=EURUSD')).json?.['answer'];
    expect(await symbol()).toHaveProperty('OptionMode');
    simulator.switch({ optionsMode: 'OptionsMode' });
    expect(await symbol()).toHaveProperty('OptionsMode');
    expect(await symbol()).not.toHaveProperty('OptionMode');
  },
  historyBytes: async () => {
    const to = Math.floor(simulator.broker.clock.nowMs() / 1000);
    const chart = `/api/chart/get?symbol=EURUSD&from=${to - 7200}&to=${to}&data=dc`;
    expect((await client.send(chart)).retcode).toBe(0);
    simulator.switch({ historyBytes: 300 });
    const partial = await client.send(chart);
    expect(partial.retcode).toBe(14);
    const from = Number(/.*\[(\d+),/.exec(partial.text)?.[1]);
    expect(from).toBeGreaterThan(to - 7200);
    expect((await client.send(chart.replace(/from=\d+/, `from=${from}`))).text).toContain(`[[${from},`);
  },
  chartNotReady: async () => {
    const to = Math.floor(simulator.broker.clock.nowMs() / 1000);
    const chart = `/api/chart/get?symbol=GBPUSD&from=${to - 600}&to=${to}&data=do`;
    simulator.switch({ chartNotReady: 2 });
    const retcodes = [await client.send(chart), await client.send(chart), await client.send(chart)];
    expect(retcodes.map(({ retcode }) => retcode)).toEqual([1, 1, 0]);
  },
};

const addUser = (password: string): Promise<WireAnswer> =>
  client.send('/api/user/add', {
    method: 'POST',
    body: JSON.stringify({
      Group: 'demo\\forex',
      Name: 'Жук',
      Leverage: '100',
      PassMain: password,
      PassInvestor: 'Passw0rd!2',
    }),
  });

async function sendRequest(changes: Readonly<Record<string, string>> = {}): Promise<string> {
  const request = {
    Action: '200',
    Login: '1001',
    Symbol: 'EURUSD',
    Volume: '100',
    TypeFill: '0',
    Type: '0',
    Digits: '5',
  };
  const body = JSON.stringify({ ...request, ...changes });
  const { json } = await client.send('/api/dealer/send_request', { method: 'POST', body });
  return String(Object(json?.['answer'])['id']);
}

/** The result that carries the final status, when it is there. */
async function executed(id: string): Promise<string> {
  let text = '';
  await expect
    .poll(async () => {
      ({ text } = await client.send(`/api/dealer/get_request_result?id=${id}`));
      return text;
    })
    .toContain('"ResultRetcode"');
  return text;
}

const list = (answer: WireAnswer): readonly object[] => {
  const rows = answer.json?.['answer'];
  return Array.isArray(rows) ? rows : [];
};

describe('each switch, seen on the wire', () => {
  test.each(Object.keys(SWITCHES) as SwitchName[])('%s', async (name) => {
    await SEEN[name]();
  });
});
