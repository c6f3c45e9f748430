import { expect, it, vi } from 'vitest';
import type { BridgeEvent } from '../../../../container/contract/events.ts';
import type { SourceEvent } from '../../../../container/contract/hub-link.ts';
import { SqliteFile } from '../../../../container/host/sqlite-file.ts';
import { MarginWatch } from '../../../../container/service/process/margin-watch.ts';
import { BridgeState } from '../../../../container/state/bridge-state.ts';

const sql = SqliteFile.open('memory:');
const state = new BridgeState(sql, { now: () => 1_000 });
const told = (): unknown[] =>
  state.outbox.waiting(1000, 1e9).events.map(({ text }) => {
    const { type, login, data } = JSON.parse(text) as BridgeEvent;
    return [type, login, data['group'], data['marginLevel'] ?? data['ticket']];
  });

/** A program of its own over the same memory. */
function watch(): {
  readonly emit: (event: SourceEvent) => void;
  readonly wants: string[];
  readonly errors: unknown[];
} {
  const [wants, errors]: [string[], unknown[]] = [[], []];
  let emit: (event: SourceEvent) => void = () => {};
  const watching = new MarginWatch({
    groups: 'real\\*,demo\\*',
    attach: (to) => {
      emit = to;
      return {
        want: (topic, selectors) => void wants.push(...selectors.map((selector) => `${topic} ${selector}`)),
        drop: () => {},
        missed: () => {},
        detach: () => {},
      };
    },
    groupOf: async (login) => `group of ${login}`,
    state: state.margin,
    onError: (error) => errors.push(error),
  });
  watching.start();
  watching.start();
  return { emit: (event) => emit(event), wants, errors };
}

const account = (login: number, stopOut: string, atMs: number | null): string =>
  JSON.stringify({
    login,
    stopOut,
    stopOutAtMs: atMs,
    stopOutLevel: '70.00',
    stopOutEquity: '7.00',
    stopOutMargin: '10.00',
    equity: '99.00',
    margin: '9.00',
    marginLevel: '1100.00',
  });
const load = (...rows: string[]): SourceEvent => ({
  kind: 'load',
  topic: 'accounts',
  seq: 1,
  slices: [{ key: 'group', entities: rows.map((json, i) => ({ id: String(i), json })) }],
});
const change = (topic: 'accounts' | 'deals', json: string): SourceEvent => ({
  kind: 'change',
  topic,
  seq: 2,
  changes: [{ key: 'group', id: '1', json }],
});

it('tells each margin call and stop-out once, through the end of the program, and when it is over', async () => {
  const first = watch();
  expect(first.wants).toEqual(['accounts group::demo\\*,real\\*', 'deals group::demo\\*,real\\*']);
  first.emit(load(account(1001, 'margin_call', 500), account(1002, 'none', null), account(1003, 'margin_call', 500)));
  first.emit(change('accounts', account(1001, 'margin_call', 500)));
  const expected: unknown[] = [
    ['margin.call', 1001, 'group of 1001', '70.00'],
    ['margin.call', 1003, 'group of 1003', '70.00'],
  ];
  await vi.waitFor(() => expect(told()).toEqual(expected));
  first.emit(change('accounts', account(1001, 'stop_out', 600)));
  first.emit(change('deals', JSON.stringify({ login: 1001, ticket: '7', reason: 'so' })));
  first.emit(change('deals', JSON.stringify({ login: 1001, ticket: '8', reason: 'client' })));
  expected.push(['margin.stop_out', 1001, 'group of 1001', '70.00'], ['margin.closed', 1001, 'group of 1001', '7']);
  await vi.waitFor(() => expect(told()).toEqual(expected));

  // 1001 is well again, 1003 as it was told, while another program looks.
  const second = watch();
  second.emit(load(account(1001, 'none', null), account(1002, 'none', null), account(1003, 'margin_call', 500)));
  expected.push(['margin.restored', 1001, 'group of 1001', '1100.00']);
  await vi.waitFor(() => expect(told()).toEqual(expected));
  // Another margin call of the same account is news.
  second.emit(change('accounts', account(1003, 'margin_call', 900)));
  expected.push(['margin.call', 1003, 'group of 1003', '70.00']);
  await vi.waitFor(() => expect(told()).toEqual(expected));
  expect([...first.errors, ...second.errors]).toEqual([]);
});
