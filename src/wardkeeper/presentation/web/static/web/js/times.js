// Relative times and clock rings go on counting without the server.
import { text } from "./texts.js";

const EVERY_MS = 10_000;
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

// A ward PC's clock may be wrong by minutes: the server's Date header is the truth.
let skewMs = 0;
document.addEventListener("htmx:afterRequest", (event) => {
  const date = event.detail.xhr?.getResponseHeader("Date");
  if (date) skewMs = Date.parse(date) - Date.now();
});
const now = () => Date.now() + skewMs;

const parts = (seconds) => ({
  d: Math.floor(seconds / DAY),
  h: Math.floor(seconds / HOUR),
  m: Math.floor((seconds % HOUR) / MINUTE),
});

const ago = (seconds) => {
  if (seconds < MINUTE) return text("now");
  const { h, m } = parts(seconds);
  return seconds < HOUR ? text("ago-m", { m }) : text("ago-h", { h });
};

const left = (seconds) => {
  const side = seconds > 0 ? "left" : "over";
  const { d, h, m } = parts(Math.abs(seconds));
  const unit = Math.abs(seconds) < HOUR ? "m" : Math.abs(seconds) < DAY ? "h" : "d";
  return text(`${side}-${unit}`, { d, h: unit === "d" ? h % 24 : h, m });
};

const tickClock = (clock) => {
  const due = Date.parse(clock.dataset.due);
  // The share was true when it was drawn; from there on it falls evenly to nothing at the deadline.
  if (!clock.wkDrawn) clock.wkDrawn = { at: now(), share: Number(clock.dataset.share) };
  const { at, share } = clock.wkDrawn;
  const over = due <= now();
  const rest = over || due <= at ? 0 : (share * (due - now())) / (due - at);
  clock.classList.toggle("wk-clock-over", over);
  clock.classList.toggle("wk-clock-near", !over && rest < Number(clock.dataset.warn));
  clock.classList.toggle("wk-clock-running", !over);
  const ring = clock.querySelector(".wk-clock-left");
  if (ring) ring.setAttribute("stroke-dasharray", `${over ? 100 : Math.round(rest * 100)} 100`);
  const words = clock.querySelector(".wk-clock-words");
  if (words)
    words.textContent = (clock.dataset.label ? `${clock.dataset.label} ` : "") + left((due - now()) / 1000);
};

export const tick = (root = document) => {
  for (const time of root.querySelectorAll('time[data-relative="ago"]')) {
    const seconds = (now() - Date.parse(time.dateTime)) / 1000;
    if (seconds >= 0 && seconds < DAY) time.textContent = ago(seconds);
  }
  for (const clock of root.querySelectorAll('[data-clock="running"]')) tickClock(clock);
};

setInterval(() => {
  if (!document.hidden) tick();
}, EVERY_MS);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) tick();
});
