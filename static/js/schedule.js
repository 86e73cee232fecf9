// The schedule page: instants in the viewer's own zone too, and whether anything was typed. The page
// is complete without it.
(() => {
  "use strict";
  const format = (options) => new Intl.DateTimeFormat("en-GB", options);
  const mine = format({ weekday: "short", hour: "2-digit", minute: "2-digit" });
  const zone = mine.resolvedOptions().timeZone;

  const settle = () => {
    for (const time of document.querySelectorAll("time[data-yours]")) {
      if (time.querySelector("small")) continue;
      const there = document.querySelector("#clock")?.dataset.zone;
      if (there === zone) continue;
      const small = document.createElement("small");
      small.textContent = ` (${mine.format(new Date(time.dateTime))} your time)`;
      time.append(small);
    }
  };
  document.addEventListener("htmx:after:swap", settle);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", settle);
  else settle();

  let typed = false;
  document.addEventListener("input", (e) => {
    const form = e.target.closest("#schedule-form");
    if (form) typed = true;
  });
  document.addEventListener("submit", () => { typed = false; });
  addEventListener("beforeunload", (e) => { if (typed) e.preventDefault(); });
})();
