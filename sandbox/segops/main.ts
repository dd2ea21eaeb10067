import { parseArgs } from "node:util";
import { startSegops } from "./server.ts";

// node main.js --port 0 [--host 127.0.0.1] [--exit-with-stdin]
const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    host: { type: "string", default: "127.0.0.1" },
    "exit-with-stdin": { type: "boolean", default: false },
  },
});

const segops = await startSegops({ port: Number(values.port), host: values.host });

async function stop(): Promise<never> {
  await segops.close();
  process.exit(0);
}

process.once("SIGTERM", () => void stop());
process.once("SIGINT", () => void stop());
if (values["exit-with-stdin"]) process.stdin.once("end", () => void stop()).resume();

console.log(JSON.stringify({ ready: true, url: segops.url }));
