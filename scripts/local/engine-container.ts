/** What the Docker Engine API needs to know of a container, whether a process or the ingress sidecar stands behind it. */
export interface EngineContainer {
  readonly id: string;
  readonly name: string;
  readonly spec: ContainerSpec;
  readonly createdAt: Date;
  readonly status: ContainerStatus;
  readonly pid: number | undefined;
  readonly exitCode: number;
  /** Docker's `NetworkSettings.Ports`: published ports by "port/protocol". */
  readonly publishedPorts: Readonly<Record<string, number>>;
  start(): Promise<void>;
  /** Sends a signal to a running container. */
  signal(signal: NodeJS.Signals): void;
  /** Resolves with the exit code once it no longer runs; at once if it does not run. */
  stopped(): Promise<number>;
  /** Kills it if it runs and lets nothing remain. */
  remove(): Promise<void>;
}

export type ContainerStatus = 'created' | 'running' | 'exited';

/** The body of `POST /containers/create`, as far as workerd fills it and the engine reads it. */
export interface ContainerSpec {
  readonly Image: string;
  readonly Env?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Labels?: Readonly<Record<string, string>>;
}
