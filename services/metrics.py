"""What Goniec counts, for Prometheus. Labels are stages, channels and outcomes; never a person."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 21600, 86400)


class Metrics:
    """One process's counters; `registry` is what /metrics prints."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.rows_waiting = Gauge(
            "goniec_rows_waiting", "Rows due at a stage, counted up to 10,000.", ["stage"], registry=self.registry
        )
        self.oldest_waiting = Gauge(
            "goniec_oldest_waiting_seconds",
            "Since the oldest due row of a stage fell due.",
            ["stage"],
            registry=self.registry,
        )
        self.handled = Counter(
            "goniec_rows_handled", "Rows a stage finished.", ["stage", "outcome"], registry=self.registry
        )
        self.batch_seconds = Histogram(
            "goniec_batch_seconds", "Time of one batch.", ["stage"], buckets=_SECONDS, registry=self.registry
        )
        self.outcomes = Counter(
            "goniec_attempts", "Attempts at delivering.", ["channel", "outcome"], registry=self.registry
        )
        self.published_to_sent = Histogram(
            "goniec_published_to_sent_seconds",
            "From the event to its delivery; a digest waits for its time by design.",
            ["channel"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.errors = Counter(
            "goniec_errors", "Unexpected errors: someone must look.", ["part"], registry=self.registry
        )
