"use strict";
(() => {
  const root = document.documentElement;
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const data = JSON.parse(one("#data").textContent);
  const articles = all("article");
  const tip = one("#tip");
  const receipt = one("#receipt");

  root.classList.add("js");
  one("#controls").hidden = false;

  // ---- which plan, which units, which colours -------------------------------------------------------------------

  function choosePlan(id) {
    articles.forEach((article) => { article.hidden = article.id !== id; });
    const inputs = data.plans.find((plan) => plan.id === id).inputs;
    all(".inputs").forEach((block) => {
      const owner = data.plans.find((plan) => `assumptions-${plan.id}` === block.dataset.inputs);
      block.hidden = owner.inputs !== inputs;
    });
    one("#plan").value = id;
    hideTip();
  }

  function planOf(hash) {
    const target = hash.length > 1 && document.getElementById(decodeURIComponent(hash.slice(1)));
    const article = target && target.closest("article");
    return article ? article.id : null;
  }

  one("#plan").addEventListener("change", (event) => choosePlan(event.target.value));
  window.addEventListener("hashchange", () => {
    const id = planOf(location.hash);
    if (id) {
      choosePlan(id);
      document.getElementById(decodeURIComponent(location.hash.slice(1))).scrollIntoView();
    }
  });
  all("input[name=units]").forEach((input) => input.addEventListener("change", () => {
    root.dataset.units = input.value;
    hideTip();
  }));
  all("input[name=theme]").forEach((input) => input.addEventListener("change", () => {
    if (input.value === "auto") delete root.dataset.theme;
    else root.dataset.theme = input.value;
  }));

  one("#more").addEventListener("click", (event) => {
    const shown = one("#options").classList.toggle("shown");
    event.target.setAttribute("aria-expanded", String(shown));
  });

  // ---- tables: fold, sort ---------------------------------------------------------------------------------------

  function fold(button, open) {
    button.setAttribute("aria-expanded", String(open));
    button.parentElement.classList.toggle("closed", !open);
  }

  const folds = all(".fold");
  folds.forEach((button) => {
    fold(button, false);
    button.addEventListener("click", () => fold(button, button.getAttribute("aria-expanded") !== "true"));
  });
  one("#fold-all").addEventListener("click", (event) => {
    const open = event.target.getAttribute("aria-pressed") !== "true";
    event.target.setAttribute("aria-pressed", String(open));
    event.target.textContent = open ? "Close all tables" : "Open all tables";
    folds.forEach((button) => fold(button, open));
  });

  function numberIn(text) {
    const match = text.replace(/,/g, "").replace(/−/g, "-").match(/^\s*(-?)\$?(\d+(?:\.\d+)?)(?:[M%]|\s|$)/);
    return match ? Number(match[1] + match[2]) : null;
  }

  function compare(a, b) {
    const [x, y] = [numberIn(a), numberIn(b)];
    if (x !== null && y !== null) return x - y;
    if (x !== null || y !== null) return x !== null ? -1 : 1;
    return a.localeCompare(b, "en", { numeric: true });
  }

  function sort(table, column, heading) {
    const down = heading.getAttribute("aria-sort") === "ascending";
    const body = table.tBodies[0];
    const rows = [...body.rows].filter((row) => !row.classList.contains("sum"));
    const sums = [...body.rows].filter((row) => row.classList.contains("sum"));
    rows.sort((a, b) => compare(a.cells[column].textContent, b.cells[column].textContent) * (down ? -1 : 1));
    body.append(...rows, ...sums);
    all("th", table.tHead).forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  }

  all("table.sortable").forEach((table) => {
    all("th", table.tHead).forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      button.addEventListener("click", () => sort(table, column, heading));
      heading.append(button);
    });
  });

  // ---- values under the pointer, or under the arrow keys ----------------------------------------------------------

  const cursors = new WeakMap();

  function hideTip() {
    tip.hidden = true;
    all(".cursor").forEach((cursor) => cursor.remove());
  }

  function rowsOf(plot, group) {
    const table = one("table", document.getElementById(plot.dataset.table));
    const rows = [...table.tBodies[0].rows].filter((row) => !group || row.dataset.group === group);
    return { heads: [...table.tHead.rows[0].cells], rows };
  }

  function tell(plot, column, group, x, y) {
    const { heads, rows } = rowsOf(plot, group);
    if (!heads[column + 1]) return;
    const told = rows.filter((row) => rows.length < 8 || numberIn(row.cells[column + 1].textContent));
    tip.replaceChildren(document.createElement("b"), document.createElement("dl"));
    tip.firstChild.textContent = heads[column + 1].textContent;
    told.forEach((row) => {
      const [name, value] = [document.createElement("dt"), document.createElement("dd")];
      name.textContent = row.cells[0].textContent;
      value.textContent = row.cells[column + 1].textContent;
      tip.lastChild.append(name, value);
    });
    tip.hidden = false;
    const [width, height] = [tip.offsetWidth, tip.offsetHeight];
    const left = x + 16 + width > innerWidth ? x - 16 - width : x + 16;
    tip.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
    tip.style.top = `${Math.max(8, Math.min(y + 12, innerHeight - height - 8))}px`;
  }

  function point(plot, svg, column) {
    all(".cursor").forEach((cursor) => cursor.remove());
    const columns = Number(plot.dataset.columns);
    const cursor = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    cursor.setAttribute("class", "cursor");
    cursor.setAttribute("x", `${column / columns * 100}%`);
    cursor.setAttribute("width", `${100 / columns}%`);
    cursor.setAttribute("y", "0");
    cursor.setAttribute("height", "100%");
    svg.append(cursor);
  }

  function at(plot, event) {
    const svg = event.target.closest("svg.plot, svg.strip") || (plot.matches("svg") ? plot : null);
    if (!svg) return hideTip();
    const box = svg.getBoundingClientRect();
    const columns = Number(plot.dataset.columns);
    const column = Math.min(columns - 1, Math.max(0, Math.floor((event.clientX - box.left) / box.width * columns)));
    cursors.set(plot, { column, strip: all(".strip", plot).indexOf(svg) });
    point(plot, svg, column);
    tell(plot, column, svg.dataset.group, event.clientX, event.clientY);
  }

  function step(plot, key) {
    const columns = Number(plot.dataset.columns);
    const strips = all(".strip", plot);
    const now = cursors.get(plot) || { column: -1, strip: 0 };
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1], Home: [-columns, 0], End: [columns, 0] };
    if (!moves[key]) return false;
    const column = Math.min(columns - 1, Math.max(0, now.column + moves[key][0]));
    const strip = Math.min(strips.length - 1, Math.max(0, now.strip + moves[key][1]));
    cursors.set(plot, { column, strip });
    const svg = strips.length ? strips[strip] : plot;
    const box = svg.getBoundingClientRect();
    point(plot, svg, column);
    tell(plot, column, svg.dataset.group, box.left + (column + 0.5) / columns * box.width, box.top + 4);
    return true;
  }

  all(".plot").filter((plot) => Number(plot.dataset.columns) > 0).forEach((plot) => {
    plot.addEventListener("pointermove", (event) => at(plot, event));
    plot.addEventListener("pointerdown", (event) => at(plot, event));
    plot.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") hideTip(); });
    plot.addEventListener("blur", hideTip);
    plot.addEventListener("keydown", (event) => { if (step(plot, event.key)) event.preventDefault(); });
  });

  // ---- receipts ---------------------------------------------------------------------------------------------------

  const own = (cell) => [...cell.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data).join("");
  const held = new Map();
  all("[data-key], tr[data-row] > td").filter((cell) => cell.dataset.key !== undefined || /\d/.test(own(cell)))
    .forEach((cell, number) => held.set(cell, data.numbers[number]));

  function keyOf(cell) {
    if (cell.dataset.key !== undefined) return cell.dataset.key;
    const head = cell.closest("table").tHead.rows[0].cells[cell.cellIndex];
    return cell.parentElement.dataset.row.replaceAll("*", head.dataset.col || "");
  }

  function readable(key) {
    return key.replace(/%([0-9A-F]{2,6});/g, (_, code) => String.fromCodePoint(parseInt(code, 16)));
  }

  function showReceipt(cell) {
    const plans = data.plans.filter((plan) => keyOf(cell).includes(`${plan.id}/`));
    const lines = [`${cell.textContent.trim()} is ${held.get(cell)}`, readable(keyOf(cell)),
      plans.map((plan) => `${plan.id}: ${plan.label}, run ${plan.run}, inputs ${plan.inputs}`).join("; ")];
    receipt.replaceChildren(...lines.map((line) => {
      const paragraph = document.createElement("p");
      paragraph.textContent = line;
      return paragraph;
    }));
    receipt.hidden = false;
  }

  one("#receipts").addEventListener("change", (event) => {
    root.classList.toggle("receipts", event.target.checked);
    held.forEach((_, cell) => {
      cell.classList.toggle("has-receipt", event.target.checked);
      if (event.target.checked) cell.setAttribute("tabindex", "0");
      else cell.removeAttribute("tabindex");
    });
    receipt.hidden = true;
  });
  const asked = (event) => {
    const cell = root.classList.contains("receipts") && event.target.closest(".has-receipt");
    if (cell) showReceipt(cell);
    else receipt.hidden = true;
  };
  document.addEventListener("click", asked);
  document.addEventListener("focusin", asked);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      hideTip();
      receipt.hidden = true;
    }
  });

  choosePlan(planOf(location.hash) || articles[0].id);
})();
