/** The accounts that may try to sign in, with what is wrong with those that may not. README.md lists them. */
import type { Manager, ManagerRight } from './command.ts';
import { passwordHash } from './sign-in.ts';

export interface Account {
  readonly manager: Manager;
  readonly passwordHash: Buffer;
  /** Return code that its auth/start is answered with. */
  readonly refusal?: number;
}

const ALL_RIGHTS: readonly ManagerRight[] = [
  'RIGHT_MANAGER',
  'RIGHT_ADMIN',
  'RIGHT_CFG_GROUPS',
  'RIGHT_CFG_SYMBOLS',
  'RIGHT_CFG_TIME',
  'RIGHT_CHARTS',
  'RIGHT_EMAIL',
  'RIGHT_NEWS',
  'RIGHT_NOTIFICATIONS',
  'RIGHT_ACCOUNTANT',
  'RIGHT_ACC_READ',
  'RIGHT_ACC_DETAILS',
  'RIGHT_ACC_MANAGER',
  'RIGHT_ACC_DELETE',
  'RIGHT_TRADES_READ',
  'RIGHT_TRADES_MANAGER',
  'RIGHT_TRADES_DEALER',
  'RIGHT_TRADES_DELETE',
  'RIGHT_REPORTS',
  'RIGHT_CLIENTS_ACCESS',
  'RIGHT_CLIENTS_EDIT',
];

const READ_RIGHTS: readonly ManagerRight[] = [
  'RIGHT_MANAGER',
  'RIGHT_CFG_GROUPS',
  'RIGHT_CFG_SYMBOLS',
  'RIGHT_CHARTS',
  'RIGHT_ACC_READ',
  'RIGHT_ACC_DETAILS',
  'RIGHT_TRADES_READ',
  'RIGHT_REPORTS',
];

const hash = passwordHash('Password1');

const account = (
  login: number,
  rights: readonly ManagerRight[],
  options: { readonly groups?: string; readonly refusal?: number } = {},
): [number, Account] => [
  login,
  {
    manager: { login, rights: new Set(rights), groups: options.groups ?? '*' },
    passwordHash: hash,
    ...(options.refusal === undefined ? {} : { refusal: options.refusal }),
  },
];

/** All have the API password `Password1`. Logins that are not here are `1001 Invalid account`. */
export const ACCOUNTS: ReadonlyMap<number, Account> = new Map([
  account(1000, ALL_RIGHTS),
  account(999, READ_RIGHTS),
  account(998, ['RIGHT_MANAGER']),
  account(997, ALL_RIGHTS, { groups: 'demo\\*,!demo\\closed*' }),
  account(996, ALL_RIGHTS, { refusal: 1002 }),
  account(995, ALL_RIGHTS, { refusal: 1011 }),
  account(994, ALL_RIGHTS, { refusal: 1012 }),
  account(993, ALL_RIGHTS, { refusal: 1034 }),
  account(992, ALL_RIGHTS, { refusal: 1024 }),
]);
