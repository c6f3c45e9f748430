import { beforeEach, expect, it } from 'vitest';
import { BookLooks, type Look } from '../../../../container/service/writes/book-looks.ts';
import type { TradeBooks } from '../../../../container/service/writes/books.ts';
import { SqliteFile } from '../../../../container/host/sqlite-file.ts';
import { BridgeState } from '../../../../container/state/bridge-state.ts';
import type { Operation } from '../../../../container/state/state-api.ts';
import type { WireObject } from '../../../../container/webapi/fields.ts';

/** Books whose next answers the test lays out: each read takes the first of its list, the last one stays. */
let open: WireObject[][];
let history: WireObject[][];
let deals: WireObject[][];
let looks: BookLooks;
const next = async (answers: WireObject[][]): Promise<readonly WireObject[]> =>
  (answers.length > 1 ? answers.shift() : answers[0]) ?? [];
beforeEach(() => {
  [open, history, deals] = [[[]], [[]], [[]]];
  const books = {
    openOrders: () => next(open),
    historyOrders: () => next(history),
    deals: () => next(deals),
    historyOrder: async () => history.at(-1)?.[0],
    openOrder: async () => open.at(-1)?.[0],
    optional: (read: Promise<unknown>) => read,
    asOrder: async (object: unknown) => object ?? null,
    asDeals: async (objects: unknown) => objects,
  } as unknown as TradeBooks;
  looks = new BookLooks({ books, state: new BridgeState(SqliteFile.open('memory:')) });
});

const order = (State: string, VolumeCurrent: string): WireObject => ({
  Order: '7',
  State,
  VolumeInitial: '100',
  VolumeCurrent,
  Comment: 'note tag',
});
const deal: WireObject = { Deal: '9', Order: '7', Comment: 'note tag' };

function look(pending = false): Promise<Look> {
  const operation = { tag: 'tag', createdAtMs: 1_700_000_000_000 } as Operation;
  return looks.look({ effect: 'tagged_trade', login: 1001, pending, status: 201, sentBeforeMs: 0 }, operation, {
    deadlineAtMs: Infinity,
    signal: new AbortController().signal,
  });
}
const DONE = { verdict: 'found', settlement: { state: 'done' } };
const REFUSED = { verdict: 'found', settlement: { state: 'refused' } };

it('nothing with the tag is nothing, whatever else is there', async () => {
  deals = [[{ ...deal, Comment: 'tag note' }]];
  expect(await look()).toEqual({ verdict: 'empty' });
});

it('an order that was filled while the books were read is executed, never taken for refused', async () => {
  history = [[order('4', '0')]];
  deals = [[], [deal]];
  expect(await look()).toMatchObject({ ...DONE, settlement: { state: 'done', body: { deals: [deal] } } });
});

it('a deal that came before its order was seen brings the order along', async () => {
  history = [[], [order('4', '0')]];
  deals = [[deal]];
  expect(await look()).toMatchObject({ settlement: { state: 'done', body: { order: { Order: '7' }, deals: [deal] } } });
});

it('a market order that ended untouched is refused; one that was filled in part is executed', async () => {
  history = [[order('2', '100')]];
  expect(await look()).toMatchObject(REFUSED);
  history = [[order('5', '100')]];
  expect(await look()).toMatchObject(REFUSED);
  history = [[order('2', '40')]];
  expect(await look()).toMatchObject(DONE);
});

it('a market order still open is waited for; a pending one is placed', async () => {
  open = [[order('1', '100')]];
  expect(await look()).toEqual({ verdict: 'wait' });
  expect(await look(true)).toMatchObject(DONE);
  open = [[order('0', '100')]];
  expect(await look(true)).toEqual({ verdict: 'wait' });
});

it('a pending order that was placed and then cancelled or expired was executed', async () => {
  for (const state of ['2', '6', '4']) {
    history = [[order(state, state === '4' ? '0' : '100')]];
    expect(await look(true)).toMatchObject(DONE);
  }
});
