// A human check that shows nothing: when the form is sent, its provider is asked for a token first. Without one within four
// seconds the form goes as it is, and is confirmed by e-mail.
(() => {
  const place = document.querySelector("[data-human]");
  const form = place?.closest("form");
  const field = form?.elements[place.dataset.field];
  if (!field) return;
  const { human, sitekey, action } = place.dataset;
  const token = () => new Promise((resolve, reject) => {
    const provider = human === "recaptcha-assessment" ? window.grecaptcha?.enterprise : window.grecaptcha;
    if (!provider) { reject(new Error("not loaded")); return; }
    provider.ready(() => provider.execute(sitekey, { action }).then(resolve, reject));
  });
  const late = () => new Promise((_, reject) => { setTimeout(() => reject(new Error("too late")), 4000); });
  let asked = false;
  form.addEventListener("submit", (event) => {
    if (asked) return;
    event.preventDefault();
    event.stopPropagation();
    if (form.dataset.asking) return;
    form.dataset.asking = "1";
    Promise.race([token(), late()]).then((given) => { field.value = given; }, () => {}).then(() => {
      asked = true;
      delete form.dataset.asking;
      form.requestSubmit(event.submitter ?? undefined);
    });
  }, true);
  window.addEventListener("pageshow", (event) => { if (event.persisted) { asked = false; field.value = ""; } });
})();
