import { DATA_TOPICS, type DataTopic } from '../../../container/contract/frames.ts';
import type { SourceEvent } from '../../../container/contract/hub-link.ts';
import type { StreamSource } from '../../../container/stream/source.ts';
import type { AttachableSource } from '../../../container/service/feeds/stream-service.ts';

/** A source that asks no broker: its owner publishes. For measuring and testing what lies between a tick and a client. */
export class SyntheticSource implements AttachableSource {
  readonly #sinks = new Set<(event: SourceEvent) => void>();
  readonly #seq = new Map<DataTopic, number>(DATA_TOPICS.map((topic) => [topic, 1]));

  attach(emit: (event: SourceEvent) => void): StreamSource & { detach(): void } {
    this.#sinks.add(emit);
    queueMicrotask(() => emit({ kind: 'reset', epoch: 1, reason: 'start' }));
    return {
      want: (topic, selectors) =>
        queueMicrotask(() =>
          emit({
            kind: 'load',
            topic,
            seq: this.#seq.get(topic) ?? 1,
            slices: selectors.map((key) => ({ key, entities: [] })),
          }),
        ),
      drop: () => undefined,
      missed: () => undefined,
      detach: () => void this.#sinks.delete(emit),
    };
  }

  /** One publish, one frame to each subscriber: changes of slices as JSON text. */
  publish(
    topic: DataTopic,
    changes: readonly { readonly key: string; readonly id: string; readonly json: string }[],
  ): void {
    const seq = (this.#seq.get(topic) ?? 1) + 1;
    this.#seq.set(topic, seq);
    for (const emit of this.#sinks) emit({ kind: 'change', topic, seq, changes });
  }

  emit(event: SourceEvent): void {
    for (const sink of this.#sinks) sink(event);
  }
}
