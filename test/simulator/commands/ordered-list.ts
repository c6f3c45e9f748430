/** Groups and symbols have an order: `next` reads along it, `shift` changes it. */
import { done, refused, type CommandReply, type CommandRequest } from '../command.ts';
import { RETCODE } from './scope.ts';

/** The object at a place of the configuration, or `count` of them from there. */
export function nextOf<T>(request: CommandRequest, items: readonly T[], render: (item: T) => unknown): CommandReply {
  const index = request.parameters.integer('index');
  const count = request.parameters.integer('count');
  if (index === undefined || Number.isNaN(index) || Number.isNaN(count)) return refused(RETCODE.params);
  const item = items[index];
  if (item === undefined) return refused(RETCODE.notFound);
  return count === undefined ? done(render(item)) : done(items.slice(index, index + count).map(render));
}

/** Moves the item at `index` by `shift` places; the map in its new order, or the refusal. */
export function shifted<T>(request: CommandRequest, items: ReadonlyMap<string, T>): Map<string, T> | CommandReply {
  const index = request.parameters.integer('index');
  const shift = Number(request.parameters.text('shift') ?? Number.NaN);
  if (index === undefined || Number.isNaN(index) || !Number.isSafeInteger(shift)) return refused(RETCODE.params);
  const list = [...items];
  const [item] = list.splice(index, 1);
  if (item === undefined) return refused(RETCODE.notFound);
  list.splice(Math.max(0, index + shift), 0, item);
  return new Map(list);
}

/** Puts a map into another order. */
export function reorder<T>(items: Map<string, T>, ordered: ReadonlyMap<string, T>): void {
  items.clear();
  for (const [name, item] of ordered) items.set(name, item);
}
