// Puts charts that one can point at in place of the pictures; the interpreter needs no eval.
(async () => {
  for (const place of document.querySelectorAll("[data-chart]")) {
    const spec = JSON.parse(document.getElementById(place.dataset.chart).textContent);
    const holder = document.createElement("div");
    const picture = place.querySelector(".picture");
    try {
      await vegaEmbed(holder, spec, {actions: false, renderer: "svg", ast: true, mode: "vega-lite"});
      holder.querySelector("svg").setAttribute("aria-hidden", "true");
      holder.classList.add("drawn");
      picture.replaceChildren(holder);
    } catch (error) {
      console.error(error); // The picture stays.
    }
  }
  document.documentElement.dataset.charts = "drawn";
})();
addEventListener("beforeprint", () => {
  for (const one of document.querySelectorAll("details:not([open])")) { one.open = true; one.dataset.printed = ""; }
});
addEventListener("afterprint", () => {
  for (const one of document.querySelectorAll("details[data-printed]")) { one.open = false; delete one.dataset.printed; }
});
