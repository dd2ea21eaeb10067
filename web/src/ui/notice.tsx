import type { ReactNode } from "react";

interface NoticeProps {
  tone: "bad" | "warn" | "info";
  title: string;
  children?: ReactNode;
}

export function Notice({ tone, title, children }: NoticeProps) {
  return (
    <section className={`notice ${tone}`} aria-label={title}>
      <p>
        <strong>{title}</strong>
      </p>
      {children}
    </section>
  );
}
