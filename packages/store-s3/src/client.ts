/** Objects below a prefix of a bucket: whole ones, read and written under conditions. */
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { InputError, RunError } from '@grok/core';

/** Options of the store `s3`. */
export interface S3Options {
  /** A server that is not AWS's, such as `http://127.0.0.1:8333`; its buckets are parts of the path. */
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  /** Whether buckets are parts of the path; default: where there is an endpoint. */
  readonly forcePathStyle?: boolean | undefined;
}
/** An object, and the tag of this version of it. */
interface Found {
  readonly bytes: Uint8Array;
  readonly tag: string;
}
/** Under which condition an object is written: none is there, or the version of a tag. */
type Condition = { readonly absent: true } | { readonly tag: string };
/** Objects by their names below a prefix. Its methods throw `RunError`. */
export interface Bucket {
  readonly where: string;
  get(name: string): Promise<Found | undefined>;
  /** Writes a whole object; gives its tag, or undefined where the condition does not hold. */
  put(name: string, bytes: Uint8Array, condition?: Condition): Promise<string | undefined>;
  /** Names directly below a folder. */
  list(folder: string): Promise<readonly string[]>;
  remove(name: string): Promise<void>;
}

const DEFAULT_REGION = 'us-east-1';
/** Answers to a condition that does not hold; the second where two write at once. */
const REFUSED = [412, 409];

/** The objects of `s3://bucket/prefix`. @throws InputError on another address. */
export function connectBucket(
  address: string,
  { endpoint, region, forcePathStyle = endpoint !== undefined }: S3Options,
): Bucket {
  const [, bucket = '', rest = ''] = /^s3:\/\/([^/]+)(?:\/(.*?))?\/?$/.exec(address) ?? [];
  if (bucket === '')
    throw new InputError(
      `store "s3": address must be s3://bucket/prefix, got ${JSON.stringify(address)}`,
    );
  const client = new S3Client({
    forcePathStyle,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined && process.env.AWS_REGION === undefined
      ? { region: DEFAULT_REGION }
      : {}),
    ...(region === undefined ? {} : { region }),
  });
  const formatKey = (name: string): string => (rest === '' ? name : `${rest}/${name}`);
  const where = address.replace(/\/$/, '');
  const explain = explainFor(where, endpoint);
  return {
    where,
    get: (name) =>
      explain('read', name, async () => {
        try {
          const found = await client.send(
            new GetObjectCommand({ Bucket: bucket, Key: formatKey(name) }),
          );
          const bytes = (await found.Body?.transformToByteArray()) ?? new Uint8Array();
          return { bytes: new Uint8Array(bytes), tag: found.ETag ?? '' };
        } catch (error) {
          if (error instanceof NoSuchKey) return undefined;
          throw error;
        }
      }),
    put: (name, bytes, condition) =>
      explain('write', name, async () => {
        try {
          const { ETag = '' } = await client.send(
            new PutObjectCommand({
              ...{ Bucket: bucket, Key: formatKey(name), Body: bytes },
              ...conditionHeaders(condition),
            }),
          );
          return ETag;
        } catch (error) {
          if (condition !== undefined && isRefused(error)) return undefined;
          throw error;
        }
      }),
    list: (folder) =>
      explain('read', folder, async () => {
        const prefix =
          folder === '' && rest === '' ? '' : `${formatKey(folder)}/`.replace(/\/+$/, '/');
        const names: string[] = [];
        let token: string | undefined;
        do {
          const page = await client.send(
            new ListObjectsV2Command({
              ...{ Bucket: bucket, Prefix: prefix, Delimiter: '/' },
              ...(token === undefined ? {} : { ContinuationToken: token }),
            }),
          );
          names.push(
            ...(page.Contents ?? []).flatMap(({ Key }) => Key?.slice(prefix.length) || []),
          );
          token = page.NextContinuationToken;
        } while (token !== undefined);
        return names;
      }),
    remove: (name) =>
      explain('remove', name, async () => {
        await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: formatKey(name) }));
      }),
  };
}

function conditionHeaders(condition?: Condition): { IfNoneMatch?: '*'; IfMatch?: string } {
  if (condition === undefined) return {};
  return 'absent' in condition ? { IfNoneMatch: '*' } : { IfMatch: condition.tag };
}

/** A condition that did not hold; a tag of what is gone is answered as a missing object. */
function isRefused(error: unknown): boolean {
  if (!(error instanceof S3ServiceException)) return false;
  return REFUSED.includes(error.$metadata.httpStatusCode ?? 0) || error.name === 'NoSuchKey';
}

type Explain = <T>(verb: string, name: string, action: () => Promise<T>) => Promise<T>;

/** Failures name the object, what the server said, and what to do. */
function explainFor(where: string, endpoint: string | undefined): Explain {
  return async (verb, name, action) => {
    try {
      return await action();
    } catch (error) {
      const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      throw new RunError(`${where}/${name}: cannot ${verb} (${said}); ${advise(error, endpoint)}`, {
        cause: error,
      });
    }
  };
}

function advise(error: unknown, endpoint: string | undefined): string {
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  if (status === 403)
    return 'allow s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket, or give other keys';
  if (status === 404) return 'create the bucket';
  if (status !== undefined) return 'try again, then resume the run';
  return `check the keys (AWS_ACCESS_KEY_ID) and that ${endpoint ?? 'AWS'} can be reached, then resume the run`;
}
