import { expect, it } from 'vitest';
import { DoorKeys } from '../../../../worker/door-keys.ts';

const HASH = `sha256:${'a'.repeat(64)}`;
const keys = JSON.stringify([{ hashes: [HASH], caller: { id: 'desk', scopes: ['read'] } }]);
const use = { address: () => undefined, nowMs: 0 };

it('asks once in five seconds for all who come, and tells what was used', async () => {
  const door = new DoorKeys();
  const asked: (readonly string[])[] = [];
  const read = async (used: readonly string[]): Promise<string> => {
    asked.push(used);
    return keys;
  };
  const rings = await Promise.all([door.ring(read, 1000), door.ring(read, 1001), door.ring(read, 5999)]);
  expect(rings.map((ring) => ring.find(HASH, use)?.id)).toEqual(['desk', 'desk', 'desk']);
  door.used('desk');
  await door.ring(read, 6000);
  expect(asked).toEqual([[], ['desk']]);
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
