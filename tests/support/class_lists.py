"""Class lists as heavy as they may be, up to 5 MB and 50,000 lines each, of the kinds that take longest to be read."""

_HEADER = "user_id,name,class,target_band"
_LINES = 49_900
_WIDE = "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}"  # eighteen letters, once it is taken apart
HEAVY: dict[str, bytes] = {
    "students": _HEADER.encode()
    + "".join(f"\nuser-{n},{'Trần Thị ' * 5}{n},Lớp {n % 9},6.5" for n in range(_LINES)).encode(),
    "blank lines": b"user_id\nu1\n" + b"\n" * 4_999_000,
    "the same id": b"user_id,name\n" + (b"a" * 45 + b"," + b"b" * 45 + b"\n") * _LINES,
    "marks on a letter": ("user_id,name\nu1," + "a" + "\u0323\u0301" * 60_000 + "\nu2,").encode(),
    "Windows-1258": ("user_id,name\n" + ("a" * 50 + "," + "Nguyê\u0303n " * 5 + "\n") * _LINES).encode("cp1258"),
    "captions between lines": b"user_id,name\n"
    + b"".join(b"Class %d %s,\nu%d,Ann\n" % (n, b"x" * 150, n) for n in range(_LINES // 2)),
    "one cell of backslashes": b"user_id\nu1\n" + b'\\"' * 60_000,
    "columns without a name": b"user_id"
    + b"," * 990
    + b"".join(b"\nuser-%d,%s" % (n, b"A" * 80) for n in range(_LINES)),
    "blanks before a separator": b" " * 4_999_000 + b"sep=,\nuser_id\nu1",
    "the heading in each line": ("user_id,name,note\n" + f"u1,{_WIDE * 20},user_id\n" * _LINES).encode(),
    "wide letters in the header": ",".join(["user_id", *(f"{n}{_WIDE * 50}" for n in range(900))]).encode() + b"\nu1",
    "a date in each line": b"user_id,test_date\n"
    + b"".join(
        b'u%d,"%sSept %d, 20%02d %s"\n' % (n, b" " * 50, n % 31, n % 90, b"12:%02d:%02d" % (n % 60, n % 59))
        for n in range(_LINES)
    ),
}
