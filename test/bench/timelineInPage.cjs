/**
 * What test/bench/timeline.ts runs in the timeline's page. Plain JavaScript: it has browser globals, which nothing else
 * that is compiled with the tests may have.
 */
/* global window, document, performance, requestAnimationFrame, MessageChannel, WheelEvent, KeyboardEvent, Event */

/** Remembers when something is clicked twice, in the workbench's page: milliseconds since the epoch. */
function watchClicks() {
  document.addEventListener(
    'dblclick',
    () => (window.benchClickedAt = performance.timeOrigin + performance.now()),
    true,
  );
}

const clickedAt = () => window.benchClickedAt;

/** When rows were first drawn, and all of them. */
const drawnAt = () => ({ first: window.virtiofsDrawTimes.first, complete: window.virtiofsDrawTimes.complete });

/**
 * Turns the wheel once a frame for some seconds; `still`: does nothing, which is what a frame is at least. The work of
 * a frame is what its main thread is busy from the first thing to the end of layout and painting, whosever it is.
 */
function frames(surface, { motion, seconds }) {
  const draws = window.virtiofsDrawTimes;
  const first = draws.count;
  const box = surface.getBoundingClientRect();
  const deltas = [];
  const works = [];
  const after = new MessageChannel();
  let began;
  after.port1.onmessage = () => works.push(performance.now() - began);
  const turnWheel = (way) =>
    surface.dispatchEvent(
      new WheelEvent('wheel', {
        deltaX: motion === 'pan' ? way * 24 : 0,
        deltaY: motion === 'zoom' ? way * 30 : 0,
        clientX: box.left + box.width * 0.6,
        clientY: box.top + box.height * 0.5,
        bubbles: true,
        cancelable: true,
      }),
    );
  return new Promise((resolve) => {
    let last = performance.now();
    const end = last + seconds * 1000;
    let turn = 0;
    const finish = () => {
      after.port1.close();
      const ascending = (a, b) => a - b;
      const at = (list, part) => list[Math.min(list.length - 1, Math.floor(part * list.length))] ?? 0;
      const many = Math.min(draws.times.length, draws.count - first);
      const drawn = Array.from({ length: many }, (_, i) => draws.times[(first + i) % draws.times.length]);
      for (const list of [drawn, deltas, works]) list.sort(ascending);
      resolve({
        frames: deltas.length,
        median: at(deltas, 0.5),
        p95: at(deltas, 0.95),
        longest: deltas[deltas.length - 1],
        workP95: at(works, 0.95),
        drawP95: at(drawn, 0.95),
      });
    };
    const step = () => {
      const now = performance.now();
      // The first ones wait for whatever was under way.
      if (turn > 1) deltas.push(now - last);
      last = now;
      if (now >= end) return finish();
      began = now;
      after.port2.postMessage(undefined);
      const way = Math.floor(turn++ / 60) % 2 === 0 ? -1 : 1;
      if (motion !== 'still') turnWheel(way);
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  });
}

/** Writes a filter and waits for the picture after the one that was there when the count changed. */
function filter(input, text) {
  const surface = document.getElementById('lanes');
  const count = document.querySelector('.count');
  return new Promise((resolve, reject) => {
    const before = count.textContent;
    const began = performance.now();
    let drawnAt;
    const look = () => {
      const { drawn } = surface.dataset;
      if (drawnAt === undefined && count.textContent !== before) drawnAt = drawn;
      if (drawnAt !== undefined && drawn !== drawnAt) {
        resolve({ milliseconds: performance.now() - began, passed: count.textContent });
      } else if (performance.now() - began > 20_000) reject(new Error(`the filter ${text} changes nothing`));
      else requestAnimationFrame(look);
    };
    input.value = text;
    input.dispatchEvent(new Event('input', { bubbles: true }));
    input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
    requestAnimationFrame(look);
  });
}

module.exports = { watchClicks, clickedAt, drawnAt, frames, filter };
