import { createContext, useCallback, useContext, useEffect, useState, type ReactNode } from "react";

/** Says what came of an action: to be seen at the foot of the window, and read aloud by a screen reader. */
type Announce = (text: string) => void;

const AnnounceContext = createContext<Announce>(() => undefined);

const shownForMs = 8_000;

export function Announcer({ children }: { children: ReactNode }) {
  const [said, setSaid] = useState({ text: "", times: 0 });
  const announce = useCallback((text: string) => setSaid(({ times }) => ({ text, times: times + 1 })), []);
  useEffect(() => {
    if (!said.text) return;
    const timer = setTimeout(() => setSaid({ ...said, text: "" }), shownForMs);
    return () => clearTimeout(timer);
  }, [said]);
  return (
    <AnnounceContext value={announce}>
      {children}
      <output className="announcement">
        {/* The same words twice are two messages: a screen reader reads only what changes. */}
        {said.text && <span key={said.times}>{said.text}</span>}
      </output>
    </AnnounceContext>
  );
}

export function useAnnounce(): Announce {
  return useContext(AnnounceContext);
}
