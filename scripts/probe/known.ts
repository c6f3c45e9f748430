import { Fields, payloadScalar } from '../../container/webapi/fields.ts';
import { bodyOf, listOf, rowsOf } from './answers.ts';
import type { ProbedServer, Query } from './server.ts';

/** Things of this server to ask about: used in questions, and never printed. */
export interface Known {
  readonly logins: readonly string[];
  readonly group: string;
  readonly symbol: string;
  /** A login with more deals than one page, and how many. */
  readonly busy: { readonly login: string; readonly deals: number } | undefined;
  /** One without positions. */
  readonly idle: string | undefined;
  readonly tickets: Readonly<Record<'order' | 'history' | 'deal' | 'position', string | undefined>>;
}

const LOOKED_AT = 40;
export const EVER: Query = [
  ['from', '0'],
  ['to', '4102444800'],
];

export async function lookAround(server: ProbedServer): Promise<Known> {
  const text = async (path: string, name: string, query: Query): Promise<string> => {
    return new Fields(rowsOf(await server.ask(path, query))[0] ?? {}).text(name) ?? '';
  };
  let logins = listOf(await server.ask('user/logins', [['group', '*']]));
  if (logins.length === 0) {
    const users = rowsOf(await server.ask('user/get_batch', [['group', '*']]));
    logins = users.flatMap((user) => new Fields(user).text('Login') ?? []);
  }
  // Spread over all, so that not only the oldest are looked at.
  const step = Math.max(1, Math.floor(logins.length / LOOKED_AT));
  const some = logins.filter((_, i) => i % step === 0).slice(0, LOOKED_AT);
  let busy: Known['busy'];
  let idle: string | undefined;
  for (const login of some) {
    const deals = await total(server, 'deal', [['login', login], ...EVER]);
    if (deals > (busy?.deals ?? 0)) busy = { login, deals };
    idle ??= (await total(server, 'position', [['login', login]])) === 0 ? login : undefined;
    if (busy && busy.deals > 300 && idle !== undefined) break;
  }
  const symbol = listOf(await server.ask('symbol/list'))[0] ?? (await text('symbol/next', 'Symbol', [['index', '0']]));
  const group = busy ? await text('user/group', 'Group', [['login', busy.login]]) : '';
  const ticket = async (kind: string, name: string, window: Query = []): Promise<string | undefined> => {
    for (const login of busy ? [busy.login, ...some.slice(0, 5)] : some.slice(0, 5)) {
      const found = await text(`${kind}/get_page`, name, [
        ['login', login],
        ['offset', '0'],
        ['total', '1'],
        ...window,
      ]);
      if (found !== '') return found;
    }
    return undefined;
  };
  return {
    logins: some,
    group: group === '' ? await text('group/next', 'Group', [['index', '0']]) : group,
    symbol,
    busy,
    idle,
    tickets: {
      order: await ticket('order', 'Order'),
      history: await ticket('history', 'Order', EVER),
      deal: await ticket('deal', 'Deal', EVER),
      position: await ticket('position', 'Position'),
    },
  };
}

async function total(server: ProbedServer, kind: string, query: Query): Promise<number> {
  return Number(payloadScalar(bodyOf(await server.ask(`${kind}/get_total`, query)) ?? {}, 'Total') ?? 0);
}
