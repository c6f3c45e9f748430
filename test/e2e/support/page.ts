import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { SOURCES } from '../../../container/console/sources.ts';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
/** `undefined` = there is none, and its tests are skipped. */
export const browserPath = existsSync(CHROMIUM) ? CHROMIUM : undefined;

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

export function launchBrowser(): Promise<Browser> {
  // As root there is no sandbox.
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
}

interface Violation {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string }[];
}

/** The page as a person has it, and what went over the wire to it. */
export class ConsolePage {
  readonly page: Page;
  /** Broken rules of the content security policy, errors of scripts. */
  readonly faults: string[] = [];
  /** Answers by path, oldest first. */
  readonly answers = new Map<string, unknown[]>();
  /** Rows that the stream brought: `EURUSD.bid` → every value. */
  readonly ticks = new Map<string, Set<string>>();
  readonly #context: BrowserContext;

  private constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
    page.on('pageerror', (error) => this.faults.push(error.message));
    page.on('console', (message) => {
      if (/content security policy|trusted ?type/i.test(message.text())) this.faults.push(message.text());
    });
    page.on('response', (response) => {
      const { pathname } = new URL(response.url());
      if (!/^\/(?:v1|admin|metrics)/.test(pathname)) return;
      const body: Promise<unknown> =
        pathname === '/metrics' ? response.text().then((text) => ({ samples: samplesIn(text) })) : response.json();
      void body.then(
        (told) => this.#note(pathname.replace(/wh_[0-9a-f]{16}/, '{id}'), told),
        () => undefined,
      );
    });
    page.on('websocket', (socket) => {
      socket.on('framereceived', ({ payload }) => this.#noteFrame(String(payload)));
    });
  }

  static async open(browser: Browser, url: string): Promise<ConsolePage> {
    const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
    const opened = new ConsolePage(context, await context.newPage());
    opened.page.setDefaultTimeout(20_000);
    await opened.page.goto(url);
    return opened;
  }

  async signIn(key: string): Promise<void> {
    await this.page.getByLabel('API key', { exact: true }).fill(key);
    await this.page.getByRole('button', { name: 'Sign in' }).click();
    await this.page.getByRole('heading', { level: 1 }).waitFor();
  }

  #note(path: string, told: unknown): void {
    this.answers.set(path, [...(this.answers.get(path) ?? []), told]);
  }

  #noteFrame(text: string): void {
    const { topic, data } = JSON.parse(text) as { topic?: string; data?: unknown };
    if (topic !== 'ticks' || !Array.isArray(data)) return;
    for (const row of data as Record<string, unknown>[])
      for (const [field, value] of Object.entries(row)) {
        const name = `${String(row['symbol'])}.${field}`;
        this.ticks.set(name, (this.ticks.get(name) ?? new Set()).add(String(value)));
      }
  }

  text(selector: string): Promise<string> {
    return this.page.locator(selector).innerText();
  }

  /** Figures of the page that no answer of the bridge holds, and digits that say no source. */
  async untraced(): Promise<readonly string[]> {
    const { figures, loose } = await this.#shown();
    const lost = figures.filter(({ source, path, value }) => !this.#isTold(source, path, value));
    return [...lost.map(({ source, path, value }) => `${source} ${path}: ${value}`), ...loose];
  }

  async figureCount(): Promise<number> {
    return (await this.#shown()).figures.length;
  }

  #shown(): Promise<Shown> {
    return this.page.evaluate<Shown>(READ_FIGURES);
  }

  /** Everything in which a key could be found. */
  async places(): Promise<readonly string[]> {
    const { page } = this;
    const fields = await page.locator('input').all();
    return Promise.all([
      page.content(),
      page.evaluate<string>('JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])'),
      ...fields.map((field) => field.inputValue()),
      Promise.resolve(page.url()),
    ]);
  }

  #isTold(source: string, path: string, value: string): boolean {
    if (source === 'stream') return this.ticks.get(path)?.has(value) ?? false;
    const route = Object.hasOwn(SOURCES, source) ? SOURCES[source as keyof typeof SOURCES].path : '';
    // Several answers are one list on the page: an item is one of any of these answers.
    const [, field] = LISTS_OF_SEVERAL.includes(source) ? (/^items\.\d+\.(.+)$/.exec(path) ?? []) : [];
    return (this.answers.get(route) ?? []).some((answer) =>
      field === undefined
        ? plain(at(answer, path)) === value
        : (answer as { items: unknown[] }).items.some((item) => plain(at(item, field)) === value),
    );
  }

  /** What axe-core finds that keeps people out. @param only a rule: all of them take seconds */
  async barriers(only?: 'color-contrast'): Promise<readonly string[]> {
    const options = only === undefined ? '' : JSON.stringify({ runOnly: { type: 'rule', values: [only] } });
    // As an injected script it would break the page's own policy.
    const axe = await this.page.context().newCDPSession(this.page);
    await axe.send('Runtime.evaluate', { expression: await readFile(AXE, 'utf8') });
    const { result } = await axe.send('Runtime.evaluate', {
      expression: `axe.run(${options}).then(({ violations }) => JSON.stringify(violations))`,
      awaitPromise: true,
    });
    await axe.detach();
    return (JSON.parse(String(result.value)) as Violation[])
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
  }

  close(): Promise<void> {
    return this.#context.close();
  }
}

/** Operations are asked for by state, deliveries by receiver. */
const LISTS_OF_SEVERAL: readonly string[] = ['operations', 'deliveries'];

/** Lines of the Prometheus text format: the sample as it is written, and its value. */
const samplesIn = (text: string): Record<string, number> =>
  Object.fromEntries(
    text
      .split('\n')
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );

/** Labels of a sample may hold dots: its whole name is one key. */
const at = (value: unknown, path: string): unknown =>
  (path.startsWith('samples.') ? ['samples', path.slice('samples.'.length)] : path.split('.')).reduce(
    (inner, key) => (inner as Record<string, unknown> | null | undefined)?.[key],
    value,
  );
const plain = (value: unknown): string =>
  value === null || value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);

interface Shown {
  readonly figures: readonly { readonly source: string; readonly path: string; readonly value: string }[];
  readonly loose: readonly string[];
}

/** Runs in the page. Names of phases and quantiles are words that hold digits: they stand in terms and headings. */
const READ_FIGURES = `(() => {
  const main = document.querySelector('main');
  const figures = [...main.querySelectorAll('[data-path]')].map((element) => {
    const instant = element.getAttribute('datetime');
    return {
      source: element.getAttribute('data-source') ?? '',
      path: element.getAttribute('data-path') ?? '',
      value: instant === null ? (element.getAttribute('value') ?? '') : String(Date.parse(instant)),
    };
  });
  const loose = [];
  const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const isWord = node.parentElement.closest('[data-source], dt, th, label, legend, code') !== null;
    if (!isWord && /\\d/.test(node.textContent)) loose.push('no source: ' + node.textContent);
  }
  return { figures, loose };
})()`;
