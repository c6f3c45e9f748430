import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { TradingClient } from '../support/trading.ts';
import { type Edge, startEdge } from './support/edge.ts';
import { browserPath, ConsolePage, launchBrowser } from './support/page.ts';

/** The page at `/`, in a browser, over the whole road. One world: the tests go on where the one before ended. */
const LONG = { timeout: 30_000 };
const GZIP_LIMIT_BYTES = 120 * 1024;

const name =
  browserPath === undefined ? 'the page in a browser (SKIPPED: apt-get install chromium)' : 'the page in a browser';
describe.skipIf(browserPath === undefined)(name, () => {
  let simulator: Simulator;
  let edge: Edge;
  let browser: Browser;
  let opened: ConsolePage;
  /** Of webhooks. */
  let receiver: Server;
  let receiverUrl: string;

  beforeAll(async () => {
    receiver = createServer((_, answer) => answer.writeHead(204).end()).listen(0, '127.0.0.1');
    [simulator] = await Promise.all([startSimulator({ ticksPerSecond: 50 }), once(receiver, 'listening')]);
    receiverUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
    [browser, edge] = await Promise.all([
      launchBrowser(),
      startEdge({ simulator, page: true, vars: { POOL_MAX: '1', WEBHOOK_ALLOWED_ORIGINS: receiverUrl } }),
    ]);
    opened = await ConsolePage.open(browser, edge.url);
    // A browser and workerd side by side: a busy machine takes its time.
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await edge?.close();
    await simulator?.close();
    receiver?.close();
  });

  const verdict = (): Promise<string> => opened.text('.verdict h1');
  const panel = (id: string): Promise<string> => opened.text(`#${id}`);
  const confirm = async (label: string): Promise<string> => {
    const dialog = opened.page.getByRole('dialog');
    const happens = await dialog.innerText();
    await dialog.getByRole('button', { name: label }).click();
    await dialog.waitFor({ state: 'detached' });
    return happens;
  };

  it('is small, and tells who comes without a valid key why not', async () => {
    const files = await Promise.all(
      ['/', '/console.js', '/console.css', '/console.svg'].map(async (path) =>
        (await fetch(edge.url + path)).arrayBuffer(),
      ),
    );
    const bytes = files.reduce((sum, file) => sum + gzipSync(new Uint8Array(file)).length, 0);
    expect(bytes).toBeLessThan(GZIP_LIMIT_BYTES);
    await opened.page.getByLabel('API key', { exact: true }).fill('mt5k_wrong');
    await opened.page.getByRole('button', { name: 'Sign in' }).click();
    await expect.poll(() => opened.page.getByRole('alert').innerText(), LONG).toContain('key');
  });

  it('on a sleeping bridge shows everything that is known, and wakes nothing', async () => {
    await opened.signIn(edge.keys.admin);
    await expect.poll(verdict, LONG).toContain('Asleep');
    await expect.poll(() => panel('keys'), LONG).toContain('masked');
    await expect.poll(() => panel('cost'), LONG).toContain('At this pace');
    expect(await opened.figureCount()).toBeGreaterThan(40);
    await expect.poll(() => opened.untraced(), LONG).toEqual([]);
    expect(edge.engine.processes).toHaveLength(0);
    expect(simulator.stats().handshakes).toBe(0);
  });

  it('warms after saying what that means; quotes move, and every figure is one that the bridge told', async () => {
    await opened.page.getByRole('button', { name: 'Warm…' }).click();
    expect(await confirm('Warm')).toContain('signs in at the broker');
    await expect.poll(verdict, LONG).toContain('Connected.');
    await opened.page.getByRole('button', { name: 'Follow' }).click();
    const bid = (): Promise<string> => opened.text('#quotes tbody tr:first-child td:nth-child(2) data');
    await expect.poll(bid, LONG).toMatch(/^\d+\.\d+$/);
    const first = await bid();
    await expect.poll(bid, LONG).not.toBe(first);
    await expect.poll(() => opened.untraced(), LONG).toEqual([]);
  });

  it('another key’s order of unknown end waits for a person, who looks into the books; a feed that stands still is called stale', async () => {
    const made = await edge.fetch('/v1/webhooks', {
      method: 'POST',
      headers: { 'x-api-key': edge.keys.admin, 'content-type': 'application/json' },
      body: JSON.stringify({ url: `${receiverUrl}/mt5`, events: ['operation.*'] }),
    });
    expect(made.status).toBe(201);
    const client = new TradingClient({
      fetch: (path, init = {}) => {
        const headers = new Headers(init.headers);
        headers.set('x-api-key', edge.keys.trade);
        return edge.fetch(path, { ...init, headers });
      },
    });
    // What takes its time goes side by side: figures are told every ten seconds, a quote is old after fifteen.
    const freeze = (): void => simulator.fault({ kind: 'freeze-feed', ms: 600_000 });
    await expect.poll(() => panel('quotes'), LONG).toMatch(/ live/);
    freeze();
    // The books cannot be read either, so that the bridge does not find out by itself.
    simulator.fault({ kind: 'drop-after-execution', command: 'dealer/get_request_result' });
    for (const command of ['deal/*', 'history/*', 'order/*'])
      simulator.fault({ kind: 'status', code: 503, command, count: 'always' });
    expect(await client.order('lost-order')).toMatchObject({ status: 202 });
    await expect.poll(() => panel('operations'), LONG).toContain('Nobody knows yet how it ended');
    await opened.page.getByRole('button', { name: 'Reconcile lost-order' }).click();
    simulator.clearFaults();
    freeze();
    expect(await confirm('Look now')).toContain('Nothing is sent again');
    await expect.poll(() => opened.text('.notice'), LONG).toContain('lost-order: done');
    await expect.poll(() => panel('operations'), LONG).toContain('has a known end');
    await expect.poll(() => panel('events'), LONG).toMatch(/operation\.done[^]*lost-order/);
    await expect
      .poll(() => panel('deliveries'), LONG)
      .toMatch(/operation\.\w+\s+to 127\.0\.0\.1:\d+\s+204\s+attempt 1/);
    await expect.poll(() => panel('webhooks'), LONG).toContain('/mt5');
    await expect.poll(() => panel('backlog'), LONG).toMatch(/Audit\s+\d+/);
    // By then the program has told its figures, which it does every ten seconds.
    await expect.poll(() => panel('latency'), LONG).toMatch(/at the broker\s+[\d.]+ ms/);
    await expect.poll(() => panel('refusals'), LONG).toContain('unauthenticated');
    await expect.poll(() => panel('streams'), LONG).toContain('Closed, too slow');
    await expect.poll(() => opened.untraced(), LONG).toEqual([]);
    await expect.poll(() => panel('quotes'), LONG).toContain('stale');
  });

  it('kill -9: the timeline tells it, and the page recovers by itself', async () => {
    simulator.clearFaults();
    edge.engine.kill('SIGKILL');
    await expect.poll(() => panel('timeline'), LONG).toContain('Crashed');
    await expect.poll(verdict, LONG).toContain('Connected.');
    await expect.poll(() => panel('timeline'), LONG).toMatch(/Signed in[^]*Started[^]*Crashed/);
  });

  it('nobody is kept out, and the key is nowhere', async () => {
    await expect.poll(() => panel('quotes'), LONG).toMatch(/ live/);
    await expect.poll(() => panel('quotes'), LONG).not.toContain('stale');
    expect(await opened.barriers()).toEqual([]);
    await opened.page.emulateMedia({ colorScheme: 'dark' });
    await opened.page.setViewportSize({ width: 390, height: 844 });
    expect(await opened.barriers('color-contrast')).toEqual([]);
    expect(await opened.page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    for (const place of await opened.places()) expect(place).not.toContain(edge.keys.admin);
  });

  it('a key that may only read sees the verdict, and which scope the rest needs', async () => {
    await opened.page.getByRole('button', { name: 'Sign out' }).click();
    await opened.signIn(edge.keys.read);
    await expect.poll(verdict, LONG).toContain('Connected.');
    expect(await panel('timeline')).toContain('Needs the scope operate');
    expect(await panel('keys')).toContain('Needs the scope admin');
    expect(opened.faults).toEqual([]);
  });
});
