"""Runs in polars' own environment: waits for a line, reads the file to a frame, says how long.

Usage: python observations_polars_run.py FILE normalised|simplified reader OUT.ipc

What is fastest differs: `scan_ndjson` with a schema for instances, `read_json` with a schema for
pairs, which have to come as lists of texts, as polars' lists hold one type only.
"""

import json
import sys
import time

import polars as pl

TIME = "%Y-%m-%dT%H:%M:%SZ"
INSTANCE = pl.Struct(
    {"type": pl.String, "value": pl.Float64, "observedAt": pl.String, "unitCode": pl.String}
)
PAIRS = pl.Struct({"type": pl.String, "values": pl.List(pl.List(pl.String))})
HEAD = {"id": pl.String, "type": pl.String}


def time_of(column):
    return column.str.to_datetime(TIME, time_zone="UTC", time_unit="us").alias("time")


def normalised(table):
    instance = pl.col("temperature").struct
    return table.explode("temperature").select(
        "id",
        "type",
        time_of(instance.field("observedAt")),
        instance.field("value"),
        instance.field("unitCode"),
    )


def simplified(table):
    pairs = pl.col("temperature").struct.field("values").alias("pair")
    pair = pl.col("pair").list
    return (
        table.select("id", "type", pairs)
        .explode("pair")
        .select(
            "id",
            "type",
            time_of(pair.get(1)),
            pair.get(0).cast(pl.Float64).alias("value"),
        )
    )


READERS = {
    "scan_ndjson": lambda path, schema, tidy: tidy(pl.scan_ndjson(path, schema=schema)).collect(),
    "read_ndjson": lambda path, schema, tidy: tidy(pl.read_ndjson(path, schema=schema)),
    "read_json": lambda path, schema, tidy: tidy(pl.read_json(path, schema=schema)),
}


def main():
    path, form, reader, target = sys.argv[1:]
    tidy = normalised if form == "normalised" else simplified
    attribute = pl.List(INSTANCE) if form == "normalised" else PAIRS
    for _ in sys.stdin:
        started = time.perf_counter()
        frame = READERS[reader](path, HEAD | {"temperature": attribute}, tidy)
        seconds = time.perf_counter() - started
        frame.select(pl.col("time").cast(pl.Int64), "value").write_csv(target)
        print(json.dumps({"seconds": seconds, "version": pl.__version__}), flush=True)


if __name__ == "__main__":
    main()
