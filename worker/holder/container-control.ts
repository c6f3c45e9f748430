import type { PortLook } from './heartbeat.ts';
import { classifyPlatformError } from './platform-errors.ts';

/** The container's own port in the image; the process engine gives another one through `PORT`. */
export const CONTAINER_PORT = 8080;
/** How long a start may take, for the library. */
export const START_LIMITS = {
  /** It looks every 300 ms whether the program listens; a start takes 200–250 ms (cloudflare.md, start times). */
  waitInterval: 50,
  /** Cloudflare's "get an instance" (library default) … */
  instanceGetTimeoutMS: 8000,
  /** … and the program's own start on 1/16 vCPU. */
  portReadyTimeoutMS: 30_000,
} as const;

/** The platform's container, as far as it is needed: `ctx.container` and the library's start. */
export interface ContainerControl {
  running(): boolean;
  /** Resolves when the program listens. Not joined by itself: called once at a time. */
  start(startSecret: string): Promise<void>;
  /** Resolves or rejects at the end of the process that runs now. */
  monitor(): Promise<void>;
  /** To the container's port, past the library: counts as no activity. */
  fetch(path: string, init: RequestInit): Promise<Response>;
  /** One look at the container's port. Never rejects. */
  look(timeoutMs: number): Promise<PortLook>;
  /** SIGTERM. */
  stop(): Promise<void>;
  /** SIGKILL. */
  destroy(): Promise<void>;
}

/** What the library does with a container, for whoever extends its class. */
export interface LibraryControl {
  start(envVars: Record<string, string>): Promise<void>;
  envVars(startSecret: string): Record<string, string>;
  stop(): Promise<void>;
  destroy(): Promise<void>;
}

/** The platform's container and the library's ways with it as one. */
export function containerControl(container: Container, library: LibraryControl): ContainerControl {
  return {
    running: () => container.running,
    start: (startSecret) => library.start(library.envVars(startSecret)),
    monitor: () => container.monitor(),
    fetch: (path, init) => container.getTcpPort(CONTAINER_PORT).fetch(`http://container${path}`, init),
    look: async (timeoutMs) => {
      try {
        const port = container.getTcpPort(CONTAINER_PORT);
        const answer = await port.fetch('http://container/healthz', { signal: AbortSignal.timeout(timeoutMs) });
        await answer.body?.cancel();
        return 'answers';
      } catch (error) {
        return classifyPlatformError(error).kind === 'timeout' ? 'silent' : 'refused';
      }
    },
    stop: () => library.stop(),
    destroy: () => library.destroy(),
  };
}
