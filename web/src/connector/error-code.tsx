import { Fragment } from "react";

/** A code that may break after each of its words, so that a long one does not push a table out of its window. */
export function ErrorCode({ code }: { code: string }) {
  return (
    <code>
      {code.split(/(?<=_)/).map((word, index) => (
        <Fragment key={index}>
          {index > 0 && <wbr />}
          {word}
        </Fragment>
      ))}
    </code>
  );
}
