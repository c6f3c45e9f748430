import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { POOL, vps } from '../systems/vps.ts';
import type { RunningSystem } from '../systems/system.ts';
import { DESK_CLIENTS, DESK_LATENCY_MS } from './desk-work.ts';

export interface ToldBridge {
  readonly running: RunningSystem;
  /** @throws Error where no event came */
  stop(): Promise<void>;
}

/** A bridge whose events are stored by the audit and sent to a receiver. */
export async function startTold(): Promise<ToldBridge> {
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
  let running: RunningSystem | undefined;
  const stop = async (): Promise<void> => {
    await running?.stop();
    receiver.closeAllConnections();
    receiver.close();
    await rm(folder, { recursive: true, force: true });
    if (heard.size === 0) throw new Error('no event came to the receiver');
  };
  try {
    running = await vps('vps-desk', POOL, env, DESK_CLIENTS).start();
    await running.simulator?.setLatency(DESK_LATENCY_MS);
    const made = await fetch(`${running.url}/v1/webhooks`, {
      method: 'POST',
      headers: { ...running.headers, 'content-type': 'application/json' },
      body: JSON.stringify({ url: `${origin}/`, events: ['operation.*'] }),
    });
    if (made.status !== 201) throw new Error(`POST /v1/webhooks: ${made.status} ${await made.text()}`);
    await made.body?.cancel();
    return { running, stop };
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
}
