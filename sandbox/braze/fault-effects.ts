import { htmlAnswer, jsonAnswer, refusal } from "./answer.ts";
import type { Answer } from "./answer.ts";
import type { Fault } from "./faults.ts";
import { isJsonObject } from "./json.ts";
import type { JsonObject, JsonValue } from "./json.ts";

const SYNTHETIC = "(stand-in) an error that belongs to no object";

/** What happens on the wire: an answer; no answer at all; a reset without a byte; an answer cut off in the middle. */
export type Outcome = { kind: "answer" | "cut"; answer: Answer } | { kind: "hang" | "reset" };

/** What a struck request gets. `real` is the true answer; undefined when the request took no effect. */
export function faultOutcome(fault: Fault, real: Answer | undefined): Outcome {
  switch (fault.kind) {
    case "hang":
      return { kind: "hang" };
    case "reset_before":
    case "reset_after":
      return { kind: "reset" };
    case "reset_mid":
      return { kind: "cut", answer: real ?? jsonAnswer(201, { message: "success" }) };
    case "429":
      return answered(retryAfter(refusal(429, "Rate limit exceeded"), "x-ratelimit-retry-after", fault));
    case "500":
      return answered(retryAfter(refusal(500, "Internal Server Error"), "retry-after", fault));
    case "502":
      return answered(retryAfter(htmlAnswer(502, "Bad Gateway"), "retry-after", fault));
    case "503":
      return answered(retryAfter(htmlAnswer(503, "Service Temporarily Unavailable"), "retry-after", fault));
    case "504":
      return answered(retryAfter(htmlAnswer(504, "Gateway Time-out"), "retry-after", fault));
    default:
      return answered(spoiled(fault.kind, real ?? jsonAnswer(201, { message: "success" })));
  }
}

function answered(answer: Answer): Outcome {
  return { kind: "answer", answer };
}

function retryAfter(answer: Answer, header: string, fault: Fault): Answer {
  if (fault.retryAfterSeconds === undefined) return answer;
  return { ...answer, headers: { [header]: String(fault.retryAfterSeconds) } };
}

/** Only a success is spoiled: a refusal keeps its meaning, as a 401 dressed up as 202 would hide a test's mistake. */
function spoiled(kind: Fault["kind"], real: Answer): Answer {
  if (real.status >= 300) return real;
  switch (kind) {
    case "truncated_201":
      return { ...real, body: real.body.slice(0, Math.floor(real.body.length / 2)) };
    case "html_201":
      return htmlAnswer(201, "Created");
    case "queued_202":
      return jsonAnswer(202, { message: "queued" });
    case "errors_as_strings":
      return withErrors(real, (errors) => (errors.length > 0 ? errors.map(sentenceOf) : [SYNTHETIC]));
    default:
      return withErrors(real, (errors) => (errors.length > 0 ? errors.map(displaced) : [strayError]));
  }
}

const strayError = { index: 1_000, input_array: "attributes", type: SYNTHETIC };

function withErrors(real: Answer, change: (errors: JsonValue[]) => JsonValue[]): Answer {
  const { message, errors, ...counters } = JSON.parse(real.body) as JsonObject;
  const changed = change(Array.isArray(errors) ? errors : []);
  return { ...real, body: JSON.stringify({ ...counters, errors: changed, message }) };
}

function sentenceOf(error: JsonValue): JsonValue {
  return isJsonObject(error) ? (error["type"] ?? SYNTHETIC) : error;
}

function displaced(error: JsonValue): JsonValue {
  return isJsonObject(error) ? { ...error, index: Number(error["index"]) + 1_000 } : error;
}
