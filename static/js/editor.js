// What the config editor does beyond its form: review as one types, line numbers, and a draft that a
// crash of the browser does not take along. Loaded when it is first needed; everything works without.
(() => {
  "use strict";
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const form = () => one("#config-form");
  const locked = () => !form() || one(".save", form()).disabled;

  // A draft is what the form would send, without secrets and without what belongs to one press.
  const passing = [":reviewed", ":confirm", ":check", ":to", ":kept", ":theirs", ":yours"];
  const sounds = /pass(word|wd|phrase)|secret|token|bearer|credential|(api|private|access)[_-]?key/i;
  const masked = (text, names) => text.replace(
    /^(\s*#?\s*)([\w."'-]+)(\s*=\s*)(?!\s*"\*{8}")(.+)$/gm,
    (line, indent, key, is, value) => {
      const name = key.split(".").pop().replace(/["']/g, "");
      return sounds.test(name) || names.includes(name) ? `${indent}${key}${is}"********"` : line;
    });
  const sent = (f) => {
    const secret = all("input[type=password]", f).map((el) => el.name);
    const names = (one("#raw", f)?.dataset.secret ?? "").split(" ").concat(secret.map((n) => n.split(".").pop()));
    const out = new URLSearchParams();
    for (const [name, value] of new FormData(f)) {
      if (passing.includes(name)) continue;
      out.append(name, secret.includes(name) ? "" : [":raw", ":unmerged"].includes(name) ? masked(value, names) : value);
    }
    return out;
  };
  const place = () => "pitstop:draft:" + (one(".file .path")?.textContent ?? "");
  const store = () => {
    try {
      localStorage.setItem(place(), JSON.stringify({ at: Date.now(), form: sent(form()).toString() }));
    } catch { /* a full or forbidden store keeps nothing; the page works on */ }
  };
  const stored = () => {
    try {
      return JSON.parse(localStorage.getItem(place()));
    } catch {
      return null;
    }
  };
  // A text that could not be merged whole is nowhere else, so it is kept whatever else has become of the draft.
  const unmerged = (kept) => kept ? new URLSearchParams(kept).has(":unmerged") : !!one("[name=':unmerged']", form());
  const drop = (at = place()) => { try { localStorage.removeItem(at); } catch { /* as above */ } };

  // The review follows what is typed. One that is being waited for is dropped for the next.
  let waiting, asking;
  const review = async () => {
    asking?.abort();
    asking = new AbortController();
    const f = form(), { signal } = asking;
    if (!f || locked()) return;
    const body = new URLSearchParams(new FormData(f));
    for (const name of [":reviewed", ":confirm"]) body.delete(name);
    try {
      const answer = await fetch("/config/review", { method: "POST", body, signal });
      if (!answer.ok) return;
      const text = await answer.text();
      if (signal.aborted || f !== form()) return;
      show(text);
    } catch { /* no answer: what is shown is marked as old already */ }
  };
  const show = (text) => {
    const shown = one("#review"), lines = one("details.lines", shown);
    const next = new DOMParser().parseFromString(text, "text/html").querySelector("#review");
    if (!shown || !next) return;
    if (lines && !lines.open) one("details.lines", next)?.removeAttribute("open");
    shown.replaceWith(document.adoptNode(next));
    form().classList.remove("asked");
    if (one("#raw")) {
      const n = Number(next.dataset.count);
      one("#changes").textContent = n === 0 ? "No changes" : n === 1 ? "1 change" : n + " changes";
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
    if (e.target.name === ":note") return store();
    const seen = one("#review [name=':reviewed']");
    if (seen) seen.value = ""; // what is shown is not what would be applied any more
    one("#review [name=':confirm']")?.remove();
    if (e.target.id === "raw") number();
    one("#draft")?.remove();
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      waiting = undefined;
      if (form() && !locked()) { store(); review(); }
    }, 300);
  });
  document.addEventListener("click", (e) => {
    const to = e.target.closest?.("a[data-line]");
    if (!to || !one("#raw")) return;
    e.preventDefault();
    jump(Number(to.dataset.line));
  });

  // What was typed before a crash is offered again, unless the file has it by now.
  const offer = async () => {
    const kept = stored(), f = form();
    if (!kept || !f || locked() || one("#draft") || one("#changes").dataset.live !== "0") return;
    const answer = await fetch("/config/review", { method: "POST", body: new URLSearchParams(kept.form) }).catch(() => null);
    if (!answer?.ok || f !== form()) return;
    const text = await answer.text();
    const n = Number(new DOMParser().parseFromString(text, "text/html").querySelector("#review")?.dataset.count) || Number(unmerged(kept.form));
    if (!n) return drop();
    if (one("#config-form .changed")) return;
    const box = document.createElement("div");
    box.id = "draft";
    box.className = "notice caution kept";
    box.setAttribute("role", "status");
    const words = document.createElement("span"), at = new Date(kept.at);
    const day = at.toDateString() === new Date().toDateString() ? "" : at.toLocaleDateString() + " ";
    words.textContent = `You had ${n} unsaved ${n === 1 ? "change" : "changes"} from ${day}${at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })}.`;
    const button = (label, quiet, act) => {
      const b = document.createElement("button");
      b.type = "button";
      b.className = "small" + (quiet ? " quiet" : "");
      b.textContent = label;
      b.addEventListener("click", act);
      return b;
    };
    box.append(words, button("Restore", false, () => restore(kept.form)), button("Drop", true, () => { drop(); box.remove(); }));
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = f.dataset.style;
    box.append(style);
    f.before(box);
  };
  const restore = (values) => {
    const f = document.createElement("form");
    f.method = "post";
    f.action = "/config/run";
    f.hidden = true;
    for (const [name, value] of new URLSearchParams(values + "&:check=1")) {
      const el = document.createElement("textarea");
      el.name = name;
      el.value = value;
      f.append(el);
    }
    document.body.append(f);
    f.submit();
  };

  // What is on its way to be reviewed is overtaken by a press of any button; what was typed is kept first.
  const halt = () => {
    if (waiting && form() && !locked()) store();
    clearTimeout(waiting);
    waiting = undefined;
    asking?.abort();
  };
  document.addEventListener("submit", halt, true);

  let here = place();
  const settle = () => {
    clearTimeout(waiting);
    asking?.abort();
    if (form()) here = place();
    else if (one("#queued")) drop(here); // this very draft is queued now
    number();
    offer();
    if (form() && (one("#changes").dataset.live !== "0" || unmerged()) && !locked()) store();
  };
  document.addEventListener("htmx:after:swap", (e) => { if (!e.target.closest?.("#live")) settle(); });
  settle();
  const raw = one("#raw");
  if (raw && raw.value !== raw.defaultValue) { store(); review(); }
  else if (one("#config-form .changed")) { store(); review(); }
})();
