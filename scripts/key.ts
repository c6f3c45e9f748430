/** `npm run key -- [--id desk] [--scopes read,trade] [--logins 1001,1005-1010] [--brokers main]`: makes an API key and its entry. */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { apiKeysSchema } from '../container/contract/key-records.ts';
import { API_KEY_PREFIX, hashKey } from '../container/contract/keys.ts';

const USAGE =
  'npm run key -- [--id desk] [--scopes read,trade,manage,operate,admin] [--logins 1001,1005-1010] [--brokers main]';

function options(): { id: string; scopes: string; logins?: string; brokers?: string } {
  try {
    return parseArgs({
      options: {
        id: { type: 'string', default: 'desk' },
        scopes: { type: 'string', default: 'read' },
        logins: { type: 'string' },
        brokers: { type: 'string' },
      },
    }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return process.exit(1);
  }
}

const values = options();
/** 256 bits: nothing to guess, so a plain hash of it is enough. */
const key = API_KEY_PREFIX + randomBytes(32).toString('base64url');
const entry = {
  id: values.id,
  hash: await hashKey(key),
  scopes: values.scopes.split(','),
  ...(values.logins === undefined ? {} : { logins: values.logins }),
  ...(values.brokers === undefined ? {} : { brokers: values.brokers.split(',') }),
};
const checked = apiKeysSchema.safeParse(JSON.stringify([entry]));
if (!checked.success) {
  for (const { path, message } of checked.error.issues) console.error(`${path.slice(1).join('.')}: ${message}`);
  process.exit(1);
}
console.log(`key    ${key}`);
console.log(`entry  ${JSON.stringify(entry)}`);
console.log('\nGive the key to its holder; it is stored nowhere. Add the entry to the JSON list in BRIDGE_API_KEYS:');
console.log(`  echo '[${JSON.stringify(entry)}]' | npx wrangler secret put BRIDGE_API_KEYS`);
