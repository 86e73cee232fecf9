// What the config editor does beyond its form: count and mark changes, find a setting, review as one
// types, line numbers, and a draft that a crash of the browser does not take along. Loaded when it is
// first needed; everything works without.
(() => {
  "use strict";
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const form = () => one("#config-form");
  const locked = () => !form() || one(".save", form()).disabled;

  // How many inputs differ from the file.
  // A select without a chosen option shows its first.
  const first = (el) => ([...el.options].find((o) => o.defaultSelected) ?? el.options[0])?.value;
  const now = (el) => el.type === "checkbox" ? String(el.checked) : el.value;
  const was = (el) => el.dataset.was ?? (el.type === "checkbox" ? String(el.defaultChecked) : el.tagName === "SELECT" ? first(el) : el.defaultValue);
  const differs = (el) => el.type !== "hidden" && !el.disabled && !el.name.startsWith(":") && now(el) !== was(el);
  const own = (field) => all("input, select, textarea", field).filter((el) => el.closest(".field") === field);
  const count = () => {
    const out = one("#changes");
    if (!form() || !out || one("#raw") || one("fieldset.sections", form())?.disabled) return;
    let n = all(".group[data-removed]", form()).length;
    for (const field of all(".field", form())) {
      const changed = own(field).some(differs);
      field.classList.toggle("changed", changed || "removed" in field.dataset);
      if (field.classList.contains("changed")) n++;
      undo(field, changed);
    }
    // What only the server can count, such as a group that was added, stays as it said.
    out.dataset.more ??= String(Math.max(0, Number(out.dataset.live) - n));
    tally(n + Number(out.dataset.more));
  };
  const tally = (n) => {
    one("#changes").textContent = n === 0 ? "No changes" : n === 1 ? "1 change" : n + " changes";
    one(".discard")?.toggleAttribute("hidden", n === 0);
  };
  const press = (label, look, act) => {
    const b = document.createElement("button");
    b.type = "button";
    b.className = look;
    b.textContent = label;
    b.addEventListener("click", act);
    return b;
  };
  // Each field that was changed has its own way back.
  const undo = (field, changed) => {
    const button = one(":scope > .help > .undo", field), help = one(":scope > .help", field);
    if (!changed) return button?.remove();
    if (button || !help) return;
    const b = press("Undo", "undo", () => {
      for (const el of own(field).filter(differs)) {
        if (el.type === "checkbox") el.checked = was(el) === "true";
        else el.value = was(el);
        for (const event of ["input", "change"]) el.dispatchEvent(new Event(event, { bubbles: true }));
      }
      own(field).find((el) => el.type !== "hidden")?.focus({ preventScroll: true });
    });
    b.ariaLabel = "Undo " + one(".label", field)?.textContent;
    help.append(" ", b);
  };

  // The search field over keys and descriptions.
  const find = () => {
    const input = one("#find");
    if (!input) return;
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const hit = (el) => words.every((w) => el.dataset.find.toLowerCase().includes(w));
    let found = 0;
    for (const field of all("#config-form .field[data-find]")) {
      const show = hit(field) || hit(field.closest(".group"));
      field.hidden = !show;
      if (show) found++;
      if (show && words.length) field.closest("details")?.setAttribute("open", "");
    }
    for (const group of all("#config-form .group").reverse()) {
      group.hidden = !hit(group) && !one(".field:not([hidden])", group);
    }
    one("#find-none").textContent = words.length && !found ? "No key is called that." : "";
  };

  // Leaving with changes that were not sent.
  let leaving = false;
  document.addEventListener("htmx:finally:request", () => { leaving = false; });
  addEventListener("beforeunload", (e) => { if (!leaving && one("#config-form .changed")) e.preventDefault(); });

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
  // A draft that another tab still has before it is not lost. Each that is there answers.
  const living = new Set(), tabs = window.BroadcastChannel && new BroadcastChannel("pitstop:draft");
  tabs?.addEventListener("message", ({ data }) => {
    if ("here" in data) living.add(data.here);
    else if (form()) tabs.postMessage({ here: tab() });
  });
  const alive = async () => {
    living.clear();
    tabs?.postMessage({});
    await new Promise((done) => setTimeout(done, 250));
    return living;
  };
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
      if (typed) {
        show(one("#review", page));
        tell(page);
      }
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
      tally(n);
      one(".raw").classList.toggle("changed", n > 0);
      mark(all(".review-problems a[data-line]", next).map((a) => Number(a.dataset.line)));
      one("#text-problems").replaceChildren(...all(".review-problems > *", next).map((el) => el.cloneNode(true)));
    }
    if (Number(next.dataset.count) === 0 && !unmerged()) drop();
  };

  // What the review finds wrong is told at its field too, and no more when it is mended. A field that was
  // only just added is not told off for being empty before anything is saved.
  const tell = (page) => {
    const told = one("#told", page);
    if (!told || one("#raw")) return;
    const text = (list) => list.map((p) => p.textContent.trim()).join();
    const at = (id) => one(`[data-at="${CSS.escape(id)}"]`, told);
    const put = (el, id, next, controls) => {
      const old = all(":scope > .problem:not(.unread)", el), now = [...at(id)?.children ?? []];
      if (text(old) === text(now)) return;
      old.forEach((p) => p.remove());
      next.before(...now.map((p) => p.cloneNode(true)));
      el.classList.toggle("wrong", now.length > 0);
      for (const c of controls) {
        c.ariaInvalid = now.length || one(":scope > .unread", el) ? "true" : null;
        c.setAttribute("aria-describedby", now.map((p) => p.id + " ").join("") + c.getAttribute("aria-describedby")?.replace(/\S+-err\d+ /g, ""));
      }
    };
    for (const field of all("#config-form .field[data-key]")) {
      const help = one(":scope > .help", field), shown = own(field).filter((el) => el.type !== "hidden");
      const untouched = !field.matches(".changed, .wrong") && shown.every((el) => el.type !== "checkbox" && el.value === "");
      if (help && !untouched) put(field, help.id.slice(0, -5), help, shown.length > 1 ? all(":scope > fieldset", field) : shown);
    }
    for (const group of all("#config-form .group")) put(group, group.id, one(":scope > .group-head + *", group), []);
    for (const link of all("#summary li > a")) {
      link.parentElement.classList.toggle("done", !at(decodeURIComponent(link.hash.slice(1))));
    }
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
    if (e.target.id === "find") return find();
    if (!e.target.closest?.("#config-form")) return;
    count();
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
    const to = e.target.closest?.("a[data-line], a.drops");
    if (!to || e.ctrlKey || e.metaKey || e.shiftKey) return;
    if (to.matches(".drops")) { // whoever discards a draft wants it nowhere
      halt();
      drop();
      leaving = true;
    } else if (one("#raw")) {
      e.preventDefault();
      jump(Number(to.dataset.line));
    }
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
    if (out() || !stored().length) return;
    const others = await alive();
    for (kept of stored().filter((k) => !others.has(k.key.slice(about().length)))) {
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
    box.append(words, press("Restore", "small", () => restore(kept)), press("Drop", "small quiet", () => { drop(kept.key); box.remove(); }));
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
  document.addEventListener("submit", (e) => {
    halt();
    // Enter looks, and what there is to see is beside the field. In the name of a new entry it adds that.
    if (e.submitter?.matches("#config-form > .hush") && !all("[name^=':key:']", form()).some((el) => el.value.trim())) {
      e.preventDefault();
      e.stopImmediatePropagation();
      typed ||= !one("#review [name=':confirm']");
      return review();
    }
    sent = values();
    leaving = true;
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

  // Where nothing was typed, a link that draws the form anew drops nothing.
  const blank = (el) => el.type === "radio" || el.id === "find" || el.name === ":at" || now(el) === was(el) && !el.validity.badInput;
  const dirty = () => !form() || locked() || one("#changes").dataset.live !== "0" || one("#unmerged, #clashes", form()) ||
    !all("input:not([type=hidden]), select, textarea", form()).every(blank);
  const warn = () => {
    const note = one("#stale .cost");
    if (note) note.hidden = !dirty();
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
    count();
    find();
    typed = !one("#summary[data-focus], #review [name=':confirm']"); // else the server has said what it is about
    if (form()) here = place();
    else if (one("#queued")) drop(here); // this very draft is queued now
    number();
    offer();
    if (form() && (one("#changes").dataset.live !== "0" || unmerged()) && !locked()) review();
  };
  document.addEventListener("htmx:after:swap", (e) => {
    warn();
    if (e.target.closest?.("#live")) return;
    settle();
    catchUp();
  });
  document.addEventListener("input", warn);
  settle();
  warn();
  // This file comes with the first key, and so after what it was pressed in.
  all("#config-form select").filter((el) => el.value !== first(el)).some(steer);
  all("#config-form .checkbox input").filter((el) => el.checked !== el.defaultChecked).some(steer);
  const raw = one("#raw");
  if (raw && raw.value !== raw.defaultValue || one("#config-form .changed")) { typed = true; review(); }
})();
