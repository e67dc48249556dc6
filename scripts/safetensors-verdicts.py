"""Verdicts of Python's safetensors on small files, valid, odd and mutated: packages/core/test/runs/safetensors-verdicts.json.

pip install safetensors==0.8.0, then: python scripts/safetensors-verdicts.py > packages/core/test/runs/safetensors-verdicts.json
"""
import base64, json, random, struct
from torture.judge import verdict

ONE = '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
TWO = '{"__metadata__":{"k":"v"},"b":{"dtype":"U8","shape":[2,1],"data_offsets":[4,6]},"a":{"dtype":"I32","shape":[],"data_offsets":[0,4]}}'
ZERO = bytes(4)

def pack(header, data=b''):
    raw = header if isinstance(header, bytes) else header.encode()
    return struct.pack('<Q', len(raw)) + raw + data

def of_type(dtype, bits, n=4):
    size = bits * n // 8
    return pack('{"a":{"dtype":"%s","shape":[%d],"data_offsets":[0,%d]}}' % (dtype, n, size), bytes(size))

BITS = dict(BOOL=8, F4=4, F6_E2M3=6, F6_E3M2=6, U8=8, I8=8, F8_E5M2=8, F8_E4M3=8, F8_E8M0=8, F8_E4M3FNUZ=8, F8_E5M2FNUZ=8,
            I16=16, U16=16, F16=16, BF16=16, I32=32, U32=32, F32=32, C64=64, F64=64, I64=64, U64=64, X9=8, f32=32)
files = [of_type(t, b) for t, b in BITS.items()] + [of_type('F4', 4, 3), of_type('F4', 4, 0)]
def one(old, new, data=ZERO): files.append(pack(ONE.replace(old, new), data))
def lone(body, data=ZERO): files.append(pack('{"a":{%s}}' % body, data))
def entry(x): return ONE.replace('"shape"', x + ',"shape"')
for meta in ('null', '{}', '[]', '{"a":1}', '{"a":null}', '"x"', '{"x":"1","x":"2"}', '{"x":"1"},"__metadata__":{"y":"2"}', 'null,"__metadata__":null'):
    files.append(pack('{"__metadata__":%s,%s' % (meta, ONE[1:]), ZERO))
for header in ('{}', '[]', 'null', '1', '', '{"a":null}', '{"a":1}', '{"__metadata__":{}}', '{"a":["F32",[1]]}', '{"a":' + '[' * 200 + ']' * 200 + '}'):
    files.append(pack(header))
for header in (b'\xef\xbb\xbf' + ONE.encode(), ' ' + ONE, '\n\t\r' + ONE, ONE + '   ', ONE.encode() + b'\0', ONE + 'x', '\x0b' + ONE,
               b'{"\xff' + ONE.encode()[2:], '{"a\nb' + ONE[3:], '{"\\ud800' + ONE[3:], '{"\\ud83d\\ude00' + ONE[3:], '{"\\u0000' + ONE[3:],
               '{"__proto__' + ONE[3:], '{"constructor' + ONE[3:], '{"' + ONE[3:], '{"a":["F32",[1],[0,4]]}', '{"a":["F32",[1],[0,4],0]}',
               ONE[:-1] + ',' + ONE[1:], ONE[:-1] + ',' + ONE[1:].replace('[0,4]', '[4,8]'), ONE[:-1] + ',}',
               entry('"x":1'), entry('"x":1,"x":2'), entry('"x":1e999'), entry('"x":' + '9' * 400), entry('"x":"\\ud800"'),
               entry('"x":' + '[' * 125 + ']' * 125), entry('"x":' + '[' * 126 + ']' * 126), entry('"x":01'), entry('"dtype":"F32"'), entry('"shape":[1]')):
    files.append(pack(header, ZERO))
for shape in ('[1.0]', '[1e0]', '[01]', '[+1]', '[-1]', '[true]', '["1"]', 'null', '1', '{}', '[[1]]', '[]', '[1,1]', '[0]', '[2]', '[18446744073709551615]',
              '[18446744073709551616]', '[9007199254740993]', '[4294967296,4294967296,4294967296]'):
    one('[1]', shape)
for offsets in ('[-0,4]', '[0,4.0]', '[0,4,5]', '[0]', '[4,0]', '[4,8]', '[0,8]', '[-4,0]', 'null', '{"0":0,"1":4}', '[0,18446744073709551615]', '[0,18446744073709551616]'):
    one('[0,4]', offsets); one('[0,4]', offsets, bytes(8))
for dtype in ('1', 'null', '{"F32":null}', '{"F32":{}}', '{"F32":null,"F64":null}', '["F32"]', '"F\\u00332"'):
    one('"F32"', dtype)
for data in (b'', bytes(3), bytes(5)): files.append(pack(ONE, data))
for body in ('"dtype":"F32","data_offsets":[0,4]', '"shape":[1],"data_offsets":[0,4]', '"dtype":"F32","shape":[1]'): lone(body)
for a, b in (('[0]', '[2,2]'), ('[0]', '[4,4]'), ('[0]', '[0,0]'), ('[1]', '[0,4]'), ('[0]', '[5,5]'),
             ('[4294967296,4294967296,4294967296,0]', '[0,0]'), ('[0,4294967296,4294967296,4294967296]', '[0,0]'), ('[0,9007199254740993]', '[0,0]')):
    files.append(pack('{"z":{"dtype":"F32","shape":%s,"data_offsets":%s},%s' % (a, b, ONE[1:]), ZERO))
files += [b'', b'1234567', bytes(8), struct.pack('<Q', 100_000_001) + b'{}', b'\xff' * 8 + b'{}', struct.pack('<Q', 3) + b'{}']
rng = random.Random(1)
TOKENS = [b'"', b'{', b'}', b'[', b']', b',', b':', b'0', b'1', b'-', b'.', b'e', b' ', b'\\', b'null', b'4', b'\x00', b'\x80', b'"a"', b'"shape"', b'F16']
for _ in range(600):
    header, length = rng.choice([(ONE, 4), (TWO, 6)])
    base = bytearray(pack(header, bytes(length)))
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        at = rng.randrange(8, len(base) - length + 1)
        cut = rng.choice([0, 1, 1, 2])
        base[at:at + cut] = rng.choice([b'', rng.choice(TOKENS), bytes([rng.randrange(256)])])
    if rng.random() < .9:  # a length that fits again
        base[:8] = struct.pack('<Q', max(0, len(base) - 8 - length))
    files.append(bytes(base))
seen = {}
for file in files: seen.setdefault(file, verdict(file))
print('[\n' + ',\n'.join(json.dumps([base64.b64encode(f).decode(), v]) for f, v in seen.items()) + '\n]')
