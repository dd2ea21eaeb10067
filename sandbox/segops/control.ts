import type {
  ChangeInput,
  FaultInput,
  FaultReport,
  RecomputeInput,
  RecomputeResult,
  SegmentInput,
  SegopsStats,
  TenantInput,
} from "./control-shapes.ts";

/** Steers and inspects a running SegOps stand-in. A refused call throws with the status and the reason. */
export class SegopsControl {
  /** What a client of SegOps takes as its base URL. */
  readonly apiUrl: string;
  readonly #control: string;

  /** `url` as the stand-in printed it. */
  constructor(url: string) {
    this.apiUrl = `${url}/api`;
    this.#control = `${url}/_control`;
  }

  /** Creates a tenant or replaces its key and webhook. */
  async putTenant(slug: string, tenant: TenantInput): Promise<void> {
    await this.#call("PUT", `/tenants/${slug}`, tenant);
  }

  /** Creates or changes a segment; its members take effect with the next recompute. */
  async putSegment(slug: string, id: number, segment: SegmentInput): Promise<void> {
    await this.#call("PUT", segmentPath(slug, id), segment);
  }

  async deleteSegment(slug: string, id: number): Promise<void> {
    await this.#call("DELETE", segmentPath(slug, id));
  }

  /** Lets people enter and exit; takes effect with the next recompute. */
  async change(slug: string, id: number, change: ChangeInput): Promise<void> {
    await this.#call("POST", segmentPath(slug, id, "/change"), change);
  }

  /** Publishes the membership and, unless told not to, sends the tenant's webhook and waits for its one attempt. */
  async recompute(slug: string, id: number, options: RecomputeInput = {}): Promise<RecomputeResult> {
    const response = await this.#call("POST", segmentPath(slug, id, "/recompute"), options);
    return (await response.json()) as RecomputeResult;
  }

  /** The last recompute's webhook body, as raw JSON. */
  async webhookBody(slug: string, id: number): Promise<string> {
    const response = await this.#call("GET", segmentPath(slug, id, "/webhook-body"));
    return response.text();
  }

  /** The published membership: distinct ids in the order of their UTF-8 bytes. */
  async members(slug: string, id: number): Promise<string[]> {
    const response = await this.#call("GET", segmentPath(slug, id, "/members"));
    return readJsonLines(response);
  }

  /** Sets a fault; strikes once unless `times` says otherwise. Returns its id in `faults()`. */
  async addFault(fault: FaultInput): Promise<number> {
    const response = await this.#call("POST", "/faults", fault);
    return ((await response.json()) as { id: number }).id;
  }

  async clearFaults(): Promise<void> {
    await this.#call("DELETE", "/faults");
  }

  /** The faults that are set or spent, with how often each has struck. */
  async faults(): Promise<FaultReport[]> {
    const response = await this.#call("GET", "/faults");
    return ((await response.json()) as { faults: FaultReport[] }).faults;
  }

  async stats(): Promise<SegopsStats> {
    const response = await this.#call("GET", "/stats");
    return (await response.json()) as SegopsStats;
  }

  async #call(method: string, path: string, body?: object): Promise<Response> {
    const response = await fetch(this.#control + path, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    if (!response.ok)
      throw new Error(`SegOps control ${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  }
}

function segmentPath(slug: string, id: number, rest = ""): string {
  return `/tenants/${slug}/segments/${id}${rest}`;
}

async function readJsonLines(response: Response): Promise<string[]> {
  const decoder = new TextDecoder();
  const values: string[] = [];
  let rest = "";
  for await (const bytes of response.body ?? []) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) values.push(JSON.parse(line) as string);
  }
  return values;
}
