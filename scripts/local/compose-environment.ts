import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const COMPOSE_FILE = path.resolve(import.meta.dirname, '../deploy/compose.yaml');

const composeSchema = z.object({
  services: z.record(z.string(), z.object({ environment: z.record(z.string(), z.string()).default({}) })),
});

/** `${NAME:-default}` as Compose reads it. */
export const interpolated = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replaceAll(/\$\{(\w+):-([^}]*)\}/g, (_, name: string, fallback: string) => values[name] || fallback);

/**
 * What a service of `scripts/deploy/compose.yaml` is told, with `values` in place of the file `.env`.
 *
 * @throws Error where there is no such service
 */
export function composeEnvironment(service: string, values: Readonly<Record<string, string>>): Record<string, string> {
  const { services } = composeSchema.parse(parse(readFileSync(COMPOSE_FILE, 'utf8'), { merge: true }));
  const found = services[service];
  if (!found) throw new Error(`${COMPOSE_FILE}: has no service ${service}`);
  return Object.fromEntries(
    Object.entries(found.environment).map(([name, text]) => [name, interpolated(text, values)]),
  );
}
