"""What Goniec counts, for Prometheus. Labels are stages, channels and outcomes; never a person.

Counts live in Redis, so that every process adds to the same ones and any of them can show them. They are
only counts: when Redis is away they are not taken, and after FLUSHALL they begin at zero, as Prometheus
expects of a restart.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import redis
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

_KEY = "goniec:metrics"
_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 21600.0, 86400.0)
_COUNTERS = {
    "goniec_rows_handled": ("Rows a stage finished.", ("stage", "outcome")),
    "goniec_attempts": ("Attempts at delivering.", ("channel", "outcome")),
    "goniec_candidates": ("How candidates ended in composing.", ("outcome", "reason")),
    "goniec_errors": ("Unexpected errors: someone must look.", ("part",)),
}
_HISTOGRAMS = {
    "goniec_published_to_sent_seconds": (
        "From an event to its delivery; a digest waits for its time by design.",
        ("channel",),
    ),
}
Waiting = dict[str, tuple[int, float]]
Missing = dict[str, tuple[int, float]]


class Metrics:
    """Adds to the counts. Never raises: a count must not stop the work that it counts."""

    def __init__(self, redis_url: str) -> None:
        self._redis = redis.Redis.from_url(redis_url, socket_timeout=1, socket_connect_timeout=1)
        self._lock = threading.Lock()
        self._away_until = 0.0

    def handled(self, stage: str, outcome: str, rows: int = 1) -> None:
        self._add({f"goniec_rows_handled|{stage}|{outcome}": rows})

    def attempts(self, channel: str, outcome: str, number: int = 1) -> None:
        self._add({f"goniec_attempts|{channel}|{outcome}": number})

    def candidates(self, *, issued: int, excluded: Iterable[str], waiting: int) -> None:
        """A round of composing; `excluded` has a reason for each candidate left out."""
        counts = {f"goniec_candidates|excluded|{why}": n for why, n in Counter(excluded).items()}
        counts |= {"goniec_candidates|issued|": issued, "goniec_candidates|waiting|": waiting}
        self._add({field: number for field, number in counts.items() if number})

    def error(self, part: str) -> None:
        self._add({f"goniec_errors|{part}": 1})

    def sent_after(self, channel: str, seconds: list[float]) -> None:
        """Times from event to delivery, in seconds."""
        name = f"goniec_published_to_sent_seconds|{channel}"
        counts: dict[str, float] = {f"{name}|sum": sum(seconds)}
        for one in seconds:
            bucket = next((b for b in _BUCKETS if one <= b), "+Inf")
            counts[f"{name}|{bucket}"] = counts.get(f"{name}|{bucket}", 0) + 1
        self._add(counts)

    def _add(self, counts: Mapping[str, float]) -> None:
        if time.monotonic() < self._away_until:
            return
        try:
            pipe = self._redis.pipeline(transaction=False)
            for field, number in counts.items():
                pipe.hincrbyfloat(_KEY, field, number)
            pipe.execute()
        except redis.RedisError:
            self._away_until = time.monotonic() + 5

    def render(self, waiting: Waiting, missing: Missing | None = None) -> bytes:
        """The Prometheus text; `waiting` is {stage: (rows due, seconds the oldest has waited)}, `missing`
        {matcher's shard that takes no turns: (events it holds back, seconds since the first)}."""
        try:
            counts = {key.decode(): float(value) for key, value in self._redis.hgetall(_KEY).items()}  # type: ignore[union-attr]
        except redis.RedisError:
            counts = {}
        registry = CollectorRegistry()
        registry.register(_Shown(counts, waiting, missing or {}))
        return generate_latest(registry)

    def close(self) -> None:
        self._redis.close()


class _Shown(Collector):
    def __init__(self, counts: dict[str, float], waiting: Waiting, missing: Missing) -> None:
        self._counts = {tuple(field.split("|")): number for field, number in counts.items()}
        self._waiting, self._missing = waiting, missing

    def collect(self) -> Iterator[Metric]:
        rows = GaugeMetricFamily(
            "goniec_rows_waiting", "Rows due at a stage, counted up to 10,000.", labels=["stage"]
        )
        oldest = GaugeMetricFamily(
            "goniec_oldest_waiting_seconds", "Since the oldest due row fell due.", labels=["stage"]
        )
        for stage, (due, seconds) in self._waiting.items():
            rows.add_metric([stage], due)
            oldest.add_metric([stage], seconds)
        yield rows
        yield oldest
        yield from self._shards()
        for name, (text, labels) in _COUNTERS.items():
            family = CounterMetricFamily(name, text, labels=labels)
            for field, number in self._counts.items():
                if field[0] == name and len(field) == len(labels) + 1:
                    family.add_metric(list(field[1:]), number)
            yield family
        for name, (text, labels) in _HISTOGRAMS.items():
            yield self._histogram(name, text, labels)

    def _shards(self) -> Iterator[Metric]:
        held = GaugeMetricFamily(
            "goniec_shard_events_held", "Events that a shard without a matcher holds back.", labels=["shard"]
        )
        since = GaugeMetricFamily(
            "goniec_shard_missing_seconds", "Since a shard was to take its first turn.", labels=["shard"]
        )
        for shard, (events, seconds) in self._missing.items():
            held.add_metric([shard], events)
            since.add_metric([shard], seconds)
        yield held
        yield since

    def _histogram(self, name: str, text: str, labels: tuple[str, ...]) -> Metric:
        family = HistogramMetricFamily(name, text, labels=labels)
        for channel in sorted({field[1] for field in self._counts if field[0] == name}):
            total, buckets = 0.0, []
            for bound in (*_BUCKETS, "+Inf"):
                total += self._counts.get((name, channel, str(bound)), 0)
                buckets.append((str(bound), total))
            family.add_metric(
                [channel], buckets=buckets, sum_value=self._counts.get((name, channel, "sum"), 0)
            )
        return family
