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
  const origin = originOf(request);
  const last = Math.max(1, Math.ceil(count / page_size));
  if (page > last) {
    throw new HttpProblem(404, `Invalid page: there ${last === 1 ? "is 1 page" : `are ${last} pages`}.`);
  }
  const address = (of: number): string => {
    const url = new URL(request.url, origin);
    url.searchParams.set("page", String(of));
    return url.href;
  };
  return {
    count,
    next: page < last ? address(page + 1) : null,
    previous: page > 1 ? address(page - 1) : null,
    results,
  };
}

/** As the caller addressed us, or its trusted proxy says it did; what is no host leads nowhere. */
function originOf({ protocol, host }: FastifyRequest): string {
  const origin = `${protocol}://${host}`;
  if (/^https?:\/\/[^/?#@\\]+$/.test(origin) && URL.canParse(origin)) return origin;
  throw new HttpProblem(
    400,
    "The addresses of other pages cannot be made: Host must be a host, with a port where there is one, and so must X-Forwarded-Host of a trusted proxy.",
  );
}
