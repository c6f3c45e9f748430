/** The clients of the simulated broker, 1001 upwards, and the manager's own account. */
import { DAY_MS } from './calendar.ts';
import { PEOPLE } from './client-names.ts';
import type { Random } from './random.ts';
import { USER_RIGHT, USER_RIGHTS_DEFAULT, type User, type UserFields } from './records.ts';

export const FIRST_CLIENT = 1001;
/** As many have years of deals; of any beyond them a tenth hold positions, and all have a first deposit. */
export const CLIENTS = 100;
/** New accounts need logins too: `Books.lastLogin`. */
export const MOST_CLIENTS = 90_000;
/** Beyond the first hundred: every tenth of them, so that a tenth of a large book is exposed. */
export const isExposed = (login: number): boolean => login % 10 === 1;

const GROUPS = [
  'real\\hedge-usd',
  'real\\netting-usd',
  'demo\\forex',
  'real\\hedge-eur',
  'demo\\netting',
  'real\\pro-netting-eur',
  'demo\\forex-jpy',
  'demo\\forex',
] as const;

/** Accounts with something special, for whoever tests against them. README.md of the simulator lists them. */
export const SPECIAL = {
  disabled: 1050,
  tradeDisabled: 1060,
  readOnly: 1070,
  closedGroup: 1080,
  /** No money, no trades, no history. */
  empty: 1090,
} as const;
/** Logins whose deals take many pages. */
export const BUSY_LOGINS: readonly number[] = [1001, 1002, 1003];

const LEVERAGES = [100, 200, 100, 50, 500, 30, 25, 100] as const;

function rightsOf(login: number): number {
  const usual = USER_RIGHTS_DEFAULT | USER_RIGHT.confirmed;
  switch (login) {
    case SPECIAL.disabled:
      return usual & ~USER_RIGHT.enabled;
    case SPECIAL.tradeDisabled:
      return usual | USER_RIGHT.tradeDisabled;
    case SPECIAL.readOnly:
      return usual | USER_RIGHT.readOnly;
    default:
      return usual;
  }
}

/** Every text field of a user record, empty. */
function blankFields(): UserFields {
  return {
    CertSerialNumber: '0',
    MQID: '',
    Registration: '0',
    LastAccess: '0',
    LastPassChange: '0',
    LastIP: '',
    Name: '',
    FirstName: '',
    LastName: '',
    MiddleName: '',
    Company: '',
    Account: '',
    Country: '',
    Language: '0',
    ClientID: '0',
    City: '',
    State: '',
    ZipCode: '',
    Address: '',
    Phone: '',
    Email: '',
    ID: '',
    Status: '',
    Comment: '',
    Color: '4278190080',
    PhonePassword: '',
    Agent: '0',
    LimitPositions: '0',
    LimitOrders: '0',
    InterestRate: '0.00',
    CommissionDaily: '0.00',
    CommissionMonthly: '0.00',
    CommissionAgentDaily: '0.00',
    CommissionAgentMonthly: '0.00',
    TradeAccounts: '',
    LeadSource: '',
    LeadCampaign: '',
  };
}

export function newUser(login: number, group: string, leverage: number): User {
  return {
    login,
    group,
    rights: USER_RIGHTS_DEFAULT,
    leverage,
    balance: 0,
    credit: 0,
    balancePrevDay: 0,
    balancePrevMonth: 0,
    equityPrevDay: 0,
    equityPrevMonth: 0,
    fields: blankFields(),
    passwords: { main: '', investor: '', api: '' },
    stopOut: { activation: 0, timeMs: 0, level: 0, equity: 0, margin: 0 },
  };
}

/** One client; `startMs` is the server time at which the simulation starts. */
export function createClient(login: number, startMs: number, random: Random): User {
  const index = login - FIRST_CLIENT;
  const group = login === SPECIAL.closedGroup ? 'demo\\closed' : (GROUPS[index % GROUPS.length] ?? GROUPS[0]);
  const user = newUser(login, group, LEVERAGES[index % LEVERAGES.length] ?? 100);
  const who = PEOPLE[index % PEOPLE.length] ?? random.pick(PEOPLE);
  // The same person may hold several accounts; a number after the name tells them apart.
  const series = Math.floor(index / PEOPLE.length);
  const name = series === 0 ? who.name : `${who.name} ${series + 1}`;
  const registrationSeconds = Math.floor((startMs - random.integer(400, 1200) * DAY_MS) / 1000);
  const [first = '', ...rest] = who.name.split(' ');
  user.rights = rightsOf(login);
  user.passwords = { main: `Client${login}!`, investor: `Invest${login}!`, api: '' };
  Object.assign(user.fields, {
    Name: name,
    FirstName: first,
    LastName: rest.join(' '),
    MQID: random.integer(0, 0xffff_ffff).toString(16).toUpperCase().padStart(8, '0'),
    Registration: String(registrationSeconds),
    LastAccess: String(Math.floor(startMs / 1000) - random.integer(60, 400_000)),
    LastPassChange: String(registrationSeconds),
    LastIP: `192.0.2.${1 + (index % 250)}`,
    Country: who.country,
    City: who.city,
    Language: String(who.language),
    ZipCode: String(10_000 + random.integer(0, 89_999)),
    Address: `${random.integer(1, 200)} Market Street`,
    Phone: `+1 555 01${String(index).padStart(2, '0')}`,
    Email: `client${login}@example.com`,
    ID: `ID-${login}`,
    Status: index % 10 === 0 ? 'VIP' : 'RE',
    LeadSource: index % 3 === 0 ? 'web' : 'partner',
  } satisfies UserFields);
  return user;
}

/** The account of the manager that signs in: it trades nothing. */
export function createManagerAccount(login: number, startMs: number): User {
  const user = newUser(login, 'managers\\administrators', 1);
  user.passwords = { main: `Manager${login}!`, investor: `Invest${login}!`, api: 'Password1' };
  Object.assign(user.fields, {
    Name: 'Web API Manager',
    Registration: String(Math.floor(startMs / 1000) - 1300 * 86_400),
    LastAccess: String(Math.floor(startMs / 1000)),
  } satisfies UserFields);
  return user;
}
