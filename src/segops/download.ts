import { createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { Dispatcher } from "undici";
import { CodedError } from "../contracts/errors.ts";
import { isTransientStatus, overNetwork, refuseStatus } from "./http.ts";
import type { Http } from "./http.ts";
import { TransientFailure } from "./retry.ts";

const maxRedirects = 5;

// A download's address is presigned and so a secret itself: messages name it only by these words.
const what = "download of the export";

interface Download {
  url: URL;
  tenant: string;
  /** The file to write; a retry writes it anew. */
  path: string;
  signal: AbortSignal;
}

/**
 * Streams a file to disk, following redirects; it is as long as its Content-Length says. The API key goes to SegOps' own origin and never
 * to where that redirects: the file host needs none. A refusal by the file host (an expired address) is `snapshot_unverified`.
 */
export async function downloadFile(http: Http, download: Download): Promise<void> {
  await http.retry(async () => {
    const answer = await follow(http, download);
    const promised = Number(answer.headers["content-length"] ?? Number.NaN);
    await overNetwork(what, download.signal, () =>
      pipeline(answer.body, createWriteStream(download.path), { signal: download.signal }),
    );
    const { size } = await stat(download.path);
    if (!Number.isNaN(promised) && size !== promised) {
      throw new TransientFailure(`${what}: ${size} bytes of ${promised}`);
    }
  }, download.signal);
}

async function follow(http: Http, { url, tenant, signal }: Download): Promise<Dispatcher.ResponseData> {
  const own = new URL(http.baseUrl);
  let at = url;
  for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
    if (own.protocol === "https:" && at.protocol !== "https:") throw unverified("would leave https");
    const withKey = redirects === 0 && at.origin === own.origin;
    const headers: Record<string, string> = withKey ? { authorization: http.authorization(tenant) } : {};
    const answer = await http.open(what, at, headers, signal);
    const { location } = answer.headers;
    if (answer.statusCode < 300 || answer.statusCode > 399 || typeof location !== "string") {
      await refuse(answer, withKey);
      return answer;
    }
    await answer.body.dump();
    if (!URL.canParse(location, at.href)) throw unverified("redirects to no address");
    at = new URL(location, at);
  }
  throw unverified(`redirects more than ${maxRedirects} times`);
}

async function refuse(answer: Dispatcher.ResponseData, withKey: boolean): Promise<void> {
  const status = answer.statusCode;
  if (!withKey && status >= 300 && !isTransientStatus(status)) {
    await answer.body.dump();
    throw unverified(`the file host answered HTTP ${status}`);
  }
  await refuseStatus(what, answer, "snapshot_unverified");
}

function unverified(detail: string): CodedError {
  return new CodedError("snapshot_unverified", `${what}: ${detail}`);
}
