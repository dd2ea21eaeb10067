import type { FastifyReply, FastifyRequest } from "fastify";
import { principalOf } from "./auth/authenticate.ts";
import type { Asked } from "./connector-writes.ts";
import type { Gateway } from "./gateway.ts";
import { KeptAnswer, type Answer } from "./kept-answer.ts";
import { problemOf } from "./problems.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The body's bytes as text, for telling a repetition from another request. */
    rawBody: string;
  }
}

/** A request as its repetition is recognised. */
export function askedBy(request: FastifyRequest): Asked {
  const { method, url, rawBody } = request;
  return { request: `${method} ${url.replace(/\/+(?=\?|$)/, "")} ${rawBody}` };
}

/**
 * Answers a POST, once per `Idempotency-Key` where it has one: the same key and request get the first answer again for 24 hours,
 * whatever gateway they reach; another request under the same key is refused with 409. Kept are the status, the answer and a hash of
 * the request under the caller's key, never the request. What ended in 5xx is not kept: its repetition tries again, as the same
 * request to the workflow.
 */
export async function answerOnce(
  { storage }: Pick<Gateway, "storage">,
  request: FastifyRequest,
  reply: FastifyReply,
  work: (asked: Asked) => Promise<Answer>,
): Promise<FastifyReply> {
  const asked = askedBy(request);
  const key = keyIn(request);
  if (key === undefined) return send(reply, await work(asked));
  const kept = new KeptAnswer(storage, principalOf(request).tenant, key, asked.request);
  const first = await kept.read();
  if (first) return send(reply.header("idempotency-replayed", "true"), first);
  const updateId = await kept.claim();
  const answer = await settled(() => work({ ...asked, updateId }));
  await kept.write(answer);
  return send(reply, answer);
}

/** As its schema has checked it. */
function keyIn(request: FastifyRequest): string | undefined {
  const key = request.headers["idempotency-key"];
  return typeof key === "string" ? key : undefined;
}

/** A refusal is an answer too; what may pass by itself is not. */
async function settled(work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    const problem = problemOf(error);
    if (!problem || problem.status >= 500) throw error;
    return problem;
  }
}

function send(reply: FastifyReply, { status, body }: Answer): FastifyReply {
  return reply.code(status).send(body);
}
