import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');

export interface Ran {
  readonly ok: boolean;
  readonly text: string;
}

/** The Docker command line, waited for. */
export function docker(...args: string[]): Ran {
  const { status, stdout, stderr } = spawnSync('docker', args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return { ok: status === 0, text: `${stdout ?? ''}${stderr ?? ''}`.trim() };
}

/** @throws Error with what Docker said */
export function mustDocker(...args: string[]): string {
  const { ok, text } = docker(...args);
  if (!ok) throw new Error(`docker ${args.slice(0, 2).join(' ')}: ${text.split('\n').slice(-5).join(' | ')}`);
  return text;
}

/** Of running containers whose image or name holds the text. */
export const containersNamed = (text: string): string[] =>
  docker('ps', '--format', '{{.ID}} {{.Names}}')
    .text.split('\n')
    .filter((line) => line.includes(text) && !line.includes('-proxy'))
    .map((line) => line.split(' ')[0] ?? '');

/**
 * A `docker` for wrangler where buildx is missing: without it the engine knows none of these flags. An image that is there
 * already is not pulled again.
 */
export function dockerForWrangler(): string {
  if (docker('buildx', 'version').ok) return 'docker';
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'mt5-edge-docker-')), 'docker');
  writeFileSync(
    file,
    `#!/usr/bin/env bash
args=(); skip=0
for arg in "$@"; do
  if [ $skip = 1 ]; then skip=0; continue; fi
  case "$arg" in --load|--provenance*) ;; --platform) skip=1 ;; *) args+=("$arg") ;; esac
done
if [ "\${args[0]}" = pull ]; then docker image inspect "\${args[1]}" > /dev/null 2>&1 && exit 0; fi
exec docker "\${args[@]}"
`,
    { mode: 0o755 },
  );
  return file;
}
