/** What the pages of `/docs` do in the browser; they can be read without it. */
import { addCopyButtons, chooseLanguages } from './examples.ts';
import { startSearch } from './search-box.ts';
import { sendExamples } from './send.ts';

/** A narrow page begins with its text. */
const NARROW = '(max-width: 50rem)';

function foldMenu(): void {
  const menu = document.querySelector<HTMLDetailsElement>('.menu');
  const narrow = matchMedia(NARROW);
  const fold = (): void => {
    if (menu) menu.open = !narrow.matches;
  };
  narrow.addEventListener('change', fold);
  menu?.addEventListener('click', (event) => {
    if (event.target instanceof HTMLAnchorElement) fold();
  });
  fold();
}

/** What a link names may be folded away. */
function unfoldTarget(): void {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const folded = target?.closest('details');
  if (!folded || folded.open) return;
  folded.open = true;
  folded.scrollIntoView();
}

foldMenu();
unfoldTarget();
addEventListener('hashchange', unfoldTarget);
chooseLanguages();
addCopyButtons();
sendExamples();
startSearch();
