// Sortable tables, a switch for light and dark, pictures to save, details opened for print. All can be read without.
(() => {
  "use strict";

  // Numbers by value, words by the alphabet; what is missing stays last in both directions.
  function sort(table, column, numeric) {
    const head = table.tHead.rows[0].cells[column];
    const falling = head.getAttribute("aria-sort") === "ascending";
    const body = table.tBodies[0];
    const key = (row) => {
      const cell = row.cells[column];
      if (numeric) return cell.dataset.order === undefined ? null : Number(cell.dataset.order);
      const text = cell.textContent.trim();
      return text === "–" || text === "" ? null : text;
    };
    const compare = (a, b) => (numeric ? a - b : a.localeCompare(b, undefined, { numeric: true }));
    const rows = [...body.rows].map((row) => [key(row), row]);
    rows.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      return falling ? compare(b, a) : compare(a, b);
    });
    body.append(...rows.map(([, row]) => row));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", falling ? "descending" : "ascending");
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => sort(table, column, head.classList.contains("number")));
    });
  }

  const themes = { "": "as the system", light: "light", dark: "dark" };
  const toggle = document.querySelector("button.theme");
  function show(theme) {
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    toggle.textContent = `Colours: ${themes[theme]}`;
  }
  toggle.addEventListener("click", () => {
    const names = Object.keys(themes);
    show(names[(names.indexOf(document.documentElement.dataset.theme ?? "") + 1) % names.length]);
  });
  toggle.hidden = false;
  show("");

  // A saved picture has its light colours written in it, and needs no style sheet.
  for (const button of document.querySelectorAll("button.save")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const drawing = button.closest("figure").querySelector("svg");
      const file = new Blob([new XMLSerializer().serializeToString(drawing)], { type: "image/svg+xml" });
      const link = document.createElement("a");
      link.href = URL.createObjectURL(file);
      link.download = `${button.dataset.name}.svg`;
      link.click();
      URL.revokeObjectURL(link.href);
    });
  }

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const part of closed) part.open = true;
  });
  addEventListener("afterprint", () => { for (const part of closed) part.open = false; });
})();
