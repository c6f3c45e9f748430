import type { Hello } from '../../container/contract/control.ts';
import { BridgeError } from '../../container/contract/errors.ts';
import { BRIDGE_VERSION, CONTRACT_VERSION } from '../../container/contract/version.ts';
import type { PlatformError } from './platform-errors.ts';

/** It ended in its start since somebody asked for it: no failed start, no crash. */
export class EndedByRequest extends BridgeError {
  constructor(detail: string) {
    super('container_unavailable', { detail, retryAfterMs: 1000 });
  }
}

/** Exit 0 is that of a drain, 143 that of SIGTERM before the program listened to it. */
export const wasAskedToEnd = ({ kind, exitCode }: PlatformError): boolean =>
  kind === 'signalled' || kind === 'rollout' || (kind === 'exited' && (exitCode === 0 || exitCode === 143));

/** @throws BridgeError when it takes longer */
export async function within(timeoutMs: number, work: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new BridgeError('container_unavailable', `It did not come up within ${timeoutMs / 1000} s.`)),
    timeoutMs,
  );
  // What is given up may still fail later; its process is ended then.
  work.catch(() => undefined);
  try {
    await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

export function versionMismatch(
  hello: Pick<Hello, 'contractVersion' | 'bridgeVersion'>,
  program = 'container',
): string | undefined {
  if (hello.contractVersion === CONTRACT_VERSION) return undefined;
  const older = hello.contractVersion < CONTRACT_VERSION ? program : 'Worker';
  return (
    `The ${older} is older: Worker ${BRIDGE_VERSION} (contract ${CONTRACT_VERSION}), ` +
    `${program} ${hello.bridgeVersion} (contract ${hello.contractVersion}). ` +
    (older === 'container' ? 'Its new image is still rolling out.' : 'Deploy it again.')
  );
}
