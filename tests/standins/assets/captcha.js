// A stand-in's widget, at the address of the provider's own script.
(() => {
  const script = document.currentScript;
  const address = new URL(script.src);
  const tokens = script.src.slice(0, script.src.indexOf("/captcha/") + 9) + "tokens";
  const token = async (provider, site_key, action) => {
    const body = new URLSearchParams({ provider, site_key, action: action ?? "", hostname: location.hostname });
    const answer = await fetch(tokens, { method: "POST", body, credentials: "omit" });
    return (await answer.json()).token;
  };
  const kinds = {
    "cf-turnstile": ["turnstile", "cf-turnstile-response"],
    "h-captcha": ["hcaptcha", "h-captcha-response"],
    "g-recaptcha": ["recaptcha-v2", "g-recaptcha-response"],
  };
  const show = () => {
    for (const [name, [provider, field]] of Object.entries(kinds)) {
      for (const place of document.getElementsByClassName(name)) {
        const label = document.createElement("label");
        const box = document.createElement("input");
        const hidden = document.createElement("input");
        box.type = "checkbox";
        box.dataset.captcha = provider;
        hidden.type = "hidden";
        hidden.name = field;
        label.append(box, document.documentElement.lang === "es" ? " Soy una persona" : " I am a person");
        place.append(label, hidden);
        box.addEventListener("change", async () => {
          hidden.value = box.checked ? await token(provider, place.dataset.sitekey, place.dataset.action) : "";
          place.dataset.done = box.checked ? "1" : "";
        });
      }
    }
  };
  const rendered = address.searchParams.get("render");
  if (rendered) {
    const of = (provider) => ({
      ready: (go) => { go(); },
      execute: (key, { action } = {}) => token(provider, key, action),
    });
    window.grecaptcha = { ...of("recaptcha-v3"), enterprise: of("recaptcha-assessment") };
  } else if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", show);
  } else {
    show();
  }
})();
