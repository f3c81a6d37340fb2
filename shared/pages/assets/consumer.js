// What consumers' pages gain from a script. Without it they work as well.
(() => {
  // A form that came back gets the focus.
  document.querySelector("[data-focus]")?.focus();

  // A file that would be refused where it goes is refused before.
  const accepts = (input, file) => {
    const types = input.accept.split(",");
    return types.length === 0 || types.some((type) => file.name.toLowerCase().endsWith(type.trim()));
  };
  for (const form of document.querySelectorAll("form[data-most-bytes]")) {
    const input = form.querySelector("input[type=file]");
    input?.addEventListener("change", () => {
      const file = input.files[0];
      const { mostBytes, tooLarge, wrongType } = form.dataset;
      const wrong = !file ? "" : file.size > Number(mostBytes) ? tooLarge : accepts(input, file) ? "" : wrongType;
      input.setCustomValidity(wrong);
      if (wrong) input.reportValidity();
    });
  }

  // A form is sent once, however often its button is pressed.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    for (const button of form.querySelectorAll("button[type=submit], button:not([type])")) {
      button.setAttribute("aria-disabled", "true");
    }
  });
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.forms) {
      delete form.dataset.sent;
      for (const button of form.querySelectorAll("[aria-disabled]")) button.removeAttribute("aria-disabled");
    }
  });
})();
