import { Fields, isWireObject } from '../../container/webapi/fields.ts';
import { parseServerTime } from '../../container/webapi/time.ts';
import { answerOf, bodyOf, namesOf, rowsOf } from './answers.ts';
import { EVER, type Known } from './known.ts';
import type { ProbedServer, Query } from './server.ts';

/** How this server says what others say in another way (mt5-webapi §8). */
export interface Forms {
  /** Switches of the simulator that make it the same. */
  readonly switches: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  /** What was seen, in words. */
  readonly notes: readonly string[];
}

const BURST = 30;
const PAGES = [101, 256, 1001];

class Finder {
  readonly switches: Record<string, string | number | boolean | readonly string[]> = {};
  readonly notes: string[] = [];
  readonly #server: ProbedServer;
  readonly #known: Known;

  constructor(server: ProbedServer, known: Known) {
    this.#server = server;
    this.#known = known;
  }

  async casing(): Promise<void> {
    const names = namesOf(await this.#server.ask('user/total'));
    const total = names.find((name) => /^total$/i.test(name));
    if (total) this.switches['scalarCasing'] = total === 'total' ? 'lower' : 'documented';
    const [login] = this.#known.logins;
    const fields = login === undefined ? [] : namesOf(await this.#server.ask('user/get', [['login', login]]));
    if (fields.length > 0)
      this.notes.push(
        `names of records: ${fields.every((name) => name === name.toLowerCase()) ? 'in lower case' : 'as documented'}`,
      );
  }

  async symbols(): Promise<void> {
    const told = await this.#server.ask('symbol/get', [['symbol', this.#known.symbol]]);
    const names = new Set(namesOf(told).map((name) => name.toLowerCase()));
    if (names.has('margininitialbuy')) this.switches['marginRates'] = 'flat';
    else if (names.has('marginrateinitial')) this.switches['marginRates'] = 'nested';
    if (names.has('optionmode')) this.switches['optionsMode'] = 'OptionMode';
    else if (names.has('optionsmode')) this.switches['optionsMode'] = 'OptionsMode';
    this.notes.push(`volumes of symbols: ${names.has('volumeminext') ? 'with' : 'without'} the finer VolumeMinExt`);
    this.notes.push(`fields of a symbol: ${names.size}`);
  }

  async trades(): Promise<void> {
    const { tickets } = this.#known;
    const told = await this.#server.ask('history/get', [['ticket', tickets.history ?? '1']]);
    const names = namesOf(told);
    const flags = names.find((name) => /^modif(y|ication)flags$/i.test(name));
    if (flags) this.switches['modifyFlags'] = /^modifyflags$/i.test(flags) ? 'ModifyFlags' : 'ModificationFlags';
    const cell = /"ValueU[Ii]nt"/.exec(told.text)?.[0].replaceAll('"', '');
    if (cell) this.switches['apiDataUnsigned'] = cell;
    if (names.length > 0)
      this.notes.push(
        `fields of an order: ${names.length}${names.some((name) => /^orig/i.test(name)) ? ', with Orig… times' : ''}`,
      );
  }

  async lists(): Promise<void> {
    const { idle, busy } = this.#known;
    if (idle !== undefined) {
      const query: Query = [
        ['login', idle],
        ['offset', '0'],
        ['total', '10'],
      ];
      const told = await this.#server.ask('position/get_page', query);
      this.switches['emptyResult'] = told.retcode === 13 ? '13' : 'array';
    }
    if (!busy || busy.deals <= 100) return void this.notes.push('page sizes: no account seen with more than 100 deals');
    const page = (total: number): Query => [['login', busy.login], ['offset', '0'], ['total', String(total)], ...EVER];
    const rows = async (total: number): Promise<number | 'refused'> => {
      const told = await this.#server.ask('deal/get_page', page(total));
      return told.retcode === 3 ? 'refused' : rowsOf(told).length;
    };
    let limit = 100;
    for (const size of PAGES.filter((wanted) => wanted <= busy.deals)) {
      const got = await rows(size);
      if (got !== size) break;
      limit = size;
    }
    this.switches['pageLimit'] = limit === 101 ? 100 : limit;
    this.notes.push(`rows of a page: ${limit > 101 ? `at least ${limit}` : limit === 101 ? 'more than 100' : '100'}`);
    const zero = await rows(0);
    if (zero !== 'refused') this.switches['totalZero'] = zero > 0 ? 'all' : 'empty';
  }

  async refusals(): Promise<void> {
    const none = await this.#server.ask('probe/none');
    if (none.retcode === undefined && (none.status === 400 || none.status === 404))
      this.switches['unknownCommand'] = String(none.status);
    else this.notes.push(`an unknown command: HTTP ${none.status}, retcode ${none.retcode ?? 'none'}`);
    const wrong = await this.#server.ask('user/get', [['login', '999999999999']]);
    if (wrong.retcode !== undefined && wrong.retcode !== 0)
      this.switches['businessErrorStatus'] = wrong.status === 200 ? '200' : '4xx';
    const results = await this.#server.ask('dealer/get_request_result', [['id', '1']]);
    if (results.retcode === 0) this.switches['unknownResultIds'] = 'omit';
    else if (results.retcode === 13) this.switches['unknownResultIds'] = '13';
  }

  async book(): Promise<void> {
    const query: Query = [['symbol', this.#known.symbol]];
    const levels = async (): Promise<number> => {
      const items = new Fields(rowsOf(await this.#server.ask('book/get', query))[0] ?? {}).take('Items');
      return Array.isArray(items) ? items.length : 0;
    };
    if ((await levels()) > 0) this.switches['bookUntilSubscribed'] = 'full';
    else {
      const subscribed = await this.#server.ask('book/subscribe', query);
      if (subscribed.retcode === 0 && (await levels()) > 0) this.switches['bookUntilSubscribed'] = 'empty';
      else this.notes.push('depth of market: none on the symbol that was looked at');
      await this.#server.ask('book/unsubscribe', query);
    }
  }

  async batches(): Promise<void> {
    const [first = '', second = ''] = this.#known.logins;
    const forms: string[] = [];
    const rows = async (path: string, query: Query): Promise<number> =>
      rowsOf(await this.#server.ask(path, query)).length;
    if (second !== '' && (await rows('user/get_batch', [['login', `${first},${second}`]])) === 2)
      forms.push('login=a,b');
    if ((await rows('user/get_batch', [['group', this.#known.group]])) > 0) forms.push('group=mask');
    const { deal } = this.#known.tickets;
    if (deal !== undefined && (await rows('deal/get_batch', [['ticket', deal]])) === 1) forms.push('ticket=a,b');
    this.notes.push(`batches by: ${forms.join(' · ') || 'none seen'}`);
  }

  async clock(): Promise<void> {
    const time = answerOf(await this.#server.ask('time/server'));
    const serverMs = isWireObject(time) ? parseServerTime(new Fields(time).text('Time') ?? '') : undefined;
    const zone = answerOf(await this.#server.ask('time/get'));
    const minutes = isWireObject(zone) ? new Fields(zone).integer('TimeZone') : undefined;
    const daylight = isWireObject(zone) ? new Fields(zone).integer('Daylight') : undefined;
    const offset = serverMs === undefined ? 'not told' : `${Math.round((serverMs - Date.now()) / 1000)} s from UTC`;
    this.notes.push(
      `server time: ${offset}; zone ${minutes === undefined ? 'not told' : `${minutes} min`}, daylight time ${daylight === undefined ? 'not told' : daylight ? 'on' : 'off'}`,
    );
  }

  async limits(): Promise<void> {
    const refused = await this.#server.burst(BURST);
    this.notes.push(
      `${BURST} questions without a pause: ${refused === 0 ? 'all answered' : `${refused} × 12 Too frequent requests`}`,
    );
    const since = await this.#server.ask('tick/last', [
      ['symbol', '*'],
      ['trans_id', '0'],
    ]);
    const transId = bodyOf(since)?.['trans_id'];
    this.notes.push(
      `tick/last with a mask: ${rowsOf(since).length} symbols${transId === undefined ? ', no trans_id' : ''}`,
    );
  }
}

export async function findForms(server: ProbedServer, known: Known): Promise<Forms> {
  const finder = new Finder(server, known);
  await finder.casing();
  await finder.symbols();
  await finder.trades();
  await finder.lists();
  await finder.refusals();
  await finder.book();
  await finder.batches();
  await finder.clock();
  await finder.limits();
  return finder;
}
