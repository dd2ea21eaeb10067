import { hash } from "node:crypto";

/** What arrived at one workspace. */
export class RequestStats {
  objectsAccepted = 0;
  objectsRejected = 0;
  dataPoints = 0;
  duplicates = 0;
  maxConcurrent = 0;
  #concurrent = 0;
  readonly #byPath = new Map<string, Map<string, number>>();
  readonly #bodies = new Set<string>();

  begin(): void {
    this.#concurrent++;
    this.maxConcurrent = Math.max(this.maxConcurrent, this.#concurrent);
  }

  /** A request ended; status `none` is one that never got a (whole) answer. */
  end(path: string, status: number | "none"): void {
    this.#concurrent--;
    const statuses = this.#byPath.get(path) ?? new Map<string, number>();
    this.#byPath.set(path, statuses);
    statuses.set(String(status), (statuses.get(String(status)) ?? 0) + 1);
  }

  /** Notes a body's bytes and answers their sha256 in hex; bytes that were seen before count as a re-send. */
  noteBody(body: Buffer): string {
    const digest = hash("sha256", body, "hex");
    if (this.#bodies.has(digest)) this.duplicates++;
    else this.#bodies.add(digest);
    return digest;
  }

  requests(): Record<string, Record<string, number>> {
    return Object.fromEntries(
      [...this.#byPath].map(([path, statuses]) => [path, Object.fromEntries(statuses)]),
    );
  }
}
