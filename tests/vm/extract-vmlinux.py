"""extract-vmlinux.py VMLINUZ OUT: takes the ELF kernel out of a bzImage, so that qemu need not unpack it in emulation.

The layout is Documentation/arch/x86/boot.rst: setup_sects at 0x1f1, payload_offset and payload_length at 0x248.
"""
import lzma
import struct
import subprocess
import sys
import zlib

UNPACKERS = [
    (b"\xfd7zXZ\0", lambda body: lzma.LZMADecompressor().decompress(body)),
    (b"\x28\xb5\x2f\xfd", lambda body: run("zstd", body)),
    (b"\x02\x21\x4c\x18", lambda body: run("lz4", body)),
    (b"\x1f\x8b", lambda body: zlib.decompressobj(31).decompress(body)),
]


def run(tool, body):
    return subprocess.run([tool, "-dc"], input=body, stdout=subprocess.PIPE, check=False).stdout


def main(source, target):
    with open(source, "rb") as file:
        image = file.read()
    start = ((image[0x1F1] or 4) + 1) * 512
    offset, length = struct.unpack_from("<II", image, 0x248)
    payload = image[start + offset : start + offset + length]
    size = struct.unpack("<I", payload[-4:])[0]
    for magic, unpack in UNPACKERS:
        if payload.startswith(magic):
            # lz4 and zstd report trailing bytes (the size) as an error after all is unpacked; the length check below decides.
            kernel = unpack(payload[:-4])
            break
    else:
        sys.exit(f"{source}: unknown compression {payload[:6].hex()}")
    if not kernel.startswith(b"\x7fELF") or len(kernel) != size:
        sys.exit(f"{source}: unpacked {len(kernel)} bytes, expected an ELF file of {size}")
    with open(target, "wb") as file:
        file.write(kernel)


if __name__ == "__main__":
    main(*sys.argv[1:3])
