import { render } from 'lit/html.js';
import { App } from './app.ts';
import type { Model } from './model.ts';
import { page } from './views/page.ts';

/** The page for people: what `App` knows, drawn once a frame at most. */
const root = document.getElementById('console');
if (!root) throw new Error('index.html has no element of the id console.');
root.replaceChildren();

let due: Model | undefined;
const app = new App((model) => {
  if (due === undefined) requestAnimationFrame(draw);
  due = model;
});

function draw(): void {
  if (due && root) render(page(due, app), root);
  due = undefined;
}
