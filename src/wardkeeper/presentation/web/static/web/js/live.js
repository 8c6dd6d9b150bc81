// One event stream a page. It brings only ids and kinds; parts that care fetch themselves again.
//   data-live="record:12"   this record changed
//   data-live="records"     any record that the reader may see
//   data-live="alarms cis"  several kinds
// A live part has hx-get and hx-trigger="live". With data-hold it waits behind "3 new"
// while the reader is scrolled, typing or has lines selected.
import { text } from "./texts.js";

const POLL_MS = 20_000;
const SETTLE_MS = 400;
const SPREAD_MS = 500;
const SCROLLED_PX = 160;
const FAMILY = { record: "records", alarm: "alarms", clock: "records", ci: "cis" };

const { body } = document;
const sign = document.getElementById("live");
const offline = document.getElementById("offline");
const waiting = new Map();
let source = null;
let poller = 0;

const parts = () => [...document.querySelectorAll("[data-live]")];
const showState = (state) => {
  if (!sign) return;
  sign.dataset.state = state;
  sign.hidden = parts().length === 0;
};

const isBusy = (part) => {
  if (!part.hasAttribute("data-hold")) return false;
  const at = document.activeElement;
  const typing = at && at !== body && /^(INPUT|TEXTAREA|SELECT)$/.test(at.nodeName);
  const picked = part.querySelector(".wk-pick input:checked");
  return typing || picked || window.scrollY > SCROLLED_PX || document.querySelector("dialog[open]");
};

const pill = (part) => part.closest("[data-live-frame]")?.querySelector("[data-show-new]");

const hold = (part, key) => {
  const keys = waiting.get(part) || new Set();
  keys.add(key);
  waiting.set(part, keys);
  const button = pill(part);
  if (!button) return;
  button.querySelector("span").textContent = text("waiting", { n: keys.size });
  button.hidden = false;
};

const fetchPart = (part) => {
  clearTimeout(part.wkTimer);
  part.wkTimer = 0;
  waiting.delete(part);
  const button = pill(part);
  if (button) button.hidden = true;
  if (window.htmx && part.isConnected) window.htmx.trigger(part, "live");
};

const soon = (part) => {
  // A storm is one fetch, and a hundred readers do not ask in the same instant.
  if (part.wkTimer) return;
  part.wkTimer = setTimeout(() => fetchPart(part), SETTLE_MS + Math.random() * SPREAD_MS);
};

const heard = (kind, detail) => {
  const names = new Set([`${kind}:${detail.id}`, FAMILY[kind] || kind]);
  if (kind === "clock") names.add(`record:${detail.id}`);
  for (const part of parts()) {
    if (!part.dataset.live.split(" ").some((name) => names.has(name))) continue;
    if (isBusy(part)) hold(part, `${kind}:${detail.id}`);
    else soon(part);
  }
};

// Whatever else on a page knows of a change says it the same way.
document.addEventListener("wk:heard", ({ detail }) => heard(detail.kind, detail));

const pollAll = () => {
  if (document.hidden) return;
  for (const part of parts()) if (!isBusy(part)) fetchPart(part);
};

const startPolling = () => {
  showState("poll");
  if (!poller) poller = setInterval(pollAll, POLL_MS);
};

const stopPolling = () => {
  clearInterval(poller);
  poller = 0;
};

const connect = () => {
  if (!body.dataset.events || !window.EventSource) {
    startPolling();
    return;
  }
  source = new EventSource(body.dataset.events, { withCredentials: true });
  // A server with too many streams lets a new one wait without a word.
  const impatient = setTimeout(startPolling, POLL_MS / 2);
  source.addEventListener("open", () => {
    clearTimeout(impatient);
    const missed = poller !== 0;
    stopPolling();
    showState("on");
    if (missed) pollAll();
  });
  source.addEventListener("error", () => {
    clearTimeout(impatient);
    startPolling();
    // CLOSED: refused for good, e.g. signed out or the port is not reachable; polling goes on.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, POLL_MS * 3);
  });
  for (const kind of ["record", "alarm", "clock"]) {
    source.addEventListener(kind, (event) => heard(kind, JSON.parse(event.data)));
  }
  // The stream had to drop something for us: everything may have changed.
  source.addEventListener("lost", pollAll);
};

document.addEventListener("htmx:configRequest", (event) => {
  const trigger = event.detail.triggeringEvent;
  if (trigger && trigger.type === "live") event.detail.headers["WK-Background"] = "true";
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-show-new]");
  if (!button) return;
  for (const part of button.closest("[data-live-frame]").querySelectorAll("[data-live]")) fetchPart(part);
  window.scrollTo({ top: 0 });
});
document.addEventListener("scroll", () => {
  if (waiting.size && window.scrollY < 8)
    for (const part of [...waiting.keys()]) if (!isBusy(part)) fetchPart(part);
});
if (offline) {
  window.addEventListener("offline", () => {
    offline.hidden = false;
    showState("off");
  });
  window.addEventListener("online", () => {
    offline.hidden = true;
    pollAll();
  });
}
document.addEventListener("htmx:sendError", () => {
  if (offline) offline.hidden = false;
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (offline && event.detail.xhr?.status) offline.hidden = true;
});

if (body.dataset.livePage === "yes" && parts().length) {
  connect();
  window.addEventListener("pagehide", () => source?.close());
  window.addEventListener("pageshow", (event) => event.persisted && connect());
}
