/** Paid services of a login (mt5-webapi §3.8): what is on offer, and who has joined. */
import { textOf } from '../broker/symbols.ts';
import { done, refused, type Command, type CommandHandler, type CommandRequest } from '../command.ts';
import { nextOf } from './ordered-list.ts';
import { wireRecord } from './records-in.ts';
import { isRefusal, RETCODE, userOf } from './scope.ts';

/** 15000–15007: retcodes of subscriptions; this one says that there is no such service. */
const NO_SERVICE = 15_000;

const offers = ({ broker }: CommandRequest) => broker.world.records.offers;

/** Joins, leaves, asks: `login` and the service's name or number. */
function about(run: (request: CommandRequest, login: number, service: string) => ReturnType<CommandHandler>) {
  return (request: CommandRequest): ReturnType<CommandHandler> => {
    const user = userOf(request, request.parameters.integer('login'));
    if (isRefusal(user)) return user;
    const service = request.parameters.text('subscription') ?? request.parameters.text('id', 'ID');
    if (service === undefined || service === '') return refused(RETCODE.params);
    return offers(request).has(service) ? run(request, user.login, service) : refused(NO_SERVICE);
  };
}

const join = about((request, login, service) => {
  const { records } = request.broker.world;
  const at = String(request.broker.time.serverSeconds());
  const id = String(records.nextId());
  records.keep(records.subscriptions, `${login}|${service}`, {
    ID: id,
    Login: String(login),
    Subscription: service,
    Status: '1',
    JoinTime: at,
  });
  return done({ ID: id });
});

const cancel = about((request, login, service) =>
  request.broker.world.records.subscriptions.delete(`${login}|${service}`) ? done() : refused(RETCODE.notFound),
);

const exist = about((request, login, service) =>
  done({ Exist: request.broker.world.records.subscriptions.has(`${login}|${service}`) }),
);

const get: CommandHandler = (request) => {
  const user = userOf(request, request.parameters.integer('login'));
  if (isRefusal(user)) return user;
  const own = [...request.broker.world.records.subscriptions.values()];
  return done(own.filter((record) => record['Login'] === String(user.login)));
};

/** An offer is added, or changed; its name is `Name`. */
const put: CommandHandler = (request) => {
  const given = wireRecord(request.body);
  const name = given === undefined ? '' : textOf(given, 'Name');
  if (given === undefined || name === '') return refused(RETCODE.params);
  const record = { ...offers(request).get(name), ...given };
  return request.broker.world.records.keep(offers(request), name, record) ? done(record) : refused(RETCODE.error);
};

const remove: CommandHandler = (request) => {
  const name = request.parameters.text('name');
  if (name === undefined) return refused(RETCODE.params);
  return offers(request).delete(name) ? done() : refused(RETCODE.notFound);
};

const READ = ['RIGHT_ACC_READ'] as const;
const MANAGE = ['RIGHT_ACC_MANAGER'] as const;
const ADMIN = ['RIGHT_ADMIN'] as const;

export const subscriptionCommands: readonly Command[] = [
  { path: 'subscription/get', rights: READ, run: get },
  { path: 'subscription/exist', rights: READ, run: exist },
  { path: 'subscription/join', rights: MANAGE, run: join },
  { path: 'subscription/cancel', rights: MANAGE, run: cancel },
  { path: 'subscription/history/get', rights: READ, run: get },
  ...['add', 'update', 'config/add'].map((verb): Command => ({
    path: `subscription/${verb}`,
    rights: ADMIN,
    run: put,
  })),
  ...['delete', 'config/delete'].map((verb): Command => ({ path: `subscription/${verb}`, rights: ADMIN, run: remove })),
  {
    path: 'subscription/config/total',
    rights: READ,
    run: (request) => ({ retcode: 0, scalars: { Total: offers(request).size } }),
  },
  {
    path: 'subscription/config/next',
    rights: READ,
    run: (request) => nextOf(request, [...offers(request).values()], (record) => record),
  },
  {
    path: 'subscription/config/get',
    rights: READ,
    run: (request) => {
      const offer = offers(request).get(request.parameters.text('name') ?? '');
      return offer === undefined ? refused(RETCODE.notFound) : done(offer);
    },
  },
];
