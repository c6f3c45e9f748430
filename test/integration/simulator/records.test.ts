import { afterAll, beforeAll, expect, test } from 'vitest';
import { CONFIGURATION_KEYS } from '../../simulator/broker/record-room.ts';
import { archiveCommands } from '../../simulator/commands/archives.ts';
import { clientPaperCommands } from '../../simulator/commands/client-papers.ts';
import { configurationCommands } from '../../simulator/commands/configuration.ts';
import { subscriptionCommands } from '../../simulator/commands/subscriptions.ts';
import { type Simulator, startSimulator } from '../../simulator/server.ts';
import { Mt5Client } from '../../support/mt5-client.ts';

let simulator: Simulator;
let manager: Mt5Client;
let rightless: Mt5Client;
beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 0 });
  manager = new Mt5Client(simulator);
  rightless = new Mt5Client(simulator);
  await manager.signIn(1000);
  await rightless.signIn(998);
});
afterAll(async () => {
  manager.close();
  rightless.close();
  await simulator.close();
});

/** The answer, with the retcode in front. */
async function ask(path: string, query = '', body?: unknown): Promise<[number | undefined, unknown]> {
  const target = `/api/${path}${query === '' ? '' : `?${query}`}`;
  const reply = await manager.send(target, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) });
  return [reply.retcode, reply.json?.['answer']];
}

test('each command needs its right, answers a JSON retcode, and without parameters changes no account', async () => {
  const before = JSON.stringify(simulator.books());
  for (const { path } of [archiveCommands, clientPaperCommands, configurationCommands, subscriptionCommands].flat()) {
    const refused = await rightless.send(`/api/${path}`);
    expect([path, refused.status, refused.retcode]).toEqual([path, 200, 8]);
    const [retcode] = await ask(path);
    expect([path, retcode]).toEqual([path, expect.any(Number)]);
  }
  expect(JSON.stringify(simulator.books())).toBe(before);
});

test.each(Object.entries(CONFIGURATION_KEYS))(
  '%s: added, read by name and by place, moved, deleted',
  async (kind, key) => {
    const total = async (): Promise<number> => Number((await ask(`${kind}/total`))[1]?.['total' as never]);
    const before = await total();
    const record = { [key]: '4711', Comment: 'of a test', Rights: ['1', '2'] };
    expect(await ask(`${kind}/add`, '', record)).toEqual([0, record]);
    expect(await total()).toBe(before + 1);
    expect(await ask(`${kind}/get`, `${key.toLowerCase()}=4711`)).toEqual([0, record]);
    expect(await ask(`${kind}/next`, `index=${before}`)).toEqual([0, record]);
    expect(await ask(`${kind}/add`, '', { [key]: '4711', Comment: 'changed' })).toEqual([
      0,
      { ...record, Comment: 'changed' },
    ]);
    expect(await ask(`${kind}/shift`, `index=${before}&shift=-9`)).toEqual([0, undefined]);
    expect((await ask(`${kind}/next`, 'index=0'))[1]).toMatchObject({ [key]: '4711' });
    expect(await ask(`${kind}/delete`, `${key.toLowerCase()}=4711`)).toEqual([0, undefined]);
    expect(await ask(`${kind}/get`, `${key.toLowerCase()}=4711`)).toEqual([13, undefined]);
    expect(await total()).toBe(before);
  },
);

test('managers, gateways and their modules are there from the first', async () => {
  expect((await ask('manager/get', 'login=1000'))[1]).toMatchObject({ Login: '1000', Groups: ['*'] });
  expect((await ask('gateway/module/next', 'index=0'))[1]).toMatchObject({ Module: 'SimGateway64.exe' });
});

test('settings: set, read, deleted', async () => {
  expect(await ask('setting/get', 'section=crm&key=colour')).toEqual([13, undefined]);
  expect(await ask('setting/set', 'section=crm&key=colour&value=blue')).toEqual([0, undefined]);
  expect(await ask('setting/get', 'section=crm&key=colour')).toEqual([
    0,
    { Section: 'crm', Key: 'colour', Value: 'blue' },
  ]);
  expect(await ask('setting/delete', 'section=crm&key=colour')).toEqual([0, undefined]);
});

test('a client has papers and accounts, and a history', async () => {
  const [, client] = (await ask('client/add', '', { PersonName: 'Ada', PersonLastName: 'Ольгівна' })) as [
    number,
    { RecordID: string },
  ];
  const id = client.RecordID;
  expect(await ask('client/get', `id=${id}`)).toEqual([0, [client]]);
  expect((await ask('client/get_ids'))[1]).toContain(id);
  expect((await ask('client/update', '', { RecordID: id, PersonName: 'Eva' }))[1]).toMatchObject({
    PersonName: 'Eva',
    PersonLastName: 'Ольгівна',
  });
  expect((await ask('client/history/get', `id=${id}`))[1]).toMatchObject([
    { PersonName: 'Ada' },
    { PersonName: 'Eva' },
  ]);

  for (const kind of ['document', 'comment', 'attachment']) {
    const [, paper] = (await ask(`${kind}/add`, '', { RelatedClient: id, Text: kind })) as [
      number,
      { RecordID: string },
    ];
    expect(await ask(`${kind}/get`, `related_client=${id}`)).toEqual([0, [paper]]);
    expect(await ask(`${kind}/delete`, `id=${paper.RecordID}`)).toEqual([0, undefined]);
    expect(await ask(`${kind}/add`, '', { RelatedClient: '99999' })).toEqual([13, undefined]);
  }

  expect(await ask('client/user/add', `client=${id}&login=1001`)).toEqual([0, undefined]);
  expect(await ask('client/user/get_logins', `client=${id}`)).toEqual([0, ['1001']]);
  expect((await ask('user/get', 'login=1001'))[1]).toMatchObject({ ClientID: id });
  expect(await ask('client/user/delete', `client=${id}&login=1001`)).toEqual([0, undefined]);
  expect(await ask('client/delete', `id=${id}`)).toEqual([0, undefined]);
  expect(await ask('client/get', `id=${id}`)).toEqual([13, undefined]);
});

test('an account goes to the archive and comes back as it was', async () => {
  const record = { PassMain: 'Secret12!', PassInvestor: 'Secret34!', Group: 'demo\\forex', Name: 'A', Leverage: '10' };
  const added = await manager.send('/api/user/add', { method: 'POST', body: JSON.stringify(record) });
  const login = String(added.json?.['login']);
  const [, user] = await ask('user/get', `login=${login}`);
  expect(await ask('user/archive/add', 'login=1001')).toEqual([3008, undefined]);
  expect(await ask('user/archive/add', `login=${login}`)).toEqual([0, undefined]);
  expect((await ask('user/get', `login=${login}`))[0]).toBe(13);
  expect(await ask('user/archive/get', `login=${login}`)).toEqual([0, user]);
  expect(await ask('user/archive/get_batch', `login=${login},77777`)).toEqual([0, [user]]);
  expect(await ask('user/restore', `login=${login}`)).toEqual([0, user]);
  expect(await ask('user/get', `login=${login}`)).toEqual([0, user]);
});

test('backups hold what was there at midnight; certificates and one-time secrets are kept', async () => {
  const [, [backup]] = (await ask('deal/backup/list')) as [number, [{ Backup: string; Time: string }]];
  const [, deals] = (await ask('deal/backup/get', `backup=${backup.Backup}&login=1001`)) as [
    number,
    { Time: string }[],
  ];
  expect(deals.length).toBeGreaterThan(0);
  expect(deals.filter(({ Time }) => Number(Time) >= Number(backup.Time))).toEqual([]);
  expect((await ask('deal/backup/get', 'backup=1999.01.01&login=1001'))[0]).toBe(13);
  expect((await ask('user/backup/get', 'login=1001'))[1]).toMatchObject({ Login: '1001' });

  expect((await ask('user/certificate/get', 'login=1001'))[0]).toBe(13);
  expect((await ask('user/certificate/update', 'login=1001', { Certificate: 'MIIB' }))[0]).toBe(0);
  expect((await ask('user/certificate/confirm', 'login=1001'))[0]).toBe(0);
  expect((await ask('user/certificate/get', 'login=1001'))[1]).toMatchObject({ Certificate: 'MIIB', Confirmed: '1' });
  expect((await ask('user/otp_secret/set', 'login=1001&otp_secret=ABCD'))[0]).toBe(0);
  expect((await ask('user/otp_secret/get', 'login=1001'))[1]).toEqual({ Login: '1001', OTPSecret: 'ABCD' });
});

test('a login joins a paid service and leaves it', async () => {
  const asked = 'login=1001&subscription=Signals';
  expect(await ask('subscription/join', asked)).toEqual([15_000, undefined]);
  expect((await ask('subscription/add', '', { Name: 'Signals', Fee: '10.00' }))[0]).toBe(0);
  expect((await ask('subscription/join', asked))[0]).toBe(0);
  expect((await ask('subscription/exist', asked))[1]).toEqual({ Exist: '1' });
  expect((await ask('subscription/get', 'login=1001'))[1]).toMatchObject([{ Subscription: 'Signals' }]);
  expect((await ask('subscription/cancel', asked))[0]).toBe(0);
  expect((await ask('subscription/exist', asked))[1]).toEqual({ Exist: '0' });
});

test('a path is found without regard to case', async () => {
  expect((await manager.send('/api/User/get?login=1001')).retcode).toBe(0);
});
