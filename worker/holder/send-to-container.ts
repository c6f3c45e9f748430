import { BridgeError } from '../../container/contract/errors.ts';
import { HEADER } from '../../container/contract/headers.ts';
import { startSecretHeaders } from './container-env.ts';
import { containerDeadlineMs, type ForwardRequest } from './forward-to-container.ts';
import type { InFlight } from './in-flight.ts';

export interface SendParts {
  readonly port: Pick<Fetcher, 'fetch'> | undefined;
  readonly startSecret: string;
  readonly inFlight: InFlight;
  readonly nowMs: number;
}

/** Hands a request to the process in the container, with the secret of its start and what is left of the deadline. */
export async function sendToContainer(
  request: ForwardRequest,
  timeoutMs: number,
  { port, startSecret, inFlight, nowMs }: SendParts,
): Promise<Response> {
  const headers = new Headers(request.headers);
  headers.set(HEADER.deadline, String(Math.floor(containerDeadlineMs(request.deadlineAtMs, nowMs))));
  for (const [name, value] of Object.entries(startSecretHeaders(startSecret))) headers.set(name, value);
  if (!port) throw new BridgeError('container_unavailable', 'There is no container.');
  const sending = inFlight.send(timeoutMs);
  try {
    const answer = await port.fetch(`http://container${request.target}`, {
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
