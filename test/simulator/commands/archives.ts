/**
 * Archives, backups, certificates and one-time secrets of accounts (mt5-webapi §3.3, §3.6). One backup is kept: the books
 * as they were at the last midnight of the server.
 */
import type { User } from '../broker/records.ts';
import {
  done,
  refused,
  type Command,
  type CommandHandler,
  type CommandReply,
  type CommandRequest,
} from '../command.ts';
import { wireRecord } from './records-in.ts';
import { renderUser } from './render-users.ts';
import { isRefusal, numbersOf, RETCODE, seesGroup, userOf, usersAsked } from './scope.ts';
import { type Kind, KINDS, type Row } from './trade-reads.ts';

const HAS_TRADES = 3008;
const DAY_MS = 86_400_000;

const midnightMs = (request: CommandRequest): number => {
  const nowMs = request.broker.time.serverMs();
  return nowMs - (nowMs % DAY_MS);
};

const backupName = (request: CommandRequest): string =>
  new Date(midnightMs(request)).toISOString().slice(0, 10).replaceAll('-', '.');

const backupList: CommandHandler = (request) =>
  done([{ Backup: backupName(request), Time: String(Math.floor(midnightMs(request) / 1000)) }]);

/** The name of a backup may be left out: there is but one. */
function hasBackup(request: CommandRequest): boolean {
  const asked = request.parameters.text('backup');
  return asked === undefined || asked === '' || asked === backupName(request);
}

const user = (request: CommandRequest): User | CommandReply => userOf(request, request.parameters.integer('login'));
const rendered = (request: CommandRequest, account: User): object =>
  renderUser(account, request.broker.world, request.switches);

/** Out of the accounts, into the archive. */
const archiveAdd: CommandHandler = (request) => {
  const account = user(request);
  if (isRefusal(account)) return account;
  const { books, archive } = request.broker.world;
  if (books.positions.of(account.login).length > 0 || books.orders.of(account.login).length > 0)
    return refused(HAS_TRADES);
  books.users.delete(account.login);
  books.version += 1;
  archive.set(account.login, account);
  request.broker.mutations += 1;
  return done();
};

/** Those of the logins asked for that are in the archive. */
function archived(request: CommandRequest): User[] | CommandReply {
  const logins = numbersOf(request.parameters.text('login') ?? '');
  if (logins === undefined) return refused(RETCODE.params);
  const { archive } = request.broker.world;
  return logins.flatMap((login) => {
    const account = archive.get(login);
    return account !== undefined && seesGroup(request.manager, account.group) ? [account] : [];
  });
}

const archiveGet: CommandHandler = (request) => {
  const accounts = archived(request);
  if (isRefusal(accounts)) return accounts;
  const [account] = accounts;
  return account === undefined ? refused(RETCODE.notFound) : done(rendered(request, account));
};

const archiveBatch: CommandHandler = (request) => {
  const accounts = archived(request);
  return isRefusal(accounts) ? accounts : done(accounts.map((account) => rendered(request, account)));
};

/** Out of the archive again; the body is the record, or `login` names it. */
const restore: CommandHandler = (request) => {
  const login = request.parameters.integer('login');
  if (login === undefined || Number.isNaN(login)) return refused(RETCODE.params);
  const { books, archive } = request.broker.world;
  const account = archive.get(login);
  if (account === undefined) return refused(books.users.has(login) ? 3004 : RETCODE.notFound);
  if (!seesGroup(request.manager, account.group)) return refused(RETCODE.permissions);
  archive.delete(login);
  books.users.set(login, account);
  books.version += 1;
  request.broker.mutations += 1;
  return done(rendered(request, account));
};

const userBackup =
  (isBatch: boolean): CommandHandler =>
  (request) => {
    if (!hasBackup(request)) return refused(RETCODE.notFound);
    if (!isBatch) {
      const account = user(request);
      return isRefusal(account) ? account : done(rendered(request, account));
    }
    const accounts = usersAsked(request);
    return isRefusal(accounts) ? accounts : done(accounts.map((account) => rendered(request, account)));
  };

/** Rows of one login as they were at midnight. */
const tradeBackup =
  <R extends Row>(kind: Kind<R>, sinceMs: (row: R) => number): CommandHandler =>
  (request) => {
    if (!hasBackup(request)) return refused(RETCODE.notFound);
    const accounts = usersAsked(request);
    if (isRefusal(accounts)) return accounts;
    const untilMs = midnightMs(request);
    const { world } = request.broker;
    const rows = accounts.flatMap(({ login }) =>
      kind
        .ledger(world)
        .of(login)
        .filter((row) => sinceMs(row) < untilMs),
    );
    return done(rows.map((row) => kind.render(row, world, request.switches)));
  };

/** Nothing of a backup is lost here, so nothing is put back: what is named must be there. */
const tradeRestore =
  <R extends Row>(kind: Kind<R>): CommandHandler =>
  (request) => {
    const tickets = numbersOf(request.parameters.text('ticket') ?? '');
    if (tickets === undefined) return refused(RETCODE.params);
    const ledger = kind.ledger(request.broker.world);
    return tickets.every((ticket) => ledger.get(ticket) !== undefined) ? done() : refused(RETCODE.notFound);
  };

function tradeBackups<R extends Row>(kind: Kind<R>, sinceMs: (row: R) => number): Command[] {
  const path = `${kind.name}/backup`;
  return [
    { path: `${path}/list`, rights: ['RIGHT_TRADES_READ'], run: backupList },
    { path: `${path}/get`, rights: ['RIGHT_TRADES_READ'], run: tradeBackup(kind, sinceMs) },
    { path: `${path}/restore`, rights: ['RIGHT_TRADES_MANAGER'], run: tradeRestore(kind) },
  ];
}

const certificates: Readonly<Record<string, CommandHandler>> = {
  get: (request) => {
    const account = user(request);
    if (isRefusal(account)) return account;
    const certificate = request.broker.world.records.certificates.get(account.login);
    return certificate === undefined ? refused(RETCODE.notFound) : done(certificate);
  },
  update: (request) => {
    const account = user(request);
    if (isRefusal(account)) return account;
    const given = wireRecord(request.body) ?? { Certificate: request.parameters.text('certificate') ?? '' };
    const { records } = request.broker.world;
    records.keep(records.certificates, account.login, { ...given, Login: String(account.login), Confirmed: '0' });
    return done();
  },
  confirm: (request) => {
    const account = user(request);
    if (isRefusal(account)) return account;
    const { certificates: kept } = request.broker.world.records;
    const certificate = kept.get(account.login);
    if (certificate === undefined) return refused(RETCODE.notFound);
    kept.set(account.login, { ...certificate, Confirmed: '1' });
    return done();
  },
  delete: (request) => {
    const account = user(request);
    if (isRefusal(account)) return account;
    return request.broker.world.records.certificates.delete(account.login) ? done() : refused(RETCODE.notFound);
  },
};

const otpGet: CommandHandler = (request) => {
  const account = user(request);
  if (isRefusal(account)) return account;
  return done({ Login: account.login, OTPSecret: request.broker.world.records.otpSecrets.get(account.login) ?? '' });
};

const otpSet: CommandHandler = (request) => {
  const account = user(request);
  const secret = request.parameters.text('otp_secret', 'OTPSecret');
  if (isRefusal(account)) return account;
  if (secret === undefined || secret.length > 64) return refused(RETCODE.params);
  request.broker.world.records.otpSecrets.set(account.login, secret);
  return done();
};

const READ = ['RIGHT_ACC_READ'] as const;
const MANAGE = ['RIGHT_ACC_MANAGER'] as const;
const msOf = ({ timeMsc }: { readonly timeMsc: number }): number => timeMsc;

export const archiveCommands: readonly Command[] = [
  { path: 'user/archive/add', rights: ['RIGHT_ACC_DELETE'], run: archiveAdd, mutates: true },
  { path: 'user/archive/get', rights: READ, run: archiveGet },
  { path: 'user/archive/get_batch', rights: READ, run: archiveBatch },
  { path: 'user/backup/list', rights: READ, run: backupList },
  { path: 'user/backup/get', rights: READ, run: userBackup(false) },
  { path: 'user/backup/get_batch', rights: READ, run: userBackup(true) },
  { path: 'user/restore', rights: MANAGE, run: restore, mutates: true },
  // No account here comes from outside.
  { path: 'user/sync_external', rights: MANAGE, run: () => refused(RETCODE.notFound) },
  ...Object.entries(certificates).map(([verb, run]): Command => ({
    path: `user/certificate/${verb}`,
    rights: verb === 'get' ? READ : MANAGE,
    run,
  })),
  { path: 'user/otp_secret/get', rights: MANAGE, run: otpGet },
  { path: 'user/otp_secret/set', rights: MANAGE, run: otpSet },
  ...tradeBackups(KINDS.order, ({ timeSetupMsc }) => timeSetupMsc),
  ...tradeBackups(KINDS.deal, msOf),
  ...tradeBackups(KINDS.position, ({ timeCreateMsc }) => timeCreateMsc),
];
