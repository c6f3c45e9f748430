import { afterEach, expect, it } from 'vitest';
import { type BridgeUnderTest, startBridge } from '../../support/bridge.ts';
import { type ScriptedServer, startScriptedServer } from '../../support/scripted-server.ts';
import { TradingClient } from '../../support/trading.ts';

let server: ScriptedServer;
let bridge: BridgeUnderTest;
afterEach(async () => {
  await bridge.close();
  await server.close();
});

it('what nobody asked to change goes back to the server as it came, nested and bare numbers too', async () => {
  const known = '"Login":"1001","Group":"demo\\\\forex","Name":"Ada","Leverage":100,"Comment":""';
  const unknown = '"Future":[1,{"a":2.50,"b":"3"},null,true],"Limit":12345678901234567890,"Nested":{"Deep":[[0.10]]}';
  const updates: string[] = [];
  server = await startScriptedServer(({ path, response, body }) => {
    if (path === 'time/get') response.end('{"retcode":"0 Done","answer":{"TimeZone":"120","Daylight":"0"}}');
    if (path === 'user/get' || path === 'user/update')
      response.end(`{"retcode":"0 Done","answer":{${known},${unknown}}}`);
    if (path === 'user/update') updates.push(body);
  });
  bridge = await startBridge({ simulator: server });
  const { status } = await new TradingClient(bridge).write('PATCH', '/v1/accounts/1001', { comment: 'new' }, 'as-sent');
  expect(status).toBe(200);
  expect(updates).toEqual([`{${known.replace('"Comment":""', '"Comment":"new"')},${unknown}}`]);
});
