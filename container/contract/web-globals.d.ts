/**
 * The web-standard globals that workerd and Node both have, as far as the rooms that run in both use them.
 * Seen only by those folders' tsconfigs; the runtimes' own types declare them everywhere else.
 */
interface TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>;
}
declare var TextEncoder: { new (): TextEncoder };

interface TextDecoder {
  decode(input?: ArrayBufferView | ArrayBuffer, options?: { stream?: boolean }): string;
}
declare var TextDecoder: { new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }): TextDecoder };

interface URLSearchParams {
  get(name: string): string | null;
  getAll(name: string): string[];
  has(name: string): boolean;
  set(name: string, value: string): void;
  append(name: string, value: string): void;
  delete(name: string): void;
  keys(): IterableIterator<string>;
  [Symbol.iterator](): IterableIterator<[string, string]>;
  toString(): string;
}
declare var URLSearchParams: { new (init?: string | Record<string, string> | [string, string][]): URLSearchParams };

interface URL {
  href: string;
  readonly origin: string;
  protocol: string;
  host: string;
  hostname: string;
  port: string;
  pathname: string;
  search: string;
  readonly searchParams: URLSearchParams;
}
declare var URL: { new (url: string, base?: string | URL): URL; canParse(url: string, base?: string): boolean };

interface SubtleKey {
  readonly type: string;
}
declare var crypto: {
  readonly subtle: {
    digest(algorithm: string, data: ArrayBufferView | ArrayBuffer): Promise<ArrayBuffer>;
    importKey(
      format: 'raw',
      keyData: ArrayBufferView | ArrayBuffer,
      algorithm: { name: string; hash: string },
      extractable: boolean,
      usages: readonly string[],
    ): Promise<SubtleKey>;
    importKey(
      format: 'jwk',
      keyData: Readonly<Record<string, string>>,
      algorithm: string,
      extractable: boolean,
      usages: readonly string[],
    ): Promise<SubtleKey>;
    generateKey(algorithm: string, extractable: boolean, usages: readonly string[]): Promise<unknown>;
    exportKey(format: 'jwk', key: SubtleKey): Promise<unknown>;
    verify(
      algorithm: string,
      key: SubtleKey,
      signature: ArrayBufferView | ArrayBuffer,
      data: ArrayBufferView | ArrayBuffer,
    ): Promise<boolean>;
    sign(algorithm: string, key: SubtleKey, data: ArrayBufferView | ArrayBuffer): Promise<ArrayBuffer>;
    verify(
      algorithm: string,
      key: SubtleKey,
      signature: ArrayBufferView | ArrayBuffer,
      data: ArrayBufferView | ArrayBuffer,
    ): Promise<boolean>;
  };
  getRandomValues<T extends ArrayBufferView>(array: T): T;
  randomUUID(): string;
};

interface GzipStream {
  readonly writable: {
    getWriter(): { write(bytes: Uint8Array<ArrayBuffer>): Promise<void>; close(): Promise<void> };
  };
  readonly readable: {
    getReader(): { read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array<ArrayBuffer> | undefined }> };
  };
}
declare var CompressionStream: { new (format: 'gzip'): GzipStream };
declare var DecompressionStream: { new (format: 'gzip'): GzipStream };

declare function btoa(data: string): string;
declare function atob(data: string): string;
declare function setTimeout(handler: () => void, delayMs?: number): unknown;
declare function clearTimeout(handle: unknown): void;
declare function queueMicrotask(callback: () => void): void;
