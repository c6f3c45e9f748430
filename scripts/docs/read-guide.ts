import { marked, type Token, type Tokens } from 'marked';
import type { Guide } from '../../container/contract/docs/guide.ts';
import { escape, slug } from '../../container/contract/docs/html.ts';

/**
 * A guide's Markdown as the page shows it. Fenced blocks that follow each other are one example in several languages; a
 * block of `output` is what the block before it prints. What stands after a block's language is for the test that runs it.
 */
export function readGuide(file: string, markdown: string): Guide {
  const tokens = marked.lexer(markdown);
  const heading = tokens.find((token): token is Tokens.Heading => token.type === 'heading' && token.depth === 1);
  if (!heading) throw new Error(`${file} has no heading "# …".`);
  void marked.walkTokens(tokens, (token) => {
    if (token.type === 'link') token['href'] = linkOnPage((token as Tokens.Link).href);
  });
  const parts: { id: string; title: string; text: string }[] = [{ id: '', title: heading.text, text: '' }];
  let html = '';
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as Token;
    if (token.type === 'code') {
      const example = exampleFrom(tokens, at);
      html += exampleHtml(example);
      at += example.length - 1;
    } else if (token.type === 'heading' && token['depth'] === 2) {
      const { text, tokens: inner } = token as Tokens.Heading;
      const id = slug(text);
      parts.push({ id, title: plainText(inner), text: '' });
      html += `<h2 id="${id}">${marked.Parser.parseInline(inner)}<a class="here" href="#${id}" aria-label="Link to this part">#</a></h2>`;
    } else {
      const rendered = marked.parser([token]);
      html += token.type === 'table' ? `<div class="wide">${rendered}</div>` : rendered;
      const part = parts.at(-1);
      // A plot shows what the table beside it says.
      if (part && token !== heading && token.type !== 'html')
        part.text = `${part.text} ${withoutTags(rendered)}`.trim();
    }
  }
  return { slug: slugOf(file), title: heading.text, html, parts };
}

/** `02-errors.md` → `errors`. */
const slugOf = (file: string): string => file.replace(/^\d+-/, '').replace(/\.md$/, '');

/** The files refer to each other by name, so that links work where the Markdown is read, too. */
const linkOnPage = (href: string): string =>
  href.replace(/^([\w-]+\.md)(#.*)?$/, (_, file: string, part = '') => `/docs/${slugOf(file)}${String(part)}`);

/** The code blocks from here on, with nothing but blank lines between them. */
function exampleFrom(tokens: readonly Token[], from: number): readonly Token[] {
  let end = from;
  while (tokens[end]?.type === 'code' || (tokens[end]?.type === 'space' && tokens[end + 1]?.type === 'code')) end++;
  return tokens.slice(from, end);
}

const CAPTION: Readonly<Record<string, string>> = {
  sh: 'curl',
  ts: 'TypeScript',
  python: 'Python',
  js: 'JavaScript',
  json: 'JSON',
  text: '',
};

function exampleHtml(tokens: readonly Token[]): string {
  const blocks = tokens.filter((token): token is Tokens.Code => token.type === 'code');
  const panels: { lang: string; html: string }[] = [];
  for (const { lang: info = '', text } of blocks) {
    const [lang = ''] = info.split(' ');
    const last = panels.at(-1);
    const shown = `<div class="block"><pre class="${lang === 'output' ? 'output' : 'code'}"><code>${escape(text)}</code></pre></div>`;
    if (last && (lang === 'output' || lang === last.lang)) last.html += shown;
    else panels.push({ lang, html: shown });
  }
  const several = panels.length > 1;
  const figures = panels.map(({ lang, html }) => {
    const caption = several ? `<figcaption>${CAPTION[lang] ?? lang}</figcaption>` : '';
    return `<figure data-lang="${escape(lang)}">${caption}${html}</figure>`;
  });
  return several ? `<div class="tabs">${figures.join('')}</div>` : figures.join('');
}

const plainText = (tokens: readonly Token[]): string => withoutTags(marked.Parser.parseInline([...tokens]));

const withoutTags = (html: string): string =>
  html
    .replaceAll(/<!--.*?-->|<[^>]*>/gs, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .replaceAll(/\s+/g, ' ')
    .trim();
