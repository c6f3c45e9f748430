/** Users and accounts: reads. */
import { totalsOf } from '../broker/verify-books.ts';
import { decimal } from '../broker/money.ts';
import type { User } from '../broker/records.ts';
import {
  done,
  refused,
  type Command,
  type CommandHandler,
  type CommandReply,
  type CommandRequest,
} from '../command.ts';
import { listOf } from './long-list.ts';
import { accountText, userText } from './render-users.ts';
import { isRefusal, RETCODE, seesGroup, userOf, usersAsked, usersInMask } from './scope.ts';

/** A command about one client. */
function ofUser(run: (request: CommandRequest, user: User) => CommandReply): (request: CommandRequest) => CommandReply {
  return (request) => {
    const user = userOf(request, request.parameters.integer('login'));
    return isRefusal(user) ? user : run(request, user);
  };
}

/** A command about several, whose answer is an array. */
function ofUsers(render: (user: User, request: CommandRequest) => object): CommandHandler {
  return (request) => {
    const users = usersAsked(request);
    if (isRefusal(users)) return users;
    if (users.length === 0 && request.switches.emptyResult === '13') return refused(RETCODE.notFound);
    return listOf(users, (user) => render(user, request), request.switches.mostUsers);
  };
}

const userGet = ofUser((request, user) => done(userText(user, request.broker.world, request.switches)));
const accountGet = ofUser((request, user) => done(accountText(user, request.broker.world)));

/** The balance of the record and that of the history; `fixflag=1` writes the history's into the record. */
const checkBalance = ofUser((request, user) => {
  const { world } = request.broker;
  const fix = request.parameters.text('fixflag') ?? '0';
  if (fix !== '0' && fix !== '1') return refused(RETCODE.params);
  const { currencyDigits } = world.books.groupOf(user);
  const money = (value: number): string => decimal(value, currencyDigits);
  const history = totalsOf(world.books.deals.of(user.login));
  const answer = {
    Balance: { User: money(user.balance), History: money(history.balance) },
    Credit: { User: money(user.credit), History: money(history.credit) },
  };
  if (fix === '1' && (user.balance !== history.balance || user.credit !== history.credit)) {
    user.balance = history.balance;
    user.credit = history.credit;
    world.books.touch(user.login);
    request.broker.mutations += 1;
  }
  return done(answer);
});

const total = ({ broker, manager }: CommandRequest): CommandReply => {
  let count = 0;
  for (const user of broker.world.books.users.values()) if (seesGroup(manager, user.group)) count += 1;
  return { retcode: 0, scalars: { Total: count } };
};

const logins = (request: CommandRequest): CommandReply => {
  const mask = request.parameters.text('group');
  if (mask === undefined || mask === '') return refused(RETCODE.params);
  const users = usersInMask(request, mask);
  if (users.length === 0 && request.switches.emptyResult === '13') return refused(RETCODE.notFound);
  return done(users.map(({ login }) => String(login)));
};

/** The user with that account in an outer system. */
const getExternal = (request: CommandRequest): CommandReply => {
  const account = request.parameters.text('account');
  if (account === undefined || account === '') return refused(RETCODE.params);
  const { world } = request.broker;
  const user = [...world.books.users.values()].find(({ fields }) => fields['Account'] === account);
  if (user === undefined) return refused(RETCODE.notFound);
  if (!seesGroup(request.manager, user.group)) return refused(RETCODE.permissions);
  return done(userText(user, world, request.switches));
};

const READ = ['RIGHT_ACC_READ'] as const;

export const userCommands: readonly Command[] = [
  { path: 'user/total', rights: READ, run: total },
  { path: 'user/logins', rights: READ, run: logins },
  { path: 'user/group', rights: READ, run: ofUser((_request, user) => done({ Group: user.group })) },
  { path: 'user/get', rights: READ, run: userGet },
  {
    path: 'user/get_batch',
    rights: READ,
    run: ofUsers((user, { broker, switches }) => userText(user, broker.world, switches)),
  },
  { path: 'user/get_external', rights: READ, run: getExternal },
  { path: 'user/account/get', rights: READ, run: accountGet },
  {
    path: 'user/account/get_batch',
    rights: READ,
    run: ofUsers((user, { broker }) => accountText(user, broker.world)),
  },
  { path: 'user/check_balance', rights: ['RIGHT_ACC_READ', 'RIGHT_ACCOUNTANT'], run: checkBalance, mutates: true },
];
