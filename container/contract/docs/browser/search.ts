/** The search of the pages: words in a small index, without a server. */
export interface Entry {
  readonly url: string;
  readonly kind: string;
  readonly title: string;
  readonly text: string;
}

export interface Found {
  readonly entry: Entry;
  /** Words around the first place in the text that fits. */
  readonly excerpt: string;
}

const wordsOf = (query: string): string[] => query.toLowerCase().split(/\s+/).filter(Boolean);

/** A word counts most as the whole title, then as the beginning of a word of it, then in the text. */
function weight(word: string, title: string, text: string): number {
  if (title === word) return 100;
  const at = title.indexOf(word);
  if (at >= 0) return at === 0 || /\W|_/.test(title[at - 1] ?? '') ? 40 : 20;
  const inText = text.indexOf(word);
  if (inText < 0) return 0;
  return inText === 0 || /\W/.test(text[inText - 1] ?? '') ? 6 : 2;
}

const EXCERPT_BEFORE = 40;
const EXCERPT_AFTER = 90;

function excerptOf(text: string, words: readonly string[]): string {
  const lower = text.toLowerCase();
  const at = Math.min(...words.map((word) => lower.indexOf(word)).filter((place) => place >= 0), text.length);
  const from = at === text.length ? 0 : Math.max(0, at - EXCERPT_BEFORE);
  const to = Math.min(text.length, from + EXCERPT_BEFORE + EXCERPT_AFTER);
  return `${from > 0 ? '…' : ''}${text.slice(from, to).trim()}${to < text.length ? '…' : ''}`;
}

/** Entries that hold every word of the query, best first. */
export function search(index: readonly Entry[], query: string, limit = 12): readonly Found[] {
  const words = wordsOf(query);
  if (words.length === 0) return [];
  const scored = index.flatMap((entry) => {
    const title = entry.title.toLowerCase();
    const text = entry.text.toLowerCase();
    const weights = words.map((word) => weight(word, title, text));
    if (weights.includes(0)) return [];
    // A guide explains; everything else is looked up by its name.
    const kind = entry.kind === 'guide' ? 3 : 0;
    return [{ entry, score: weights.reduce((sum, each) => sum + each, kind) }];
  });
  return scored
    .sort((a, b) => b.score - a.score)
    .slice(0, limit)
    .map(({ entry }) => ({ entry, excerpt: excerptOf(entry.text, words) }));
}
