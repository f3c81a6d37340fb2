// Optline on a business's own site. Load it with the snippet that the dashboard shows; it needs nothing else:
//
//   <div data-optline-form="CODE"></div>
//   <script src="…/forms/CODE/embed.js?v=…" integrity="sha384-…" crossorigin="anonymous" async></script>
//
// 1. The form: a frame from our own origin, so that no style and no script of the page reaches into it.
(() => {
  "use strict";
  const HERE = "__BASE__";
  const CODE = "__CODE__";
  const WORDS = {
    en: {
      title: "Privacy request form",
      fallback: "Open the privacy request form in a new window",
      owner: "This form cannot be shown here. For the owner of this site: add {origin} to the sites of service code {code} in Optline.",
    },
    es: {
      title: "Formulario de solicitud de privacidad",
      fallback: "Abrir el formulario de solicitud de privacidad en otra ventana",
      owner: "Este formulario no se puede mostrar aquí. Para el titular de este sitio: añada {origin} a los sitios del código de servicio {code} en Optline.",
    },
  };
  // A page that the browser has refused to frame says nothing; one that was framed says so at once.
  const PATIENCE = 4000;
  const own = document.currentScript;
  const address = (path, query) => HERE + path + "?" + new URLSearchParams(query);

  // What the page's style sheets say about elements of ours, important or not, gives way to this.
  const style = (element, rules) => {
    for (const [name, value] of Object.entries(rules)) element.style.setProperty(name, value, "important");
  };

  const place = (host) => {
    if (host.dataset.optlinePlaced) return;
    host.dataset.optlinePlaced = "yes";
    const wanted = host.dataset.lang || document.documentElement.lang.slice(0, 2);
    const lang = WORDS[wanted] ? wanted : "";
    const words = WORDS[lang] || WORDS.en;
    const asked = { ...(lang && { lang }), ...(host.dataset.kind && { kind: host.dataset.kind }) };
    const frame = document.createElement("iframe");
    frame.title = words.title;
    frame.loading = "lazy";
    // Its own origin and nothing of ours: it can neither lead this page away nor look into it.
    frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox");
    frame.referrerPolicy = "no-referrer";
    frame.src = address(`/forms/${CODE}`, { ...asked, embed: "1", parent: location.origin });
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
      }
    });
    frame.addEventListener("load", () => {
      setTimeout(() => {
        if (greeted > 0 || !frame.isConnected) return;
        const link = document.createElement("a");
        link.href = address(`/forms/${CODE}`, asked);
        link.target = "_blank";
        link.rel = "noopener";
        link.textContent = words.fallback;
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
    const hosts = document.querySelectorAll(`[data-optline-form="${CODE}"]`);
    hosts.forEach(place);
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
