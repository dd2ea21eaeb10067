import { useEffect, useState } from "react";

export type Theme = "system" | "light" | "dark";

/** The one thing that outlives the tab: how the page looks, which says nothing of anybody. */
const storageName = "segops-braze-theme";

/** Before the first paint, so that nothing flashes. */
export function applyStoredTheme(): void {
  applyTheme(storedTheme());
}

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(storedTheme);
  useEffect(() => {
    applyTheme(theme);
    localStorage.setItem(storageName, theme);
  }, [theme]);
  return [theme, setTheme];
}

function storedTheme(): Theme {
  const stored = localStorage.getItem(storageName);
  return stored === "light" || stored === "dark" ? stored : "system";
}

/** Without the attribute, the stylesheet follows `prefers-color-scheme`. */
function applyTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}
