import { outboxLife } from '../../test/support/outbox-life.ts';

export interface OutboxSoak {
  readonly seed: number;
  readonly operations: number;
  readonly say: (line: string) => void;
}

/** Operations through the outbox while its programs are killed and its store and receiver fail. @returns the exit code */
export async function outboxSoak({ seed, operations, say }: OutboxSoak): Promise<number> {
  const onProgress = (done: number): void => say(`${done} of ${operations} operations`);
  const { faults, ...met } = await outboxLife({ operations, seed, onProgress });
  console.log(`# Soak: outbox, seed ${seed}, ${operations} operations`);
  console.log(JSON.stringify(met));
  console.log(faults.length === 0 ? 'nothing was violated' : `VIOLATED ${faults.length}:\n${faults.join('\n')}`);
  return faults.length === 0 ? 0 : 1;
}
