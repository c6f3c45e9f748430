import { verdictOf, type Verdict } from './answers.ts';
import { EVER, type Known } from './known.ts';
import type { ProbedServer, Query } from './server.ts';

/** Every read that the bridge sends or passes on, asked in a way that a server which has it understands. */
function questions({ logins, group, symbol, tickets }: Known): readonly (readonly [path: string, query: Query])[] {
  const login: Query = [['login', logins[0] ?? '1']];
  const named: Query = [['symbol', symbol]];
  const ticket = (value: string | undefined): Query => [['ticket', value ?? '1']];
  const page: Query = [...login, ['offset', '0'], ['total', '1']];
  const minute: Query = [...named, ['from', '1735689600'], ['to', '1735689660']];
  const batches = (kind: string, window: Query = []): [string, Query][] => [
    [`${kind}/get_total`, [...login, ...window]],
    [`${kind}/get_page`, [...page, ...window]],
    [`${kind}/get_batch`, [...login, ...window]],
  ];
  return [
    ['test/access', []],
    ['test/trade', []],
    ['common/get', []],
    ['time/server', []],
    ['time/get', []],
    ['user/total', []],
    ['user/logins', [['group', group]]],
    ['user/group', login],
    ['user/get', login],
    ['user/get_batch', login],
    ['user/account/get', login],
    ['user/account/get_batch', login],
    ['group/total', []],
    ['group/next', [['index', '0']]],
    ['group/get', [['group', group]]],
    ['symbol/total', []],
    ['symbol/list', []],
    ['symbol/next', [['index', '0']]],
    ['symbol/get', named],
    ['symbol/get_group', [...named, ['group', group]]],
    ['tick/last', [...named, ['trans_id', '0']]],
    ['tick/last_group', [...named, ['group', group], ['trans_id', '0']]],
    ['tick/stat', [...named, ['trans_id', '0']]],
    ['tick/history', [...minute, ['data', 'dba']]],
    ['chart/get', [...minute, ['data', 'dohlc']]],
    ['book/get', named],
    ['order/get', ticket(tickets.order)],
    ...batches('order'),
    ['history/get', ticket(tickets.history)],
    ...batches('history', EVER),
    ['deal/get', ticket(tickets.deal)],
    ...batches('deal', EVER),
    ['position/get', [...login, ...named]],
    ...batches('position'),
    ['position/check', login],
    ['trade/check_margin', [...login, ...named, ['type', '0'], ['volume', '100'], ['price', '0']]],
    [
      'trade/calc_profit',
      [['group', group], ...named, ['type', '0'], ['volume', '100'], ['price_open', '1'], ['price_close', '1']],
    ],
    ['trade/calc_rate_buy', [['base', 'USD'], ['currency', 'USD'], ['group', group], ...named, ['price', '0']]],
    ['daily/get', [...login, ['from', '1735689600'], ['to', '1735776000']]],
    ['dealer/get_request_result', [['id', '1']]],
    ['client/get_ids', []],
    ['manager/total', []],
    ['gateway/total', []],
    ['news/total', []],
    ['mail/total', []],
    ['subscription/get', login],
  ];
}

export interface CommandFound {
  readonly path: string;
  readonly verdict: Verdict;
  readonly retcode: number | undefined;
  readonly status: number;
  readonly tookMs: number;
}

export async function findCommands(server: ProbedServer, known: Known): Promise<readonly CommandFound[]> {
  const found: CommandFound[] = [];
  for (const [path, query] of questions(known)) {
    const told = await server.ask(path, query);
    const { retcode, status, tookMs } = told;
    found.push({ path, verdict: verdictOf(told), retcode, status, tookMs });
  }
  return found;
}
