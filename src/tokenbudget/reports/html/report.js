"use strict";
(() => {
  const root = document.documentElement;
  const data = JSON.parse(document.getElementById("report-data").textContent);
  const css = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const money = (usd) =>
    "$" + usd.toLocaleString("en-US", {
      minimumFractionDigits: 2, maximumFractionDigits: usd && usd < 0.01 ? 4 : 2,
    });
  const short = (count) => {
    for (const [unit, size] of [["T", 1e12], ["B", 1e9], ["M", 1e6], ["K", 1e3]]) {
      if (Math.abs(count) >= size) return +(count / size).toPrecision(3) + unit;
    }
    return String(+count.toPrecision(3));
  };
  const redrawn = [];
  root.classList.add("js");
  for (const hidden of document.querySelectorAll("[data-needs-script]")) hidden.hidden = false;

  // ── theme ──────────────────────────────────────────────────────────────────────────────────
  const isDark = () =>
    root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
  const toggle = document.getElementById("theme-switch");
  const named = () => { toggle.textContent = isDark() ? "Light theme" : "Dark theme"; };
  const themed = () => { named(); for (const draw of redrawn) draw(); };
  const remembered = (write) => {
    try { return write ? localStorage.setItem("theme", write) : localStorage.getItem("theme"); }
    catch { return null; }  // a file of its own origin may not have any storage
  };
  if (["light", "dark"].includes(remembered())) root.dataset.theme = remembered();
  toggle.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    remembered(root.dataset.theme);
    themed();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", themed);
  named();

  // ── tables ─────────────────────────────────────────────────────────────────────────────────
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.v === undefined ? cell.textContent.toLowerCase() : +cell.dataset.v;
  };
  const before = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b
    : typeof a === typeof b ? a.localeCompare(b)
    : typeof a === "number" ? 1 : -1;  // words among numbers mean: nothing to tell
  const sort = (table, column, heading) => {
    const falls = heading.getAttribute("aria-sort") === "descending"
      || (!heading.hasAttribute("aria-sort") && !heading.classList.contains("num"));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", falls ? "ascending" : "descending");
    const rows = [...table.tBodies[0].rows];
    const sign = falls ? 1 : -1;
    rows.sort((a, b) => sign * before(valueOf(a, column), valueOf(b, column)));
    table.tBodies[0].append(...rows);
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = heading.textContent;
      button.addEventListener("click", () => sort(table, column, heading));
      heading.replaceChildren(button);
    });
  }
  const sought = document.getElementById("session-filter");
  const sessions = document.querySelector("#table-sessions tbody");
  if (sought && sessions) {
    const told = document.getElementById("session-count");
    const filter = () => {
      const words = sought.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of sessions.rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        shown += !row.hidden;
      }
      told.textContent = `${shown} of ${sessions.rows.length} sessions`;
    };
    sought.addEventListener("input", filter);
    filter();
  }

  // ── timeline ───────────────────────────────────────────────────────────────────────────────
  const place = document.getElementById("timeline-chart");
  if (place && data.days.x.length) timeline();

  function byWeek() {
    const { x, money, tokens } = data.days;
    const week = (at) => Math.floor((at / 86400 + 3) / 7);  // 1970 began on a Thursday
    const names = [...new Set(x.map(week))];
    const begins = names.map((name) => (name * 7 - 3) * 86400);
    const sums = (kinds) => kinds && kinds.map((kind) => {
      const found = new Map(names.map((name) => [name, 0]));
      kind.forEach((value, i) => found.set(week(x[i]), found.get(week(x[i])) + value));
      return [...found.values()];
    });
    return {
      x: begins.map((at) => at + 3 * 86400),
      labels: begins.map((at) => `Week of ${new Date(at * 1e3).toISOString().slice(0, 10)}`),
      tokens: sums(tokens), money: sums(money),
    };
  }

  function timeline() {
    const MOST_DAYS = 130;
    const order = [2, 1, 0, 3];  // from the bottom of a stack to its top
    const chart = place.querySelector(".plot");
    const overview = place.querySelector(".overview");
    const outputs = [...place.querySelectorAll("[data-kind]")];
    const day = document.getElementById("timeline-day");
    const isLong = data.days.x.length > 10;
    let what = data.days.money ? "money" : "tokens";
    let plot, brush;
    const weeks = byWeek();
    let shown = data.days;  // or weeks, where days would be thinner than a line
    const values = () => shown[what];
    const said = (value) => (what === "money" ? money(value) : short(value));
    const ticked = (value) =>
      what === "money" && Number.isInteger(value) ? "$" + value.toLocaleString("en-US") : said(value);
    const stacks = () => {
      const sums = [];
      let base = shown.x.map(() => 0);
      for (const kind of order) {
        base = base.map((sum, i) => sum + values()[kind][i]);
        sums.unshift(base);
      }
      return [shown.x, ...sums];  // the whole first: what is drawn later covers it
    };
    const bars = uPlot.paths.bars({ size: [0.8, 48], align: 0 });
    const series = () => [
      {}, ...[...order].reverse().map((kind) => ({
        fill: css(`--kind-${kind}`), stroke: css(`--kind-${kind}`), width: 0, paths: bars,
        points: { show: false },
      })),
    ];
    const axis = () => ({
      stroke: css("--muted"), grid: { stroke: css("--line"), width: 1 }, ticks: { show: false },
      font: "12px system-ui, sans-serif",
    });
    const utc = (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "Etc/UTC");
    const dayName = (seconds) =>
      new Date(seconds * 1e3).toLocaleDateString("en-GB", {
        timeZone: "UTC", day: "numeric", month: "short",
      });
    const edge = 43200;  // half a day, so that the bars at the ends are whole
    const whole = () => [data.days.x[0] - edge, data.days.x.at(-1) + edge];
    const tell = (i) => {
      const at = i === null || i === undefined ? null : i;
      const all = shown === weeks ? "All days, a bar a week" : "All days";
      day.textContent = at === null ? all : shown.labels[at];
      for (const one of outputs) {
        const kind = values()[+one.dataset.kind];
        one.textContent = said(at === null ? kind.reduce((a, b) => a + b, 0) : kind[at]);
      }
    };
    const zoom = (from, to) => {
      const fitting = to - from > MOST_DAYS * 86400 ? weeks : data.days;
      if (fitting !== shown) {
        shown = fitting;
        plot.setData(stacks(), false);
        tell(null);
      }
      plot.setScale("x", { min: from, max: to });
    };
    const draw = () => {
      plot?.destroy();
      brush?.destroy();
      const width = chart.clientWidth;
      plot = new uPlot({
        width, height: 280, tzDate: utc, legend: { show: false }, series: series(),
        cursor: { y: false, drag: { x: true, y: false }, points: { show: false } },
        scales: {
          x: { time: true, range: (u, min, max) => (min === null ? whole() : [min, max]) },
          y: { range: (u, min, max) => [0, (max || 1) * 1.05] },
        },
        padding: [8, 8, 0, 0],
        axes: [
          {
            ...axis(), grid: { show: false }, size: 28, space: 64,
            incrs: [1, 2, 3, 7, 14, 28, 56, 112, 364].map((days) => days * 86400),
            values: (u, ticks) => ticks.map(dayName),
          },
          { ...axis(), size: 56, values: (u, ticks) => ticks.map(ticked) },
        ],
        hooks: { setCursor: [(u) => tell(u.cursor.idx)] },
      }, stacks(), chart);
      plot.over.addEventListener("dblclick", () => zoom(...whole()));
      zoom(...whole());
      if (isLong) drawBrush(width);
      tell(null);
    };
    const drawBrush = (width) => {
      brush = new uPlot({
        width, height: 56, tzDate: utc, legend: { show: false },
        series: series().slice(0, 2).map((one, i) => (i ? { ...one, fill: css("--bar") } : one)),
        cursor: { y: false, points: { show: false }, drag: { setScale: false, x: true, y: false } },
        scales: { x: { time: true, range: whole }, y: { range: (u, min, max) => [0, max || 1] } },
        axes: [{ show: false }, { show: false, size: 56 }],
        padding: [4, 8, 4, 56],
        hooks: {
          setSelect: [(u) => {
            const { left, width: wide } = u.select;
            if (wide > 4) zoom(u.posToVal(left, "x"), u.posToVal(left + wide, "x"));
            else zoom(...whole());
          }],
        },
      }, stacks().slice(0, 2), overview);
    };
    for (const button of place.querySelectorAll("[data-measure]")) {
      button.addEventListener("click", () => {
        what = button.dataset.measure;
        for (const other of place.querySelectorAll("[data-measure]")) {
          other.setAttribute("aria-pressed", String(other === button));
        }
        draw();
      });
    }
    for (const button of place.querySelectorAll("[data-last]")) {
      button.addEventListener("click", () => {
        const last = +button.dataset.last;
        const [first, end] = whole();
        zoom(last ? Math.max(first, end - last * 86400) : first, end);
      });
    }
    chart.addEventListener("keydown", (event) => {
      const { min, max } = plot.scales.x;
      const [first, end] = whole();
      const step = (max - min) / 4;
      const moves = {
        ArrowLeft: [-step, -step], ArrowRight: [step, step], "+": [step, -step], "-": [-step, step],
      };
      if (event.key === "Escape") zoom(first, end);
      if (!(event.key in moves)) return;
      event.preventDefault();
      const [from, to] = [min + moves[event.key][0], max + moves[event.key][1]];
      if (to - from >= 86400 && to > first && from < end) zoom(Math.max(first, from), Math.min(end, to));
    });
    new ResizeObserver(() => {
      const width = chart.clientWidth;
      if (!plot || plot.width === width || !width) return;
      plot.setSize({ width, height: 280 });
      brush?.setSize({ width, height: 56 });
    }).observe(chart);
    redrawn.push(draw);
    draw();
  }
  document.getElementById("print").addEventListener("click", () => print());
})();
