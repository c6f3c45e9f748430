import { expect, it } from 'vitest';
import { FairQueue } from '../../../container/session/fair-queue.ts';
import { createJob, type Job } from '../../../container/session/job-queue.ts';
import type { ManyForm } from '../../../container/session/upstream.ts';

let atMs = 0;
function job(lane: string, many?: ManyForm): Job {
  const request = { kind: 'read', command: { path: lane }, deadlineAtMs: Date.now() + 60_000, lane, many } as const;
  const [made, reply] = createJob(request, ++atMs, () => undefined);
  reply.catch(() => undefined);
  return made;
}

function served(queue: FairQueue): string {
  let order = '';
  for (let next = queue.shift(); next; next = queue.shift()) order += next.lane;
  return order;
}

it('lanes take turns, whatever one of them has waiting', () => {
  const queue = new FairQueue();
  for (let n = 0; n < 6; n++) queue.push(job('a'));
  queue.push(job('b'));
  queue.push(job('c'));
  queue.push(job('b'));
  expect(served(queue)).toBe('abcabaaaa');
  expect(queue.size).toBe(0);
});

it('one that comes late is next, and gets its turn of each round and no more', () => {
  const queue = new FairQueue();
  for (let n = 0; n < 1000; n++) queue.push(job('a'));
  let order = '';
  for (let n = 0; n < 12; n++) {
    // `b` asks again as soon as it was served; `c` now and then.
    if (queue.waitingIn('b') === 0) queue.push(job('b'));
    if (n % 6 === 0) queue.push(job('c'));
    order += queue.shift()?.lane ?? '';
  }
  expect(order.replaceAll(/[^a]/g, '')).toHaveLength(5);
  expect(order.slice(0, 3)).not.toBe('aaa');
  expect(order).not.toMatch(/aa|bb/);
});

it('knows the oldest, forgets what gave up, and gives back everything', () => {
  const queue = new FairQueue();
  const first = job('a');
  const second = job('b');
  queue.push(first);
  queue.push(second);
  queue.push(job('a'));
  expect(queue.oldest).toBe(first);
  queue.remove(first);
  expect(queue.oldest).toBe(second);
  const again = job('c');
  again.replayed = true;
  queue.push(again);
  expect(queue.shift()).toBe(again);
  expect(queue.size).toBe(2);
  expect(queue.takeAll()).toHaveLength(2);
  expect(queue.oldest).toBeUndefined();
});

const form = (key: string, item: string): ManyForm => ({
  key,
  item,
  answer: () => undefined,
  train: {
    name: key,
    command: () => ({ path: key }),
    arrived: () => 'singles',
    isUsable: () => true,
    isTooMany: () => false,
  },
});

it('of those that can travel together each lane has its share, and the rest keeps its place', () => {
  const queue = new FairQueue();
  for (let i = 0; i < 10; i++) queue.push(job('greedy', form('money', `${i}`)));
  for (let i = 0; i < 2; i++) queue.push(job('modest', form('money', `1${i}`)));
  queue.push(job('modest', form('orders', '1')));
  const head = queue.shift();
  if (!head) throw new Error('nobody waits');
  const along = queue.companions(head, 6);
  expect(along.map(({ lane, many }) => `${lane} ${many?.item}`)).toEqual([
    'greedy 1',
    'greedy 2',
    'modest 10',
    'modest 11',
  ]);
  expect(queue.size).toBe(8);
});

it('what a train did not bring waits in the lane of its own key', () => {
  const queue = new FairQueue();
  const left = job('greedy', form('money', '1'));
  left.half = null;
  queue.push(job('greedy'));
  queue.push(left);
  queue.push(job('modest'));
  expect([queue.shift()?.lane, queue.shift()?.lane]).toEqual(['greedy', 'modest']);
  const head = queue.shift();
  expect(head).toBe(left);
  expect(head && head.trainKey).toBeUndefined();
});
