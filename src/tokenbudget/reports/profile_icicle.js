// Zoom, search and units for the picture that is there already. All text goes in by textContent.
"use strict";
(() => {
  const root = document.documentElement;
  const map = document.getElementById("map");
  const boxes = Array.from(map.querySelectorAll(".box"));
  const facts = JSON.parse(document.getElementById("facts").textContent);
  const [search, tip, detail, crumbs, found] =
    ["search", "tip", "detail", "crumbs", "found"].map((id) => document.getElementById(id));
  const nodes = facts.boxes.map((fact, number) => ({ ...fact, number, box: boxes[number], below: [] }));
  for (const node of nodes) if (node.parent >= 0) nodes[node.parent].below.push(node);
  const whole = nodes[0];
  let unit = facts.unit;
  let shown = whole;
  root.classList.add("js");

  const size = (node) => Math.max(0, node[unit]);
  const share = (part) => {
    const all = size(whole);
    const value = all ? (100 * part) / all : 0;
    return value > 0 && value < 0.95 ? value.toFixed(1) + "%" : Math.round(value) + "%";
  };
  const line = (node) => {
    const often = node.times >= 1 ? ", sent " + node.times.toLocaleString("en") + " times" : "";
    return `${share(size(node))} of all · ${node.cost_text} · ${node.tokens_text} tokens${often}`;
  };
  const path = (node) => (node.parent > 0 ? path(nodes[node.parent]).concat(node) : node.parent < 0 ? [] : [node]);

  function place(node, x, width) {
    node.x = x;
    node.width = width;
    let start = x;
    const all = node.below.reduce((sum, child) => sum + size(child), 0);
    for (const child of node.below) {
      const part = all ? (width * size(child)) / all : 0;
      place(child, start, part);
      start += part;
    }
  }

  function draw() {
    place(whole, 0, 100);
    const [from, span] = [shown.x, shown.width || 100];
    const room = map.clientWidth || 1;
    for (const node of nodes) {
      let x = ((node.x - from) / span) * 100;
      let right = x + (node.width / span) * 100;
      x = Math.min(100, Math.max(0, x));
      right = Math.min(100, Math.max(0, right));
      const width = right - x;
      node.box.setAttribute("x", x.toFixed(3) + "%");
      node.box.setAttribute("width", width.toFixed(3) + "%");
      node.isShown = (width * room) / 100 >= 1;
      node.box.setAttribute("visibility", node.isShown ? "visible" : "hidden");
      const text = node.box.querySelector("text");
      const letters = Math.floor(((width * room) / 100 - 12) / 7.2);
      text.textContent = letters < 3 ? "" :
        node.name.length <= letters ? node.name :
        node.name.includes("/") ? "…" + node.name.slice(1 - letters) :
        node.name.slice(0, letters - 1) + "…";
      node.box.querySelector(".part").textContent = letters < 5 ? "" : share(size(node));
    }
    crumbs.replaceChildren(...trail());
  }

  function trail() {
    return [whole, ...path(shown)].flatMap((node, place, all) => {
      const isLast = place === all.length - 1;
      const part = document.createElement(isLast ? "b" : "button");
      part.textContent = node.name;
      if (!isLast) part.addEventListener("click", () => zoom(node));
      return place ? [document.createTextNode(" › "), part] : [part];
    });
  }

  function zoom(node) {
    root.classList.add("moving");
    shown = node.below.length || node.parent < 0 ? node : nodes[node.parent];
    draw();
    focusOn(node);
  }

  function focusOn(node) {
    for (const other of nodes) other.box.setAttribute("tabindex", other === node ? "0" : "-1");
    node.box.focus({ preventScroll: true });
    tell(node);
  }

  function tell(node) {
    detail.textContent = [whole, ...path(node)].map((one) => one.name).join(" › ") + ": " + line(node);
  }

  function next(node, step) {
    const row = nodes.filter((one) => one.depth === node.depth && one.isShown).sort((a, b) => a.x - b.x);
    return row[row.indexOf(node) + step];
  }

  const moves = {
    ArrowRight: (node) => next(node, 1),
    ArrowLeft: (node) => next(node, -1),
    ArrowDown: (node) => node.below.find((one) => one.isShown),
    ArrowUp: (node) => nodes[node.parent],
    Home: () => whole,
  };

  map.addEventListener("keydown", (event) => {
    const node = nodes[boxes.indexOf(event.target.closest(".box"))];
    if (!node) return;
    if (event.key === "Enter" || event.key === " ") zoom(node);
    else if (event.key === "Escape") zoom(shown.parent >= 0 ? nodes[shown.parent] : whole);
    else if (moves[event.key]) {
      const other = moves[event.key](node);
      if (other) focusOn(other);
    } else return;
    event.preventDefault();
  });
  map.addEventListener("click", (event) => {
    const node = nodes[boxes.indexOf(event.target.closest(".box"))];
    if (node) zoom(node === shown && node.parent >= 0 ? nodes[node.parent] : node);
  });
  map.addEventListener("pointermove", (event) => {
    const node = nodes[boxes.indexOf(event.target.closest(".box"))];
    tip.hidden = !node;
    if (!node) return;
    const name = document.createElement("b");
    name.textContent = node.name;
    tip.replaceChildren(name, document.createTextNode(line(node)));
    const [w, h] = [tip.offsetWidth, tip.offsetHeight];
    tip.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - w - 8)) + "px";
    tip.style.top = (event.clientY + 18 + h > innerHeight ? event.clientY - h - 12 : event.clientY + 18) + "px";
  });
  map.addEventListener("pointerleave", () => { tip.hidden = true; });

  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase();
    const hits = wanted ? nodes.filter((node) => node.parent >= 0 && node.name.toLowerCase().includes(wanted)) : [];
    const marked = new Set(hits);
    for (const node of nodes) {
      node.box.classList.toggle("hit", marked.has(node));
      node.box.classList.toggle("miss", Boolean(wanted) && !marked.has(node));
    }
    const outermost = hits.filter((node) => !path(node).slice(0, -1).some((one) => marked.has(one)));
    const sum = outermost.reduce((total, node) => total + size(node), 0);
    found.textContent = wanted ? `${hits.length} found, ${share(sum)} of all` : "";
  });

  for (const button of document.querySelectorAll("[data-unit]")) {
    button.addEventListener("click", () => {
      unit = button.dataset.unit;
      for (const one of document.querySelectorAll("[data-unit]"))
        one.setAttribute("aria-pressed", String(one === button));
      draw();
      tell(shown);
    });
  }
  document.getElementById("whole").addEventListener("click", () => zoom(whole));
  document.getElementById("theme")?.addEventListener("click", () => {
    const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
  });
  addEventListener("resize", draw);
  for (const box of boxes) for (const title of box.querySelectorAll("title")) title.remove();
  draw();
})();
