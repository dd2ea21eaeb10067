import type { FastifyRequest } from "fastify";
import { HttpProblem } from "./problems.ts";

export interface Page<Row> {
  count: number;
  next: string | null;
  previous: string | null;
  results: Row[];
}

export interface PageAsked {
  page: number;
  page_size: number;
}

/** SegOps' envelope. A page past the end is not found, the first one is there even of nothing. */
export function pageEnvelope<Row>(
  request: FastifyRequest,
  { page, page_size }: PageAsked,
  count: number,
  results: Row[],
): Page<Row> {
  const last = Math.max(1, Math.ceil(count / page_size));
  if (page > last) {
    throw new HttpProblem(404, `Invalid page: there ${last === 1 ? "is 1 page" : `are ${last} pages`}.`);
  }
  return {
    count,
    next: page < last ? pageUrl(request, page + 1) : null,
    previous: page > 1 ? pageUrl(request, page - 1) : null,
    results,
  };
}

/** As the caller addressed us, everything else of its query kept. */
function pageUrl(request: FastifyRequest, page: number): string {
  const url = new URL(request.url, `${request.protocol}://${request.host}`);
  url.searchParams.set("page", String(page));
  return url.href;
}
