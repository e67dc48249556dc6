/**
 * Events of TensorBoard as protobuf bytes, field numbers beside the names of event.proto, summary.proto,
 * tensor.proto and the plugin `hparams`' plugin_data.proto. Scalars are float64: they are read back as
 * they are.
 */
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { HistogramBins } from './histogram.js';

type ConfigValue = string | number | boolean | null;
type Write = (to: BinaryWriter) => void;

const FLOAT64 = 2; // DataType.DT_DOUBLE
const STRING = 7; // DataType.DT_STRING
const [SCALAR, TENSOR, BLOB_SEQUENCE] = [1, 2, 3]; // DataClass

function message(to: BinaryWriter, field: number, write: Write): void {
  to.tag(field, WireType.LengthDelimited).fork();
  write(to);
  to.join();
}

/** What an event says: its value under a tag. */
interface Value {
  readonly tag: string;
  readonly plugin: string;
  readonly dataClass?: number;
  readonly content?: Uint8Array;
  readonly tensor?: Write;
}

/** `Event` with a summary. `wallTime` is in seconds since 1970. */
function encodeEvent(wallTime: number, step: number, values: readonly Value[]): Uint8Array {
  const to = new BinaryWriter();
  to.tag(1, WireType.Bit64).double(wallTime);
  to.tag(2, WireType.Varint).int64(step);
  message(to, 5, (summary) => {
    for (const value of values) message(summary, 1, (it) => writeValue(it, value));
  });
  return to.finish();
}

function writeValue(to: BinaryWriter, { tag, plugin, dataClass, content, tensor }: Value): void {
  to.tag(1, WireType.LengthDelimited).string(tag);
  if (tensor !== undefined) message(to, 8, tensor);
  message(to, 9, (metadata) => {
    message(metadata, 1, (data) => {
      data.tag(1, WireType.LengthDelimited).string(plugin);
      if (content !== undefined) data.tag(2, WireType.LengthDelimited).bytes(content);
    });
    if (dataClass !== undefined) metadata.tag(4, WireType.Varint).int32(dataClass);
  });
}

/** `TensorProto` of float64 values, in the order of rows. */
const float64Tensor =
  (shape: readonly number[], values: readonly number[]): Write =>
  (to) => {
    to.tag(1, WireType.Varint).int32(FLOAT64);
    writeShape(to, shape);
    message(to, 6, (packed) => {
      for (const value of values) packed.double(value);
    });
  };

const bytesTensor =
  (values: readonly Uint8Array[]): Write =>
  (to) => {
    to.tag(1, WireType.Varint).int32(STRING);
    writeShape(to, [values.length]);
    for (const value of values) to.tag(8, WireType.LengthDelimited).bytes(value);
  };

function writeShape(to: BinaryWriter, shape: readonly number[]): void {
  message(to, 2, (it) => {
    for (const size of shape) message(it, 2, (dim) => dim.tag(1, WireType.Varint).int64(size));
  });
}

/** The first event of a file. */
export function versionEvent(wallTime: number): Uint8Array {
  const to = new BinaryWriter();
  to.tag(1, WireType.Bit64).double(wallTime);
  to.tag(3, WireType.LengthDelimited).string('brain.Event:2');
  return to.finish();
}

/** Scalars of a step, by name. */
export function scalarsEvent(
  wallTime: number,
  step: number,
  scalars: Readonly<Record<string, number>>,
): Uint8Array {
  const values = Object.entries(scalars).map(
    ([tag, value]): Value => ({
      ...{ tag, plugin: 'scalars', dataClass: SCALAR },
      tensor: float64Tensor([], [value]),
    }),
  );
  return encodeEvent(wallTime, step, values);
}

/** Histograms of a step, by name. */
export function histogramsEvent(
  wallTime: number,
  step: number,
  histograms: Readonly<Record<string, HistogramBins>>,
): Uint8Array {
  const values = Object.entries(histograms).map(
    ([tag, bins]): Value => ({
      ...{ tag, plugin: 'histograms', dataClass: TENSOR },
      tensor: float64Tensor(
        [bins.length, 3],
        bins.flatMap(({ left, right, count }) => [left, right, count]),
      ),
    }),
  );
  return encodeEvent(wallTime, step, values);
}

/** A picture: its size in pixels, and the bytes of a PNG. */
export interface ImageSummary {
  readonly width: number;
  readonly height: number;
  readonly png: Uint8Array;
}

/** Pictures of a step, by name. */
export function picturesEvent(
  wallTime: number,
  step: number,
  pictures: Readonly<Record<string, ImageSummary>>,
): Uint8Array {
  const text = (value: number): Uint8Array => new TextEncoder().encode(String(value));
  const values = Object.entries(pictures).map(
    ([tag, { width, height, png }]): Value => ({
      ...{ tag, plugin: 'images', dataClass: BLOB_SEQUENCE },
      tensor: bytesTensor([text(width), text(height), png]),
    }),
  );
  return encodeEvent(wallTime, step, values);
}

/** A document of a step, such as an analysis: shown as preformatted text. */
export function textEvent(wallTime: number, step: number, tag: string, text: string): Uint8Array {
  const tensor = bytesTensor([new TextEncoder().encode(text)]);
  return encodeEvent(wallTime, step, [{ tag, plugin: 'text', dataClass: TENSOR, tensor }]);
}

/** `HParamsPluginData` with a `SessionStartInfo`: the run's hyperparameters; runs of a group differ in their seed. */
export function hparamsStartEvent(
  wallTime: number,
  hparams: Readonly<Record<string, ConfigValue>>,
  group: string,
): Uint8Array {
  const content = pluginData(3, (start) => {
    for (const [key, value] of Object.entries(hparams))
      message(start, 1, (entry) => {
        entry.tag(1, WireType.LengthDelimited).string(key);
        message(entry, 2, (it) => writeProtobufValue(it, value));
      });
    start.tag(4, WireType.LengthDelimited).string(group);
    start.tag(5, WireType.Bit64).double(wallTime);
  });
  return hparamsEvent(wallTime, '_hparams_/session_start_info', content);
}

/** `HParamsPluginData` with a `SessionEndInfo`. */
export function hparamsEndEvent(wallTime: number, hasFailed: boolean): Uint8Array {
  const content = pluginData(4, (end) => {
    end.tag(1, WireType.Varint).int32(hasFailed ? 2 : 1); // STATUS_FAILURE, STATUS_SUCCESS
    end.tag(2, WireType.Bit64).double(wallTime);
  });
  return hparamsEvent(wallTime, '_hparams_/session_end_info', content);
}

function hparamsEvent(wallTime: number, tag: string, content: Uint8Array): Uint8Array {
  const tensor = float64Tensor([], [0]); // a value without one is passed over
  return encodeEvent(wallTime, 0, [{ tag, plugin: 'hparams', content, tensor }]);
}

function pluginData(field: number, write: Write): Uint8Array {
  const to = new BinaryWriter();
  message(to, field, write);
  return to.finish();
}

/** `google.protobuf.Value`. */
function writeProtobufValue(to: BinaryWriter, value: ConfigValue): void {
  if (typeof value === 'number') to.tag(2, WireType.Bit64).double(value);
  else if (typeof value === 'boolean') to.tag(4, WireType.Varint).bool(value);
  else to.tag(3, WireType.LengthDelimited).string(value ?? 'null');
}

/** The step that an event is of. */
export function readStep(event: Uint8Array): number {
  const from = new BinaryReader(event);
  while (from.pos < from.len) {
    const [field, wire] = from.tag();
    if (field === 2) return Number(from.int64());
    from.skip(wire);
  }
  return 0;
}
