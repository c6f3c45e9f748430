/** Examples in several languages: one is shown, the reader's choice on every page; each has a button that copies it. */

const CHOICE = 'docs-language';

export function chooseLanguages(): void {
  const tabs = [...document.querySelectorAll<HTMLElement>('.tabs')];
  const show = (language: string): void => {
    for (const group of tabs) {
      const panels = [...group.querySelectorAll<HTMLElement>(':scope > figure')];
      const shown = panels.find((panel) => panel.dataset['lang'] === language) ?? panels[0];
      for (const panel of panels) panel.hidden = panel !== shown;
      for (const button of group.querySelectorAll<HTMLElement>('.choices button'))
        button.setAttribute('aria-pressed', String(button.dataset['lang'] === shown?.dataset['lang']));
    }
  };
  for (const group of tabs) group.prepend(choicesOf(group, show));
  show(remembered() ?? 'sh');
}

function choicesOf(group: HTMLElement, show: (language: string) => void): HTMLElement {
  const choices = document.createElement('div');
  choices.className = 'choices';
  for (const panel of group.querySelectorAll<HTMLElement>(':scope > figure')) {
    const caption = panel.querySelector('figcaption');
    const language = panel.dataset['lang'] ?? '';
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = caption?.textContent ?? language;
    button.dataset['lang'] = language;
    button.addEventListener('click', () => {
      // What is clicked stays where it is, however long the other examples above are.
      const before = button.getBoundingClientRect().top;
      show(language);
      scrollBy(0, button.getBoundingClientRect().top - before);
      remember(language);
    });
    caption?.remove();
    choices.append(button);
  }
  return choices;
}

/** A browser may forbid it. */
function remembered(): string | null {
  try {
    return localStorage.getItem(CHOICE);
  } catch {
    return null;
  }
}
function remember(language: string): void {
  try {
    localStorage.setItem(CHOICE, language);
  } catch {
    // Chosen for this page then.
  }
}

const COPIED_MS = 1500;

export function addCopyButtons(): void {
  for (const example of document.querySelectorAll<HTMLElement>('.block > pre.code')) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'copy';
    button.textContent = 'Copy';
    const copy = async (): Promise<void> => {
      await navigator.clipboard.writeText(example.textContent);
      button.textContent = 'Copied';
      setTimeout(() => (button.textContent = 'Copy'), COPIED_MS);
    };
    button.addEventListener('click', () => void copy());
    example.after(button);
  }
}
