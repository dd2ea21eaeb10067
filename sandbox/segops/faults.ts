import { z } from "zod";

/** What a request is about; a fault strikes one of these, or any. */
const REQUEST_POINTS = [
  "segment",
  "members",
  "export",
  "export_status",
  "download",
  "file",
  "compute",
] as const;
export type RequestPoint = (typeof REQUEST_POINTS)[number];

/** Faults of the wire: they replace or cut the answer to any request. */
const WIRE_KINDS = ["500", "503", "429", "reset", "hang", "empty", "not_found", "truncated", "html"] as const;
type WireKind = (typeof WIRE_KINDS)[number];

/** Faults of the content: a well-formed answer that is wrong. Each has the one request where it can strike. */
const CONTENT_POINTS = {
  recompute_mid_page: "members",
  duplicate_page: "members",
  repeated_cursor: "members",
  missing_page: "members",
  non_string_member: "members",
  short_count: "segment",
  older_computed_at: "segment",
  recompute_mid_export: "export",
  export_never_completes: "export",
  damaged_parquet: "file",
} as const satisfies Record<string, RequestPoint>;
export type ContentKind = keyof typeof CONTENT_POINTS;

const CONTENT_KINDS = Object.keys(CONTENT_POINTS) as ContentKind[];

export const faultSchema = z
  .strictObject({
    tenant: z.string().optional(),
    segment: z.int().optional(),
    on: z.enum([...REQUEST_POINTS, "any"]).default("any"),
    kind: z.enum([...WIRE_KINDS, ...CONTENT_KINDS]),
    /** How often it strikes before it is spent. */
    times: z.union([z.int().min(1), z.literal("always")]).default(1),
    retryAfterSeconds: z.number().min(0).optional(),
  })
  .transform((fault) => ({ ...fault, on: pointOf(fault.kind, fault.on) }));
export type FaultSettings = z.infer<typeof faultSchema>;

// A redirect has no content worth cutting: what is meant by a torn or empty download is the file behind it.
const FILE_KINDS = new Set(["truncated", "empty"]);

function pointOf(kind: WireKind | ContentKind, on: RequestPoint | "any"): RequestPoint | "any" {
  if (isContentKind(kind)) return CONTENT_POINTS[kind];
  return on === "download" && FILE_KINDS.has(kind) ? "file" : on;
}

function isContentKind(kind: string): kind is ContentKind {
  return Object.hasOwn(CONTENT_POINTS, kind);
}

/** The request that a fault may strike. */
export interface FaultTarget {
  point: RequestPoint;
  tenant: string;
  segment: number;
}

export interface WireFault {
  kind: WireKind;
  retryAfterSeconds: number | undefined;
}

interface Fault extends FaultSettings {
  id: number;
  struck: number;
}

/** The faults that are set, and how often each has struck. The oldest that fits strikes first. */
export class FaultBox {
  #faults: Fault[] = [];
  #lastId = 0;

  add(settings: FaultSettings): Fault {
    const fault = { ...settings, id: ++this.#lastId, struck: 0 };
    this.#faults.push(fault);
    return fault;
  }

  clear(): void {
    this.#faults = [];
  }

  list(): (FaultSettings & { id: number; struck: number; left: number | "always" })[] {
    return this.#faults.map((fault) => ({ ...fault, left: strikesLeft(fault) }));
  }

  /** Takes one strike of a fault of the wire for this request, if one is set. */
  takeWire(target: FaultTarget): WireFault | undefined {
    const fault = this.#find(target, (kind) => !isContentKind(kind));
    if (!fault || isContentKind(fault.kind)) return undefined;
    fault.struck += 1;
    return { kind: fault.kind, retryAfterSeconds: fault.retryAfterSeconds };
  }

  /** Takes one strike of this fault of the content for this request; false if none is set. */
  takeContent(kind: ContentKind, target: FaultTarget): boolean {
    const fault = this.#find(target, (candidate) => candidate === kind);
    if (!fault) return false;
    fault.struck += 1;
    return true;
  }

  #find(target: FaultTarget, ofKind: (kind: string) => boolean): Fault | undefined {
    return this.#faults.find(
      (fault) => ofKind(fault.kind) && fits(fault, target) && strikesLeft(fault) !== 0,
    );
  }
}

function fits(fault: Fault, target: FaultTarget): boolean {
  return (
    (fault.on === "any" || fault.on === target.point) &&
    (fault.tenant ?? target.tenant) === target.tenant &&
    (fault.segment ?? target.segment) === target.segment
  );
}

function strikesLeft(fault: Fault): number | "always" {
  return fault.times === "always" ? "always" : fault.times - fault.struck;
}
