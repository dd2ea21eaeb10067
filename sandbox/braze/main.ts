import { parseArgs } from "node:util";
import { startBraze } from "./server.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    host: { type: "string", default: "127.0.0.1" },
    "exit-with-stdin": { type: "boolean", default: false },
  },
});

const server = await startBraze({ port: Number(values.port), host: values.host });
process.once("SIGTERM", () => void stop());
process.once("SIGINT", () => void stop());
if (values["exit-with-stdin"]) {
  // The parent holds the other end: it closes when the parent dies, however that came about.
  process.stdin.once("close", () => void stop());
  process.stdin.resume();
}
process.stdout.write(`${JSON.stringify({ ready: true, url: server.url })}\n`);

async function stop(): Promise<void> {
  await server.close();
  process.exit(0);
}
