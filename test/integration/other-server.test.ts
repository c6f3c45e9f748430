import { afterEach, expect, test } from 'vitest';
import { startBridge, type BridgeUnderTest } from '../support/bridge.ts';
import { startScriptedServer, type Script, type ScriptedServer } from '../support/scripted-server.ts';

/** The bridge relies on nothing that the protocol document does not promise. */
let server: ScriptedServer;
let bridge: BridgeUnderTest;

afterEach(async () => {
  await bridge.close();
  await server.close();
});

async function readsThrough(script: Script, reads = 3): Promise<string[]> {
  server = await startScriptedServer(script);
  bridge = await startBridge({ simulator: server });
  const bodies: string[] = [];
  for (let i = 0; i < reads; i++) {
    const answer = await bridge.fetch(`/api/user/get?login=${1001 + i}`);
    expect(answer.status).toBe(200);
    bodies.push(await answer.text());
  }
  return bodies;
}

test('plain answers without a content type', async () => {
  const bodies = await readsThrough(() => undefined);
  expect(bodies[2]).toBe('{"retcode":"0 Done","answer":{"Login":"1003"}}');
  expect(server.connections()).toBe(1);
});

test('upper-case hex, another text after the number, members in another order and case, a byte order mark', async () => {
  const bodies = await readsThrough(({ response, documented }) => {
    if (!documented) return;
    const upper = Object.entries(documented).map(([name, value]) => [
      name,
      typeof value === 'string' && /^[0-9a-f]{32}$/.test(value) ? value.toUpperCase() : value,
    ]);
    const { retcode: _, ...rest } = Object.fromEntries(upper) as Record<string, unknown>;
    response.end(`\uFEFF \r\n${JSON.stringify({ ...rest, Retcode: '0 OK whatever' })}\n`);
  });
  expect(bodies[0]).toContain('"Retcode":"0 OK whatever"');
});

test('chunked answers in many pieces, retcode as a bare number, unknown headers', async () => {
  await readsThrough(({ response, documented }) => {
    response.writeHead(200, { 'x-anything': 'a, b', 'content-type': 'text/plain; charset=windows-1251' });
    for (const character of JSON.stringify({ ...documented, retcode: 0 })) response.write(character);
    response.end();
  });
  expect(server.connections()).toBe(1);
});

test('cookies are echoed on their connection, and not needed', async () => {
  const seen: (string | undefined)[] = [];
  await readsThrough(({ path, response, headers }) => {
    if (path === 'auth/answer') response.setHeader('set-cookie', ['sid=abc; Path=/; HttpOnly', 'b=2']);
    if (path === 'user/get') seen.push(headers.cookie);
  });
  expect(seen).toEqual(['sid=abc; b=2', 'sid=abc; b=2', 'sid=abc; b=2']);
});

test('a short keep-alive hint does not end the session', async () => {
  await readsThrough(({ response }) => void response.setHeader('keep-alive', 'timeout=1'));
  const pings = (): number => server.requests.filter((path) => path === 'test/access').length;
  await expect.poll(pings).toBeGreaterThanOrEqual(2);
  expect(server.connections()).toBe(1);
});

test('a server that closes after an answer costs a sign-in and nothing else', async () => {
  const bodies = await readsThrough(({ path, response }) => {
    if (path === 'user/get') response.setHeader('connection', 'close');
  });
  expect(bodies).toHaveLength(3);
  // Requests that follow a close at once may find the connection gone; the read is then sent again.
  expect(server.connections()).toBeLessThanOrEqual(4);
});

test('business errors as 4xx with JSON are the answer, not a lost session', async () => {
  server = await startScriptedServer(({ path, response }) => {
    if (path === 'user/get') response.writeHead(403).end('{"retcode":"8 Not enough permissions"}');
  });
  bridge = await startBridge({ simulator: server });
  const answer = await bridge.fetch('/api/user/get?login=1');
  expect(answer.status).toBe(403);
  expect(await answer.text()).toBe('{"retcode":"8 Not enough permissions"}');
  expect(server.requests).not.toContain('test/access');
});

test('401 without a retcode is told apart like 403', async () => {
  server = await startScriptedServer(({ path, response }) => {
    if (path === 'user/get') response.writeHead(401).end('Unauthorized');
  });
  bridge = await startBridge({ simulator: server });
  expect((await bridge.fetch('/api/user/get?login=1')).status).toBe(403);
  expect(server.requests).toEqual(['auth/start', 'auth/answer', 'user/get', 'test/access']);
  expect(server.connections()).toBe(1);
});

test('a manager with another agent name and a national password signs in', async () => {
  const urls: string[] = [];
  server = await startScriptedServer(({ url }) => void urls.push(url), 'Пароль-密码-1');
  bridge = await startBridge({ simulator: server, env: { MT5_PASSWORD: 'Пароль-密码-1', MT5_AGENT: 'Desk/7' } });
  expect((await bridge.fetch('/api/user/get?login=1')).status).toBe(200);
  expect(urls[0]).toMatch(/^\/api\/auth\/start\?version=\d+&agent=Desk%2F7&login=1000&type=manager$/);
});

test('a server that ends the connection with each answer: every read is answered, none waits for it', async () => {
  await readsThrough(({ path, response }) => {
    if (path === 'user/get') response.setHeader('connection', 'close');
  }, 6);
  expect(server.connections()).toBe(6);
});
