import { html, type TemplateResult } from 'lit/html.js';
import { count, milliseconds, quantile } from '../format.ts';
import { startPhases } from '../history.ts';
import type { Model } from '../model.ts';
import { panel } from './panel.ts';

/** How long each part of a start took. */
export const coldStarts = (model: Model): TemplateResult =>
  panel(model, {
    id: 'cold-starts',
    title: 'Cold starts',
    source: 'journal',
    body: ({ items }, fig) => {
      const phases = startPhases(items);
      const from = 'phasesMs of the starts and sign-ins in GET /admin/journal';
      const cell = (values: readonly number[], share: number): TemplateResult =>
        html`<td class="num">${fig.derived(milliseconds(quantile(values, share) ?? 0), from)}</td>`;
      return phases.length === 0
        ? html`<p class="quiet">No start has told its phases yet.</p>`
        : html`<table>
            <thead>
              <tr>
                <th>Phase</th>
                <th class="num">Median</th>
                <th class="num">Slow (p95)</th>
                <th class="num">Starts</th>
              </tr>
            </thead>
            <tbody>
              ${phases.map(
                ({ phase, values }) =>
                  html`<tr>
                    <td>${PHASES[phase] ?? phase}</td>
                    ${cell(values, 0.5)} ${cell(values, 0.95)}
                    <td class="num">${fig.derived(count(values.length), from)}</td>
                  </tr>`,
              )}
            </tbody>
          </table>`;
    },
  });

const PHASES: Readonly<Record<string, string>> = {
  instance: 'Container, until its process began',
  process: 'Program, until it listened',
  permit: 'Leave to sign in',
  tls: 'TLS connection to the broker',
  signIn: 'Sign-in at the broker',
  firstAnswer: 'All, until the first answer',
};
