import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { serveControl } from "./control-routes.ts";
import { serveRest } from "./exchange.ts";
import { KeyRing } from "./key-ring.ts";

export interface BrazeServer {
  /** `http://host:port`, no trailing slash. */
  url: string;
  close(): Promise<void>;
}

/** Starts a stand-in for Braze's REST API with no workspace yet; port 0 takes a free one. */
export async function startBraze(options: { port?: number; host?: string } = {}): Promise<BrazeServer> {
  const { port = 0, host = "127.0.0.1" } = options;
  const ring = new KeyRing();
  // Longer than any client keeps an idle connection: a close by us would look like a fault that nobody ordered.
  const server = createServer({ keepAliveTimeout: 75_000 }, (req, res) => {
    const path = pathOf(req.url ?? "/");
    if (path.startsWith("/_control/")) serveControl(ring, req, res, path);
    else serveRest(ring, req, res, path);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      ring.clear();
    },
  };
}

function pathOf(url: string): string {
  const query = url.indexOf("?");
  return query === -1 ? url : url.slice(0, query);
}
