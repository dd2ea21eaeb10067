import { NOT_FOUND } from "./answer.ts";
import type { Answer } from "./answer.ts";
import type { ResolvedRequest } from "./api-routes.ts";
import { availableFile } from "./export-jobs.ts";
import type { ExportJob } from "./export-jobs.ts";
import type { SegopsState } from "./segops-state.ts";

interface FileRequest {
  url: URL;
  authorization: string | undefined;
  /** Whether it came to the file host, which is not SegOps and takes no credentials of SegOps'. */
  isFileHost: boolean;
}

/** Serves `/_files/<token>`: the token is all the proof that is needed, and on the file host all that is taken. */
export function resolveFileRequest(state: SegopsState, request: FileRequest): ResolvedRequest {
  state.countRequest("file");
  if (request.authorization !== undefined) state.authorizedFileRequests += 1;
  if (request.authorization !== undefined && request.isFileHost)
    return { refusal: storageError(400, "InvalidArgument") };
  const job = state.exports.byToken(request.url.pathname.slice("/_files/".length));
  if (!job) return { refusal: NOT_FOUND };
  const target = { point: "file", tenant: job.tenantSlug, segment: job.segment.id } as const;
  return {
    target,
    handle: async () => serveFile(job, () => state.faults.takeContent("damaged_parquet", target)),
  };
}

function serveFile(job: ExportJob, isDamaged: () => boolean): Answer {
  const file = availableFile(job);
  if (!file) return storageError(400, "ExpiredToken");
  const type = job.format === "csv" ? "text/csv; charset=utf-8" : "application/vnd.apache.parquet";
  // A damaged file arrives well: half of it is all there is, and its announced length agrees.
  const sizeBytes = isDamaged() ? Math.floor(file.sizeBytes / 2) : file.sizeBytes;
  return { status: 200, headers: { "content-type": type }, body: { path: file.path, sizeBytes } };
}

function storageError(status: number, code: string): Answer {
  return {
    status,
    headers: { "content-type": "application/xml" },
    body: `<?xml version='1.0' encoding='UTF-8'?><Error><Code>${code}</Code></Error>`,
  };
}
