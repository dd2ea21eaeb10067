import { once } from "node:events";
import { openStorage } from "../../../src/storage/open-storage.ts";

// Run as a process: waits for a word on stdin, then tries to create every key, and prints those that it created.
const [url = "", body = "", keys = "0"] = process.argv.slice(2);
const storage = await openStorage(url);
console.log("ready");
await once(process.stdin, "data");
for (let index = 0; index < Number(keys); index += 1) {
  if ((await storage.putIfAbsent(`race/${index}`, body.repeat(5000))) === "created")
    console.log(`race/${index}`);
}
