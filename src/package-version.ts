import { existsSync, readFileSync } from "node:fs";

/** Of the package.json beside `src`, where it is built and where it is not. */
export function packageVersion(): string {
  const places = ["../package.json", "../../package.json"].map((path) => new URL(path, import.meta.url));
  const file = places.find((place) => existsSync(place));
  return file ? (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version : "unknown";
}
