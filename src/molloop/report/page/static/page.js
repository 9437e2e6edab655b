"use strict";
// Sections arrive as they change; the page is the same that `molloop report` freezes.
const link = document.getElementById("link");
const source = new EventSource("/events");
source.addEventListener("sections", (event) => {
  link.textContent = "Live";
  for (const [name, html] of Object.entries(JSON.parse(event.data))) {
    const place = document.querySelector(`[data-section="${name}"]`);
    const isOpen = place.querySelector("details")?.open;
    place.innerHTML = html;
    if (isOpen) place.querySelector("details").open = true;
  }
});
source.addEventListener("ended", () => {
  link.textContent = "The run has ended";
  source.close();
});
source.onerror = () => {
  link.textContent = source.readyState === EventSource.CLOSED ? "Cut off: reload the page" : "Connecting";
};
