import { expect, it } from 'vitest';
import { DoorKeys } from '../../../../worker/door-keys.ts';

const HASH = `sha256:${'a'.repeat(64)}`;
const keys = JSON.stringify([{ hashes: [HASH], caller: { id: 'desk', scopes: ['read'] } }]);
const use = { address: () => undefined, nowMs: 0, broker: 'main' };

it('asks about every four seconds under load, tells what was used, and shares no promise between requests', async () => {
  const door = new DoorKeys();
  const asked: (readonly string[])[] = [];
  const read = async (used: readonly string[]): Promise<string> => {
    asked.push(used);
    return keys;
  };
  const idOf = async (nowMs: number): Promise<string | undefined> => (await door.ring(read, nowMs)).find(HASH, use)?.id;
  expect(await idOf(1000)).toBe('desk');
  door.used('desk');
  for (const nowMs of [1001, 2000, 4999]) expect(await idOf(nowMs)).toBe('desk');
  expect(asked).toEqual([[]]);
  // One reads anew; the others go on with what is there, and would take over from one that went away.
  const stuck = door.ring(() => new Promise(() => undefined), 5000);
  expect(await idOf(5100)).toBe('desk');
  expect(asked).toHaveLength(1);
  expect(await idOf(5600)).toBe('desk');
  expect(asked).toHaveLength(2);
  await Promise.race([stuck, Promise.resolve()]);
});

it('asks again where the holder is just being replaced, and lets nobody in where it stays away', async () => {
  const door = new DoorKeys();
  let calls = 0;
  const once = async (): Promise<string> => {
    calls++;
    if (calls === 1) throw new Error('its code was updated');
    return keys;
  };
  expect((await door.ring(once, 0)).find(HASH, use)?.id).toBe('desk');
  const gone = (): Promise<string> => Promise.reject(new Error('gone'));
  await expect(door.ring(gone, 5000)).rejects.toMatchObject({ code: 'container_unavailable' });
  expect((await door.ring(async () => keys, 5001)).find(HASH, use)?.id).toBe('desk');
});
