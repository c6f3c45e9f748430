/** The published schemas of Kubernetes and of the Prometheus operator, by the validators of `kubernetes-models`. */

interface KubernetesKind {
  readonly apiVersion: string;
  readonly kind: string;
}
type Model = new (object: KubernetesKind) => { validate(): void };

/** @throws Error that names the fields that are wrong */
export async function validateObject(object: KubernetesKind): Promise<void> {
  const { apiVersion, kind } = object;
  const family = apiVersion.startsWith('monitoring.coreos.com/')
    ? '@kubernetes-models/prometheus-operator'
    : 'kubernetes-models';
  const { [kind]: model } = (await import(`${family}/${apiVersion}/${kind}`)) as Readonly<Record<string, Model>>;
  if (!model) throw new Error(`${apiVersion} has no ${kind}`);
  try {
    new model(object).validate();
  } catch (error) {
    throw new Error(`${kind}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
