"""The digest of a finding: its rows, and nothing else."""

from __future__ import annotations

import struct
from dataclasses import replace
from hashlib import sha256

import numpy as np

from aegis.engine.findings import Finding
from tests.engine.telemetry import at_ns, finding


def test_the_digest_is_of_all_times_then_all_values_little_endian() -> None:
    one = finding(times_s=(0, 60, 120), values=(1.5, -2.0, 0.25))
    times = struct.pack("<3q", at_ns(0), at_ns(60), at_ns(120))
    assert one.digest() == sha256(times + struct.pack("<3d", 1.5, -2.0, 0.25)).hexdigest()


def test_the_order_of_rows_never_matters() -> None:
    one = finding(times_s=(0, 60, 60, 120), values=(1, 2, 3, 4))
    other = finding(times_s=(120, 60, 0, 60), values=(4, 3, 1, 2))
    assert one.digest() == other.digest()


def test_names_and_verdicts_are_no_part_of_it() -> None:
    one = finding("cart", "cpu", 2.0, subject="cpu_usage")
    other = finding("stock", "disk", 9.0, subject="io", share=0.1, onset_s=5)
    assert one.digest() == other.digest()


def test_a_moved_value_changes_it() -> None:
    one = finding(times_s=(0, 60), values=(1, 2))
    assert one.digest() != finding(times_s=(0, 60), values=(2, 1)).digest()


def test_memory_layout_is_no_part_of_it() -> None:
    one = finding(times_s=(0, 60, 120), values=(1, 2, 3))
    strided = np.array([1.0, 9, 2, 9, 3, 9])[::2]
    assert replace(one, values=strided).digest() == one.digest()


def test_rows_are_put_in_order_of_time_not_of_value() -> None:
    one = finding(times_s=(60, 0), values=(1, 2))
    times = struct.pack("<2q", at_ns(0), at_ns(60))
    assert one.digest() == sha256(times + struct.pack("<2d", 2.0, 1.0)).hexdigest()


def test_a_finding_touches_every_request_unless_it_says_less() -> None:
    times, values = np.array([at_ns(0)]), np.array([1.0])
    one = Finding(
        "metrics", "cpu", "cart", None, "cpu_usage", "", 2.0, 1.0, 2.0, "%", times, values
    )
    assert one.share == 1.0
