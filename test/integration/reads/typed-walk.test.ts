import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OTHER_PATHS } from '../../../container/contract/openapi-others.ts';
import { ROUTES } from '../../../container/contract/routes.ts';
import { ERRORS, type Problem } from '../../../container/contract/errors.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { type BridgeUnderTest, startBridge } from '../../support/bridge.ts';
import { publishedPaths, walkDocument } from '../../support/document-walk.ts';

/** Every path of the published document, answered: the examples that it prints are what is sent. */

let simulator: Simulator;
let bridge: BridgeUnderTest;
/** Of the audit and of the archive. */
let folder = '';

beforeAll(async () => {
  simulator = await startSimulator();
  folder = mkdtempSync(path.join(tmpdir(), 'audit-'));
  const env = {
    ENABLE_PROFILING: 'true',
    AUDIT_DIR: path.join(folder, 'audit'),
    ARCHIVE_DIR: path.join(folder, 'archive'),
  };
  bridge = await startBridge({ simulator, env });
});
afterAll(async () => {
  await bridge.close();
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the published document', () => {
  it('holds every route, once, beside streams, probes and the passthrough', async () => {
    const documented = Object.entries(await publishedPaths(bridge.url))
      .filter(([path]) => !Object.hasOwn(OTHER_PATHS, path))
      .flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, { operationId }]) => `${operationId} ${method.toUpperCase()} ${path}`),
      );
    expect(documented.sort()).toEqual(ROUTES.map(({ id, method, path }) => `${id} ${method} ${path}`).sort());
  });

  it('has examples that are answered as its schemas say', async () => {
    const { operations } = (await (await bridge.fetch('/v1/capabilities')).json()) as { operations: string[] };
    const served = new Set(operations);
    let reads = 0;
    for await (const { route, target, status, headers, faults } of walkDocument(bridge, ({ id }) => served.has(id))) {
      expect(faults, `${route.id} ${target} ${status}`).toEqual([]);
      if (route.method !== 'GET') expect(status, `${route.id} ${target}`).toBeLessThan(500);
      else {
        reads++;
        expect(status, `${route.id} ${target}`).toBe(route.status);
        expect(headers.get('etag') !== null, route.id).toBe(
          route.cacheable !== undefined || route.conditional === true,
        );
      }
    }
    expect(reads).toBeGreaterThan(35);
  });

  it('shows every error of the table, as the code has them', async () => {
    const document = (await (await bridge.fetch('/openapi.json')).json()) as { info: { description: string } };
    const page = await (await bridge.fetch('/docs')).text();
    for (const [code, { status, title, retry, outcome }] of Object.entries(ERRORS)) {
      expect(document.info.description).toContain(`| \`${code}\` | ${status} | ${title} | ${retry} | ${outcome} |`);
      expect(page).toContain(`>${code}</code></td><td>${status}</td>`);
    }
  });

  it('is a page that loads nothing from elsewhere', async () => {
    const answer = await bridge.fetch('/docs');
    const page = await answer.text();
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(
      [...page.matchAll(/(?:src|href)="([^"]+)"/g)]
        .map((match) => match[1])
        .filter((link) => !/^[#/](?!\/)/.test(link ?? '')),
    ).toEqual([]);
    for (const { id } of ROUTES) expect(page).toContain(`id="${id}"`);
  });
});

describe('the batch', () => {
  const batch = async (requests: unknown, key = bridge.readKey): Promise<{ status: number; body: BatchBody }> => {
    const answer = await fetch(`${bridge.url}/v1/batch`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ requests }),
    });
    return { status: answer.status, body: (await answer.json()) as BatchBody };
  };
  interface BatchBody {
    readonly items: readonly { id: string | null; status: number; body: unknown; problem: Problem | null }[];
    readonly field?: string;
  }

  it('answers each read as it would be answered alone, in order', async () => {
    const { body } = await batch([
      { id: 'a', path: '/v1/accounts/1001' },
      { path: '/v1/accounts/999999' },
      { id: 'c', path: '/v1/symbols/EURUSD?decimals=number' },
      { path: '/v1/accounts/0' },
      { path: '/v1/nothing' },
      { path: '/v1/../admin/journal' },
      { path: '/v1/%2e%2e/admin/profile' },
    ]);
    expect(body.items.map(({ id, status }) => [id, status])).toEqual([
      ['a', 200],
      [null, 404],
      ['c', 200],
      [null, 422],
      [null, 404],
      [null, 404],
      [null, 404],
    ]);
    const alone: unknown = await (await bridge.fetch('/v1/symbols/EURUSD?decimals=number')).json();
    expect(body.items[2]?.body).toEqual(alone);
    expect(body.items[3]?.problem?.field).toBe('login');
  });

  it('takes 1 to 50 reads', async () => {
    const path = '/v1/keys/self';
    expect((await batch([])).body.field).toBe('requests');
    expect((await batch(Array.from({ length: 51 }, () => ({ path })))).status).toBe(422);
    const full = await batch(Array.from({ length: 50 }, () => ({ path })));
    expect(full.body.items.every(({ status }) => status === 200)).toBe(true);
    expect((await batch([{ path: '//evil.example/v1/x' }])).status).toBe(422);
  });
});

describe('monitoring', () => {
  it('tells what was measured', async () => {
    const metrics = (await (await bridge.fetch('/performance/metrics')).json()) as {
      requests: { total: number; byStatus: Record<string, number> };
      upstream: { signIns: number };
    };
    expect(metrics.requests.total).toBeGreaterThan(10);
    expect(metrics.requests.byStatus['2xx']).toBeGreaterThan(10);
    expect(metrics.upstream.signIns).toBeGreaterThanOrEqual(1);
  });

  it('takes a CPU profile for administrators only', async () => {
    const asReader = await fetch(`${bridge.url}/admin/profile?seconds=1`, {
      method: 'POST',
      headers: { 'x-api-key': bridge.readKey },
    });
    expect(asReader.status).toBe(403);
    const profile = await bridge.fetch('/admin/profile?seconds=1', { method: 'POST' });
    expect(profile.status).toBe(200);
    expect(((await profile.json()) as { nodes: unknown[] }).nodes.length).toBeGreaterThan(0);
  });
});
