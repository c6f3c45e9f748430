import { Fields, isWireObject, wireInteger, type WireObject, type WireValue } from '../../webapi/fields.ts';
import { retcodeOf } from '../../webapi/retcodes.ts';

/** What the dealer decided: the request with its `Result…` fields. */
export interface DealerResult {
  readonly retcode: number;
  readonly text: string;
  readonly answer: WireObject;
}

/** What has happened to each request, by its id: beside `retcode` or under `answer`, builds disagree (mt5-webapi §3.7). */
export function eventsById(body: WireObject): ReadonlyMap<string, readonly WireValue[]> {
  const events = new Map<string, readonly WireValue[]>();
  const answer = new Fields(body).take('answer');
  for (const source of [body, isWireObject(answer) ? answer : {}])
    for (const [name, value] of Object.entries(source))
      if (/^\d+$/.test(name) && Array.isArray(value)) events.set(name, value as readonly WireValue[]);
  return events;
}

/** The element `answer`, where its `ResultRetcode` is final; the `result`s before it are news on the way. */
export function finalOf(events: readonly WireValue[]): DealerResult | undefined {
  for (const event of events) {
    const answer = isWireObject(event) ? new Fields(event).take('answer') : undefined;
    if (!isWireObject(answer)) continue;
    const text = new Fields(answer).text('ResultRetcode');
    const retcode = wireInteger(text);
    // 10001–10003: on its way, accepted, in process.
    if (retcode === undefined || retcodeOf(retcode).class === 'accepted') continue;
    return { retcode, text: (text ?? '').replace(/^\s*\d+\s*/, ''), answer };
  }
  return undefined;
}
