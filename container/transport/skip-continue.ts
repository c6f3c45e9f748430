import type { Socket } from 'node:net';

/**
 * Some servers and proxies answer `100 Continue` though nobody asked (RFC 9110 §15.2: a client must be able to read past
 * it); undici takes that for a broken answer. What is read from the socket begins behind it.
 */
const CONTINUE = Buffer.from('HTTP/1.1 100');
const END_OF_HEAD = '\r\n\r\n';
/** A head of that kind is a line and a few headers. */
const MAX_HEAD_BYTES = 8 * 1024;

/** @returns to be called when a request is sent: its answer begins next */
export function skipContinue(socket: Socket): () => void {
  const read = socket.read.bind(socket);
  let atHead = false;
  let held: Buffer | undefined;

  const next = (size?: number): Buffer | string | null => {
    const chunk = read(size) as Buffer | null;
    if (!atHead || size === 0 || chunk === null) return chunk;
    held = held ? Buffer.concat([held, chunk]) : chunk;
    while (isContinue(held)) {
      const end = held.indexOf(END_OF_HEAD);
      // The rest of it is on its way: asked for again when it is there.
      if (end < 0 && held.length < MAX_HEAD_BYTES) return next(size);
      if (end < 0) break;
      held = held.subarray(end + END_OF_HEAD.length);
    }
    if (held.length === 0) return next(size);
    const bytes = held;
    held = undefined;
    atHead = false;
    return bytes;
  };
  socket.read = next;
  return () => (atHead = true);
}

/** Or may still become one. */
const isContinue = (bytes: Buffer): boolean => {
  const length = Math.min(bytes.length, CONTINUE.length);
  return length > 0 && bytes.subarray(0, length).equals(CONTINUE.subarray(0, length));
};
