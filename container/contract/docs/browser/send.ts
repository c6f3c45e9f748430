/** Sends the request of a card of the reference with the key typed above; the key stays in the page. */
export function sendExamples(): void {
  const key = document.querySelector<HTMLInputElement>('#key');
  for (const card of document.querySelectorAll<HTMLElement>('.op')) {
    const output = card.querySelector('pre');
    card.querySelector('button')?.addEventListener('click', () => {
      if (output) void send(card, key?.value ?? '', output);
    });
  }
}

async function send(card: HTMLElement, key: string, output: HTMLElement): Promise<void> {
  const { method = 'GET', path: pattern = '' } = card.dataset;
  const headers: Record<string, string> = key === '' ? {} : { authorization: `Bearer ${key}` };
  const query = new URLSearchParams();
  let path = pattern;
  for (const input of card.querySelectorAll('input')) {
    const { in: place, name = '' } = input.dataset;
    if (place === 'path') path = path.replace(`{${name}}`, encodeURIComponent(input.value));
    else if (place === 'header') headers[name] = input.value || crypto.randomUUID();
    else if (input.value !== '') query.set(name, input.value);
  }
  const body = card.querySelector('textarea')?.value;
  if (body !== undefined) headers['content-type'] = 'application/json';
  const target = query.size > 0 ? `${path}?${query.toString()}` : path;
  output.textContent = '…';
  try {
    const answer = await fetch(target, { method, headers, ...(body === undefined ? {} : { body }) });
    const id = answer.headers.get('x-request-id') ?? '';
    output.textContent = `${method} ${target}\n${answer.status} ${id}\n\n${indented(await answer.text())}`;
  } catch (error) {
    output.textContent = String(error);
  }
}

function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}
