"""The messages of shim/proto/*.proto in protobuf's wire format, without generated code: the files themselves are the schema.

    data = encode("KillRequest", id="one", signal=9)
    answer = decode("StateResponse", data)      # answer.pid; a field that is not there has its type's zero
"""

import glob
import os
import re
import struct
import types

PROTO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../shim/proto/*.proto")
MESSAGE = re.compile(r"^message (\w+) \{(?:\}|\n(.*?)^\})", re.MULTILINE | re.DOTALL)
ENUM = re.compile(r"^enum (\w+) \{(.*?)^\}", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"^\s*(repeated )?(\w+) (\w+) = (\d+);", re.MULTILINE)
CONSTANT = re.compile(r"^\s*(\w+) = (\d+);", re.MULTILINE)

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
INTEGERS = ["int32", "int64", "uint32", "uint64", "bool"]

messages = {}  # name -> {number: (field, type, repeated)}
enums = {}  # name -> {constant: value}


def read_schema():
    for path in sorted(glob.glob(PROTO)):
        with open(path, encoding="utf-8") as file:
            text = re.sub(r"//.*", "", file.read())
        for name, body in MESSAGE.findall(text):
            fields = FIELD.findall(body)
            messages[name] = {int(number): (field, kind, bool(many)) for many, kind, field, number in fields}
        for name, body in ENUM.findall(text):
            enums[name] = {constant: int(value) for constant, value in CONSTANT.findall(body)}


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data, place):
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & ((1 << 64) - 1), place
        shift += 7


def encode_value(kind, value):
    """The wire type and the bytes."""
    if kind == "double":
        return FIXED64, struct.pack("<d", value)
    if kind in INTEGERS or kind in enums:
        return VARINT, varint(int(value))
    if kind == "string":
        value = value.encode()
    elif kind != "bytes":
        value = encode(kind, **value)
    return BYTES, varint(len(value)) + value


def encode(message, **values):
    out = b""
    for number, (field, kind, repeated) in sorted(messages[message].items()):
        value = values.pop(field, None)
        if value is None:
            continue
        for one in value if repeated else [value]:
            wire_type, data = encode_value(kind, one)
            out += varint(number << 3 | wire_type) + data
    if values:
        raise TypeError(f"{message} has no field {', '.join(values)}")
    return out


def zero(kind):
    if kind in ("string", "bytes"):
        return "" if kind == "string" else b""
    return decode(kind, b"") if kind in messages else 0


def read_field(data, place, wire_type):
    if wire_type == VARINT:
        return read_varint(data, place)
    if wire_type == BYTES:
        length, place = read_varint(data, place)
    else:
        length = {FIXED64: 8, FIXED32: 4}[wire_type]
    if place + length > len(data):
        raise ValueError(f"{length} bytes announced, {len(data) - place} there")
    return data[place:place + length], place + length


def decode_value(kind, raw):
    if kind == "double":
        return struct.unpack("<d", raw)[0]
    if kind == "string":
        return raw.decode()
    if kind in ("int32", "int64"):
        return raw - (1 << 64) if raw >> 63 else raw
    return decode(kind, raw) if kind in messages else raw


def decode(message, data):
    fields = messages[message]
    result = types.SimpleNamespace(**{field: [] if many else zero(kind) for field, kind, many in fields.values()})
    place = 0
    while place < len(data):
        tag, place = read_varint(data, place)
        raw, place = read_field(data, place, tag & 7)
        if tag >> 3 in fields:
            field, kind, repeated = fields[tag >> 3]
            value = decode_value(kind, raw)
            if repeated:
                getattr(result, field).append(value)
            else:
                setattr(result, field, value)
    return result


read_schema()
