"use strict";
// Sections arrive as they change; the page is the same that `molloop report` freezes.
const link = document.getElementById("link");
const waiting = new Map(); // sections that somebody reads with a keyboard or has selected from
let state = link.textContent;

function say(text) {
  if (link.textContent !== text) link.textContent = text; // a screen reader tells each change
}

function isInUse(place) {
  const active = document.querySelector(":focus-visible"); // a tap is no reading by keyboard
  const selection = document.getSelection();
  return (
    (active && active !== place && place.contains(active)) ||
    (!selection.isCollapsed && selection.containsNode(place, true))
  );
}

function show(name, html) {
  const place = document.querySelector(`[data-section="${name}"]`);
  if (isInUse(place)) {
    waiting.set(name, html);
    return;
  }
  waiting.delete(name);
  const isOpen = place.querySelector("details")?.open;
  const scrolled = place.querySelector(".wide")?.scrollLeft;
  place.innerHTML = html;
  if (isOpen) place.querySelector("details").open = true;
  if (scrolled) place.querySelector(".wide").scrollLeft = scrolled;
}

function tell() {
  say(waiting.size ? `${state}, but what you read waits` : state);
}

function showWaiting() {
  for (const [name, html] of [...waiting]) show(name, html);
  tell();
}

document.addEventListener("focusout", () => setTimeout(showWaiting));
document.addEventListener("selectionchange", showWaiting);

const SILENCE_MS = 30_000; // the server gives a sign of life every ten seconds
let source;
let heard_ms;

function connect() {
  source?.close();
  heard_ms = Date.now();
  source = new EventSource("/events");
  source.addEventListener("sections", (event) => {
    heard_ms = Date.now();
    for (const [name, html] of Object.entries(JSON.parse(event.data))) show(name, html);
    tell();
  });
  source.addEventListener("state", (event) => {
    heard_ms = Date.now();
    state = JSON.parse(event.data);
    tell();
  });
  source.addEventListener("closed", () => {
    say("`molloop watch` has ended; start it again and open its new link");
    source.close();
  });
  source.onerror = () => {
    say(source.readyState === EventSource.CLOSED ? "Cut off: open the link that `molloop watch` prints" : "Connecting");
  };
  source.onopen = tell;
}

connect();
// a browser has few connections to a server, for all of its pages
document.addEventListener("visibilitychange", () => {
  if (document.hidden) source.close();
  else connect();
});
setInterval(() => {
  if (source.readyState !== EventSource.CLOSED && !document.hidden && Date.now() - heard_ms > SILENCE_MS) {
    say("Connecting");
    connect();
  }
}, SILENCE_MS / 3);
