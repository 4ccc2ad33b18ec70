// What this browser remembers of its reader: colours, pace, chart window. Nothing of it is secret.

export function remember(name, value) {
  try {
    localStorage.setItem("amq." + name, JSON.stringify(value));
  } catch {
    // A browser that keeps nothing keeps nothing.
  }
}

export function recall(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem("amq." + name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export const THEMES = { system: "Auto", light: "Light", dark: "Dark" };

export function setTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  remember("theme", theme);
}
