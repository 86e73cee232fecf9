// What the pages do beyond htmx: keep the place, tell a lost connection, close what was opened. Everything works without this file; nothing here decides anything.
(() => {
  "use strict";
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  document.documentElement.classList.add("js");

  // The rest of the editor comes when it is needed: as soon as somebody turns to the form, or for a draft
  // that was kept, here or by the browser, which fills a page that is loaded again.
  const edit = () => {
    const from = one("#config-form")?.dataset.editor;
    if (!from || one("#editor-js")) return;
    const script = document.createElement("script");
    script.id = "editor-js";
    script.src = from;
    document.head.append(script);
  };
  const keeps = () => { try { return Object.keys(localStorage).some((k) => k.startsWith("pitstop:draft")); } catch { return false; } };

  // After something came in: lead to what went wrong, let a good word go by itself; one that has left, or was
  // closed, does not come back when the stream brings the same again. A change of the banner is read out.
  // Where its button went with it, the keyboard goes on from there, but never on the button that resumes: a
  // key held too long would lift what it has just halted.
  let said = "", gone = false, word, leaving, near;
  const leave = () => {
    gone = true;
    one("#toasts").classList.add("gone");
  };
  const filled = (el) => el.value !== el.defaultValue || el.checked !== el.defaultChecked;
  const settle = () => {
    const banner = one(".trading-word"), now = banner.textContent.trim();
    if (word && word !== now) one("#said").textContent = now;
    word = now;
    const halt = one("#ask-halt summary");
    if (!halt) one("#unsure")?.remove();
    if (near && document.activeElement === document.body) (halt ?? banner).focus();
    if (one("#raw, #review h2, #stale .notice") || keeps() || all("#config-form :is(input, textarea)").some(filled)) edit();
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
    if (e.target.name === ":at") e.target.closest("fieldset").querySelector("[value=time]").checked = true;
    const told = one(".unread", e.target.closest(".field") ?? e.target);
    if (told) told.remove(), e.target.removeAttribute("aria-invalid");
  });
  for (const turn of ["pointerdown", "focusin", "input"]) {
    document.addEventListener(turn, (e) => { if (e.target.closest?.("#config-form")) edit(); });
  }
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

  // A form whose shape changed is replaced whole, and stays where it is on the screen; one that was
  // sent is answered at the top. Either way the keyboard goes on from where it was.
  let place, held, caret, pressed;
  document.addEventListener("submit", (e) => { pressed = e.submitter; });
  // Where the keyboard goes on, the best first: where it was, or where that is gone, what stands in its place.
  const next = ({ id, localName, name, type, value }) => {
    const by = (name, value, op = "=") => `[name="${CSS.escape(name)}"]` + (value === undefined ? ":not([type=hidden])" : `[value${op}"${CSS.escape(value)}"]`);
    if (id) return ["#" + CSS.escape(id)];
    if (localName !== "button") return name ? [by(name, type === "radio" ? value : undefined)] : [];
    const thing = value.split(" ").pop(), inputs = ":is(input:not([type=hidden]), select, textarea)";
    return [by(name, value), by(thing), by(":back", thing), by(":add", thing), by(":move", " " + thing, "$="),
      `#${CSS.escape("f-" + thing)} ${inputs}`, by(":add", thing.replace(/\.?[^.]*$/, ""))];
  };
  const still = (e) => e.detail?.ctx?.swap === "outerHTML";
  const answer = (e) => e.detail?.ctx?.swap?.startsWith("outerHTML show");
  document.addEventListener("htmx:before:swap", (e) => {
    near = one("#trading").contains(document.activeElement);
    if (!still(e)) return;
    place = scrollY;
    const at = document.activeElement, from = at && at !== document.body ? at : pressed;
    held = from?.closest("#main") ? next(from) : [];
    caret = from?.selectionStart;
  });
  document.addEventListener("htmx:after:swap", (e) => {
    if (still(e)) {
      scrollTo({ top: place, behavior: "instant" });
      const el = held.map((s) => one(s)).find((el) => el && !el.disabled);
      el?.focus({ preventScroll: true });
      el?.scrollIntoView({ block: "nearest" });
      if (caret != null && el?.selectionStart != null) el.setSelectionRange(caret, caret);
    } else if (answer(e) && !one("[data-focus]")) {
      one("#main").focus({ preventScroll: true });
    }
  });

  // What the page tells is as old as the last word of its stream, which speaks every 20 s at least.
  let heard = new Date(), silence;
  const lost = (is) => {
    const notice = one(".lost"), time = one("time", notice);
    document.documentElement.classList.toggle("old", is);
    notice.hidden = !is;
    time.textContent = heard.toLocaleTimeString("en-GB", { timeZone: time.dataset.zone });
  };
  const listen = (to) => {
    clearTimeout(silence);
    silence = setTimeout(() => {
      lost(true);
      to?.reader?.cancel(); // and begin another
    }, 35000);
  };
  listen();
  document.addEventListener("htmx:sse:error", () => lost(true));
  document.addEventListener("htmx:sse:after:message", (e) => {
    heard = new Date();
    lost(false);
    listen(e.detail.connection);
  });

  // A request that got no answer at all: whatever was typed is still there.
  document.addEventListener("htmx:error", (e) => {
    const alert = one("#toasts [role=alert]"), from = (selector) => e.target.closest?.(selector);
    if (!alert || e.detail?.ctx?.response) return;
    if (from("#live, #trading")) lost(true);
    if (from("#live")) return setTimeout(() => htmx.trigger(e.target, "again"), 3000);
    const span = document.createElement("span");
    if (from("#ask-halt")) span.id = "unsure"; // until the stream tells that it is halted
    span.textContent = from("#ask-halt")
      ? 'NOT confirmed as halted: the panel cannot be reached. By hand: write {"trading_enabled":false,"mode":"halted"} into trading.json, beside the config file, or stop the services.'
      : from("#trading") ? "NOT confirmed: the panel cannot be reached."
      : "The panel gave no answer. What you typed is kept; look at the run, if there is one, and try again.";
    alert.replaceChildren(span);
    said = "";
    settle();
  });

  document.addEventListener("htmx:after:swap", settle);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", settle);
  else settle();
})();
