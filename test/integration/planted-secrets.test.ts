import { expect, test } from 'vitest';
import { keyRecord } from '../support/bridge.ts';
import { spawnBridge } from '../support/bridge-process.ts';
import { rawHttp } from '../support/raw-http.ts';
import { startProxy } from '../support/scripted-server.ts';
import { startSimulator } from '../simulator/server.ts';

/** What may be seen nowhere but where it is used. */
const SECRETS = {
  apiPassword: 'Planted-Api-Password-1',
  proxyPassword: 'planted-proxy-password',
  key: 'mt5k_planted-admin-key',
  wrongKey: 'mt5k_planted-wrong-key',
  clientPassword: 'Planted-Client-Password-1',
  token: 'mt5s_planted-consumer-token',
};

interface Asked {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

test('planted passwords, keys and tokens are in no log line, error or answer', async () => {
  const simulator = await startSimulator();
  const proxy = await startProxy(`desk:${SECRETS.proxyPassword}`);
  const bridge = await spawnBridge({
    MT5_SERVER: `${simulator.host}:${simulator.port}`,
    MT5_LOGIN: '1000',
    MT5_PASSWORD: SECRETS.apiPassword,
    MT5_TLS: `pin:${simulator.certificateSha256}`,
    MT5_PROXY: `http://desk:${SECRETS.proxyPassword}@127.0.0.1:${proxy.port}`,
    BRIDGE_API_KEYS: JSON.stringify([await keyRecord('admin', SECRETS.key, ['admin'])]),
    CHECKPOINT: 'memory:',
    LOG_LEVEL: 'debug',
    PORT: '0',
  });
  try {
    const port = await bridge.listening;
    const seen: string[] = [];
    const ask = async (path: string, init: Asked = {}): Promise<void> => {
      const headers = { 'x-api-key': SECRETS.key, 'content-type': 'application/json', ...init.headers };
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers });
      seen.push(JSON.stringify([...answer.headers]), await answer.text());
    };
    const password = JSON.stringify({ Login: '1001', Type: 'main', Password: SECRETS.clientPassword });
    // The wrong API password: sign-in fails, and everything after it.
    await ask('/api/user/get?login=1001');
    await ask('/api/user/check_password', { method: 'POST', body: password });
    await ask(`/api/user/check_password?login=1001&type=main&password=${SECRETS.clientPassword}`);
    await ask(`/api/user/check_password?login=1001&${SECRETS.clientPassword}`);
    await ask('/api/user/get', { headers: { 'x-api-key': SECRETS.wrongKey } });
    await ask('/api/user/get', { headers: { authorization: `Bearer ${SECRETS.token}` } });
    await ask('/v1/sessions', {
      method: 'POST',
      body: JSON.stringify({ login: 1001, password: SECRETS.clientPassword }),
    });
    await ask('/v1/sessions', { method: 'POST', body: `{"login":1001,"password":"${SECRETS.clientPassword}"` });
    await ask('/v1/sessions', { method: 'POST', body: JSON.stringify({ login: 1, [SECRETS.clientPassword]: 1 }) }).then(
      () =>
        // The one place that may repeat a caller's own field name to this caller.
        seen.splice(-1),
    );
    await ask('/readyz');
    await ask('/v1/status');
    await ask('/metrics');
    seen.push(await rawHttp(port, `GET /api/user/get HTTP/9.9\r\nX-API-Key: ${SECRETS.key}\r\n\r\n`));
    bridge.child.kill('SIGTERM');
    await bridge.exited;
    const everything = bridge.output() + seen.join('\n');
    for (const secret of Object.values(SECRETS)) expect(everything).not.toContain(secret);
    expect(bridge.log.filter(({ event }) => event === 'request').length).toBeGreaterThan(8);
  } finally {
    bridge.child.kill('SIGKILL');
    await proxy.close();
    await simulator.close();
  }
});
