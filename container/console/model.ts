import type { Schemas } from '../client/index.ts';
import type { Zone } from './format.ts';
import type { QuotesView } from './quotes.ts';
import type { Answers, SourceName } from './sources.ts';

/** What the page shows, and nothing else: views are made from this alone. */

/** What a source told last, and when; and why it does not tell now. */
export interface Told<Name extends SourceName> {
  readonly data?: Answers[Name];
  /** Epoch ms. */
  readonly atMs?: number;
  readonly fault?: string;
  /** Not served here: a bridge alone on a VPS has no Durable Object. */
  readonly absent?: boolean;
}

/** A question before something is done: it names what will happen. */
export interface Confirmation {
  readonly title: string;
  readonly happens: readonly string[];
  /** Word on the button. */
  readonly verb: string;
  /** Asked for in words where the action wants a reason. */
  readonly reason?: { readonly label: string; readonly value: string };
  readonly isDangerous: boolean;
  readonly run: (reason: string) => Promise<string>;
}

export interface Sample {
  readonly atMs: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

export interface Model {
  readonly nowMs: number;
  readonly zone: Zone;
  readonly phase: 'signed-out' | 'signing-in' | 'signed-in';
  /** Why the key was not taken. */
  readonly signInFault: string | undefined;
  readonly self: Schemas['KeySelf'] | undefined;
  /** `''` = bare paths: the first broker. */
  readonly brokerPath: string;
  readonly told: { readonly [Name in SourceName]?: Told<Name> };
  readonly quotes: QuotesView;
  /** Of the requests between two looks, oldest first. */
  readonly latency: readonly Sample[];
  readonly confirmation: Confirmation | undefined;
  readonly isActing: boolean;
  /** What came of the last action. */
  readonly notice: { readonly text: string; readonly isBad: boolean; readonly untilMs: number } | undefined;
}

/** On a VPS: nothing sleeps there, and Cloudflare bills nothing. */
export const isAlone = ({ told }: Model): boolean => told.status?.data?.sleep === null;
