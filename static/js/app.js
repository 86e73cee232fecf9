// What the pages do beyond htmx: count changes, find a key, tell a lost connection, close what
// was opened. Everything works without this file; nothing here decides anything.
(() => {
  "use strict";
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  document.documentElement.classList.add("js");

  // The config form: how many inputs differ from the file.
  const was = (el) => el.dataset.was;
  const differs = (el) => {
    if (el.type === "hidden" || el.type === "submit" || el.disabled || el.name.startsWith(":")) return false;
    if (el.type === "checkbox") {
      return was(el) === undefined ? el.checked !== el.defaultChecked : String(el.checked) !== was(el);
    }
    if (el.tagName === "SELECT") {
      if (was(el) !== undefined) return el.value !== was(el);
      return [...el.options].some((o) => o.selected !== o.defaultSelected) && el.value !== first(el);
    }
    return el.value !== (was(el) ?? el.defaultValue);
  };
  // A select without a chosen option shows its first.
  const first = (el) => ([...el.options].find((o) => o.defaultSelected) ?? el.options[0])?.value;

  const count = () => {
    const form = one("#config-form"), out = one("#changes");
    if (!form || !out || one("fieldset.sections", form)?.disabled) return;
    let n = 0;
    for (const field of all(".field", form)) {
      const changed = all("input, select, textarea", field).some((el) => el.closest(".field") === field && differs(el));
      field.classList.toggle("changed", changed);
      if (changed) n++;
    }
    // What only the server can count, such as a group that was added, stays as it said.
    out.dataset.more ??= String(Math.max(0, Number(out.dataset.live) - n));
    n += Number(out.dataset.more);
    out.textContent = n === 1 ? "1 change" : (n || "No") + " changes";
  };

  // The search field over keys and descriptions.
  const find = () => {
    const box = one(".find"), input = one("#find");
    if (!box || !input) return;
    box.hidden = false;
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const hit = (el) => words.every((w) => el.dataset.find.toLowerCase().includes(w));
    let found = 0;
    for (const field of all("#config-form .field[data-find]")) {
      const group = field.closest(".group");
      const show = words.length === 0 || hit(field) || (group && hit(group));
      field.hidden = !show;
      if (show) found++;
      if (show && words.length) field.closest("details")?.setAttribute("open", "");
    }
    for (const group of all("#config-form .group").reverse()) {
      group.hidden = words.length > 0 && !hit(group) && !one(".field:not([hidden])", group);
    }
    one("#find-none").textContent = words.length && !found ? "No key is called that." : "";
  };

  // The rest of the editor comes when it is needed: with the first key, or for a draft that was kept.
  const edit = () => {
    const from = one("#config-form")?.dataset.editor;
    if (!from || one("#editor-js")) return;
    const script = document.createElement("script");
    script.id = "editor-js";
    script.src = from;
    document.head.append(script);
  };
  const keeps = () => { try { return Object.keys(localStorage).some((k) => k.startsWith("pitstop:draft")); } catch { return false; } };

  // After something came in: count anew, lead to what went wrong, let a good word go by itself. One
  // that has left, or was closed, does not come back when the stream brings the same again.
  let said = "", gone = false, leaving;
  const leave = () => {
    gone = true;
    one("#toasts").classList.add("gone");
  };
  const settle = () => {
    count();
    find();
    if (one("#raw, #review h2") || keeps()) edit();
    const first = one("[data-focus]");
    if (first && !first.dataset.seen) {
      first.dataset.seen = "yes";
      first.focus();
    }
    const toasts = one("#toasts");
    if (!toasts) return;
    const text = toasts.dataset.run + toasts.textContent;
    if (text !== said) {
      said = text;
      gone = false;
      clearTimeout(leaving);
      if (one("[role=status] span", toasts)) leaving = setTimeout(leave, 6000);
    }
    toasts.classList.toggle("gone", gone);
  };

  document.addEventListener("input", (e) => {
    if (e.target.id === "find") return find();
    if (e.target.name === ":at") e.target.closest("fieldset").querySelector("[value=time]").checked = true;
    const form = e.target.closest("#config-form");
    if (form) count(), edit();
    const told = one(".unread", e.target.closest(".field") ?? e.target);
    if (told) told.remove(), e.target.removeAttribute("aria-invalid");
  });
  // Whoever scrolls over a number means the page.
  document.addEventListener("wheel", (e) => { if (e.target.type === "number") e.target.blur(); }, { passive: true });
  // A link in the summary leads into a folded part.
  document.addEventListener("click", (e) => {
    const link = e.target.closest?.("a[href^='#']");
    const target = link && document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (target) {
      target.closest("details")?.setAttribute("open", "");
      target.focus();
    }
    if (e.target.matches?.(".close")) {
      leave();
      one("#main").focus({ preventScroll: true });
    }
    for (const ask of all("details.ask[open]")) if (!ask.contains(e.target)) ask.open = false;
  });
  document.addEventListener("keydown", (e) => {
    // An Enter that is held down on Save & Restart must not answer what it asks.
    if (e.repeat && e.target.name === ":confirm") e.preventDefault();
    if (e.key !== "Escape") return;
    for (const ask of all("details.ask[open]")) {
      ask.open = false;
      one("summary", ask).focus();
    }
  });
  // What a browser makes nothing of, such as half a date, it sends as nothing, which would take the key
  // out of the file. It is said at the field instead.
  const unread = (el) => {
    const p = document.createElement("p");
    p.className = "problem unread";
    p.textContent = el.type === "number" ? "is not a number" : "is not complete";
    one(".help", el.closest(".field")).before(p);
    el.setAttribute("aria-invalid", true);
  };
  document.addEventListener("submit", (e) => {
    const gone = e.submitter?.name === ":remove" && e.submitter.closest(".field, .group");
    const bad = all(".config .field input").filter((el) => el.validity.badInput && !(gone && gone.contains(el)));
    if (!bad.length) return;
    all(".unread").forEach((p) => p.remove());
    bad.forEach(unread);
    bad[0].focus();
    e.preventDefault();
    e.stopImmediatePropagation();
  }, true);
  // Leaving with changes that were not sent.
  let sending = false;
  document.addEventListener("submit", () => { sending = true; });
  document.addEventListener("htmx:finally:request", () => { sending = false; });
  addEventListener("beforeunload", (e) => {
    if (!sending && one("#config-form .changed")) e.preventDefault();
  });

  // A form whose shape changed is replaced whole, and stays where it is on the screen; one that was
  // sent is answered at the top. Either way the keyboard goes on from where it was.
  let place, held;
  const still = (e) => e.detail?.ctx?.swap === "outerHTML";
  const answer = (e) => e.detail?.ctx?.swap?.startsWith("outerHTML show");
  document.addEventListener("htmx:before:swap", (e) => {
    if (!still(e)) return;
    place = scrollY;
    const active = document.activeElement;
    held = active?.name && `[name="${CSS.escape(active.name)}"]` + (active.type === "radio" ? ":checked" : "");
  });
  document.addEventListener("htmx:after:swap", (e) => {
    if (still(e)) {
      scrollTo({ top: place, behavior: "instant" });
      (held && one(held))?.focus({ preventScroll: true });
    } else if (answer(e) && !one("[data-focus]")) {
      one("#main").focus({ preventScroll: true });
    }
  });

  // A request that got no answer at all: whatever was typed is still there.
  document.addEventListener("htmx:error", (e) => {
    const alert = one("#toasts [role=alert]");
    if (!alert || e.detail?.ctx?.response || e.target.closest?.("#live")) return;
    const span = document.createElement("span");
    span.textContent = "The panel gave no answer. What you typed is kept; look at the run, if there is one, and try again.";
    alert.replaceChildren(span);
    settle();
  });

  const lost = (is) => { const p = one("#live .lost"); if (p) p.hidden = !is; };
  document.addEventListener("htmx:sse:error", () => lost(true));
  document.addEventListener("htmx:sse:after:connection", () => lost(false));
  document.addEventListener("htmx:after:swap", settle);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", settle);
  else settle();
})();
