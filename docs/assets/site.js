// Wide tables can be scrolled with the keyboard too (WCAG 2.1.1). The theme wraps tables when a page is shown.
document$.subscribe(() => requestAnimationFrame(() => {
  for (const one of document.querySelectorAll(".md-typeset__scrollwrap")) {
    if (one.scrollWidth > one.clientWidth) {
      const heading = [...document.querySelectorAll("h1, h2, h3")].filter(
        (own) => own.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING).pop();
      one.tabIndex = 0;
      one.setAttribute("role", "group");
      one.setAttribute("aria-label", `Table: ${heading?.firstChild?.textContent ?? document.title}`);
    }
  }
}));
