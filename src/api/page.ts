import { sep } from "node:path";
import fastifyStatic from "@fastify/static";
import type { Server } from "./gateway.ts";

/** Files whose names change with their content may be kept for a year. */
const yearSeconds = 31_536_000;

/** Serves the page's built files. Its own places are behind the address' #, which no server sees. */
export async function servePage(server: Server, folder: string): Promise<void> {
  await server.register(fastifyStatic, {
    root: folder,
    wildcard: false,
    cacheControl: false,
    setHeaders: (response, path) => {
      const isHashed = path.startsWith(`${folder}${sep}assets${sep}`);
      response.setHeader(
        "cache-control",
        isHashed ? `public, max-age=${yearSeconds}, immutable` : "no-cache",
      );
    },
  });
}
