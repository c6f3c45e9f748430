import { BridgeError } from '../contract/errors.ts';
import { topicEntry, type DataTopic, type Selection } from '../contract/frames.ts';
import { requireLogin, type Caller } from '../contract/keys.ts';
import { equityKey, groupKey, MAX_SLICE_KEY_CHARACTERS, selectionOf } from '../contract/slice-keys.ts';

/**
 * What an operation names, as the source is asked for it: symbols and masks, or slices of the accounts' books.
 * @throws BridgeError `invalid_field` naming the field, `login_not_allowed`
 */
export function selectorsOf(operation: Selection, topic: DataTopic, caller: Caller): readonly string[] {
  const { selector } = topicEntry(topic);
  for (const wrong of selector === 'symbols' ? (['logins', 'groups'] as const) : (['symbols'] as const))
    if (operation[wrong] !== undefined) throw invalid(wrong, `The topic ${topic} takes no ${wrong}.`, selector);
  const { marginLevelBelow, drawdownAbove } = operation;
  if (topic !== 'equity')
    for (const bound of ['marginLevelBelow', 'drawdownAbove'] as const)
      if (operation[bound] !== undefined) throw invalid(bound, `The topic ${topic} takes no ${bound}.`, 'topic equity');
  if (selector === 'symbols') return [...new Set(operation.symbols)];
  const books = [...new Set(booksOf(operation, caller))];
  if (topic !== 'equity' || books.length === 0) return books;
  if (marginLevelBelow === undefined && drawdownAbove === undefined)
    throw invalid('marginLevelBelow', 'The topic equity needs marginLevelBelow or drawdownAbove.', 'a percentage');
  return books.map((key) => equityKey({ marginLevelBelow, drawdownAbove }, key));
}

/**
 * A subscription follows something, and one selection of groups.
 * @param before what is followed already
 * @throws BridgeError `invalid_field`
 */
export function requireSelection(topic: DataTopic, selectors: readonly string[], before: Iterable<string> = []): void {
  const { selector } = topicEntry(topic);
  const fields = selector === 'symbols' ? 'symbols' : 'logins or groups';
  if (selectors.length === 0) throw invalid(selector, `The topic ${topic} needs ${fields}.`, `a list of ${fields}`);
  if (selector === 'symbols') return;
  const [first = ''] = selectors;
  for (const key of before)
    if (selectionOf(key) !== selectionOf(first))
      throw invalid(
        'groups',
        `The topic ${topic} follows another selection already: groups and logins are not mixed, groups and bounds are named at once.`,
        'the same groups and bounds, or "unsubscribe" first',
      );
}

function booksOf(operation: Selection, caller: Caller): readonly string[] {
  const { groups, logins } = operation;
  const isTrader = caller.sessionId !== undefined;
  if (groups !== undefined) {
    if (logins !== undefined) throw invalid('groups', 'Name logins or groups, not both.', 'logins or groups');
    if (isTrader) throw invalid('groups', "A trader's session follows its own login.", 'no groups');
    const key = groupKey(groups, caller.logins);
    if (key.length > MAX_SLICE_KEY_CHARACTERS)
      throw invalid('groups', 'The groups, and the logins that the key is bound to, are too long a list.', 'fewer');
    return [key];
  }
  const only = isTrader ? caller.logins?.[0]?.[0] : undefined;
  const named = logins ?? (only === undefined || operation.op === 'unsubscribe' ? [] : [only]);
  for (const login of named) requireLogin(caller, login);
  return named.map(String);
}

const invalid = (field: string, detail: string, expected: string): BridgeError =>
  new BridgeError('invalid_field', { detail, field, expected });
