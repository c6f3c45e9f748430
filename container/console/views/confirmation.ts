import { html, nothing, type TemplateResult } from 'lit/html.js';
import { ref } from 'lit/directives/ref.js';
import type { App } from '../app.ts';
import type { Model } from '../model.ts';

/** Modal: what is behind cannot be reached, Escape goes back. */
export function confirmationDialog({ confirmation, isActing }: Model, app: App): TemplateResult | typeof nothing {
  if (!confirmation) return nothing;
  const { title, happens, verb, reason, isDangerous } = confirmation;
  const open = (element: Element | undefined): void => {
    // Told of first while it is no part of the document yet, and cannot be shown.
    queueMicrotask(() => {
      if (element instanceof HTMLDialogElement && element.isConnected && !element.open) element.showModal();
    });
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const field = (event.target as HTMLFormElement).elements.namedItem('reason') as HTMLInputElement | null;
    void app.act(confirmation, field?.value.trim() ?? '');
  };
  return html`<dialog ${ref(open)} aria-labelledby="confirmation-title" @close=${() => app.confirm(undefined)}>
    <form @submit=${submit} autocomplete="off">
      <h2 id="confirmation-title" data-source="page">${title}</h2>
      <ul>
        ${happens.map((line) => html`<li data-source="page">${line}</li>`)}
      </ul>
      ${
        reason
          ? html`<label for="reason">${reason.label}</label
              ><input id="reason" name="reason" maxlength="500" required .value=${reason.value} />`
          : nothing
      }
      <div class="actions">
        <button type="button" ?disabled=${isActing} @click=${() => app.confirm(undefined)}>Go back</button>
        <button type="submit" class=${isDangerous ? 'danger' : 'primary'} ?disabled=${isActing}>
          ${isActing ? 'Doing it…' : verb}
        </button>
      </div>
    </form>
  </dialog>`;
}
