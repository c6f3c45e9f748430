/** Users: add, replace, delete, passwords. */
import { newUser } from '../broker/clients.ts';
import { singleSeparators } from '../broker/masks.ts';
import { validPassword } from '../broker/passwords.ts';
import { USER_RIGHTS_DEFAULT, type User, type UserFields } from '../broker/records.ts';
import { done, refused, type Command, type CommandReply, type CommandRequest } from '../command.ts';
import { flatRecord } from './records-in.ts';
import { renderUser } from './render-users.ts';
import { isRefusal, RETCODE, seesGroup, userOf } from './scope.ts';

const CODE = {
  loginExhausted: 3002,
  loginProhibited: 3003,
  loginExists: 3004,
  suicide: 3005,
  invalidPassword: 3006,
  hasTrades: 3008,
  differentCurrency: 3010,
} as const;

const MOST_LEVERAGE = 500;
/** Longest texts; fields that are not here may have 64 characters. */
const LENGTHS: Readonly<Record<string, number>> = { Name: 128, Address: 128, TradeAccounts: 1024 };
const USUAL_LENGTH = 64;
/** Fields that only the server writes. */
const SYSTEM_FIELDS = ['Registration', 'LastAccess', 'LastPassChange', 'LastIP', 'CertSerialNumber'] as const;

/** Every text field, empty. */
const BLANK: UserFields = newUser(0, '', 0).fields;

const snake = (name: string): string => name.replaceAll(/(?<=[a-z])(?=[A-Z])/gu, '_').toLowerCase();

interface Given {
  readonly group: string;
  readonly leverage: number;
  readonly rights: number;
  readonly fields: UserFields;
}

/** The record in query and body over what there is before; the refusal for what is missing or does not fit. */
function givenUser(request: CommandRequest, before: UserFields): Given | CommandReply {
  const { parameters, body } = request;
  // A wrapper object around the record is refused, as is a body that is no object.
  if (body !== undefined && body !== '' && flatRecord(body) === undefined) return refused(RETCODE.params);
  const group = parameters.text('group');
  const leverage = parameters.integer('leverage');
  const rights = parameters.integer('rights') ?? USER_RIGHTS_DEFAULT;
  const fields = fieldsIn(request, before);
  if (fields === undefined) return refused(RETCODE.params);
  if (fields['Name'] === '')
    fields['Name'] = [fields['FirstName'], fields['LastName']].filter((part) => part !== '').join(' ');
  if (group === undefined || group === '' || fields['Name'] === '' || leverage === undefined)
    return refused(RETCODE.params);
  if (!(leverage >= 1 && leverage <= MOST_LEVERAGE) || Number.isNaN(rights)) return refused(RETCODE.params);
  const name = singleSeparators(group);
  if (!request.broker.world.books.groups.has(name) || !seesGroup(request.manager, name))
    return refused(RETCODE.permissions);
  return { group: name, leverage, rights, fields };
}

/** Texts of the request, those that are missing as before; undefined where one is too long and that is refused. */
function fieldsIn({ parameters, switches }: CommandRequest, before: UserFields): UserFields | undefined {
  const fields: UserFields = {};
  for (const name of Object.keys(BLANK)) {
    const value = parameters.text(snake(name), name) ?? parameters.text(name.toLowerCase(), name);
    const most = LENGTHS[name] ?? USUAL_LENGTH;
    if (value !== undefined && value.length > most && switches.longText === 'refuse') return undefined;
    fields[name] = value === undefined ? (before[name] ?? '') : value.slice(0, most);
  }
  return fields;
}

/** `user/update` with the login and whatever else: what is missing, and what is not right, stays as it is. */
function givenChange(request: CommandRequest, user: User): Given | CommandReply {
  const { parameters, body } = request;
  if (body !== undefined && body !== '' && flatRecord(body) === undefined) return refused(RETCODE.params);
  const fields = fieldsIn(request, user.fields);
  if (fields === undefined) return refused(RETCODE.params);
  if (fields['Name'] === '') fields['Name'] = user.fields['Name'] ?? '';
  const leverage = parameters.integer('leverage') ?? Number.NaN;
  const rights = parameters.integer('rights') ?? Number.NaN;
  const group = singleSeparators(parameters.text('group') ?? '');
  const isGroup = request.broker.world.books.groups.has(group) && seesGroup(request.manager, group);
  return {
    group: isGroup ? group : user.group,
    leverage: leverage >= 1 && leverage <= MOST_LEVERAGE ? leverage : user.leverage,
    rights: Number.isNaN(rights) ? user.rights : rights,
    fields,
  };
}

function passwordFits(request: CommandRequest, groupName: string, password: string | undefined): boolean {
  const group = request.broker.world.books.groups.get(groupName);
  return validPassword(password ?? '', request.switches.passwordPolicy, group?.passwordMinimum ?? 8);
}

/** A free login: the one asked for, or the next. */
function freeLogin(request: CommandRequest): number | CommandReply {
  const { books } = request.broker.world;
  const asked = request.parameters.integer('login') ?? 0;
  if (Number.isNaN(asked)) return refused(RETCODE.params);
  if (asked !== 0) {
    if (books.users.has(asked)) return refused(CODE.loginExists);
    return asked > books.lastLogin ? refused(CODE.loginProhibited) : asked;
  }
  const login = Math.max(...books.users.keys()) + 1;
  return login > books.lastLogin ? refused(CODE.loginExhausted) : login;
}

function add(request: CommandRequest): CommandReply {
  const given = givenUser(request, BLANK);
  if (isRefusal(given)) return given;
  const main = request.parameters.text('pass_main');
  const investor = request.parameters.text('pass_investor');
  if (main === undefined || investor === undefined) return refused(RETCODE.params);
  if (!passwordFits(request, given.group, main) || !passwordFits(request, given.group, investor))
    return refused(CODE.invalidPassword);
  const login = freeLogin(request);
  if (typeof login !== 'number') return login;
  const { broker, switches } = request;
  const user = broker.openAccount(login, given.group, given.leverage);
  const seconds = String(broker.time.serverSeconds());
  Object.assign(user.fields, given.fields, {
    Registration: seconds,
    LastPassChange: seconds,
    LastAccess: '0',
    LastIP: '',
  });
  user.rights = given.rights;
  user.passwords = { main, investor, api: '' };
  broker.mutations += 1;
  const answer = renderUser(user, broker.world, switches);
  return switches.userAddLogin === 'top' ? { retcode: 0, top: { login }, answer } : done(answer);
}

/** Of the whole record or of what is given, as the switch says. Money and what the server writes stay. */
function update(request: CommandRequest): CommandReply {
  const user = userOf(request, request.parameters.integer('login'));
  if (isRefusal(user)) return user;
  const isPartial = request.switches.userUpdate === 'partial';
  const given = isPartial ? givenChange(request, user) : givenUser(request, BLANK);
  if (isRefusal(given)) return given;
  const { books } = request.broker.world;
  const [before, after] = [books.groups.get(user.group), books.groups.get(given.group)];
  if (before === undefined || after === undefined) return refused(RETCODE.permissions);
  if (before.currency !== after.currency || before.currencyDigits !== after.currencyDigits)
    return refused(CODE.differentCurrency);
  // Netting and hedging keep positions differently.
  if (before.hedging !== after.hedging && books.positions.of(user.login).length > 0) return refused(CODE.hasTrades);
  const kept = Object.fromEntries(SYSTEM_FIELDS.map((name) => [name, user.fields[name] ?? '']));
  user.group = given.group;
  user.leverage = given.leverage;
  user.rights = given.rights;
  user.fields = { ...given.fields, ...kept };
  books.touch(user.login);
  request.broker.mutations += 1;
  return done(renderUser(user, request.broker.world, request.switches));
}

function remove(request: CommandRequest): CommandReply {
  const user = userOf(request, request.parameters.integer('login'));
  if (isRefusal(user)) return user;
  if (user.login === request.manager.login) return refused(CODE.suicide);
  const { books } = request.broker.world;
  if (books.positions.of(user.login).length > 0 || books.orders.of(user.login).length > 0)
    return refused(CODE.hasTrades);
  books.users.delete(user.login);
  books.version += 1;
  request.broker.mutations += 1;
  return done();
}

type PasswordKind = keyof User['passwords'];
const KINDS: readonly PasswordKind[] = ['main', 'investor', 'api'];

/** `login`, `type` and `password`. */
function passwordRequest(
  request: CommandRequest,
): { readonly user: User; readonly kind: PasswordKind; readonly password: string } | CommandReply {
  const user = userOf(request, request.parameters.integer('login'));
  if (isRefusal(user)) return user;
  const type = (request.parameters.text('type') ?? '').toLowerCase();
  const kind = KINDS.find((candidate) => candidate === type);
  const password = request.parameters.text('password');
  return kind === undefined || password === undefined || password === ''
    ? refused(RETCODE.params)
    : { user, kind, password };
}

function checkPassword(request: CommandRequest): CommandReply {
  const asked = passwordRequest(request);
  if (isRefusal(asked)) return asked;
  return asked.user.passwords[asked.kind] === asked.password ? done() : refused(CODE.invalidPassword);
}

function changePassword(request: CommandRequest): CommandReply {
  const asked = passwordRequest(request);
  if (isRefusal(asked)) return asked;
  const { user, kind, password } = asked;
  if (!passwordFits(request, user.group, password)) return refused(CODE.invalidPassword);
  user.passwords[kind] = password;
  user.fields['LastPassChange'] = String(request.broker.time.serverSeconds());
  request.broker.world.books.touch(user.login);
  request.broker.mutations += 1;
  return done();
}

const MANAGE = ['RIGHT_ACC_MANAGER'] as const;

export const userChangeCommands: readonly Command[] = [
  { path: 'user/add', rights: MANAGE, run: add, mutates: true },
  { path: 'user/update', rights: MANAGE, run: update, mutates: true },
  { path: 'user/delete', rights: ['RIGHT_ACC_DELETE'], run: remove, mutates: true },
  { path: 'user/check_password', rights: ['RIGHT_ACC_READ'], run: checkPassword },
  { path: 'user/change_password', rights: MANAGE, run: changePassword, mutates: true },
];
