// What only a script can do. Every page works without it.
"use strict";

// Times and numbers in the reader's own zone and way of writing.
function localise(root) {
  const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
  for (const time of root.querySelectorAll("time[datetime]:not([data-left])")) {
    const date = new Date(time.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    time.textContent = moment.format(date);
    time.title = whole.format(date);
  }
  const number = new Intl.NumberFormat();
  for (const data of root.querySelectorAll("data[value]")) {
    if (/^-?\d{1,15}$/.test(data.value)) data.textContent = number.format(Number(data.value));
  }
}

// Moments that are typed: in the reader's zone here, in UTC as the form sends them.
function ownMoment(date) {
  const pad = (number) => String(number).padStart(2, "0");
  return date.getFullYear() + "-" + pad(date.getMonth() + 1) + "-" + pad(date.getDate())
    + "T" + pad(date.getHours()) + ":" + pad(date.getMinutes()) + ":" + pad(date.getSeconds());
}

function localiseMoments() {
  const zone = new Intl.DateTimeFormat(undefined, { timeZoneName: "short" });
  for (const field of document.querySelectorAll("input[data-moment]")) {
    const date = new Date(field.value + "Z");
    if (field.value && !Number.isNaN(date.getTime())) field.value = field.defaultValue = ownMoment(date);
    const part = zone.formatToParts(date.getTime() ? date : new Date()).find((one) => one.type === "timeZoneName");
    const label = document.querySelector("label[for='" + field.id + "'] .zone");
    if (label && part) label.textContent = "(" + part.value + ")";
    field.form.addEventListener("formdata", (event) => {
      const typed = new Date(field.value);
      if (field.value && !Number.isNaN(typed.getTime())) event.formData.set(field.name, typed.toISOString());
    });
  }
}

// How long an impersonation still lasts, counted from what the server says is left: the clock of the browser may be
// wrong. At its end the page is asked for once more.
function countDown() {
  const time = document.querySelector("time[data-left]");
  if (!time) return;
  const whole = Number(time.dataset.left), start = performance.now();
  const show = () => {
    const left = Math.max(0, Math.round(whole - (performance.now() - start) / 1000));
    time.textContent = "in " + Math.floor(left / 60) + ":" + String(left % 60).padStart(2, "0");
    if (left > 0) return;
    clearInterval(ticking);
    setTimeout(() => location.replace(time.dataset.onward), 1500);
  };
  const ticking = setInterval(show, 1000);
  show();
}

// Buttons that copy commands and keys.
function addCopyButtons() {
  if (!navigator.clipboard) return;
  for (const box of document.querySelectorAll(".copyable")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(box.querySelector("pre").textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    box.append(button);
  }
}

// One checkbox for all rows of a table.
function addSelectAll() {
  for (const head of document.querySelectorAll("th.select")) {
    const boxes = () => head.closest("table").querySelectorAll("td.select input");
    const all = document.createElement("input");
    all.type = "checkbox";
    all.setAttribute("aria-label", "Select all rows on this page");
    all.addEventListener("change", () => { for (const box of boxes()) box.checked = all.checked; });
    head.append(all);
  }
}

// Whether single letters are keys. Who speaks to the browser, or hits keys by chance, turns them off (WCAG 2.1.4).
const keysSetting = "gatehouse-single-keys";
let hasKeys = true;

function offerKeys() {
  try { hasKeys = localStorage.getItem(keysSetting) !== "off"; } catch { /* Then it is kept for this page alone. */ }
  const dialog = document.getElementById("keyboard-keys"), choice = document.getElementById("single-keys");
  const opener = document.getElementById("show-keys");
  if (!dialog || !choice || !opener) return;
  choice.checked = hasKeys;
  choice.addEventListener("change", () => {
    hasKeys = choice.checked;
    try { localStorage.setItem(keysSetting, hasKeys ? "on" : "off"); } catch { /* As above. */ }
  });
  opener.addEventListener("click", () => dialog.showModal());
  opener.parentElement.hidden = false;
}

// Keys: / searches, j and k walk the rows, Enter opens, x selects, ? explains.
let current = -1;
function rows() { return [...document.querySelectorAll("main tbody tr")]; }

function walk(step) {
  const all = rows();
  if (all.length === 0) return;
  if (all[current]) all[current].classList.remove("current");
  current = Math.min(all.length - 1, Math.max(0, current + step));
  const row = all[current];
  row.classList.add("current");
  const target = row.querySelector("a, input, button");
  if (target) target.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const field = event.target.closest("input:not([type=checkbox]), textarea, select, dialog");
  if (field) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (!hasKeys && event.key !== "Enter") return;
  const row = rows()[current];
  switch (event.key) {
    case "/": {
      const search = document.getElementById("search");
      if (!search) return;
      search.focus();
      search.select();
      break;
    }
    case "j": walk(1); break;
    case "k": walk(-1); break;
    case "x": {
      const box = row && row.querySelector("td.select input");
      if (!box) return;
      box.checked = !box.checked;
      break;
    }
    case "Enter": {
      const link = row && !event.target.closest("a, button, summary") && row.querySelector("td a");
      if (!link) return;
      link.click();
      break;
    }
    case "?": {
      const keys = document.getElementById("keyboard-keys");
      if (!keys || keys.open) return;
      keys.showModal();
      break;
    }
    default: return;
  }
  event.preventDefault();
}

// A form that is under way is not sent twice by an impatient click; the server would carry it out once anyway.
function onSubmit(event) {
  const button = event.submitter;
  if (!button || event.target.method === "dialog" || event.defaultPrevented) return;
  setTimeout(() => { button.disabled = true; }, 0);
  setTimeout(() => { button.disabled = false; }, 4000);
}

localise(document);
localiseMoments();
addCopyButtons();
addSelectAll();
offerKeys();
countDown();
document.addEventListener("keydown", onKey);
document.addEventListener("submit", onSubmit);
window.addEventListener("pageshow", () => { for (const button of document.querySelectorAll("button:disabled")) button.disabled = false; });
