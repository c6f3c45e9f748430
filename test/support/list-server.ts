import type { Command, Upstream } from '../../container/session/upstream.ts';
import { fakeUpstream } from './fake-upstream.ts';

/** What a server does with `group=`: takes it, refuses it (3), answers about nobody, or has no batches at all. */
export type GroupForm = 'there' | 'refused' | 'empty' | 'no-batch';

export interface ListedAccount {
  readonly login: number;
  readonly group: string;
  readonly positions: number;
}

export interface ListServer {
  readonly upstream: Upstream;
  readonly asked: string[];
  /** Tickets, by login. */
  readonly positions: readonly { readonly Position: string; readonly Login: string }[];
}

/** Accounts with positions; a batch brings at most so many rows, and says where there are more (14). */
export function listServer(options: {
  readonly accounts: readonly ListedAccount[];
  readonly form: GroupForm;
  readonly mostRows: number;
  /** Of `user/logins`; absent = all. */
  readonly mostLogins?: number;
}): ListServer {
  const { accounts, form, mostRows, mostLogins = Infinity } = options;
  const positions = accounts.flatMap(({ login, positions: count }) =>
    Array.from({ length: count }, (_, i) => ({
      Position: `${login}${String(i).padStart(4, '0')}`,
      Login: `${login}`,
      Symbol: i % 2 === 0 ? 'EURUSD' : 'XAUUSD',
      Action: String(i % 2),
      Volume: '1000',
      Profit: '-0.10',
    })),
  );
  const asked: string[] = [];
  const ok = (answer: unknown, retcode = '0 Done'): string => JSON.stringify({ retcode, answer });
  const answerTo = ({ path, query = [] }: Command): string => {
    const of = new Map(query);
    const mask = of.get('group') ?? of.get('mask');
    asked.push(`${path}?${query.map(([name, value]) => `${name}=${value}`).join('&')}`);
    const named = of.get('login')?.split(',').map(Number);
    const inMask = (group: string): boolean => mask === '*' || (mask?.split(',').includes(group) ?? false);
    const those = accounts.filter(({ login, group }) => named?.includes(login) ?? inMask(group));
    if (path === 'user/logins') {
      const isPart = those.length > mostLogins;
      const logins = those.slice(0, mostLogins).map(({ login }) => String(login));
      return ok(logins, isPart ? '14 Partial' : '0 Done');
    }
    if (path === 'group/get') {
      const names = [...new Set(accounts.map(({ group }) => group))].filter((group) => inMask(group));
      return ok(names.map((Group) => ({ Group, Currency: Group.slice(0, 3), CurrencyDigits: '2' })));
    }
    const rowsOf: Readonly<Record<string, () => readonly object[]>> = {
      user: () => those.map(({ login, group }) => ({ Login: `${login}`, Group: group })),
      'user/account': () =>
        those.map(({ login, positions: count }) => ({
          Login: `${login}`,
          Equity: `${count}.50`,
          Margin: count === 0 ? '0.00' : '1.00',
          MarginLevel: `${count}.00`,
        })),
      position: () => positions.filter(({ Login }) => those.some(({ login }) => String(login) === Login)),
    };
    const list = path.replace(/\/get\w*$/, '');
    const rows = rowsOf[list]?.();
    if (!rows) return '{"retcode":"13 Not found"}';
    if (path.endsWith('get_total')) return ok({ total: String(rows.length) });
    if (path.endsWith('get_page')) {
      const from = Number(of.get('offset'));
      return ok(rows.slice(from, from + Math.min(mostRows, Number(of.get('total')))));
    }
    if (form === 'no-batch' && path.endsWith('get_batch')) return '{"retcode":"12002 Not supported"}';
    if (!named && form === 'refused') return '{"retcode":"3 Invalid parameters"}';
    if (!named && form === 'empty') return ok([]);
    return rows.length > mostRows ? ok(rows.slice(0, mostRows), '14 Partial') : ok(rows);
  };
  return { upstream: fakeUpstream(answerTo), asked, positions };
}
