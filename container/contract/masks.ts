/**
 * MT5 masks: a comma list of names where `*` stands for any text and a leading `!` excludes (`demo\*,!demo\old*`). An
 * exclusion counts wherever it stands in the list. Names are compared with their case, as the server does.
 */
export interface Mask {
  matches(name: string): boolean;
}

interface Pattern {
  readonly excludes: boolean;
  /** The text between the stars. */
  readonly pieces: readonly string[];
}

function parsePattern(part: string): Pattern {
  const excludes = part.startsWith('!');
  return { excludes, pieces: (excludes ? part.slice(1) : part).split(/\*+/) };
}

/** Linear: each piece is found at its first place after the one before. A regular expression could be made to backtrack. */
function fits(pieces: readonly string[], name: string): boolean {
  const first = pieces[0] ?? '';
  if (pieces.length === 1) return name === first;
  const last = pieces.at(-1) ?? '';
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false;
  let from = first.length;
  const end = name.length - last.length;
  for (const piece of pieces.slice(1, -1)) {
    const at = name.indexOf(piece, from);
    if (at < 0 || at + piece.length > end) return false;
    from = at + piece.length;
  }
  return true;
}

export function parseMask(text: string): Mask {
  const patterns = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => parsePattern(part));
  const wanted = patterns.filter((pattern) => !pattern.excludes);
  const unwanted = patterns.filter((pattern) => pattern.excludes);
  return {
    matches: (name) =>
      wanted.some((pattern) => fits(pattern.pieces, name)) && !unwanted.some((pattern) => fits(pattern.pieces, name)),
  };
}
