/** MLflow's REST API, as much of it as a run needs (https://mlflow.org/docs/latest/rest-api.html). */

/** A server, and how long one request may take. */
export interface MlflowServer {
  /** Such as `http://127.0.0.1:5000`. */
  readonly uri: string;
  readonly headers: Readonly<Record<string, string>>;
}

const TIMEOUT = 10_000;

/** What MLflow answers an error with. */
interface Refusal {
  readonly error_code?: string;
  readonly message?: string;
}
/** An answer that is an error; `code` such as `RESOURCE_DOES_NOT_EXIST`. */
export class MlflowError extends Error {
  readonly code: string | undefined;
  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

/** Calls `api/2.0/mlflow/…`. @throws MlflowError in one line. */
export async function callMlflow<T>(
  server: MlflowServer,
  method: 'GET' | 'POST',
  path: string,
  given: object,
): Promise<T> {
  const query =
    method === 'GET'
      ? `?${new URLSearchParams(Object.entries(given).map(([key, value]) => [key, String(value)]))}`
      : '';
  const response = await request(server, `api/2.0/mlflow/${path}${query}`, {
    method,
    ...(method === 'POST'
      ? { body: JSON.stringify(given), headers: { 'content-type': 'application/json' } }
      : {}),
  });
  const answer: T = await response.json();
  return answer;
}

/** Writes an artifact through the server. @throws MlflowError in one line. */
export async function putArtifact(
  server: MlflowServer,
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  await request(server, `api/2.0/mlflow-artifacts/artifacts/${path}`, {
    method: 'PUT',
    body: bytes,
  });
}

async function request(
  { uri, headers }: MlflowServer,
  path: string,
  init: {
    method: string;
    body?: string | Uint8Array<ArrayBuffer>;
    headers?: Record<string, string>;
  },
): Promise<Response> {
  const url = `${uri.replace(/\/$/, '')}/${path}`;
  let response: Response;
  try {
    const send = (): Promise<Response> =>
      fetch(url, {
        ...init,
        headers: { ...headers, ...init.headers },
        signal: AbortSignal.timeout(TIMEOUT),
      });
    // A connection that was kept may be closed by the server while a step blocks this process.
    response = await send().catch((error: unknown) => {
      if (/^(UND_ERR_SOCKET|ECONNRESET|EPIPE)$/.test(describe(error))) return send();
      throw error;
    });
  } catch (error) {
    throw new MlflowError(
      `MLflow at ${uri} cannot be reached (${describe(error)}); start it, or give its address: mlflow:uri=http://…`,
    );
  }
  if (response.ok) return response;
  const text = await response.text();
  const { error_code, message } = parse(text);
  throw new MlflowError(
    `MLflow at ${uri} refused ${path.replace(/\?.*/, '')} (${response.status}): ${message ?? text.slice(0, 200)}`,
    error_code,
  );
}

function parse(text: string): Refusal {
  try {
    const answer: Refusal = JSON.parse(text);
    return answer;
  } catch {
    return {};
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof Error && 'code' in cause) return String(cause.code);
  return error.name === 'TimeoutError' ? `no answer within ${TIMEOUT / 1000} s` : error.message;
}
