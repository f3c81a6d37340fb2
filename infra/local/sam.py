"""`sam` as it is, but packing at the fastest level: on this machine compressing big debug bins takes longer than
everything else, and nothing is sent anywhere."""

from __future__ import annotations

import zlib


def main() -> None:
    # What `zipfile` takes when it is not told, as by sam.
    setattr(zlib, "Z_DEFAULT_COMPRESSION", zlib.Z_BEST_SPEED)  # noqa: B010  (typed as a constant)
    from samcli.cli.main import cli

    cli(prog_name="sam")


if __name__ == "__main__":
    main()
