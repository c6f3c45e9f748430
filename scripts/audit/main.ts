/**
 * The audit, looked through or with personal data erased:
 *
 *   npm run audit:verify -- <folder|bucket> [--head HASH] [--key PUBLIC_KEY] [--since YYYY-MM-DD] [--broker main]
 *   npm run audit:erase  -- <folder> --login 1001 [--broker main]
 *   npm run archive:erase -- <folder> --login 1001 [--broker main]
 *
 * `<bucket>`: `r2://name`, read by R2's S3 API with R2_ENDPOINT (https://<account>.r2.cloudflarestorage.com),
 * AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. HASH and PUBLIC_KEY are those of `GET /v1/audit/head`, kept elsewhere: without
 * them nobody can tell a whole audit from one that was cut off or written anew. The exit code is 1 where something is wrong.
 */
import { existsSync, statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { NODE_DIGESTS } from '../../container/host/node-digests.ts';
import { AuditVerifier } from '../../container/outbox/audit/verify.ts';
import { eraseInArchive } from './erase-in-archive.ts';
import { eraseInFolder } from './erase-in-folder.ts';
import { folderObjects, type AuditObjects } from './folder-objects.ts';
import { bucketObjects } from './bucket-objects.ts';

const USAGE = `usage: npm run audit:verify -- <folder|r2://bucket> [--head HASH] [--key PUBLIC_KEY] [--since YYYY-MM-DD] [--broker main]
       npm run audit:erase -- <folder> --login LOGIN [--broker main]
       npm run archive:erase -- <folder> --login LOGIN [--broker main]`;

function objectsOf(place: string, broker: string): AuditObjects {
  const bucket = /^r2:\/\/([a-z0-9-]{3,63})$/.exec(place)?.[1];
  if (bucket !== undefined) return bucketObjects(bucket, `${broker}/`);
  if (existsSync(place) && statSync(place).isDirectory()) return folderObjects(place, `${broker}/`);
  throw new Error(`${place} is neither a folder nor r2://<bucket>`);
}

interface VerifyOptions {
  readonly head?: string | undefined;
  readonly key?: string | undefined;
  readonly since?: string | undefined;
}

async function verify(place: string, broker: string, { head, key, since }: VerifyOptions): Promise<boolean> {
  const verifier = new AuditVerifier({ head, publicKey: key, since }, NODE_DIGESTS);
  for await (const [name, text] of objectsOf(place, broker)) await verifier.add(name, text);
  const verdict = verifier.end();
  for (const { key: object, line, seq, fault } of verdict.faults)
    console.log(`${object === '' ? place : `${object}:${line}`} record ${seq ?? '?'}: ${fault}`);
  const { objects, records, erased } = verdict;
  console.log(
    `${records} records in ${objects} objects; the last is ${verdict.head.seq}, its hash ${verdict.head.hash}; ` +
      `days are signed with ${verdict.publicKey ?? '(none is closed yet)'}`,
  );
  if (erased.length > 0) console.log(`erased: ${erased.join(', ')}`);
  if (head === undefined) console.log('without --head nobody can tell whether the end was cut off');
  console.log(verdict.faults.length === 0 ? 'nothing is wrong' : `${verdict.faults.length} faults`);
  return verdict.faults.length === 0 && records > 0;
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    head: { type: 'string' },
    key: { type: 'string' },
    since: { type: 'string' },
    broker: { type: 'string', default: 'main' },
    login: { type: 'string' },
  },
});
const [what, place] = positionals;
try {
  if (place === undefined || !['verify', 'erase', 'erase-archive'].includes(what ?? '')) throw new Error(USAGE);
  if (what === 'verify') process.exitCode = (await verify(place, values.broker, values)) ? 0 : 1;
  else {
    const login = Number(values.login);
    if (!Number.isSafeInteger(login) || login < 1) throw new Error(USAGE);
    if (what === 'erase-archive')
      console.log(`${await eraseInArchive(place, values.broker, login)} lines of login ${login} were erased`);
    else {
      const erased = await eraseInFolder(place, `${values.broker}/`, login);
      console.log(`${erased.length} records of login ${login} were erased: ${erased.join(', ')}`);
    }
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
