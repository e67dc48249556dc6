/**
 * Dropout masks are most of a step's random bits (2.6 million values for the paper's teacher), so
 * the generator of `rng.ts` is also written for WebAssembly's 128-bit registers: its four lanes
 * are one register, and each round produces sixteen mask values. The bits match the plain code.
 */

/** Writes `count` (a multiple of 16) mask values of 0 and 1 from lanes a, b, c, counter, four words each. */
export type MaskKernel = (state: Uint32Array, count: number, threshold: number) => Uint8Array;

// The WebAssembly opcodes used here.
const END = 0x0b;
const [I32, V128] = [0x7f, 0x7b];
const simd = (code: number): number[] =>
  code < 128 ? [0xfd, code] : [0xfd, (code & 127) | 128, 1];
const i32 = (value: number): number[] => {
  const out = [0x41];
  for (let rest = value; ; rest >>= 7) {
    const done = (rest >> 7 === 0 && (rest & 64) === 0) || (rest >> 7 === -1 && (rest & 64) !== 0);
    out.push((rest & 127) | (done ? 0 : 128));
    if (done) return out;
  }
};
const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const load = (offset: number): number[] => [...i32(0), ...simd(0x00), 4, offset];
const add = simd(0xae);
const shl = (by: number): number[] => [...i32(by), ...simd(0xab)];
const shr = (by: number): number[] => [...i32(by), ...simd(0xad)];
const xor = simd(0x51);
const or = simd(0x50);

// Locals: pointer, end, threshold; then a, b, c, counter, two words, and the threshold in eight
// 16-bit lanes.
const [POINTER, LIMIT, THRESHOLD, A, B, C, COUNTER, W0, W1, EIGHT] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/** One round of sfc32 on four lanes: word = a + b + counter, and so on as in `rng.ts`. */
const turn = (word: number): number[] => [
  ...[...get(A), ...get(B), ...add, ...get(COUNTER), ...add, ...set(word)],
  ...[...get(COUNTER), ...i32(1), ...simd(0x11), ...add, ...set(COUNTER)],
  ...[...get(B), ...get(B), ...shr(9), ...xor, ...set(A)],
  ...[...get(C), ...get(C), ...shl(3), ...add, ...set(B)],
  ...[...get(C), ...shl(21), ...get(C), ...shr(11), ...or, ...get(word), ...add, ...set(C)],
];
const body = [
  ...[2, 6, V128, 1, V128], // locals 3–8 and 9
  ...[A, B, C, COUNTER].flatMap((local, i) => [...load(16 * i), ...set(local)]),
  ...[...get(THRESHOLD), ...simd(0x10), ...set(EIGHT)],
  ...[0x03, 0x40], // loop
  ...turn(W0),
  ...turn(W1),
  ...get(POINTER),
  ...[...get(W0), ...get(EIGHT), ...simd(0x30)], // i16x8.lt_u: all ones if below
  ...[...get(W1), ...get(EIGHT), ...simd(0x30)],
  ...[...simd(0x65), ...i32(1), ...simd(0x0f), ...simd(0x4e)], // narrow to bytes, then AND with 1
  ...[...simd(0x0b), 4, 0], // store
  ...[...get(POINTER), ...i32(16), 0x6a, 0x22, POINTER],
  ...[...get(LIMIT), 0x48, 0x0d, 0, END], // loop while pointer < end
  END,
];
const section = (id: number, content: readonly number[]): number[] => [
  id,
  ...size(content.length),
  ...content,
];
const size = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, n >> 7]);
const module = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, [1, 0x60, 3, I32, I32, I32, 0]),
  ...section(3, [1, 0]),
  ...section(5, [1, 0, 1]),
  ...section(7, [2, 1, 0x6d, 2, 0, 1, 0x66, 0, 0]), // exports "m" (memory) and "f"
  ...section(10, [1, ...size(body.length), ...body]),
]);

const STATE_BYTES = 64;
const PAGE = 65536;

/** Kernels by the memory that they write to. */
const kernels = new WeakMap<ArrayBufferLike, MaskKernel>();

/** The kernel that writes to a buffer of `createMaskBuffer` in place. */
export function findMaskKernel(buffer: Uint8Array): MaskKernel | undefined {
  return buffer.byteOffset === STATE_BYTES ? kernels.get(buffer.buffer) : undefined;
}
/** A buffer of `n` mask values in a kernel's own memory, reused without copies; an ordinary buffer if there is no kernel. */
export function createMaskBuffer(n: number): Uint8Array {
  const kernel = createMaskKernel();
  if (kernel === undefined) return new Uint8Array(n);
  const buffer = kernel(new Uint32Array(16), rounded(n), 0).subarray(0, n);
  kernels.set(buffer.buffer, kernel);
  return buffer;
}
/** Rounds `n` up to a multiple of the values per round. */
export const rounded = (n: number): number => Math.ceil(n / 16) * 16;

/** A kernel with its own memory, or undefined if the engine has no WebAssembly SIMD. */
export function createMaskKernel(): MaskKernel | undefined {
  let instance: WebAssembly.Instance;
  try {
    compiled ??= new WebAssembly.Module(module);
    instance = new WebAssembly.Instance(compiled);
  } catch {
    return undefined;
  }
  const memory = instance.exports.m as WebAssembly.Memory;
  const fill = instance.exports.f as (pointer: number, end: number, threshold: number) => void;
  return (state, count, threshold) => {
    const end = STATE_BYTES + count;
    const missing = Math.ceil((end - memory.buffer.byteLength) / PAGE);
    if (missing > 0) memory.grow(missing);
    new Uint32Array(memory.buffer, 0, 16).set(state);
    fill(STATE_BYTES, end, threshold);
    return new Uint8Array(memory.buffer, STATE_BYTES, count);
  };
}
let compiled: WebAssembly.Module | undefined;
