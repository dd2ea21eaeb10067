import { errorHalves } from "../../../src/contracts/errors.ts";
import type { ConnectorView } from "../api/wire.ts";

/** What went wrong last and what to do, in the words of the error table. */
export function LastError({ view }: { view: ConnectorView }) {
  const { last_error: message, last_error_code: code } = view;
  if (!message && !code) return null;
  const { what, remedy } = errorHalves(code, message);
  return (
    <div className="last-error">
      <p>
        {what} {code && <code>{code}</code>}
      </p>
      {remedy && <p>What to do: {remedy}</p>}
    </div>
  );
}
