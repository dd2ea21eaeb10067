import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

interface WebhookRelay {
  url: string;
  close(): Promise<void>;
}

/**
 * Takes SegOps' webhooks on the loopback and hands each body on as it is: what SegOps' own code does when it signals the
 * connector itself. A body that could not be handed on is answered with 500, as SegOps counts its failures.
 */
export async function startWebhookRelay(
  handOn: (body: unknown) => Promise<unknown>,
  onError: (error: unknown) => void,
): Promise<WebhookRelay> {
  const server = createServer((req, res) => {
    void relay(req, handOn).then(
      () => res.writeHead(202).end(),
      (error: unknown) => {
        onError(error);
        res.writeHead(500).end();
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/webhooks/segops`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function relay(req: IncomingMessage, handOn: (body: unknown) => Promise<unknown>): Promise<void> {
  await handOn(await json(req));
}
