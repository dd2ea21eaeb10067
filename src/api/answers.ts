import { detailSchema, problemSchema } from "../contracts/http-answers.ts";

const described = {
  400: problemSchema.describe("The request is wrong by itself: every field at fault with its reasons."),
  401: detailSchema.describe("No credentials, or none that are known."),
  403: detailSchema.describe("This role may not do that."),
  404: detailSchema.describe("This tenant has no such connector."),
  405: detailSchema.describe("This method is not served here; Allow names those that are."),
  409: problemSchema.describe("The request conflicts with what is stored."),
  413: detailSchema.describe("The body is larger than 64 KiB."),
  415: detailSchema.describe("The body is no JSON in UTF-8."),
  429: detailSchema.describe("Too many requests with this key; Retry-After says when to go on."),
  500: detailSchema.describe("Something failed that this release does not know."),
  503: detailSchema.describe(
    "Not now: no worker, no Temporal or no storage. Retry-After says when to ask again.",
  ),
} as const;

type Status = keyof typeof described;

/** What every call that authenticates may answer. */
const always = [400, 401, 403, 404, 429, 500, 503] as const;

export const readProblems = pick(...always);
export const writeProblems = pick(...always, 409, 413, 415);

export function pick<Picked extends Status>(...statuses: Picked[]): Pick<typeof described, Picked> {
  return Object.fromEntries(statuses.map((status) => [status, described[status]])) as Pick<
    typeof described,
    Picked
  >;
}
