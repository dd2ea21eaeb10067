import type { IncomingMessage } from "node:http";

/**
 * Collects a body and calls `done` once: with the bytes, or with undefined when there were more than `maxBytes`. The
 * surplus is read and thrown away, so that the client gets its answer. Never calls when the client goes away first.
 */
export function readBody(
  req: IncomingMessage,
  maxBytes: number,
  done: (body: Buffer | undefined) => void,
): void {
  let chunks: Buffer[] = [];
  let size = 0;
  req.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxBytes) chunks.push(chunk);
    else chunks = [];
  });
  req.on("end", () => {
    const only = chunks.length === 1 ? chunks[0] : undefined;
    done(size > maxBytes ? undefined : (only ?? Buffer.concat(chunks)));
  });
}
