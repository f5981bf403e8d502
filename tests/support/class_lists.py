"""Class lists as heavy as they may be, 5 MB each, of the kinds that take longest to be read."""

_HEADER = "user_id,name,class,target_band"
HEAVY: dict[str, bytes] = {
    "students": _HEADER.encode() + "".join(f"\nuser-{n},Trần Thị {n},Lớp {n % 9},6.5" for n in range(110_000)).encode(),
    "blank lines": b"user_id\nu1\n" + b"\n" * 4_999_000,
    "the same id": b"user_id,name\n" + b"aaaaaaaaaaaaaa,bbbbbbbbbbbbbb\n" * 149_000,
    "marks on a letter": ("user_id,name\nu1," + "a" + "\u0323\u0301" * 60_000 + "\nu2,").encode(),
    "Windows-1258": ("user_id,name\n" + "aaaaaaaaaaaaaaaaaa,Nguyê\u0303n\n" * 149_000).encode("cp1258"),
    "captions between lines": b"user_id,name\n" + b"".join(b"Class %d,\nu%d,Ann\n" % (n, n) for n in range(74_000)),
    "one cell of backslashes": b"user_id\nu1\n" + b'\\"' * 60_000,
    "columns without a name": b"user_id" + b"," * 990 + b"".join(b"\nuser-%d,Ann" % n for n in range(149_000)),
    "blanks before a separator": b" " * 4_999_000 + b"sep=,\nuser_id\nu1",
}
