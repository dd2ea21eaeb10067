/** What went wrong with a call, in words for a person, and field by field where the gateway named fields. */
export class ApiError extends Error {
  /** HTTP status; 0 where there was no answer at all. */
  readonly status: number;
  readonly fields: FieldErrors;

  constructor(status: number, message: string, fields: FieldErrors = {}) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.fields = fields;
  }
}

export type FieldErrors = Readonly<Record<string, string>>;

interface CallOptions {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  body?: unknown;
  signal?: AbortSignal;
}

/** Asks the gateway; answers its JSON, undefined where it has none. Throws an `ApiError`. */
export type Call = <Answer>(path: string, options?: CallOptions) => Promise<Answer>;

/** A write that no worker took in time is repeated so often, a POST under one key: it is carried out once. Reads are a query's to repeat. */
const repeats = 2;

/** Every call with this key. `onRefusedKey`: the gateway answered 401, so the key is of no use any more. */
export function createCall(apiKey: string, onRefusedKey: () => void): Call {
  return async <Answer>(path: string, { method = "GET", body, signal }: CallOptions = {}) => {
    const response = await patientAnswerTo(`api/${path}`, method === "GET" ? 0 : repeats, {
      method,
      headers: {
        Authorization: `ApiKey ${apiKey}`,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(method === "POST" ? { "Idempotency-Key": newKey() } : {}),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
    });
    const answer = await jsonOf(response);
    if (response.ok) return answer as Answer;
    if (response.status === 401) onRefusedKey();
    throw apiError(response, answer);
  };
}

/** Not `randomUUID`: a page that is served without TLS has none. */
function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

async function patientAnswerTo(path: string, repeats: number, init: RequestInit): Promise<Response> {
  const response = await answerTo(path, init);
  const retryAfter = response.headers.get("retry-after");
  if (response.status !== 503 || retryAfter === null || repeats === 0) return response;
  await new Promise((resolve) => setTimeout(resolve, Number(retryAfter) * 1000));
  return await patientAnswerTo(path, repeats - 1, init);
}

async function answerTo(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch (error) {
    // A question that is not of interest any more is no failure to tell of.
    if (init.signal?.aborted) throw error;
    throw new ApiError(0, "The gateway could not be reached. Check the network, then try again.");
  }
}

async function jsonOf(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    // A proxy's page of HTML: the status alone says what there is to say.
    return undefined;
  }
}

function apiError({ status, headers }: Response, answer: unknown): ApiError {
  if (status === 429) {
    const wait = headers.get("retry-after");
    return new ApiError(status, `Too many requests. Try again ${wait ? `in ${wait} s` : "later"}.`);
  }
  const entries = typeof answer === "object" && answer !== null ? Object.entries(answer) : [];
  const detail = entries.find(([name]) => name === "detail")?.[1];
  if (typeof detail === "string") return new ApiError(status, detail);
  const fields = Object.fromEntries(entries.map(([name, problems]) => [name, asText(problems)]));
  if (entries.length > 0) return new ApiError(status, "Some fields need mending.", fields);
  return new ApiError(status, `The gateway answered ${status}. Try again; look at its log if it lasts.`);
}

function asText(problems: unknown): string {
  return Array.isArray(problems) ? problems.join(" ") : String(problems);
}
