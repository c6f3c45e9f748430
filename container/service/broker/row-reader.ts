import { setTimeout as sleep } from 'node:timers/promises';
import { RETCODE } from '../../webapi/retcodes.ts';
import { BridgeError } from '../../contract/errors.ts';
import { numberRows } from '../../webapi/rows.ts';
import type { Row } from '../../webapi/rows.ts';
import type { Broker, Query, ReadContext } from './broker.ts';

/** First pause before asking again for data that is not ready; doubles up to a second. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1000;
/** Part answers of one command: 16 MB each, so that no caller waits for more. */
const MAX_PARTS = 20;

/**
 * Rows of `chart/get` or `tick/history` of a window in server seconds: asked again while the server prepares them (`1`),
 * continued where it sends a part (`14`), within the caller's deadline.
 * @throws BridgeError `data_not_ready` when the deadline comes first
 */
export async function readRows(
  broker: Broker,
  path: 'chart/get' | 'tick/history',
  request: { readonly symbol: string; readonly fromSeconds: number; readonly toSeconds: number; readonly data: string },
  context: ReadContext,
  options: { readonly now: () => number; readonly secondsOf: (row: Row) => number },
): Promise<readonly Row[]> {
  const { symbol, toSeconds, data } = request;
  let { fromSeconds } = request;
  let rows: Row[] = [];
  for (let part = 0; part < MAX_PARTS; part++) {
    const query: Query = [
      ['symbol', symbol],
      ['from', String(fromSeconds)],
      ['to', String(toSeconds)],
      ['data', data],
    ];
    const reply = await whenReady(broker, path, query, context, options.now);
    if (reply.retcode === RETCODE.ERR_NOTFOUND) return rows;
    let got: readonly Row[];
    try {
      got = numberRows(reply.bytes);
    } catch (cause) {
      throw new BridgeError('broker_malformed', { detail: `${path}: the broker's rows cannot be read.`, cause });
    }
    // The last row of a part may be incomplete: its second is asked for again.
    rows = rows.concat(got);
    if (reply.retcode !== RETCODE.ERR_PARTIAL) return rows;
    const last = got.at(-1);
    const lastSeconds = last ? options.secondsOf(last) : fromSeconds;
    if (lastSeconds <= fromSeconds)
      throw new BridgeError('broker_malformed', `${path}: the broker sends parts that do not go on.`);
    rows = rows.filter((row) => options.secondsOf(row) < lastSeconds);
    fromSeconds = lastSeconds;
  }
  throw new BridgeError('broker_malformed', `${path}: the broker's parts do not end.`);
}

async function whenReady(
  broker: Broker,
  path: string,
  query: Query,
  context: ReadContext,
  now: () => number,
): Promise<{ retcode: number; bytes: Uint8Array }> {
  const accept = [RETCODE.OK_NONE, RETCODE.ERR_NOTFOUND, RETCODE.ERR_PARTIAL];
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const reply = await broker.read(path, query, context, accept);
    if (reply.retcode !== RETCODE.OK_NONE) return reply;
    if (now() + pauseMs >= context.deadlineAtMs)
      throw new BridgeError('data_not_ready', {
        detail: `${path}: the broker is still preparing this data.`,
        retcode: RETCODE.OK_NONE,
        retcodeName: 'MT_RET_OK_NONE',
      });
    await sleep(pauseMs, undefined, { signal: context.signal }).catch(() => {
      throw new BridgeError('deadline_exceeded', 'The caller went away.');
    });
  }
}
