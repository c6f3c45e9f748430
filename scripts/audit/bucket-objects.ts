import { AwsClient } from 'aws4fetch';
import type { AuditObjects } from './folder-objects.ts';

/** Objects that are fetched side by side. */
const AT_ONCE = 16;

/** Objects of a bucket by R2's S3 API, in the order of their names. @throws Error where a variable is missing or R2 refuses */
export async function* bucketObjects(bucket: string, prefix: string): AuditObjects {
  const [endpoint, accessKeyId, secretAccessKey] = ['R2_ENDPOINT', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].map(
    (name) => {
      const value = process.env[name];
      if (!value) throw new Error(`${name} is missing: an R2 API token with read access to ${bucket}`);
      return value;
    },
  ) as [string, string, string];
  const client = new AwsClient({ accessKeyId, secretAccessKey, region: 'auto', service: 's3' });
  const get = async (path: string): Promise<string> => {
    const answer = await client.fetch(`${endpoint.replace(/\/+$/, '')}/${bucket}${path}`);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`R2 answered ${answer.status}: ${text.slice(0, 300)}`);
    return text;
  };
  for (let after = ''; ;) {
    const query = new URLSearchParams({ 'list-type': '2', prefix, ...(after === '' ? {} : { 'start-after': after }) });
    const keys = [...(await get(`?${query.toString()}`)).matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => key);
    for (let i = 0; i < keys.length; i += AT_ONCE) {
      const part = keys.slice(i, i + AT_ONCE);
      const texts = await Promise.all(part.map((key) => get(`/${key}`)));
      for (const [n, key] of part.entries()) yield [key, texts[n] ?? ''];
    }
    const last = keys.at(-1);
    if (last === undefined) return;
    after = last;
  }
}
