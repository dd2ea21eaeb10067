/** Apart from the schemas, so that the page gets the same values without the library behind them. */

/** What reads show instead of a stored key, and what keeps the stored key when written. */
export const maskedKey = "***";

/** The fields beyond SegOps' three, each with its default. */
export type ConnectorOptions = {
  attribute_name: string;
  exit_mode: "remove" | "set_false";
  create_missing_users: boolean;
  max_removal_percent: number;
  requests_per_second: number;
  batch_size: number;
};

export function defaultOptions(segmentId: number): ConnectorOptions {
  return {
    attribute_name: `segops_segment_${segmentId}`,
    exit_mode: "remove",
    create_missing_users: true,
    max_removal_percent: 30,
    requests_per_second: 1000,
    // As many as Braze takes in one request (reference: Braze API, section 1.4).
    batch_size: 75,
  };
}
