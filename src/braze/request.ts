/** Which of Braze's limits a request draws from: /users/track has one, the subscription paths share another, reading has its own. */
export type Limiter = "track" | "subscription" | "export";

/** One batch as it goes out. The same users and options always give the same bytes. */
export interface BrazeRequest {
  limiter: Limiter;
  path: string;
  body: string;
  /** The users in the order of the body, to read an answer's indices and to keep their ids out of errors. */
  userIds: readonly string[];
}
