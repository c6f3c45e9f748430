import { readFileSync, statSync } from 'node:fs';
import { SETTINGS } from '../contract/settings.ts';

/** Longer than any list of keys: another file was named, or a device. */
const MOST_BYTES = 1024 * 1024;

/** Settings whose value may be given as the file of `<name>_FILE`, as secrets are mounted. */
const SECRETS: ReadonlySet<string> = new Set(SETTINGS.filter(({ secret }) => secret).map(({ name }) => name));
const OTHERS: ReadonlySet<string> = new Set(SETTINGS.filter(({ secret }) => !secret).map(({ name }) => name));

type Env = Readonly<Record<string, string | undefined>>;

/** The environment with the secrets of its files in their places, and what is wrong with those, by name and without any secret. */
export function withSecretFiles(env: Env): { readonly env: Env; readonly faults: readonly string[] } {
  const read: Record<string, string> = {};
  const faults: string[] = [];
  for (const [variable, file] of Object.entries(env)) {
    const name = /^(.+)_FILE$/.exec(variable)?.[1];
    if (name === undefined || file === undefined || file === '') continue;
    if (OTHERS.has(name)) faults.push(`${variable}: is no setting; ${name} is no secret and is given itself`);
    if (!SECRETS.has(name)) continue;
    if (env[name]) {
      faults.push(`${variable}: expected either this or ${name}, not both`);
      continue;
    }
    const text = textOf(file);
    if ('fault' in text) faults.push(`${variable}: ${text.fault}`);
    else read[name] = text.value;
  }
  return { env: { ...env, ...read }, faults };
}

/** Editors and `echo` end a file with a line break: one is left out, whatever else is in it belongs to the secret. */
function textOf(file: string): { readonly value: string } | { readonly fault: string } {
  try {
    const stat = statSync(file);
    if (!stat.isFile()) return { fault: 'expected a file' };
    if (stat.size > MOST_BYTES) return { fault: `expected at most ${MOST_BYTES} bytes` };
    const value = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    return value === '' ? { fault: 'is an empty file' } : { value };
  } catch (error) {
    return { fault: `cannot be read (${String((error as { code?: unknown }).code)})` };
  }
}
