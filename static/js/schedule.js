// The schedule page: instants in the viewer's own zone too, and a word on what is not applied yet.
// The page is complete without it.
(() => {
  "use strict";
  // It comes again with each answer that replaces the page's main part.
  const root = document.documentElement.dataset;
  if (root.schedule) return;
  root.schedule = "yes";

  const one = (selector) => document.querySelector(selector);
  const mine = new Intl.DateTimeFormat("en-GB", { weekday: "short", hour: "2-digit", minute: "2-digit" });
  const zone = mine.resolvedOptions().timeZone;
  const draft = () => one("#coming header .badge") !== null;

  const settle = () => {
    for (const time of document.querySelectorAll("time[data-yours]")) {
      if (one("#clock")?.dataset.zone === zone || time.querySelector("small")) continue;
      const small = document.createElement("small");
      small.textContent = ` (${mine.format(new Date(time.dateTime))} your time)`;
      time.append(small);
    }
    const note = one("#plan-changes"), n = Number(one("#coming")?.dataset.changes), text = n === 1 ? "1 change" : (n || "No") + " changes";
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
