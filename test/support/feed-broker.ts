import { BridgeError } from '../../container/contract/errors.ts';
import { Poller, type PollerOptions } from '../../container/service/feeds/poller.ts';
import type { BrokerReads } from '../../container/service/feeds/reads.ts';
import type { WireObject } from '../../container/webapi/fields.ts';
import { BrokerClock } from '../../container/webapi/time.ts';

const NOT_FOUND = { retcode: 13, body: {} };

/** A broker of a few lines: ticks with trans_id, lists by login or group, hours by symbol. */
export class FakeBroker implements BrokerReads {
  readonly asked: { path: string; query: Record<string, string> }[] = [];
  readonly ticks = new Map<string, { wire: WireObject; transId: number }>();
  readonly lists = new Map<string, WireObject[]>();
  hours: readonly (readonly { Open: string; Close: string }[])[] | undefined;
  transId = 100;
  /** Rows of one answer; more are `14`. */
  most = Infinity;
  /** Rows of the longest answer so far. */
  longest = 0;
  failure: BridgeError | undefined;
  /** Group of each login; the masks that it understands are `*` and names. */
  readonly groups = new Map<string, string>();
  /** A build that knows `login` only. */
  refusesGroups = false;
  /** A build that finds nobody by group. */
  overlooksGroups = false;
  /** Ids that the next answer by group forgets. */
  readonly forgets = new Set<string>();
  /** Only this command fails. */
  failing: string | undefined;

  tick(symbol: string, bid: string, atMs = Date.now()): void {
    const wire = { Symbol: symbol, Digits: '5', DatetimeMsc: String(atMs), Bid: bid, Ask: bid, Last: '0' };
    this.ticks.set(symbol, { wire, transId: ++this.transId });
  }

  count(path: string): number {
    return this.asked.filter((one) => one.path === path).length;
  }

  async read(path: string, query: readonly (readonly [string, string])[]) {
    const parameters = Object.fromEntries(query);
    this.asked.push({ path, query: parameters });
    if (this.failure && (this.failing ?? path) === path) throw this.failure;
    if (path === 'tick/last') {
      const since = Number(parameters['trans_id']);
      const found = (parameters['symbol'] ?? '').split(',').flatMap((symbol) => this.ticks.get(symbol) ?? []);
      const answer = found.filter(({ transId }) => transId > since).map(({ wire }) => wire);
      return { retcode: 0, body: { retcode: '0 Done', trans_id: String(this.transId), answer } };
    }
    if (path === 'symbol/get') {
      if (!this.hours) return NOT_FOUND;
      const symbols = (parameters['mask'] ?? '').split(',');
      return { retcode: 0, body: { answer: symbols.map((Symbol) => ({ Symbol, SessionsQuotes: this.hours ?? [] })) } };
    }
    if (path === 'group/get')
      return { retcode: 0, body: { answer: [...new Set(this.groups.values())].map((Group) => ({ Group })) } };
    const mask = parameters['group'];
    const logins = mask === undefined ? (parameters['login'] ?? '').split(',') : this.#members(mask);
    if (path === 'user/logins') return { retcode: 0, body: { answer: logins } };
    if (mask !== undefined && this.overlooksGroups) return NOT_FOUND;
    if (mask !== undefined && this.refusesGroups)
      throw new BridgeError('broker_rejected', { detail: 'Invalid parameters', retcode: 3 });
    const list = this.lists.get(path.replace('get_page', 'get_batch')) ?? [];
    const isTold = (row: WireObject): boolean => mask === undefined || !this.forgets.has(row['Position'] as string);
    const fromS = Number(parameters['from'] ?? 0);
    const toS = Number(parameters['to'] ?? Infinity);
    const isInTime = ({ Time }: WireObject): boolean =>
      Time === undefined || (Number(Time) >= fromS && Number(Time) <= toS);
    const known = new Set(logins);
    const rows = list.filter((row) => known.has(row['Login'] as string) && isTold(row) && isInTime(row));
    this.longest = Math.max(this.longest, rows.length);
    const from = Number(parameters['offset'] ?? 0);
    const most = Math.min(Number(parameters['total'] ?? Infinity), this.most);
    const answer = rows.slice(from, from + most);
    if (!path.endsWith('get_page') && rows.length > this.most) return { retcode: 14, body: { answer } };
    return answer.length === 0 ? NOT_FOUND : { retcode: 0, body: { retcode: '0 Done', answer } };
  }

  #members(mask: string): string[] {
    return [...this.groups].flatMap(([login, group]) => (mask === '*' || mask === group ? [login] : []));
  }
}

/** A poller over it that has signed in once, at a broker whose time is UTC. */
export function pollerOver(broker: FakeBroker, options: Partial<PollerOptions> = {}): Poller {
  const clock = async (): Promise<BrokerClock> => new BrokerClock({ zoneMinutes: 0, daylight: 'none' });
  const poller = new Poller({ reads: broker, clock, now: Date.now, ...options });
  poller.signedIn(1);
  return poller;
}
