const BEGIN = '<!-- bench:begin (npm run bench:readme writes this) -->';
const END = '<!-- bench:end -->';

/** Replaces what is between the markers. @throws Error naming the file when they are not there */
export function putBetweenMarkers(file: string, markdown: string, part: string): string {
  const from = markdown.indexOf(BEGIN);
  const to = markdown.indexOf(END);
  if (from < 0 || to < from) throw new Error(`${file}: expected the lines ${BEGIN} and ${END}`);
  return `${markdown.slice(0, from + BEGIN.length)}\n\n${part}\n\n${markdown.slice(to)}`;
}
