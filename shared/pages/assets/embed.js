// Optline on a business's own site. Load it with the snippet that the dashboard shows; it needs nothing else:
//
//   <div data-optline-form="CODE"></div>
//   <script src="…/forms/CODE/embed.js?v=…" integrity="sha384-…" crossorigin="anonymous" async></script>
//
// 1. The form, or with <div data-optline-choices="CODE"></div> the page of privacy choices: a frame from our own origin, so
//    that no style and no script of the page reaches into it.
// 2. Opt-outs of sale and sharing: the browser's own signal (Global Privacy Control), and a choice that somebody made on the
//    page of privacy choices. The site acts on one event, which comes with every page once this script has loaded:
//
//      addEventListener("optline:gpc", (event) => { /* event.detail: {honored: true, source: "signal" or "choice", code} */ });
//
//    or, whenever it asks, window.optline.onGpc((detail) => { … }). What it knows its visitor by makes the signal count for
//    them, too, wherever they are known: window.optline.identify({email: "…"}) or ({phone: "…"}). Where the page has an
//    element with data-optline-gpc, that says "Opt-out request honored".
//
// Both are in the language of the page (<html lang>), or in that of data-lang="en" or "es" on the element; data-kind="delete"
// on a form's goes straight to that kind. A page may have the scripts of several codes: onGpc hears of each (event.detail.code
// says which), and identify tells all of them.
(() => {
  "use strict";
  const HERE = "__BASE__";
  const CODE = "__CODE__";
  const WORDS = {
    en: {
      title: "Privacy request form",
      choices: "Your Privacy Choices",
      honored: "Opt-out request honored",
      fallback: "Open the privacy request form in a new window",
      owner: "This form cannot be shown here. For the owner of this site: in Optline, service code {code} must be active, and {origin} among its sites.",
    },
    es: {
      title: "Formulario de solicitud de privacidad",
      choices: "Sus opciones de privacidad",
      honored: "Se respeta su solicitud de no vender ni compartir",
      fallback: "Abrir el formulario de solicitud de privacidad en otra ventana",
      owner: "Este formulario no se puede mostrar aquí. Para el titular de este sitio: en Optline, el código de servicio {code} debe estar activo y {origin} debe estar entre sus sitios.",
    },
  };
  // A page that the browser has refused to frame says nothing, and neither does one that only says what went wrong; any other
  // says so at once.
  const PATIENCE = 4000;
  const own = document.currentScript;
  const address = (path, query) => HERE + path + "?" + new URLSearchParams(query);

  // What the page's style sheets say about elements of ours, important or not, gives way to this.
  const style = (element, rules) => {
    for (const [name, value] of Object.entries(rules)) element.style.setProperty(name, value, "important");
  };

  const language = (element) => {
    const wanted = element.dataset.lang || document.documentElement.lang.slice(0, 2);
    return WORDS[wanted] ? wanted : "";
  };

  // What this browser has opted out of, in the site's own storage; where that is closed, for as long as the page lives.
  const KEY = `optline-${CODE}`;
  let kept = {};
  try { kept = JSON.parse(localStorage.getItem(KEY)) || {}; } catch { /* Closed, or not ours. */ }
  const keep = (more) => {
    kept = { ...kept, ...more };
    try { localStorage.setItem(KEY, JSON.stringify(kept)); return true; } catch { return false; }
  };

  const waiting = [];
  let honored = null;
  const show = () => {
    if (!honored) return;
    for (const element of document.querySelectorAll("[data-optline-gpc]")) {
      element.textContent = WORDS[language(element) || "en"].honored;
    }
  };
  const honor = (source) => {
    if (honored) return;
    honored = Object.freeze({ honored: true, source, code: CODE });
    dispatchEvent(new CustomEvent("optline:gpc", { detail: honored }));
    for (const callback of waiting.splice(0)) callback(honored);
    show();
  };

  // The signal is told once for each browser, and once for whomever the site knows. That the browser sends it is said by the
  // browser, in a header that no script can set.
  const tell = async (body, done) => {
    try {
      const answer = await fetch(`${HERE}/privacy-choices/${CODE}/signal`, {
        method: "POST",
        credentials: "omit",
        keepalive: true,
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      // Too many at once, or we are ill: the next page tells it again.
      if (answer.status < 500 && answer.status !== 429) keep(done);
    } catch { /* The site itself has honoured it already; the next page tells it again. */ }
  };
  const signal = navigator.globalPrivacyControl === true;
  // Only to know whom was told already; it opens nothing.
  const short = (text) => [...text].reduce((hash, c) => (Math.imul(hash, 31) + c.codePointAt(0)) | 0, 7).toString(36);
  const identify = (known) => {
    const { email, phone } = known || {};
    const identifier = email ? { email: String(email) } : phone ? { phone: String(phone) } : null;
    if (!signal || !identifier) return;
    const person = short(JSON.stringify(identifier));
    if (kept.person !== person) tell({ identifier }, { person });
  };
  // The scripts of other codes on this page go on hearing what they heard.
  const others = window.optline;
  window.optline = {
    ...others,
    onGpc: (callback) => {
      others?.onGpc?.(callback);
      if (honored) callback(honored); else waiting.push(callback);
    },
    identify: (known) => {
      others?.identify?.(known);
      identify(known);
    },
  };

  const chosen = () => { keep({ choice: true }); honor("choice"); };
  // Somebody comes back from the page of privacy choices.
  if (location.hash === `#optline-opt-out=${CODE}`) {
    history.replaceState(history.state, "", location.pathname + location.search);
    chosen();
  }
  if (signal) {
    honor("signal");
    if (!kept.told) {
      const browser = kept.browser || crypto.getRandomValues(new Uint32Array(4)).reduce((id, n) => id + n.toString(36), "b-").padEnd(16, "0");
      // A browser that keeps nothing has no id: it would have another one on every page.
      tell(keep({ browser }) ? { browser } : {}, { told: true });
    }
  } else if (kept.choice) {
    honor("choice");
  }

  const place = (host) => {
    if (host.dataset.optlinePlaced) return;
    host.dataset.optlinePlaced = "yes";
    const choices = "optlineChoices" in host.dataset;
    const path = choices ? `/privacy-choices/${CODE}` : `/forms/${CODE}`;
    const lang = language(host);
    const words = WORDS[lang] || WORDS.en;
    const asked = { ...(lang && { lang }), ...(host.dataset.kind && { kind: host.dataset.kind }) };
    const frame = document.createElement("iframe");
    frame.title = choices ? words.choices : words.title;
    frame.loading = "lazy";
    // Its own origin and nothing of ours: it can neither lead this page away nor look into it.
    frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox");
    frame.referrerPolicy = "no-referrer";
    frame.src = address(path, { ...asked, embed: "1", parent: location.origin });
    style(host, { all: "initial", display: "block", "inline-size": "100%" });
    style(frame, { display: "block", border: "0", "inline-size": "100%", "block-size": "40rem", "color-scheme": "normal" });
    const shadow = host.attachShadow({ mode: "closed" });
    shadow.append(frame);

    let greeted = 0;
    addEventListener("message", (event) => {
      if (event.origin !== HERE || event.source !== frame.contentWindow) return;
      const said = event.data || {};
      if (said.optline === "hello") {
        // A page after the first is an answer: it begins at its top.
        if (greeted > 0) frame.scrollIntoView({ block: "nearest" });
        greeted += 1;
      } else if (said.optline === "height" && Number.isFinite(said.height)) {
        style(frame, { "block-size": `${Math.min(Math.max(Math.ceil(said.height), 100), 20000)}px` });
      } else if (said.optline === "opted-out") {
        chosen();
      }
    });
    frame.addEventListener("load", () => {
      setTimeout(() => {
        if (greeted > 0 || !frame.isConnected) return;
        const link = document.createElement("a");
        link.href = address(path, asked);
        link.target = "_blank";
        link.rel = "noopener";
        link.textContent = choices ? words.choices : words.fallback;
        const owner = document.createElement("p");
        owner.textContent = words.owner.replace("{origin}", location.origin).replace("{code}", CODE);
        const said = document.createElement("div");
        said.lang = lang || "en";
        style(said, { font: "1rem/1.5 system-ui, sans-serif" });
        said.append(link, owner);
        frame.replaceWith(said);
      }, PATIENCE);
    }, { once: true });
  };

  const placeAll = () => {
    show();
    const hosts = document.querySelectorAll(`[data-optline-form="${CODE}"], [data-optline-choices="${CODE}"]`);
    hosts.forEach(place);
    // From our own page the way back leads to where somebody came from.
    for (const link of document.querySelectorAll(`a[href^="${HERE}/privacy-choices/${CODE}"]`)) {
      const to = new URL(link.href);
      to.searchParams.set("site", location.origin);
      link.href = to.href;
    }
    // Without a place for it, the form comes where the script stands.
    if (hosts.length === 0 && own && own.isConnected && own.dataset.form !== "none") {
      const host = document.createElement("div");
      host.dataset.optlineForm = CODE;
      if (own.dataset.lang) host.dataset.lang = own.dataset.lang;
      if (own.dataset.kind) host.dataset.kind = own.dataset.kind;
      own.after(host);
      place(host);
    }
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", placeAll); else placeAll();
})();
