"""Verdicts of Python's safetensors on files from standard input, each preceded by its length; one line of JSON per file."""
import json, struct, sys
from safetensors import deserialize


def verdict(file):
    """Types and shapes by name, or None for a file that is refused."""
    try:
        return {name: [info['dtype'], info['shape']] for name, info in deserialize(file)}
    except Exception:
        return None


if __name__ == '__main__':
    read = sys.stdin.buffer.read
    while len(head := read(4)) == 4:
        print(json.dumps(verdict(read(struct.unpack('<I', head)[0]))))
