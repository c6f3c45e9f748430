/** A list in a query is at most so long, as `tick/last` documents it (mt5-webapi §3.5); nothing is documented for others. */
export const MAX_LIST_CHARACTERS = 4_096;

/** Splits names so that each list, joined by commas, is at most `maxCharacters` long and has at most `maxCount` of them. */
export function commaLists<Name extends string | number>(
  names: Iterable<Name>,
  maxCharacters = MAX_LIST_CHARACTERS,
  maxCount = Infinity,
): Name[][] {
  const lists: Name[][] = [];
  let list: Name[] = [];
  let length = 0;
  for (const name of names) {
    const characters = String(name).length;
    if (list.length > 0 && (list.length >= maxCount || length + 1 + characters > maxCharacters)) {
      lists.push(list);
      list = [];
      length = 0;
    }
    length += characters + (list.length > 0 ? 1 : 0);
    list.push(name);
  }
  if (list.length > 0) lists.push(list);
  return lists;
}
