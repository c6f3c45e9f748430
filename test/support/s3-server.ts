import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

export interface S3Server {
  readonly url: string;
  close(): void;
}

/** A folder as a bucket of this name, as R2's S3 API tells it to signed requests: one key a page, so that there are pages. */
export async function serveAsBucket(folder: string, bucket: string): Promise<S3Server> {
  const server = createServer(({ url = '/', headers: { authorization = '' } }, answer) => {
    const { pathname, searchParams } = new URL(url, 'http://s3');
    if (!/^AWS4-HMAC-SHA256 Credential=[^,]+, ?SignedHeaders=[^,]+, ?Signature=[0-9a-f]{64}$/.test(authorization))
      return answer.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>');
    if (searchParams.get('list-type') !== '2')
      return answer.end(readFileSync(path.join(folder, pathname.slice(`/${bucket}/`.length))));
    const [prefix, after] = [searchParams.get('prefix') ?? '', searchParams.get('start-after') ?? ''];
    const [key] = (readdirSync(folder, { recursive: true, encoding: 'utf8' }) as readonly string[])
      .filter((one) => one.endsWith('.ndjson') && one.startsWith(prefix) && one > after)
      .sort();
    const contents = key === undefined ? '' : `<Contents><Key>${key}</Key><Size>1</Size></Contents>`;
    return answer.end(`<?xml version="1.0"?><ListBucketResult><Name>${bucket}</Name>${contents}</ListBucketResult>`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
