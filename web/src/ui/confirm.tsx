import { useEffect, useId, useRef, type ReactNode } from "react";

interface ConfirmProps {
  title: string;
  /** What will happen. */
  children: ReactNode;
  /** The verb on the button that does it. */
  action: string;
  isBusy: boolean;
  error: string | undefined;
  onConfirm: () => void;
  onClose: () => void;
}

/** The browser's own modal dialog: it keeps the focus inside, closes on Escape and gives the focus back. */
export function Confirm({ title, children, action, isBusy, error, onConfirm, onClose }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const opened = dialog.current;
    opened?.showModal();
    return () => opened?.close();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={titleId} onClose={onClose}>
      <article>
        <h2 id={titleId}>{title}</h2>
        {children}
        {error && (
          <p role="alert" className="problem">
            {error}
          </p>
        )}
        <footer>
          <button type="button" className="secondary" onClick={onClose}>
            Cancel
          </button>
          <button type="button" aria-busy={isBusy} disabled={isBusy} onClick={onConfirm}>
            {action}
          </button>
        </footer>
      </article>
    </dialog>
  );
}
