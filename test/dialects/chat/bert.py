"""Erlang's external terms as a client of chat reads and writes them: no tag that the oldest one does not know is read."""
import struct


class Atom(str):
    pass


def encode(term):
    return b"\x83" + _encode(term)


def _encode(term):
    if isinstance(term, Atom):
        return b"d" + struct.pack(">H", len(term)) + term.encode("latin-1")
    if term is None or term == []:
        return b"j"
    if isinstance(term, str):
        return _encode(term.encode())
    if isinstance(term, bytes):
        return b"m" + struct.pack(">I", len(term)) + term
    if isinstance(term, float):
        return b"F" + struct.pack(">d", term)
    if isinstance(term, int):
        return _encode_int(term)
    if isinstance(term, tuple):
        return b"h" + bytes([len(term)]) + b"".join(map(_encode, term))
    return b"l" + struct.pack(">I", len(term)) + b"".join(map(_encode, term)) + b"j"


def _encode_int(number):
    if 0 <= number < 256:
        return b"a" + bytes([number])
    if -(2**31) <= number < 2**31:
        return b"b" + struct.pack(">i", number)
    digits = abs(number).to_bytes((abs(number).bit_length() + 7) // 8, "little")
    return b"n" + bytes([len(digits), number < 0]) + digits


def decode(data):
    if data[0] != 131:
        raise ValueError("no term")
    term, rest = _decode(data[1:])
    if rest:
        raise ValueError("bytes behind the term")
    return term


def _decode(data):
    tag, data = chr(data[0]), data[1:]
    if tag == "a":
        return data[0], data[1:]
    if tag == "b":
        return struct.unpack(">i", data[:4])[0], data[4:]
    if tag == "n":
        size = data[0]
        number = int.from_bytes(data[2 : 2 + size], "little")
        return (-number if data[1] else number), data[2 + size :]
    if tag == "F":
        return struct.unpack(">d", data[:8])[0], data[8:]
    if tag == "d":
        size = struct.unpack(">H", data[:2])[0]
        return Atom(data[2 : 2 + size].decode("latin-1")), data[2 + size :]
    if tag == "m":
        size = struct.unpack(">I", data[:4])[0]
        return data[4 : 4 + size], data[4 + size :]
    if tag == "j":
        return [], data
    if tag == "h":
        return _several(tuple, data[0], data[1:])
    if tag == "l":
        terms, data = _several(list, struct.unpack(">I", data[:4])[0], data[4:])
        tail, data = _decode(data)
        if tail != []:
            raise ValueError("an improper list")
        return terms, data
    raise ValueError(f"a client of 2017 does not know the tag {ord(tag)}")


def _several(kind, count, data):
    terms = []
    for _ in range(count):
        term, data = _decode(data)
        terms.append(term)
    return kind(terms), data
