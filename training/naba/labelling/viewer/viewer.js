// Labelled articles: filters kept in the address, the probabilities of a segment, words that were found marked.
(() => {
  "use strict";

  const { topics, stances, articles, answers } = JSON.parse(document.getElementById("index").textContent);
  const section = document.getElementById("articles");
  const lines = [...section.querySelectorAll("li.said")]; // one a segment, in the order of `answers`
  const blocks = [...section.querySelectorAll(".block")];
  const parts = [...section.querySelectorAll("article")];
  const articleOf = articles.flatMap(([, , segments], place) => Array(segments).fill(place));
  const LETTER = 8.6, LINE = 35, AROUND = 55, HEAD = 90; // pixels, as viewer.css has them
  const place = new Map(lines.map((line, number) => [line, number]));
  const linesOf = new Map(blocks.map((block) => [block, [...block.querySelectorAll("li.said")]]));

  // An answer: id, start, end, then of each topic 1 + the stance's place (0: absent), its probability, the stances'.
  const WIDTH = 2 + stances.length;
  const topicOf = (answer, topic) => answer.slice(3 + topic * WIDTH, 3 + (topic + 1) * WIDTH);
  const labels = answers.map((answer) => topics.flatMap((_, topic) => {
    const [stance, sure, ...shares] = topicOf(answer, topic);
    return stance ? [{ topic, stance: stance - 1, sure, stanceSure: shares[stance - 1] }] : [];
  }));

  // ---- words -------------------------------------------------------------------------------------------------------
  // Letters that are written one for the other find each other; vowel signs, tatweel and marks of direction are passed over.
  const ALIKE = ["اأإآٱ", "يىئیې", "هةہۀۃھ", "وؤ", "كکگ", "0٠۰", "1١۱", "2٢۲", "3٣۳", "4٤۴", "5٥۵", "6٦۶", "7٧۷", "8٨۸", "9٩۹"];
  const PASSED = "[\\u0610-\\u061a\\u0640\\u064b-\\u065f\\u0670\\u06d6-\\u06ed\\u200b-\\u200f\\u061c]";
  const pattern = (word) => new RegExp(
    [...word.replace(new RegExp(PASSED, "gu"), "")]
      .map((letter) => {
        const alike = ALIKE.find((letters) => letters.includes(letter));
        return alike ? `[${alike}]` : letter.replace(/[\\^$.*+?()[\]{}|\/-]/u, "\\$&");
      })
      .join(`${PASSED}*`), "giu");
  let texts = null; // read from the page when they are first searched
  const said = (line) => [...line.querySelectorAll(":scope > p, .rest > p")].map((part) => part.firstChild).filter(Boolean);
  function has(number, words) {
    if (!words.length) return true;
    texts ??= lines.map((line) => said(line).map((node) => node.data).join(""));
    return words.every((word) => texts[number].search(word) >= 0);
  }

  // ---- filters -----------------------------------------------------------------------------------------------------
  const panel = document.querySelector(".filters");
  const form = panel.querySelector("form");
  const status = panel.querySelector(".status");
  const { words, from, to, source, whole, "topic-probability": leastTopic, "stance-probability": leastStance } = form.elements;
  const boxes = { topic: [...form.querySelectorAll("[name=topic]")], stance: [...form.querySelectorAll("[name=stance]")] };
  const sourceNames = [...source.options].map((option) => option.textContent);
  let passing = lines.map(() => true);
  let looked = []; // the words that were searched, as patterns

  function wanted() {
    const chosen = (kind) => new Set(boxes[kind].flatMap((box, number) => (box.checked ? [number] : [])));
    const patterns = words.value.split(/\s+/u).map(pattern).filter((one) => one.source !== "(?:)");
    return {
      topics: chosen("topic"), stances: chosen("stance"), source: source.selectedIndex - 1, words: patterns,
      topicSure: Math.round(leastTopic.value * 10000), stanceSure: Math.round(leastStance.value * 10000),
      inDates: (date) => (!from.value && !to.value) || (date !== "" && date >= from.value && (!to.value || date <= to.value)),
    };
  }

  // Each count tells how many segments would be there if that box alone of its kind were checked.
  function apply() {
    const want = wanted();
    const none = topics.length;
    const counts = { topic: Array(none + 1).fill(0), stance: Array(stances.length).fill(0), source: Array(sourceNames.length - 1).fill(0) };
    const topicFits = (topic) => !want.topics.size || want.topics.has(topic);
    const stanceFits = (stance) => !want.stances.size || want.stances.has(stance);
    const labelled = want.stances.size || want.topicSure || want.stanceSure; // asks for more than any segment without topic has
    const dateFits = articles.map(([, date]) => want.inDates(date));
    passing = labels.map((its, number) => {
      const article = articleOf[number];
      if (!dateFits[article] || !has(number, want.words)) return false;
      const sure = its.filter((label) => label.sure >= want.topicSure && label.stanceSure >= want.stanceSure);
      const empty = !its.length && !want.stances.size;
      const fits = sure.some((label) => topicFits(label.topic) && stanceFits(label.stance))
        || (empty && (want.topics.has(none) || (!want.topics.size && !labelled)));
      const [origin] = articles[article];
      if (fits) counts.source[origin] += 1;
      if (want.source >= 0 && want.source !== origin) return false;
      for (const label of sure) if (stanceFits(label.stance)) counts.topic[label.topic] += 1;
      if (empty) counts.topic[none] += 1;
      for (const stance of new Set(sure.filter((label) => topicFits(label.topic)).map((label) => label.stance))) counts.stance[stance] += 1;
      return fits;
    });
    looked = want.words;
    tell(counts);
    show();
  }

  function tell(counts) {
    const number = (value) => value.toLocaleString("en");
    for (const kind of ["topic", "stance"]) boxes[kind].forEach((box, at) => { box.parentElement.querySelector("output").textContent = number(counts[kind][at]); });
    [...source.options].forEach((option, at) => { if (at) option.textContent = `${sourceNames[at]} (${number(counts.source[at - 1])})`; });
    for (const input of [leastTopic, leastStance]) input.previousElementSibling.querySelector(".value").textContent = Number(input.value).toFixed(2);
    const found = passing.filter(Boolean).length;
    const within = new Set(articleOf.filter((_, at) => passing[at])).size;
    status.textContent =
      `${number(found)} of ${number(lines.length)} segments in ${number(within)} of ${number(articles.length)} articles`;
    section.querySelector(".nothing").hidden = found > 0 || !lines.length;
  }

  function show() {
    const all = passing.every(Boolean);
    const alive = new Set(articleOf.filter((_, at) => passing[at]));
    lines.forEach((line, at) => {
      const around = !passing[at] && whole.checked && alive.has(articleOf[at]);
      const gone = !passing[at] && !around;
      if (line.hidden !== gone) line.hidden = gone; // setting what is there already costs time, too
      if (line.classList.contains("around") !== around) line.classList.toggle("around", around);
    });
    parts.forEach((part, at) => { part.hidden = !all && !alive.has(at); });
    for (const [block, its] of linesOf) block.hidden = its.length > 0 && !block.querySelector("header") && its.every((line) => line.hidden);
    estimate();
    hide();
    mark();
  }

  // ---- the address ---------------------------------------------------------------------------------------------------
  function remember() {
    const state = new URLSearchParams();
    for (const [key, value] of new FormData(form)) if (value !== "" && !(key.endsWith("probability") && Number(value) === 0)) state.append(key, value);
    const hash = state.toString();
    if (hash || location.hash.includes("=")) history.replaceState(null, "", `#${hash}`);
  }
  function recall() {
    const state = new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
    for (const input of form.elements) {
      if (!input.name) continue;
      if (input.type === "checkbox") input.checked = state.getAll(input.name).includes(input.value);
      else if (input.type === "range") input.value = Number(state.get(input.name)) || 0; // without a number it would go to the middle
      else input.value = state.get(input.name) ?? "";
    }
    if (source.selectedIndex < 0) source.selectedIndex = 0; // a source that this page has not
    apply();
  }
  let waiting = 0;
  function changed() {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      apply();
      remember();
      if (section.getBoundingClientRect().top < 0 && getComputedStyle(panel).position === "sticky") section.scrollIntoView({ behavior: "instant" });
    }, 120);
  }
  form.addEventListener("input", changed);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(changed));
  addEventListener("hashchange", () => { if (location.hash.includes("=")) recall(); });

  // ---- the probabilities of a segment ------------------------------------------------------------------------------
  const make = (tag, text = "", css = "") => Object.assign(document.createElement(tag), { textContent: text, className: css });
  function share(value, chosen) {
    const cell = make("td", (value / 10000).toFixed(2), chosen ? "share chosen" : "share");
    cell.style.backgroundSize = `${value / 100}% 3px`;
    return cell;
  }
  const SAID = {
    model: "Probability of each topic (✓: it is there), and of each stance if the topic is there",
    firstStage: "Screened: the model did not read this. The first stage’s probability of each topic, and of each stance how often topics have it",
  };
  function table(line) {
    const answer = answers[place.get(line)];
    const found = make("table");
    found.append(make("caption", line.classList.contains("screened") ? SAID.firstStage : SAID.model));
    const head = found.createTHead().insertRow();
    for (const text of ["", "topic", ...stances]) head.append(make("th", text));
    const body = found.createTBody();
    topics.forEach((name, topic) => {
      const [stance, sure, ...shares] = topicOf(answer, topic);
      const row = body.insertRow();
      row.className = stance ? "" : "absent";
      row.append(make("th", `${stance ? "✓ " : ""}${name}`), share(sure, false));
      shares.forEach((value, at) => row.append(share(value, at === stance - 1)));
    });
    return found;
  }

  const tip = document.getElementById("probabilities");
  let described = null;
  function hide() {
    described?.removeAttribute("aria-describedby");
    described = null;
    if (tip.matches(":popover-open")) tip.hidePopover();
  }
  function hover(button) {
    if (described === button || button.getAttribute("aria-expanded") === "true") return;
    hide();
    described = button;
    button.setAttribute("aria-describedby", "probabilities");
    tip.replaceChildren(table(button.closest("li")));
    tip.showPopover();
    put(button);
  }
  function put(button) {
    const { left, right, bottom, top } = button.getBoundingClientRect();
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(8, Math.min((left + right - width) / 2, document.documentElement.clientWidth - width - 8))}px`;
    tip.style.top = `${bottom + height + 2 > innerHeight && top > height ? top - height - 2 : bottom + 2}px`;
  }
  function toggle(button) {
    const open = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!open));
    hide();
    if (open) return button.nextElementSibling.remove();
    const line = button.closest("li");
    const shown = make("div", "", "panel");
    const [id, start, end] = answers[place.get(line)];
    shown.append(table(line), make("p", `Segment ${id}${start === null || end === null ? "" : `, characters ${start}–${end} of the article`}`));
    shown.lang = "en";
    return button.after(shown);
  }
  const button = (event) => event.target.closest?.("button.answer");
  let leaving = 0;
  section.addEventListener("pointerover", (event) => {
    if (event.pointerType !== "mouse" || !button(event)) return;
    clearTimeout(leaving);
    hover(button(event));
  });
  const leave = () => { leaving = setTimeout(hide, 200); }; // time to reach the tip itself
  section.addEventListener("pointerout", (event) => { if (described && button(event)) leave(); });
  tip.addEventListener("pointerenter", () => clearTimeout(leaving));
  tip.addEventListener("pointerleave", leave);
  section.addEventListener("focusin", (event) => { if (button(event)?.matches(":focus-visible")) hover(button(event)); });
  section.addEventListener("focusout", hide);
  section.addEventListener("click", (event) => { if (button(event)) toggle(button(event)); });
  addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  addEventListener("scroll", () => { if (described) put(described); }, { passive: true });

  // ---- what is near the window -------------------------------------------------------------------------------------
  // Heights of what was not laid out yet, so that the scroll bar tells the truth.
  const near = new Set();
  const lengths = lines.map((line) => line.firstElementChild.textContent.length);
  function estimate() {
    const across = Math.min(section.clientWidth, 900) / LETTER;
    for (const [block, its] of linesOf) {
      const height = its.reduce((sum, line) => sum + (line.hidden ? 0 : Math.ceil(lengths[place.get(line)] / across) * LINE + AROUND), 0);
      block.style.containIntrinsicBlockSize = `auto ${Math.round(height + HEAD)}px`;
    }
  }
  const found = typeof Highlight === "function" ? new Highlight() : null;
  if (found) CSS.highlights.set("found", found);
  function mark() {
    if (!found) return;
    found.clear();
    if (!looked.length) return;
    for (const node of [...near].flatMap((block) => linesOf.get(block)).filter((line) => !line.hidden).flatMap(said)) {
      for (const word of looked) {
        for (const { index, 0: { length } } of node.data.matchAll(word)) {
          const range = new StaticRange({ startContainer: node, startOffset: index, endContainer: node, endOffset: index + length });
          found.add(range);
        }
      }
    }
  }
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) near[isIntersecting ? "add" : "delete"](target);
    if (looked.length) mark();
  }, { rootMargin: "400px" });
  for (const block of blocks) observer.observe(block);

  panel.hidden = false;
  if (matchMedia("(max-width: 56rem)").matches) panel.querySelector("details").open = false;
  recall();
})();
