import { backendSuite } from '@grok/testing';
import { onnx } from '../src/index.js';

backendSuite('onnx, 1 thread', () => onnx({ threads: 1 }));
backendSuite('onnx, 2 threads', () => onnx({ threads: 2 }));
