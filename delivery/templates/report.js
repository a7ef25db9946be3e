// Makes the report's pictures answer to the pointer, its slider and its table work. Without it
// everything is there as still pictures and whole tables.
"use strict";

const read = (id) => JSON.parse(document.getElementById(id).textContent);

// Vega reads no CSS variables when it writes its own attributes, the browser does.
const QUIET = { mode: "vega-lite", renderer: "svg", actions: false, ast: true, logLevel: 0 };
const views = {};

async function enliven(place, { spec, mode }, formatLocale) {
  const still = place.innerHTML;
  try {
    const { view } = await vegaEmbed(place, spec, { ...QUIET, mode, formatLocale });
    const drawn = place.querySelector("svg");
    drawn.removeAttribute("role");
    drawn.setAttribute("aria-hidden", "true");
    drawn.classList.add("chart");
    drawn.style.maxWidth = `${1.25 * Number(drawn.getAttribute("width"))}px`;
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", place.dataset.label);
    place.dataset.drawn = "yes";
    views[place.dataset.figure] = view;
  } catch (problem) {
    place.innerHTML = still;
    throw problem;
  }
}

function between(points, budget, name) {
  const after = points.findIndex((point) => point.budget >= budget);
  if (after <= 0) return points[after < 0 ? points.length - 1 : 0][name];
  const [a, b] = [points[after - 1], points[after]];
  const share = (budget - a.budget) / (b.budget - a.budget || 1);
  return a[name] + share * (b[name] - a[name]);
}

function slide() {
  const slider = document.getElementById("budget-slider");
  if (!slider) return;
  const { points, own, currency } = read("budget-points");
  const { locale } = read("numbers");
  const money = new Intl.NumberFormat(locale, { style: "currency", currency });
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const share = new Intl.NumberFormat(locale, { style: "percent" });
  const figure = document.querySelector(".curve .live");
  const answer = () => {
    const budget = (own * slider.value) / 100;
    const [net, actions, spent] = ["net", "actions", "spent"].map((name) =>
      between(points, budget, name));
    const change = net - between(points, own, "net");
    const sign = change < 0 ? "less" : "more";
    document.getElementById("budget-value").textContent = `${money.format(budget)}, ` +
      `${share.format(slider.value / 100)} of the budget`;
    document.getElementById("budget-net").textContent = money.format(net);
    document.getElementById("budget-change").textContent = Math.abs(change) < 0.005
      ? "as planned" : `${money.format(Math.abs(change))} ${sign} than planned`;
    document.getElementById("budget-actions").textContent = whole.format(actions);
    document.getElementById("budget-spent").textContent = money.format(spent);
    const view = views[figure.dataset.figure];
    if (view) view.signal("budget", budget).runAsync();
  };
  slider.addEventListener("input", answer);
  answer();
  document.getElementById("budget-what-if").hidden = false;
}

function search() {
  const table = document.getElementById("customers-table");
  if (!table) return;
  const controls = ["customers-search", "customers-action", "customers-reason"].map((id) =>
    document.getElementById(id));
  const rows = [...table.tBodies[0].rows].map((row) =>
    ({ row, text: row.textContent.toLocaleLowerCase() }));
  const count = document.getElementById("customers-count");
  const apply = () => {
    const [words, action, reason] = controls.map((control) => control.value);
    const parts = words.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { row, text } of rows) {
      const fits = parts.every((part) => text.includes(part)) &&
        (!action || row.dataset.action === action) && (!reason || row.dataset.reason === reason);
      row.hidden = !fits;
      shown += fits;
    }
    count.textContent = `${shown} of ${rows.length} customers shown`;
  };
  controls.forEach((control) => control.addEventListener("input", apply));
  document.getElementById("customers-clear").addEventListener("click", () => {
    controls.forEach((control) => { control.value = ""; });
    apply();
    controls[0].focus();
  });
  document.getElementById("customers-controls").hidden = false;
  apply();
}

async function start() {
  search();
  const [figures, { axes }] = [read("figures"), read("numbers")];
  await Promise.all([...document.querySelectorAll(".live")].map((place) =>
    enliven(place, figures[place.dataset.figure], axes)));
  slide();
  document.documentElement.dataset.ready = "yes";
}

start();
