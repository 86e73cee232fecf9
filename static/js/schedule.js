// The schedule page: instants in the viewer's own zone too, and a word on what is not applied yet.
// The page is complete without it.
(() => {
  "use strict";
  // It comes again with each answer that replaces the page's main part.
  const root = document.documentElement.dataset;
  if (root.schedule) return;
  root.schedule = "yes";

  const one = (selector) => document.querySelector(selector);
  // In the viewer's zone, or in one that the browser may not know.
  const clock = (at, timeZone) => {
    try {
      return new Intl.DateTimeFormat("en-GB", { weekday: "short", hour: "2-digit", minute: "2-digit", timeZone }).format(at);
    } catch { return ""; }
  };
  const draft = () => one("#coming header .badge") !== null;

  const settle = () => {
    for (const time of document.querySelectorAll("time[data-yours]")) {
      const at = new Date(time.dateTime), text = clock(at);
      if (time.querySelector("small") || clock(at, time.closest("[data-zone]").dataset.zone) === text) continue;
      const small = document.createElement("small");
      small.textContent = ` (${text} your time)`;
      time.append(small);
    }
    const note = one("#plan-changes"), n = Number(one("#coming")?.dataset.changes);
    const text = (draft() && one("#effect strong")?.textContent) || (n === 1 ? "1 change" : (n || "No") + " changes");
    if (note && !one(".plan-form").disabled && note.textContent !== text) note.textContent = text;
  };
  document.addEventListener("htmx:after:swap", settle);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", settle);
  else settle();

  let sending = false;
  document.addEventListener("submit", () => { sending = true; });
  document.addEventListener("htmx:finally:request", () => { sending = false; });
  addEventListener("beforeunload", (e) => { if (!sending && draft()) e.preventDefault(); });
})();
