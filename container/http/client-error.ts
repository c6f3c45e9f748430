import type { Socket } from 'node:net';
import { BridgeError, PROBLEM_CONTENT_TYPE, toProblem } from '../contract/errors.ts';

/** What Node's parser refuses never becomes a request: it is answered here, and the connection ends. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // A client that opened a connection for later would take the answer for that of its first request.
  const isUnused = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.bytesRead === 0;
  if (!socket.writable || error.code === 'ECONNRESET' || isUnused) {
    socket.destroy();
    return;
  }
  const [status, detail] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', 'The head of the request is too large.']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['408 Request Timeout', 'The request did not arrive in time.']
        : ['400 Bad Request', 'The request is not HTTP/1.1.'];
  const problem = toProblem(new BridgeError('malformed_request', detail), '');
  const body = JSON.stringify({ ...problem, status: Number(status.slice(0, 3)) });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: ${PROBLEM_CONTENT_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `connection: close\r\n\r\n${body}`,
  );
}
