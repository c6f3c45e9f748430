import { ERRORS } from '../errors.ts';
import { CLOSE, topicEntry, type DataTopic } from '../frames.ts';
import { SETTINGS } from '../settings.ts';
import { commandRows } from './command-table.ts';
import { code, escape, prose, tableOf } from './html.ts';

/** The tables that pages show, each written from the table that the code itself uses. */

/** What each topic tells, for who subscribes to it. */
const TOPICS_IN_WORDS: Readonly<Record<DataTopic, { readonly names: string; readonly tells: string }>> = {
  ticks: { names: '"symbols":["EURUSD","Forex\\\\*"]', tells: 'The last price of each symbol.' },
  accounts: {
    names: '"groups":["real\\\\*","!real\\\\test*"]',
    tells: 'The money of each account; `event` `left` where it left the groups. `logins` or `groups`.',
  },
  positions: {
    names: '"logins":[1001]',
    tells: 'Positions, with `event` `opened`, `changed`, `closed`, or `left` with the account. `logins` or `groups`.',
  },
  orders: {
    names: '"logins":[1001]',
    tells:
      'Open orders, with `event` `placed`, `changed`, `removed`, or `left` with the account. `logins` or `groups`.',
  },
  deals: { names: '"groups":["real\\\\*"]', tells: 'Each deal, once. `logins` or `groups`.' },
  equity: {
    names: '"groups":["real\\\\*"],"marginLevelBelow":100,"drawdownAbove":"5"',
    tells:
      'Accounts that cross a bound (percent; `drawdownAbove` is lost since the day’s start): `event` `entered`, `changed` ' +
      'or `left`, `login`, `crossed` (`marginLevel`, `drawdown`), `equity`, `margin`, `marginLevel`, `equityPreviousDay`, ' +
      '`drawdown`, `drawdownPercent`. The snapshot shows who is beyond one. `logins` or `groups`; one bound at least.',
  },
};
const BEHIND = {
  latest: 'the latest of each',
  snapshot: 'the latest of each, or a `gap` and a snapshot',
  every: 'every one, or the end of the connection',
} as const;

export function topicTable(): string {
  const rows = Object.entries(TOPICS_IN_WORDS).map(([topic, { names, tells }]) => [
    code(topic),
    code(`{"op":"subscribe","topic":"${topic}",${names}}`),
    prose(tells),
    prose(BEHIND[topicEntry(topic as DataTopic).behind]),
  ]);
  return tableOf(['topic', 'subscribe', 'tells', 'a slow client gets'], rows);
}

export function closeCodeTable(): string {
  const rows = Object.entries(CLOSE).map(([name, close]) => [code(String(close.code)), name, escape(close.means)]);
  return tableOf(['code', 'name', 'meaning'], rows);
}

const WHERE = { everywhere: '', vps: 'VPS', worker: 'Worker' } as const;

export function settingTable(): string {
  const rows = SETTINGS.map((setting) => [
    code(setting.name),
    setting.default === null ? 'required' : setting.default === '' ? '–' : code(setting.default),
    WHERE[setting.where],
    prose(
      setting.secret
        ? `${setting.meaning}. On a server also as a file, named by \`${setting.name}_FILE\``
        : setting.meaning,
    ),
  ]);
  return tableOf(['name', 'default', 'only', 'meaning'], rows);
}

/** Where a guide's table has the row of an error code. */
export const errorAnchor = (name: string): string => `error-${name}`;

export function errorTable(): string {
  const rows = Object.entries(ERRORS).map(([name, { status, title, retry, outcome }]) => [
    `<code id="${errorAnchor(name)}">${name}</code>`,
    String(status),
    escape(title),
    retry,
    outcome,
  ]);
  return tableOf(['code', 'status', 'meaning', 'retry', 'outcome'], rows);
}

export function commandTable(): string {
  const rows = commandRows().map(({ command, routes, passthrough, why }) => [
    code(command),
    routes.map(({ id, method, path }) => `<a href="/docs#${id}">${method} ${escape(path)}</a>`).join('<br>'),
    passthrough === undefined ? '' : code(passthrough),
    prose(why ?? ''),
  ]);
  return tableOf(['command', 'typed route', 'passed through, scope', 'neither, since'], rows);
}

/** `<!-- table: errors -->` in a guide. */
export const TABLES: Readonly<Record<string, () => string>> = {
  errors: errorTable,
  settings: settingTable,
  topics: topicTable,
  'close-codes': closeCodeTable,
  commands: commandTable,
};
