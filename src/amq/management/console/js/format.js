// Numbers, sizes and times as people read them.

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const FINE = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export const whole = (value) => (value == null ? "–" : WHOLE.format(value));

// For tight places: 1.2M.
export const short = (value) =>
  value == null ? "–" : Math.abs(value) < 10_000 ? FINE.format(value) : SHORT.format(value);

// Of things that come in ones: a scale of them has no halves.
export const number = Object.assign((value) => short(value), { least: 4 });

export const rate = (value) => (value == null ? "–" : `${value < 100 ? FINE.format(value) : short(value)}/s`);

export function octets(value) {
  if (value == null) return "–";
  if (typeof value !== "number") return String(value);
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit && value < 100 ? FINE.format(value) : WHOLE.format(value)} ${units[unit]}`;
}

export const millis = (value) =>
  value == null ? "–" : value < 1 ? `${WHOLE.format(value * 1000)} µs` : `${FINE.format(value)} ms`;

export function duration(seconds) {
  if (seconds == null) return "–";
  const parts = [
    [86400, "d"],
    [3600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  const first = parts.findIndex(([size]) => seconds >= size);
  if (first < 0) return "0 s";
  const [size, unit] = parts[first];
  const rest = parts[first + 1];
  const more = rest ? Math.floor((seconds % size) / rest[0]) : 0;
  return `${Math.floor(seconds / size)} ${unit}${more ? ` ${more} ${rest[1]}` : ""}`;
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const MINUTE = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

export const clock = (millis) => CLOCK.format(millis);
export const minute = (millis) => MINUTE.format(millis);
export const moment = (millis) => (millis == null ? "–" : MOMENT.format(new Date(millis)));

export const plural = (count, one, many = one + "s") => `${whole(count)} ${count === 1 ? one : many}`;

// A header's, argument's or parameter's value.
export const value = (any) => (any === "" ? "(empty)" : typeof any === "string" ? any : JSON.stringify(any));
