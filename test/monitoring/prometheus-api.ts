/** One series of the result of an instant query. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

interface ApiAnswer<T> {
  readonly status: string;
  readonly error?: string;
  readonly data: T;
}

/** The part of Prometheus's API that the tests use. */
export class PrometheusApi {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** @throws Error if the query is invalid */
  async query(expr: string): Promise<Sample[]> {
    const { result } = await this.#get<{
      result: { metric: Record<string, string>; value: [number, string] }[];
    }>('query', { query: expr });
    return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  /** The values of a label in the series of a metric, as in Grafana's `label_values`. */
  labelValues(label: string, metric: string): Promise<string[]> {
    return this.#get(`label/${label}/values`, { 'match[]': metric });
  }

  /** All rules with the health of their last evaluation. */
  async rules(): Promise<{ readonly name: string; readonly health: string }[]> {
    const { groups } = await this.#get<{
      groups: { rules: { name: string; health: string }[] }[];
    }>('rules', {});
    return groups.flatMap(({ rules }) => rules);
  }

  async #get<T>(path: string, parameters: Readonly<Record<string, string>>): Promise<T> {
    const url = `${this.#url}/api/v1/${path}?${new URLSearchParams(parameters)}`;
    const answer = (await (await fetch(url)).json()) as ApiAnswer<T>;
    if (answer.status !== 'success') throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  }
}
