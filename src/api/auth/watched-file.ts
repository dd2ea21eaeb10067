import { readFile, stat } from "node:fs/promises";
import type { Logger } from "pino";
import type { z } from "zod";
import { EnvironmentError } from "../../contracts/environment.ts";

/** A change is seen after this long at the latest. */
const lookEveryMs = 1000;

interface WatchedFileOptions<Content> {
  /** The variable that names the file: how problems are told. */
  variable: string;
  path: string;
  /** Throws a `FileProblem` that says what the file must hold, never what it holds. */
  parse: (json: unknown) => Content;
  log: Pick<Logger, "error" | "info">;
}

/** What is wrong with a file's content, in words that repeat none of it. */
class FileProblem extends Error {}

/**
 * A JSON file that may change while the process runs: a key taken out of it is refused within a second. A file that cannot be read any
 * more, or holds something else, keeps what it last held, and each such change is logged once.
 */
export class WatchedFile<Content> {
  readonly #options: WatchedFileOptions<Content>;
  #content: Content;
  #mark: string;
  #lookedAt: number;
  #looking: Promise<void> | null = null;

  private constructor(options: WatchedFileOptions<Content>, content: Content, mark: string) {
    this.#options = options;
    this.#content = content;
    this.#mark = mark;
    this.#lookedAt = performance.now();
  }

  /** Throws an `EnvironmentError` where the file cannot be read or does not hold what it should. */
  static async open<Content>(options: WatchedFileOptions<Content>): Promise<WatchedFile<Content>> {
    try {
      const mark = await markOf(options.path);
      return new WatchedFile(options, await read(options), mark);
    } catch (error) {
      throw new EnvironmentError([`${options.variable}: ${reasonOf(error)}`]);
    }
  }

  async current(): Promise<Content> {
    if (performance.now() - this.#lookedAt >= lookEveryMs) {
      this.#looking ??= this.#look().finally(() => (this.#looking = null));
      await this.#looking;
    }
    return this.#content;
  }

  async #look(): Promise<void> {
    const { variable, path, log } = this.#options;
    // A file that is away for a moment, as while it is replaced, is looked for again.
    const mark = await markOf(path).catch(() => "away");
    this.#lookedAt = performance.now();
    if (mark === this.#mark) return;
    this.#mark = mark;
    try {
      this.#content = await read(this.#options);
      log.info({ variable }, "file read again");
    } catch (error) {
      log.error(
        { variable, problem: reasonOf(error) },
        "file cannot be used; what it held before still counts",
      );
    }
  }
}

async function markOf(path: string): Promise<string> {
  const { mtimeMs, size, ino } = await stat(path);
  return `${mtimeMs}/${size}/${ino}`;
}

async function read<Content>({ path, parse }: WatchedFileOptions<Content>): Promise<Content> {
  const text = await readFile(path, "utf8");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new FileProblem("the file is not JSON");
  }
  return parse(json);
}

/** Names what a file must hold; `shape` is an example of it. */
export function parseAs<Content>(schema: z.ZodType<Content>, json: unknown, shape: string): Content {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new FileProblem(`the file must hold ${shape}`);
}

function reasonOf(error: unknown): string {
  if (error instanceof FileProblem) return error.message;
  const { code } = error as NodeJS.ErrnoException;
  return `the file cannot be read (${code ?? "unknown"})`;
}
