/**
 * The points on which sources about real servers disagree (mt5-webapi.md §8), and a few limits, each a named switch.
 * Defaults are the documented behaviour.
 */
type SwitchValue = string | number | boolean | readonly string[];
interface SwitchEntry<Value extends SwitchValue = SwitchValue> {
  readonly default: Value;
  /** The values it takes, the range of a number, or what a list holds. */
  readonly values: readonly Value[] | { readonly from: number; readonly to: number } | { readonly listOf: string };
  readonly meaning: string;
}

const choice = <const Value extends string | number | boolean>(
  values: readonly [Value, ...Value[]],
  meaning: string,
): SwitchEntry<Value> => ({ default: values[0], values, meaning });

const number = (initial: number, from: number, to: number, meaning: string): SwitchEntry<number> => ({
  default: initial,
  values: { from, to },
  meaning,
});

const list = (listOf: string, meaning: string): SwitchEntry<readonly string[]> => ({
  default: [],
  values: { listOf },
  meaning,
});

export const SWITCHES = {
  idleTimeoutSeconds: number(
    180,
    0.05,
    3600,
    'silence after which the server closes a connection: 180 by the ping page, 120 by the library pages',
  ),
  authWindowSeconds: number(10, 0.05, 3600, 'time between auth/start and auth/answer'),
  cookie: choice([false, true], 'auth/answer sets a cookie; it is never asked for'),
  scalarCasing: choice(
    ['lower', 'documented'],
    'total, ticket, id, time as live clients read them, or Total, Ticket, ID, Time as the documents print them',
  ),
  resultIds: choice(
    ['both', 'top', 'answer'],
    'where dealer/get_request_result puts the ids: beside retcode (documentation), under answer (what live clients read), or both, so that neither kind of client fails',
  ),
  unknownResultIds: choice(
    ['omit', '13'],
    'dealer/get_request_result leaves ids out that it does not know, or answers 13 where it knows none',
  ),
  userUpdate: choice(
    ['partial', 'whole'],
    'user/update needs the login alone and keeps the rest, a wrong value changes nothing; or it replaces the record',
  ),
  longText: choice(['trim', 'refuse'], 'names and comments that are too long are cut, or refused with 3'),
  totalZero: choice(['all', 'empty'], 'get_page with total=0: every row from the offset on, or none'),
  bookUntilSubscribed: choice(
    ['empty', 'full'],
    'book/get before book/subscribe on its connection: no levels, or all of them',
  ),
  missingCommands: list('paths like user/group', 'commands that this build does not have'),
  textOf10009: choice(['Request executed', 'Done'], 'text after the number 10009'),
  marketFlag: choice(
    ['market', 'priceOrder'],
    'a dealer request with TA_FLAG_MARKET executes at the market, or at the PriceOrder that it names',
  ),
  businessErrorStatus: choice(['200', '4xx'], 'HTTP status of an answer with a retcode that is not 0'),
  permissionAs403: choice(
    [false, true],
    'a command the manager has no right to is a bare HTTP 403 instead of retcode 8',
  ),
  badLoginForm: choice(['json', '403'], 'a refused auth/start: JSON with a retcode, or a bare HTTP 403'),
  wrongAnswer: choice(['close', 'keep'], 'the connection after a wrong srv_rand_answer'),
  secondSignInEndsFirst: choice([false, true], 'a sign-in ends the older sessions of the same manager'),
  unknownCommand: choice(['400', '404'], 'HTTP status of a command that does not exist'),
  pageLimit: number(100, 1, 10_000, 'most rows of a get_page'),
  mostObjects: number(
    5000,
    1,
    1_000_000,
    'most objects of an answer to masks or a batch; of more, so many come with 14',
  ),
  mostUsers: number(
    1_000_000,
    1,
    1_000_000,
    'the same of user/get_batch and user/account/get_batch, of which no source names a limit',
  ),
  emptyResult: choice(['array', '13'], 'pages and batches without rows: an empty array, or 13 Not found'),
  userAddLogin: choice(['top', 'answer'], 'user/add repeats the login beside retcode, or has it in the answer alone'),
  passwordPolicy: choice(
    ['four-classes', 'two-of-three'],
    'lower, upper, digit and special; or two of the first three',
  ),
  modifyFlags: choice(['ModificationFlags', 'ModifyFlags'], 'name of the field in orders'),
  apiDataUnsigned: choice(['ValueUInt', 'ValueUint'], 'name of the unsigned field in ApiData'),
  optionsMode: choice(['OptionMode', 'OptionsMode'], 'name of the field in symbols'),
  marginRates: choice(
    ['flat', 'nested'],
    'margin rates of a symbol: MarginInitialBuy … on the wire, or MarginRateInitial {Buy …} as in the classes',
  ),
  contentType: choice(['application/json', 'text/plain', 'text/html', 'none'], 'Content-Type of JSON answers'),
  acceptBody: choice(['any', 'form', 'json'], 'content types taken for a body; others are HTTP 415'),
  plusInQuery: choice(['space', 'plus'], 'what + stands for in a query; documented clients write %20'),
  requestsPerSecond: number(0, 0, 1_000_000, 'more from one connection are 12 Too frequent requests; 0 = no limit'),
  historyBytes: number(
    16 * 1024 * 1024,
    200,
    16 * 1024 * 1024,
    'size of a chart/get or tick/history answer; more is 14 and continues from the last row',
  ),
  chartNotReady: number(0, 0, 100, 'how often chart/get answers 1 (not ready, ask again) before a symbol is there'),
  outage: choice(['none', '10', '11', '15'], 'every command but the sign-in is answered with this retcode'),
} as const satisfies Record<string, SwitchEntry>;

export type SwitchName = keyof typeof SWITCHES;
type Widen<Value> = Value extends number ? number : Value extends readonly unknown[] ? readonly string[] : Value;
export type Switches = {
  -readonly [Name in SwitchName]: Widen<(typeof SWITCHES)[Name] extends SwitchEntry<infer Value> ? Value : never>;
};

export const defaultSwitches = (): Switches =>
  Object.fromEntries(Object.entries(SWITCHES).map(([name, entry]) => [name, entry.default])) as Switches;

/** What is wrong with `{name: value}`, or undefined. Numbers and booleans may be written as strings. */
export function setSwitches(switches: Switches, changes: unknown): string | undefined {
  if (typeof changes !== 'object' || changes === null || Array.isArray(changes))
    return 'expected an object {name: value}';
  const accepted: [string, unknown][] = [];
  for (const [name, value] of Object.entries(changes)) {
    if (!Object.hasOwn(SWITCHES, name))
      return `${name}: no such switch; expected one of ${Object.keys(SWITCHES).join(', ')}`;
    const { values }: SwitchEntry = SWITCHES[name as SwitchName];
    if ('from' in values) {
      const parsed = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
      if (typeof parsed !== 'number' || !(parsed >= values.from && parsed <= values.to))
        return `${name}: expected a number from ${values.from} to ${values.to}`;
      accepted.push([name, parsed]);
    } else if ('listOf' in values) {
      const items = typeof value === 'string' ? value.split(',').filter((item) => item !== '') : value;
      if (!Array.isArray(items) || !items.every((item): item is string => typeof item === 'string'))
        return `${name}: expected a list of ${values.listOf}`;
      accepted.push([name, items]);
    } else {
      const found = values.find((candidate) => String(candidate) === String(value));
      if (found === undefined) return `${name}: expected one of ${values.map(String).join(', ')}`;
      accepted.push([name, found]);
    }
  }
  Object.assign(switches, Object.fromEntries(accepted));
  return undefined;
}
