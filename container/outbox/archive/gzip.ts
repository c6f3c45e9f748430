const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const gzip = (text: string): Promise<Uint8Array<ArrayBuffer>> =>
  through(new CompressionStream('gzip'), new Uint8Array(encoder.encode(text)));

/** @throws Error where it is not gzip, or cut */
export const gunzip = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> =>
  decoder.decode(await through(new DecompressionStream('gzip'), bytes));

async function through(
  { writable, readable }: InstanceType<typeof CompressionStream>,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const writer = writable.getWriter();
  const written = writer.write(bytes).then(() => writer.close());
  // What fails is told by reading, too.
  written.catch(() => undefined);
  const parts: Uint8Array[] = [];
  const reader = readable.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) if (part.value) parts.push(part.value);
  await written;
  const whole = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
