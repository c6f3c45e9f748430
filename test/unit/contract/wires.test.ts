import { describe, expect, it } from 'vitest';
import { parseControlMessage, type ControlMessage } from '../../../container/contract/control.ts';
import { parseLinkRequest, parseSourceEvent, type SourceEvent } from '../../../container/contract/hub-link.ts';

/** The two wires between a Durable Object and its container: what is a message, and what is passed over. */

const NO_JSON = ['', '{', 'null', '1', '"want"', '[]', '{}'];

describe('what a hub asks for', () => {
  it('is what the contract says', () => {
    const request = { op: 'want', topic: 'ticks', selectors: ['EURUSD', 'Forex\\\\*'] };
    expect(parseLinkRequest(JSON.stringify(request))).toEqual(request);
    expect(parseLinkRequest('{"op":"drop","topic":"deals","selectors":[]}')).toBeDefined();
  });

  it.each([
    ...NO_JSON,
    '{"op":"stop","topic":"ticks","selectors":[]}',
    '{"op":"want","topic":"system","selectors":[]}',
    '{"op":"want","topic":"__proto__","selectors":[]}',
    '{"op":"want","topic":"ticks"}',
    '{"op":"want","topic":"ticks","selectors":"EURUSD"}',
    '{"op":"want","topic":"ticks","selectors":[1]}',
  ])('is not: %s', (text) => expect(parseLinkRequest(text)).toBeUndefined());
});

describe('what the container tells a hub', () => {
  const events: readonly SourceEvent[] = [
    { kind: 'reset', epoch: 1, reason: 'r' },
    { kind: 'load', topic: 'deals', seq: 0, slices: [{ key: '1001', entities: [{ id: '1', json: '{}' }] }] },
    { kind: 'change', topic: 'orders', seq: 4, changes: [{ key: '1001', id: '7', json: '{}', state: null }] },
    { kind: 'change', topic: 'ticks', seq: 5, changes: [{ key: 'EURUSD', id: 'EURUSD', json: '{}' }] },
    { kind: 'mask', mask: '*', symbols: ['EURUSD'] },
    { kind: 'mark', mark: 'stale', symbols: ['EURUSD'] },
    { kind: 'refused', topic: 'ticks', selector: 'X', code: 'object_not_found', detail: 'd' },
    { kind: 'system', event: 'market_closed', data: { opensAtMs: 1 } },
  ];
  it.each(events.map((event) => [event.kind, event] as const))('is what the contract says: %s', (_, event) => {
    expect(parseSourceEvent(JSON.stringify(event))).toEqual(event);
  });

  it.each([
    ...NO_JSON,
    '{"kind":"other"}',
    '{"kind":"change","topic":"ticks","seq":1,"changes":[{"id":"a","json":"{}"}]}',
    '{"kind":"change","topic":"ticks","seq":1.5,"changes":[]}',
    '{"kind":"change","topic":"toString","seq":1,"changes":[]}',
    '{"kind":"change","topic":"ticks","seq":1,"changes":[{"key":"a","id":"a","json":"{}","state":1}]}',
    '{"kind":"load","topic":"ticks","seq":1,"slices":[{"key":"a"}]}',
    '{"kind":"refused","topic":"ticks","selector":"X","code":"no_such_code","detail":""}',
    '{"kind":"system","event":"no_such_event","data":{}}',
  ])('is not: %s', (text) => expect(parseSourceEvent(text)).toBeUndefined());
});

describe('the control channel', () => {
  const session = { state: 'ready', epoch: 1, sinceMs: 1, reason: null, retcode: null, connections: 1 } as const;
  const messages: readonly ControlMessage[] = [
    { type: 'hello', contractVersion: 1, bridgeVersion: '1', instanceId: 'i', epoch: null, listeningAfterMs: 1 },
    { type: 'handover', contractVersion: 1, bridgeVersion: '1', accepted: true, checkpoint: '{}' },
    { type: 'call', id: 1, method: 'operations.get', args: ['a', null] },
    { type: 'result', id: 1, value: null },
    { type: 'failure', id: 1, code: 'state_unavailable', detail: 'd' },
    { type: 'activity', streams: 0, unsettled: 0, session },
    { type: 'warm' },
    { type: 'drain', reason: 'sleep' },
    { type: 'ended', ended: ['session:s'] },
  ];
  it.each(messages.map((message) => [message.type, message] as const))('knows %s', (_, message) => {
    expect(parseControlMessage(JSON.stringify(message))).toEqual(message);
  });

  it('reads the hello of another version, to be told which it is', () => {
    const hello = { ...messages[0], contractVersion: 99, news: true };
    expect(parseControlMessage(JSON.stringify(hello))).toMatchObject({ type: 'hello', contractVersion: 99 });
  });

  it.each([
    ...NO_JSON,
    '{"type":"other"}',
    '{"type":"drain"}',
    '{"type":"ended","ended":"all"}',
    '{"type":"activity","streams":0,"unsettled":0,"session":{"state":"fine"}}',
    '{"type":"handover","accepted":"yes"}',
  ])('passes over: %s', (text) => expect(parseControlMessage(text)).toBeUndefined());
});
