/** Masks of groups and symbols: `demo\*,!demo\old*`. Read left to right, each item adds or, with `!`, takes out. */

const cache = new Map<string, Matcher>();
/** Masks come from requests; the cache is emptied when it has grown to this many. */
const CACHE_LIMIT = 2000;

type Matcher = (...names: readonly string[]) => boolean;

interface Item {
  readonly exclude: boolean;
  readonly test: (name: string) => boolean;
}

function wildcard(pattern: string): (name: string) => boolean {
  if (!pattern.includes('*')) return (name) => name === pattern;
  const expression = new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/gu, String.raw`\$&`))
      .join('.*')}$`,
    'su',
  );
  return (name) => expression.test(name);
}

/** A doubled level separator means one: `manager\\administrators` is `manager\administrators`. */
export function singleSeparators(name: string): string {
  return name.includes('\\\\') ? name.replaceAll('\\\\', '\\') : name;
}

/** An object matches when the last item that fits one of its names is not an exclusion. */
export function compileMask(mask: string): Matcher {
  const known = cache.get(mask);
  if (known !== undefined) return known;
  const items: Item[] = singleSeparators(mask)
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '' && item !== '!')
    .map((item) => {
      const exclude = item.startsWith('!');
      return { exclude, test: wildcard(exclude ? item.slice(1) : item) };
    });
  const matcher: Matcher = (...names) => {
    const item = items.findLast(({ test }) => names.some((name) => test(name)));
    return item !== undefined && !item.exclude;
  };
  if (cache.size >= CACHE_LIMIT) cache.clear();
  cache.set(mask, matcher);
  return matcher;
}
