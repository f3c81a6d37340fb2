// A page of ours inside a business's own: tells that page that it is there, and how high it is. Nobody else hears it: the
// browser delivers a message to the one origin that it is for, and the server names only origins that the business lists.
(() => {
  const parent = document.querySelector("[data-parent]")?.dataset.parent;
  if (!parent || window.parent === window) return;
  const say = (what) => window.parent.postMessage(what, parent);
  let last = 0;
  const measure = () => {
    const height = Math.ceil(document.body.getBoundingClientRect().height);
    if (height === last) return;
    last = height;
    say({ optline: "height", height });
  };
  say({ optline: "hello" });
  // A choice was made: the site's own script keeps it for this browser.
  if (document.querySelector("[data-opted-out]")) say({ optline: "opted-out" });
  measure();
  new ResizeObserver(measure).observe(document.body);
})();
