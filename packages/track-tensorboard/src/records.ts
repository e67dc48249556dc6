/** TFRecord files: length, masked CRC-32C of the length, bytes, masked CRC-32C of the bytes (tensorflow/core/lib/io/record_writer.h). */

const TABLE: Uint32Array = new Uint32Array(256).map((_, i) => {
  let crc = i;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

/** CRC-32C (Castagnoli) of some bytes. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] ?? 0);
  return ~crc >>> 0;
}

function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** One record of a file. */
export function encodeTfRecord(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length + 16);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(bytes.length), true);
  view.setUint32(8, maskedCrc(out.subarray(0, 8)), true);
  out.set(bytes, 12);
  view.setUint32(12 + bytes.length, maskedCrc(bytes), true);
  return out;
}

/** A record of a file that is read, and the byte after it. */
export interface FoundRecord {
  readonly bytes: Uint8Array;
  readonly end: number;
}

/** The whole and intact records at the beginning of a file; what a kill cut short is left out. */
export function readRecords(file: Uint8Array): readonly FoundRecord[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const found: FoundRecord[] = [];
  for (let at = 0; at + 16 <= file.length; ) {
    const length = Number(view.getBigUint64(at, true));
    const end = at + 16 + length;
    if (end > file.length || view.getUint32(at + 8, true) !== maskedCrc(file.subarray(at, at + 8)))
      break;
    const bytes = file.subarray(at + 12, at + 12 + length);
    if (view.getUint32(end - 4, true) !== maskedCrc(bytes)) break;
    found.push({ bytes, end });
    at = end;
  }
  return found;
}
