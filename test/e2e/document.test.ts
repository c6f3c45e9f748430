import { afterAll, beforeAll, expect, it } from 'vitest';
import { createBridgeClient } from '../../container/client/index.ts';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { walkDocument } from '../support/document-walk.ts';
import { type Edge, startEdge } from './support/edge.ts';

/** The whole document through Worker → Durable Object → container. */

let simulator: Simulator;
let edge: Edge;

beforeAll(async () => {
  simulator = await startSimulator();
  edge = await startEdge({ simulator });
});
afterAll(async () => {
  await edge?.close();
  await simulator?.close();
});

it('serves the documents without a key and without waking anything', async () => {
  const pages = ['/docs', '/docs/first-request', '/docs/search.json', '/docs.js', '/docs.css'];
  for (const path of ['/openapi.json', ...pages, '/health'])
    expect((await fetch(edge.url + path)).status, path).toBe(200);
  expect(edge.engine.processes).toHaveLength(0);
});

it('answers every path of the document', async () => {
  // Keeps the last closed day.
  await edge.scheduled();
  const reads: string[] = [];
  for await (const step of walkDocument({ url: edge.url, adminKey: edge.keys.admin }, () => true)) {
    const what = `${step.route.id} ${step.target} ${step.status}`;
    expect(step.faults, what).toEqual([]);
    if (step.route.method === 'GET') {
      expect(step.status, what).toBe(step.route.status);
      reads.push(step.route.id);
    } else expect(step.status, what).toBeLessThan(500);
    expect(step.headers.get('x-request-id'), what).toMatch(/\S/);
  }
  expect(reads.length).toBeGreaterThan(40);
});

it('serves the typed client', async () => {
  const client = createBridgeClient({ baseUrl: edge.url, key: edge.keys.read });
  const { data } = await client.POST('/v1/batch', {
    body: { requests: [{ path: '/v1/accounts/1001' }, { path: '/v1/quotes?symbols=EURUSD' }] },
  });
  expect(data?.items.map(({ status }) => status)).toEqual([200, 200]);
  const logins: number[] = [];
  for await (const login of client.each('/v1/logins', { query: { group: 'real\\*', limit: 10 } })) logins.push(login);
  expect(logins.length).toBeGreaterThan(10);
});
