import { search, type Entry } from './search.ts';

/** The box above the contents: `/` goes to it, arrows walk through what was found, Enter follows it. */
export function startSearch(): void {
  const box = document.querySelector<HTMLInputElement>('#search');
  const found = document.querySelector<HTMLOListElement>('#found');
  if (!box || !found) return;
  box.disabled = false;
  let index: Promise<readonly Entry[]> | undefined;
  // Fetched when it is first needed.
  const load = (): Promise<readonly Entry[]> => (index ??= fetchIndex());
  box.addEventListener('focus', () => void load());
  const look = async (): Promise<void> => {
    const query = box.value;
    const entries = await load();
    if (box.value === query) show(found, entries, query);
  };
  box.addEventListener('input', () => void look());
  box.addEventListener('keydown', (event) => {
    const links = linksOf(found);
    if (event.key === 'ArrowDown') links[0]?.focus();
    else if (event.key === 'Enter') links[0]?.click();
    else if (event.key === 'Escape') close(box, found);
    else return;
    event.preventDefault();
  });
  found.addEventListener('keydown', (event) => {
    const links = linksOf(found);
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    if (event.key === 'ArrowDown') links[at + 1]?.focus();
    else if (event.key === 'ArrowUp') (links[at - 1] ?? box).focus();
    else if (event.key === 'Escape') close(box, found);
    else return;
    event.preventDefault();
  });
  found.addEventListener('click', (event) => {
    if (event.target instanceof Element && event.target.closest('a')) close(box, found);
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || isTyping(event.target)) return;
    event.preventDefault();
    box.focus();
    box.select();
  });
}

const linksOf = (found: HTMLElement): HTMLAnchorElement[] => [...found.querySelectorAll('a')];
const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;

async function fetchIndex(): Promise<readonly Entry[]> {
  const answer = await fetch('/docs/search.json');
  return (await answer.json()) as readonly Entry[];
}

function close(box: HTMLInputElement, found: HTMLElement): void {
  box.value = '';
  found.hidden = true;
  found.replaceChildren();
}

function show(list: HTMLElement, index: readonly Entry[], query: string): void {
  const found = search(index, query);
  list.hidden = query.trim() === '';
  list.replaceChildren(...found.map(({ entry, excerpt }) => row(entry, excerpt)));
  if (found.length === 0) list.append(line('li', 'nothing', `Nothing is called or says “${query.trim()}”.`));
}

function row(entry: Entry, excerpt: string): HTMLElement {
  const item = document.createElement('li');
  const link = document.createElement('a');
  link.href = entry.url;
  const head = line('b', '', entry.title);
  head.append(line('small', 'kind', entry.kind));
  link.append(head, line('span', '', excerpt));
  item.append(link);
  return item;
}

function line(name: string, className: string, text: string): HTMLElement {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}
