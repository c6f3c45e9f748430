import { html, nothing, type TemplateResult } from 'lit/html.js';
import type { App } from '../app.ts';
import type { Model } from '../model.ts';

/** Nothing is shown without a key. */
export function gate({ phase, signInFault }: Model, app: App): TemplateResult {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const field = form.elements.namedItem('key') as HTMLInputElement;
    const keep = form.elements.namedItem('keep') as HTMLInputElement;
    const key = field.value.trim();
    // The key leaves the document with the attempt, whatever comes of it.
    field.value = '';
    if (key !== '') void app.signIn(key, keep.checked);
    else field.focus();
  };
  const isBusy = phase === 'signing-in';
  return html`<form @submit=${submit} autocomplete="off">
    <h1>Sign in</h1>
    <p>With an API key of this bridge. <b>read</b> shows how it is, <b>operate</b> shows and does the rest.</p>
    ${signInFault === undefined ? nothing : html`<p class="bad" role="alert">${signInFault}</p>`}
    <label for="key">API key</label>
    <input id="key" name="key" type="password" autocomplete="off" spellcheck="false" ?disabled=${isBusy} />
    <label class="keep"
      ><input type="checkbox" name="keep" ?disabled=${isBusy} /> Keep it for this tab, over a reload</label
    >
    <button type="submit" class="primary" ?disabled=${isBusy}>${isBusy ? 'Signing in…' : 'Sign in'}</button>
    <p class="quiet">
      Looking wakes nothing. The key stays in this page’s memory. No key yet? <code>npm run key</code>
    </p>
  </form>`;
}
