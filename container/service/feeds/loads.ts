import type { Entity, LoadedSlice } from '../../contract/hub-link.ts';
import type { Feed } from './feed.ts';

/** What is told of newly followed slices: lists of at most so many entities each, a large slice over several of them. */
export function* loadsOf(feed: Feed, keys: Iterable<string>, most: number): Generator<readonly LoadedSlice[]> {
  let slices: LoadedSlice[] = [];
  let count = 0;
  for (const key of keys) {
    let entities: Entity[] = [];
    for (const entity of feed.entities(key)) {
      if (count >= most) {
        yield [...slices, { key, entities, more: true }];
        [slices, entities, count] = [[], [], 0];
      }
      entities.push(entity);
      count++;
    }
    slices.push({ key, entities, known: feed.known?.(key) });
    // An empty one takes room, too.
    count++;
  }
  if (slices.length > 0) yield slices;
}
