import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Sample } from '../report/model.ts';
import { POOL, vps } from '../systems/vps.ts';
import { type Desk, DESK_CLIENTS, DESK_LATENCY_MS, measureOrders } from './desk-work.ts';

/**
 * The same orders as without a desk, on a bridge of its own whose events are stored by the audit and sent to a receiver.
 *
 * @throws Error where an event did not come
 */
export async function measureTold(desk: Desk): Promise<Sample> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mt5-bench-audit-'));
  const heard = new Set<unknown>();
  const receiver = createServer((request, response) => {
    heard.add(request.headers['webhook-id']);
    request.resume();
    response.writeHead(204).end();
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const origin = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  const env = { AUDIT_DIR: folder, WEBHOOK_ALLOWED_ORIGINS: origin };
  const running = await vps('vps-desk', POOL, env, DESK_CLIENTS).start();
  try {
    await running.simulator?.setLatency(DESK_LATENCY_MS);
    const made = await fetch(`${running.url}/v1/webhooks`, {
      method: 'POST',
      headers: { ...running.headers, 'content-type': 'application/json' },
      body: JSON.stringify({ url: `${origin}/`, events: ['operation.*'] }),
    });
    if (made.status !== 201) throw new Error(`POST /v1/webhooks: ${made.status} ${await made.text()}`);
    await made.body?.cancel();
    const sample = await measureOrders({ ...desk, running });
    if (heard.size === 0) throw new Error('no event came to the receiver');
    return sample;
  } finally {
    await running.stop();
    receiver.closeAllConnections();
    receiver.close();
    await rm(folder, { recursive: true, force: true });
  }
}
