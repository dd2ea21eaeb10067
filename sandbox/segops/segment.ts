import { formatComputedAt, nextComputedAt, parseComputedAt } from "./computed-at.ts";
import type { GeneratedIds, MembershipChange, SegmentSettings } from "./control-shapes.ts";
import { DEFAULT_SEGMENT_OPTIONS } from "./segment-options.ts";
import type { SegmentOptions } from "./segment-options.ts";

/** The outcome of one recompute: what the API serves until the next. */
export interface PublishedMembership {
  computedAt: string;
  computedAtMicros: number;
  /** Distinct, in no promised order. */
  members: readonly string[];
}

/** One segment: the membership that its rule would give now (pending), and the one that was last computed. */
export class Segment {
  readonly id: number;
  name: string;
  description = "";
  options: SegmentOptions = DEFAULT_SEGMENT_OPTIONS;
  isComputing = false;
  published: PublishedMembership | undefined;
  /** The exact body of the last recompute's webhook, sent or not. */
  webhookBody: string | undefined;
  #pending = new Set<string>();

  constructor(id: number) {
    this.id = id;
    this.name = `Segment ${id}`;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  get state(): "draft" | "computing" | "computed" {
    if (this.isComputing) return "computing";
    return this.published ? "computed" : "draft";
  }

  /** Fields left out stay as they are; members, if given in either form, replace the pending ones. */
  set(settings: SegmentSettings): void {
    this.name = settings.name ?? this.name;
    this.description = settings.description ?? this.description;
    this.options = { ...this.options, ...settings.options };
    if (!settings.members && !settings.generate) return;
    this.#pending = new Set(settings.members);
    this.#enter(generateIds(settings.generate));
  }

  change({ exitFirst, exit, enter, enterGenerate }: MembershipChange): void {
    this.#exitFirst(exitFirst ?? 0);
    for (const id of exit ?? []) this.#pending.delete(id);
    this.#enter(enter ?? []);
    this.#enter(generateIds(enterGenerate));
  }

  /** Makes the pending membership the published one, at a time later than the last unless one is named. */
  publish(computedAt?: string): PublishedMembership {
    const { precision } = this.options;
    const named = computedAt === undefined ? undefined : parseComputedAt(computedAt);
    const micros = named ?? nextComputedAt(this.published?.computedAtMicros, precision);
    this.published = {
      computedAt: computedAt ?? formatComputedAt(micros, precision),
      computedAtMicros: micros,
      members: [...this.#pending],
    };
    return this.published;
  }

  #enter(ids: Iterable<string>): void {
    for (const id of ids) this.#pending.add(id);
  }

  #exitFirst(count: number): void {
    let left = count;
    for (const id of this.#pending) {
      if (left-- <= 0) return;
      this.#pending.delete(id);
    }
  }
}

function* generateIds(generate: GeneratedIds | undefined): Generator<string> {
  if (!generate) return;
  for (let index = 0; index < generate.count; index++) yield `${generate.prefix}${generate.from + index}`;
}
