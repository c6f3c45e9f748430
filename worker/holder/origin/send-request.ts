import { HEADER } from '../../../container/contract/headers.ts';
import type { InFlight } from '../in-flight.ts';
import { type ForwardRequest, originDeadlineMs } from './forward-to-origin.ts';

export interface Sending {
  readonly fetch: (target: string, init: RequestInit) => Promise<Response>;
  /** What shows the program that the request is ours. */
  readonly proof: (headers: Headers) => Promise<Readonly<Record<string, string>>>;
  readonly inFlight: InFlight;
  readonly now: () => number;
}

/** Hands a request to the program, with proof that it is ours and what is left of the deadline; an upgrade comes back as one. */
export async function sendRequest(
  request: ForwardRequest,
  timeoutMs: number,
  { fetch, proof, inFlight, now }: Sending,
): Promise<Response> {
  const headers = new Headers(request.headers);
  headers.set(HEADER.deadline, String(Math.floor(originDeadlineMs(request.deadlineAtMs, now()))));
  for (const [name, value] of Object.entries(await proof(headers))) headers.set(name, value);
  const sending = inFlight.send(timeoutMs);
  try {
    const answer = await fetch(request.target, {
      method: request.method,
      headers,
      body: request.body,
      signal: sending.signal,
      redirect: 'manual',
    });
    return answer.webSocket ? new Response(null, { status: 101, webSocket: answer.webSocket }) : answer;
  } finally {
    // An open stream has no deadline; its start has.
    sending.done();
  }
}
