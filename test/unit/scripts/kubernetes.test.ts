import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { loadConfig } from '../../../container/host/config.ts';
import { keyRecord } from '../../support/bridge.ts';
import { validateObject } from '../../support/kubernetes-schemas.ts';

/** The overlays of `scripts/deploy/kubernetes`, built as `kubectl apply -k` builds them: each object, and what they name of each other. */

const ROOT = path.resolve(import.meta.dirname, '../../..');
const FOLDER = path.join(ROOT, 'scripts/deploy/kubernetes');
const GUIDE = readFileSync(path.join(ROOT, 'container/contract/docs/guides/13-kubernetes.md'), 'utf8');
const isThere = spawnSync('bash', ['-c', 'command -v kubectl']).status === 0;

type Labels = Readonly<Record<string, string>>;
interface Container {
  readonly name: string;
  readonly image: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly [other: string]: unknown;
}
interface PodSpec {
  readonly containers: readonly Container[];
  readonly volumes?: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
  readonly [other: string]: unknown;
}
interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Labels };
  readonly data?: Labels;
  readonly spec?: {
    readonly selector?: { readonly matchLabels?: Labels } & Labels;
    readonly template?: { readonly metadata: { readonly labels: Labels }; readonly spec: PodSpec };
    readonly ports?: readonly { readonly name: string; readonly targetPort: string }[];
    readonly [other: string]: unknown;
  };
}

function built(overlay: string): readonly KubernetesObject[] {
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', path.join(FOLDER, 'overlays', overlay)], {
    encoding: 'utf8',
  });
  expect([stderr, status]).toEqual(['', 0]);
  return parseAllDocuments(stdout).map((document) => document.toJS() as KubernetesObject);
}
const within = (selector: Labels, labels: Labels): boolean =>
  Object.entries(selector).every(([name, value]) => labels[name] === value);

const OVERLAYS = {
  one: [
    'ConfigMap',
    'Ingress',
    'NetworkPolicy',
    'PodDisruptionBudget',
    'Service',
    'ServiceAccount',
    'ServiceMonitor',
    'StatefulSet',
  ],
  several: [
    'ConfigMap',
    'Deployment',
    'HorizontalPodAutoscaler',
    'Ingress',
    'NetworkPolicy',
    'PodDisruptionBudget',
    'Service',
    'ServiceAccount',
    'ServiceMonitor',
    'StatefulSet',
  ],
} as const;

/** Without `kubectl`, too. */
it('each object in the files is of the schemas of Kubernetes, as it stands there', async () => {
  const files = globSync('{base,components/*}/*.yaml', { cwd: FOLDER }).filter(
    (file) => !file.endsWith('kustomization.yaml'),
  );
  expect(files.length).toBeGreaterThan(8);
  for (const file of files)
    for (const document of parseAllDocuments(readFileSync(path.join(FOLDER, file), 'utf8')))
      await validateObject(document.toJS() as KubernetesObject);
});

const title = isThere ? 'the overlay %s' : 'the overlay %s (SKIPPED: needs kubectl)';
describe.skipIf(!isThere).each(Object.entries(OVERLAYS))(title, (overlay, kinds) => {
  let objects: readonly KubernetesObject[];
  let folder: string;
  beforeAll(() => {
    objects = built(overlay);
    folder = mkdtempSync(path.join(tmpdir(), 'kubernetes-'));
    // A large program that a busy machine reads from its disk.
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  const pods = () =>
    objects.flatMap(({ kind, spec }) =>
      spec?.template ? [{ kind, labels: spec.template.metadata.labels, pod: spec.template.spec }] : [],
    );
  const podsOf = (selector: Labels) => pods().filter(({ labels }) => within(selector, labels));

  it('has all its objects, in one namespace', () => {
    expect([...new Set(objects.map(({ kind }) => kind))].toSorted()).toEqual(kinds);
    expect(new Set(objects.map(({ metadata }) => metadata.namespace))).toEqual(new Set(['mt5-edge-bridge']));
  });

  it('has objects of the schemas of Kubernetes', async () => {
    for (const object of objects) await validateObject(object);
  });

  it('selects pods that are there', () => {
    for (const { kind, metadata, spec } of objects) {
      const selector = kind === 'Service' ? spec?.selector : spec?.selector?.matchLabels;
      if (selector === undefined || kind === 'ServiceMonitor') continue;
      expect([kind, metadata.name, podsOf(selector).length > 0]).toEqual([kind, metadata.name, true]);
      for (const port of kind === 'Service' ? (spec?.ports ?? []) : [])
        for (const { pod } of podsOf(selector))
          expect(pod.containers[0]?.ports?.map(({ name }) => name)).toContain(port.targetPort);
    }
    // Two that run may never be of one volume.
    expect(objects.find(({ kind }) => kind === 'StatefulSet')?.spec).toMatchObject({ replicas: 1 });
  });

  it('runs nothing as root, with a right, on a root that can be written, without limits or probes', () => {
    for (const { pod } of pods()) {
      expect(pod).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      });
      for (const container of pod.containers)
        expect(container).toMatchObject({
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          resources: {
            requests: { cpu: expect.any(String) as string },
            limits: { memory: expect.any(String) as string },
          },
          readinessProbe: expect.any(Object) as object,
          livenessProbe: expect.any(Object) as object,
          image: expect.stringMatching(/:\d/) as string,
        });
    }
  });

  it('names secrets that the guide makes, and config that is there', () => {
    for (const { pod } of pods())
      for (const { secret } of pod.volumes ?? []) if (secret) expect(secret.secretName).toBe('mt5-edge-bridge');
    const text = JSON.stringify(objects);
    const keys = [...text.matchAll(/\/run\/secrets\/mt5-edge-bridge\/(\w+)/g), ...text.matchAll(/"key":"([\w.]+)"/g)];
    expect(keys.length).toBeGreaterThan(2);
    for (const [, key = ''] of keys) expect(GUIDE).toMatch(new RegExp(`--from-(?:file|literal)=${key}\\b`));
    for (const [, name] of text.matchAll(/"configMapRef":\{"name":"([^"]+)"/g))
      expect(objects.some(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === name)).toBe(true);
  });

  it('has a configuration that the program takes', async () => {
    writeFileSync(path.join(folder, 'mt5_password'), 'S3cretApi!');
    writeFileSync(path.join(folder, 'bridge_api_keys'), JSON.stringify([await keyRecord('desk', 'mt5k_x', ['read'])]));
    writeFileSync(path.join(folder, 'cluster'), 'redis://:s3cret@mt5-edge-bridge-redis:6379');
    const settings = objects.find(({ kind }) => kind === 'ConfigMap')?.data ?? {};
    const bridges = pods().flatMap(({ pod }) =>
      pod.containers.filter(({ image }) => image.includes('mt5-edge-bridge')),
    );
    expect(bridges).toHaveLength(overlay === 'one' ? 1 : 2);
    for (const { env = [] } of bridges) {
      const own = env.map(({ name, value = '10.1.2.3' }) => [name, value.replace('$(POD_IP)', '10.1.2.3')] as const);
      const all = Object.entries({ ...settings, ...Object.fromEntries(own) });
      const given = all.map(([name, value]) => [name, value.replace('/run/secrets/mt5-edge-bridge', folder)] as const);
      expect(loadConfig(Object.fromEntries(given))).toMatchObject({ login: '1000', password: 'S3cretApi!' });
    }
  });
});
