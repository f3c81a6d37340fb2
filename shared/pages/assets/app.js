// Progressive enhancement. Every page works without this file.
(() => {
  "use strict";
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const live = document.getElementById("announce");
  const announce = (text) => {
    if (!live || !text) return;
    live.textContent = "";
    // A live region speaks when it changes after being empty.
    setTimeout(() => { live.textContent = text; }, 150);
  };

  // A failed form gets the focus, good news is announced.
  const focus = document.querySelector("[data-focus]");
  if (focus) focus.focus();
  const news = document.querySelector("[data-announce]");
  if (news && !focus) announce(news.textContent.trim().replace(/\s+/g, " "));

  // A form is sent once, and not left by accident after typing.
  const dirty = new Set();
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (form && form.hasAttribute("data-guard")) dirty.add(form);
  });
  addEventListener("beforeunload", (event) => {
    if (dirty.size > 0) event.preventDefault();
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.hasAttribute("data-once")) {
      if (form.dataset.sent) { event.preventDefault(); return; }
      form.dataset.sent = "yes";
      for (const button of all("button:not([type=button])", form)) button.setAttribute("aria-disabled", "true");
      // The answer may have been a file, and the page still here.
      setTimeout(again, 8000);
    }
    dirty.delete(form);
  });
  // Back from the next page, a form may be sent again.
  const again = () => {
    for (const form of all("form[data-sent]")) {
      delete form.dataset.sent;
      for (const button of all("[aria-disabled]", form)) button.removeAttribute("aria-disabled");
    }
  };
  addEventListener("pageshow", again);

  // Filters apply when one is chosen with a pointer. With a keyboard a list changes at every arrow key (WCAG 3.2.2).
  let pointer = false;
  addEventListener("pointerdown", () => { pointer = true; }, true);
  addEventListener("keydown", () => { pointer = false; }, true);
  for (const form of all("form[data-auto]")) {
    form.addEventListener("change", (event) => {
      if (pointer && event.target.matches("select, [type=checkbox], [type=radio]")) form.requestSubmit();
    });
  }

  // One checkbox for all of a page.
  for (const box of all("[data-all]")) {
    const boxes = all(`input[type=checkbox][name="${CSS.escape(box.dataset.all)}"]`)
      .filter((other) => other !== box && other.form === box.form);
    if (boxes.length === 0) continue;
    box.hidden = false;
    const reflect = () => {
      const on = boxes.filter((other) => other.checked).length;
      box.checked = on === boxes.length;
      box.indeterminate = on > 0 && on < boxes.length;
    };
    box.addEventListener("change", () => { for (const other of boxes) other.checked = box.checked; });
    for (const other of boxes) other.addEventListener("change", reflect);
    reflect();
  }

  // Copying.
  for (const button of all("[data-copy]")) {
    const text = document.getElementById(button.dataset.copy);
    if (!text || !navigator.clipboard) continue;
    button.hidden = false;
    const label = button.querySelector("span");
    const before = label.textContent;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text.textContent);
        label.textContent = button.dataset.copied;
        announce(button.dataset.copied);
        setTimeout(() => { label.textContent = before; }, 2500);
      } catch {
        getSelection().selectAllChildren(text);
      }
    });
  }

  // Showing a password.
  for (const button of all("[data-reveal]")) {
    const input = document.getElementById(button.dataset.reveal);
    button.hidden = false;
    button.addEventListener("click", () => {
      const show = input.type === "password";
      input.type = show ? "text" : "password";
      button.setAttribute("aria-pressed", String(show));
    });
    if (input.form) input.form.addEventListener("submit", () => { input.type = "password"; });
  }

  // A menu closes with Escape, and by a click elsewhere.
  const menus = all("details.menu");
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of menus.filter((it) => it.open)) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
  document.addEventListener("click", (event) => {
    for (const menu of menus) if (!menu.contains(event.target)) menu.open = false;
  });

  // Passkeys.
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const named = (list) => (list || []).map((it) => ({ ...it, id: bytes(it.id) }));
  const ceremony = async (given, register) => {
    const options = { ...(given.publicKey || given) };
    options.challenge = bytes(options.challenge);
    if (register) {
      options.user = { ...options.user, id: bytes(options.user.id) };
      options.excludeCredentials = named(options.excludeCredentials);
      return navigator.credentials.create({ publicKey: options });
    }
    options.allowCredentials = named(options.allowCredentials);
    return navigator.credentials.get({ publicKey: options });
  };
  const sent = (credential) => {
    const { response } = credential;
    const answer = { clientDataJSON: text(response.clientDataJSON) };
    if (response.attestationObject) {
      answer.attestationObject = text(response.attestationObject);
      if (response.getTransports) answer.transports = response.getTransports();
    } else {
      answer.authenticatorData = text(response.authenticatorData);
      answer.signature = text(response.signature);
      answer.userHandle = response.userHandle ? text(response.userHandle) : null;
    }
    return {
      id: credential.id, rawId: text(credential.rawId), type: credential.type, response: answer,
      clientExtensionResults: credential.getClientExtensionResults(),
    };
  };
  for (const button of window.PublicKeyCredential ? all("[data-passkey]") : []) {
    button.hidden = false;
    const said = button.parentElement.querySelector(".passkey-said");
    const say = (words, waiting) => {
      said.classList.toggle("waiting", waiting);
      said.textContent = words;
    };
    const ask = async (body) => {
      const field = button.dataset.nameField && document.getElementById(button.dataset.nameField);
      if (field) body.name = field.value;
      const answer = await fetch(button.dataset.begin, {
        method: "POST", credentials: "same-origin", redirect: "error",
        headers: { "content-type": "application/json", accept: "application/json", "x-csrf": button.dataset.csrf },
        body: JSON.stringify(body),
      });
      return answer.json();
    };
    button.addEventListener("click", async () => {
      if (button.getAttribute("aria-disabled")) return;
      button.setAttribute("aria-disabled", "true");
      say(button.dataset.waiting, true);
      try {
        const begun = await ask({ step: "begin" });
        if (begun.to) { dirty.clear(); location.assign(begun.to); return; }
        if (begun.error) { say(begun.error, false); return; }
        const credential = await ceremony(begun.options, button.dataset.passkey === "register");
        const done = await ask({ step: "finish", state: begun.state, credential: sent(credential) });
        if (done.to) { dirty.clear(); location.assign(done.to); return; }
        say(done.error || button.dataset.failed, false);
      } catch {
        // Also when the person closed the browser's dialog.
        say(button.dataset.failed, false);
      } finally {
        button.removeAttribute("aria-disabled");
      }
    });
  }
})();
