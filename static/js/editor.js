// What the config editor does beyond its form: review as one types, line numbers, and a draft that a
// crash of the browser does not take along. Loaded when it is first needed; everything works without.
(() => {
  "use strict";
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const form = () => one("#config-form");
  const locked = () => !form() || one(".save", form()).disabled;

  // A draft is what the server made of the form, with everything secret masked: only it knows what is.
  // Each tab has its own, and the newest is offered.
  const about = () => "pitstop:draft:" + (one(".file .path")?.textContent ?? "") + "\n";
  const tab = () => {
    try {
      const id = sessionStorage.getItem("pitstop:tab") ?? String(Math.random()).slice(2);
      sessionStorage.setItem("pitstop:tab", id);
      return id;
    } catch {
      return "";
    }
  };
  const place = () => about() + tab();
  const store = (masked) => {
    if (!masked) return;
    const form = new URLSearchParams({ ":view": "raw", ":revision": masked.dataset.revision, ":kept": masked.dataset.kept, ":note": masked.dataset.note, ":raw": masked.value });
    const rest = one("[name=':unmerged']", one("#config-form"));
    if (rest) form.set(":unmerged", rest.value); // the server has masked it
    try {
      localStorage.setItem(place(), JSON.stringify({ at: Date.now(), view: one("#raw") ? "raw" : "form", secrets: masked.dataset.secrets, form: form.toString() }));
    } catch { /* a full or forbidden store keeps nothing; the page works on */ }
  };
  // A text that could not be merged whole is nowhere else, so it is kept whatever else has become of the draft.
  const unmerged = (kept) => kept ? new URLSearchParams(kept).has(":unmerged") : !!one("[name=':unmerged']", form());
  const drop = (at = place()) => { try { localStorage.removeItem(at); } catch { /* as above */ } };
  // Newest first. What has no view was kept by an earlier Pitstop, and may hold a secret.
  const stored = () => {
    const list = [];
    try {
      for (const key of Object.keys(localStorage).filter((k) => k.startsWith("pitstop:draft:"))) {
        let kept = null;
        try { kept = JSON.parse(localStorage.getItem(key)); } catch { /* nobody can read it */ }
        if (!kept?.view) drop(key);
        else if (key.startsWith(about())) list.push({ ...kept, key });
      }
    } catch { /* as above */ }
    return list.sort((a, b) => b.at - a.at);
  };

  // The review follows what is typed. One that is being waited for is dropped for the next.
  // Where nothing but the note was typed, or nothing at all, its answer is kept but not shown: what is
  // shown may ask for a confirmation.
  let waiting, asking, typed = false;
  const review = async () => {
    asking?.abort();
    asking = new AbortController();
    const f = form(), { signal } = asking;
    if (!f || locked() || all("input", f).some((el) => el.validity.badInput)) return;
    const body = new URLSearchParams(new FormData(f));
    for (const name of [":reviewed", ":confirm"]) body.delete(name);
    try {
      const answer = await fetch("/config/review", { method: "POST", body, signal });
      if (!answer.ok) return;
      const text = await answer.text();
      if (signal.aborted || f !== form()) return;
      const page = new DOMParser().parseFromString(text, "text/html");
      store(one("#masked", page));
      if (typed) show(one("#review", page));
      typed = false;
    } catch { /* no answer: what is shown is marked as old already */ }
  };
  const show = (next) => {
    const shown = one("#review"), lines = one("details.lines", shown);
    if (!shown || !next) return;
    if (lines && !lines.open) one("details.lines", next)?.removeAttribute("open");
    shown.replaceWith(document.adoptNode(next));
    form().classList.remove("asked");
    if (one("#raw")) {
      const n = Number(next.dataset.count);
      one("#changes").textContent = n === 1 ? "1 change" : (n || "No") + " changes";
      one(".raw").classList.toggle("changed", n > 0);
      mark(all(".review-problems a[data-line]", next).map((a) => Number(a.dataset.line)));
      one("#text-problems").replaceChildren(...all(".review-problems > *", next).map((el) => el.cloneNode(true)));
    }
    if (Number(next.dataset.count) === 0 && !unmerged()) drop();
  };

  // Line numbers.
  const number = () => {
    const area = one("#raw"), list = one(".raw ol");
    if (!area || !list) return;
    const lines = area.value.split("\n").length;
    while (list.children.length < lines && list.children.length < 20000) list.append(document.createElement("li"));
    while (list.children.length > lines) list.lastChild.remove();
    area.rows = Math.max(lines + 1, 12);
  };
  const mark = (lines) => {
    all(".raw .gutter .wrong").forEach((li) => li.classList.remove("wrong"));
    for (const n of lines) one(".raw ol")?.children[n - 1]?.classList.add("wrong");
    if (lines.length) one("#raw").setAttribute("aria-invalid", "true");
    else one("#raw").removeAttribute("aria-invalid");
  };
  const jump = (n) => {
    const area = one("#raw"), lines = area.value.split("\n");
    const from = lines.slice(0, n - 1).reduce((sum, l) => sum + l.length + 1, 0);
    area.focus({ preventScroll: true });
    area.setSelectionRange(from, from + (lines[n - 1] ?? "").length);
    one(".raw ol")?.children[n - 1]?.scrollIntoView({ block: "center" });
  };

  document.addEventListener("input", (e) => {
    if (!e.target.closest?.("#config-form") || e.target.id === "find") return;
    halt(); // an answer on its way is about less than what is typed by now
    waiting = setTimeout(() => {
      waiting = undefined;
      if (form() && !locked()) review();
    }, 300);
    if (e.target.name === ":note") return;
    typed = true;
    const seen = one("#review [name=':reviewed']");
    if (seen) seen.value = ""; // what is shown is not what would be applied any more
    one("#review [name=':confirm']")?.remove();
    if (e.target.id === "raw") number();
    one("#draft")?.remove();
  });
  document.addEventListener("click", (e) => {
    const to = e.target.closest?.("a[data-line]");
    if (!to || !one("#raw")) return;
    e.preventDefault();
    jump(Number(to.dataset.line));
  });

  // A time as the page tells all of its times: in the zone that it names, with the day unless it is today.
  const told = (at) => {
    let format;
    for (const timeZone of [one("#zone b")?.textContent, undefined]) {
      try {
        format = (options) => new Intl.DateTimeFormat("en-GB", { timeZone, ...options });
        format();
        break;
      } catch { /* this browser does not know the zone */ }
    }
    const day = format({ weekday: "short", day: "numeric", month: "short" }), time = format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    return (day.format(at) === day.format(new Date()) ? "" : day.format(at) + " ") + time.format(at);
  };

  // What was typed before a crash is offered again, unless the file has it by now.
  const offer = async () => {
    const f = form();
    const out = () => !f || f !== form() || locked() || one("#draft") || one("#changes").dataset.live !== "0";
    let kept, n = 0;
    for (kept of stored()) {
      if (out()) return;
      const answer = await fetch("/config/review", { method: "POST", body: new URLSearchParams(kept.form) }).catch(() => null);
      if (!answer?.ok) return;
      n = Number(new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#review")?.dataset.count) || Number(unmerged(kept.form));
      if (n) break;
      drop(kept.key);
    }
    if (!n || out() || one("#config-form .changed")) return;
    const box = document.createElement("div");
    box.id = "draft";
    box.className = "notice caution kept";
    box.setAttribute("role", "status");
    const words = document.createElement("span");
    words.textContent = `You had ${n} unsaved ${n === 1 ? "change" : "changes"} from ${told(new Date(kept.at))}.`;
    if (kept.secrets !== "0") words.textContent += " The secrets among them are not kept: type them again.";
    const button = (label, quiet, act) => {
      const b = document.createElement("button");
      b.type = "button";
      b.className = "small" + (quiet ? " quiet" : "");
      b.textContent = label;
      b.addEventListener("click", act);
      return b;
    };
    box.append(words, button("Restore", false, () => restore(kept)), button("Drop", true, () => { drop(kept.key); box.remove(); }));
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = f.dataset.style;
    box.append(style);
    f.before(box);
  };
  const restore = (kept) => {
    try {
      localStorage.setItem(place(), localStorage.getItem(kept.key)); // it is this tab's from now on
      if (kept.key !== place()) drop(kept.key);
    } catch { /* as above */ }
    const f = document.createElement("form");
    f.method = "post";
    f.action = "/config/run";
    f.hidden = true;
    for (const [name, value] of new URLSearchParams(kept.form + "&:check=1&:to=" + kept.view)) {
      const el = document.createElement("textarea");
      el.name = name;
      el.value = value;
      f.append(el);
    }
    document.body.append(f);
    f.submit();
  };

  // What is on its way to be reviewed is overtaken by a press of any button.
  const halt = () => {
    clearTimeout(waiting);
    waiting = undefined;
    asking?.abort();
  };
  let sent;
  document.addEventListener("submit", () => {
    halt();
    sent = values();
  }, true);

  // What is typed while the form is being redrawn is not in what comes.
  const values = () => new Map(all("#config-form :is(input:not([type=hidden]), select, textarea)").map((el) => [el.id || el.name, el.type === "checkbox" ? el.checked : el.value]));
  let late = [];
  document.addEventListener("htmx:before:swap", (e) => {
    late = sent && e.detail?.ctx?.swap === "outerHTML" ? [...values()].filter(([id, v]) => sent.has(id) && sent.get(id) !== v) : [];
    if (e.detail?.ctx?.swap?.startsWith("outerHTML")) sent = undefined;
  });
  const catchUp = () => {
    for (const [id, v] of late) {
      const el = document.getElementById(id) ?? one(`[name="${CSS.escape(id)}"]`);
      if (!el) continue;
      el[el.type === "checkbox" ? "checked" : "value"] = v;
      el.dispatchEvent(new Event("input", { bubbles: true }));
    }
    late = [];
  };

  // What decides which other settings there are shows them at once.
  const steer = (el) => {
    const button = one(".by-itself", el.closest?.("#config-form :is(.control, .field)") ?? document.head);
    if (button && !locked()) form().requestSubmit(button);
    return button;
  };
  document.addEventListener("change", (e) => { steer(e.target); });

  let here = place();
  const settle = () => {
    clearTimeout(waiting);
    asking?.abort();
    typed = one("#review")?.dataset.count === "0"; // else the server has shown what it is about
    if (form()) here = place();
    else if (one("#queued")) drop(here); // this very draft is queued now
    number();
    offer();
    if (form() && (one("#changes").dataset.live !== "0" || unmerged()) && !locked()) review();
  };
  document.addEventListener("htmx:after:swap", (e) => {
    if (e.target.closest?.("#live")) return;
    settle();
    catchUp();
  });
  settle();
  // This file comes with the first key, and so after what it was pressed in.
  all("#config-form select").filter((el) => el.value !== ([...el.options].find((o) => o.defaultSelected) ?? el.options[0])?.value).some(steer);
  all("#config-form .checkbox input").filter((el) => el.checked !== el.defaultChecked).some(steer);
  const raw = one("#raw");
  if (raw && raw.value !== raw.defaultValue || one("#config-form .changed")) { typed = true; review(); }
})();
