import { createServer } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach } from "vitest";
import { SegopsControl } from "../../../../sandbox/segops/control.ts";
import { startSegops } from "../../../../sandbox/segops/server.ts";

/** Ids that each break some careless reader; every one must come through byte for byte. */
export const ODD_IDS = [
  "plain",
  'double"quote',
  "single'quote",
  "comma,semi;tab\tpipe|",
  "line\nfeed",
  "carriage\r\nreturn",
  " spaces around ",
  "back\\slash",
  "nul\u0000inside",
  "\u{1F600} emoji",
  "\uFEFFbyte order mark",
  "\uFFFD and \uE000 sort below emoji",
  "caf\u00E9",
  "cafe\u0301",
  "Plain",
  "a@example.com+tag%20",
  "\u202Ertl",
  "9".repeat(900),
];

export const API_KEY = "sk_test_acme";

export interface MembersBody {
  results: { user_id: string }[];
  next_cursor: string | null;
}

export interface SegmentBody {
  member_count: number;
  last_computed_at: string | null;
  state: string;
}

export interface ExportBody {
  id: number;
  status: string;
  format: string;
  download_url: string | null;
  expires_at: string | null;
}

type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

export class SegopsUnderTest {
  readonly url: string;
  readonly control: SegopsControl;
  readonly close: () => Promise<void>;

  constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.control = new SegopsControl(url);
    this.close = close;
  }

  /** Calls a path below the host with the tenant's key. */
  fetch: Fetch = (path, init) =>
    fetch(this.url + path, { headers: { authorization: `ApiKey ${API_KEY}` }, redirect: "manual", ...init });

  async json<Body>(path: string, init?: RequestInit): Promise<Body> {
    const response = await this.fetch(path, init);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Body;
  }

  segment(): Promise<SegmentBody> {
    return this.json("/api/segments/7/");
  }

  startExport(format: string): Promise<{ export_id: number; status: string }> {
    return this.json("/api/segments/7/export/", { method: "POST", body: JSON.stringify({ format }) });
  }

  exportStatus(id: number): Promise<ExportBody> {
    return this.json(`/api/segments/7/export/?export_id=${id}`);
  }

  /** Exports and waits until the file can be downloaded. */
  async finishedExport(format: string): Promise<ExportBody> {
    const { export_id } = await this.startExport(format);
    return this.waitForExport(export_id);
  }

  waitForExport(id: number): Promise<ExportBody> {
    return waitFor(async () => {
      const status = await this.exportStatus(id);
      return status.download_url === null ? undefined : status;
    });
  }

  /** Walks cursors as a client would, at most `maxPages`. */
  async walk(limit: number, maxPages = 100): Promise<MembersBody[]> {
    const pages: MembersBody[] = [];
    let cursor: string | null = "";
    while (cursor !== null && pages.length < maxPages) {
      const query = new URLSearchParams({ limit: String(limit), ...(cursor && { cursor }) });
      const page: MembersBody = await this.json(`/api/segments/7/members/?${query.toString()}`);
      pages.push(page);
      cursor = page.next_cursor;
    }
    return pages;
  }
}

/** A fresh SegOps for each test, with tenant `acme` (key `API_KEY`) and segment 7 still without members. */
export function useSegops(): () => SegopsUnderTest {
  let current: SegopsUnderTest | undefined;
  beforeEach(async () => {
    const { url, close } = await startSegops({ port: 0, host: "127.0.0.1" });
    current = new SegopsUnderTest(url, close);
    await current.control.putTenant("acme", { api_key: API_KEY });
    await current.control.putSegment("acme", 7, { name: "High LTV Buyers" });
  });
  afterEach(() => current?.close());
  return () => {
    if (!current) throw new Error("no SegOps is running");
    return current;
  };
}

/** Asks again until there is an answer; fails after ten seconds. */
export async function waitFor<Value>(ask: () => Promise<Value | undefined>): Promise<Value> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const value = await ask();
    if (value !== undefined) return value;
    if (Date.now() > deadline) throw new Error("waited ten seconds in vain");
    await delay(5);
  }
}

export function idsOf(pages: MembersBody[]): string[] {
  return pages.flatMap((page) => page.results.map((member) => member.user_id));
}

export function sortedByUtf8(ids: string[]): string[] {
  return ids
    .map((id) => Buffer.from(id))
    .sort((left, right) => Buffer.compare(left, right))
    .map(String);
}

export interface Delivery {
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** A webhook receiver that answers with `status` and keeps what it got. */
export async function startReceiver(
  status = 200,
): Promise<{ url: string; deliveries: Delivery[]; close: () => void }> {
  const deliveries: Delivery[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      deliveries.push({ headers: request.headers, body: Buffer.concat(chunks) });
      response.writeHead(status).end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  return { url, deliveries, close: () => server.close().closeAllConnections() };
}
