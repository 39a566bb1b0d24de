from datetime import timedelta
from pathlib import Path

from services.clock import FrozenClock
from services.manage import backlogs, health, requeue
from services.manage.findings import Finding
from services.pipeline import match
from services.runtime import Runtime
from tests import factories
from tests.conftest import OpenRuntime
from tests.doubles.web import Answer, WebDouble


def of(findings: list[Finding], name: str) -> Finding:
    return next(f for f in findings if f.name == name)


def test_all_is_ready_where_all_is_well(rt: Runtime) -> None:
    found = health.readiness(rt)
    assert found.is_ok
    assert [c.name for c in found.checks] == ["database", "redis", "disk", "work"]
    assert not [f for f in health.doctor(rt) if not f.is_ok and f.is_grave and f.name != "data_dir"]


def test_a_dead_redis_is_found_and_the_remedy_named(open_runtime: OpenRuntime, tmp_path: Path) -> None:
    rt = open_runtime(redis_url=f"unix://{tmp_path}/none.sock")
    assert not health.readiness(rt).is_ok
    finding = of(health.doctor(rt), "redis")
    assert not finding.is_ok
    assert "GONIEC_REDIS_URL" in finding.remedy


def test_a_dead_database_is_found_and_the_remedy_named(open_runtime: OpenRuntime) -> None:
    rt = open_runtime(database_url="postgresql://user:secretword@127.0.0.1:1/none")
    assert not health.readiness(rt).is_ok
    finding = of(health.doctor(rt), "database")
    assert "GONIEC_DATABASE_URL" in finding.remedy
    assert "secretword" not in str(health.doctor(rt))


def test_tables_of_another_version_ask_for_migrate(rt: Runtime) -> None:
    factories.rows(rt, "UPDATE alembic_version SET version_num = 'other' RETURNING version_num")
    assert not health.readiness(rt).is_ok
    assert "goniec migrate" in of(health.doctor(rt), "database").remedy


def test_work_that_waits_makes_nobody_unready_but_is_told(rt: Runtime, clock: FrozenClock) -> None:
    factories.publish(rt)
    clock.advance(timedelta(minutes=10))
    found = health.readiness(rt)
    assert found.is_ok
    assert "match 600 s" in found.checks[-1].text
    assert "worker" in of(health.doctor(rt), "work").remedy


def test_a_share_of_the_interests_that_nobody_matches_is_named_with_what_waits(
    open_runtime: OpenRuntime, clock: FrozenClock
) -> None:
    second = open_runtime(match_shard="2/2")
    factories.publish(second)
    match.run(second)
    assert not [f for f in health.doctor(second) if f.name == "match"]

    clock.advance(timedelta(minutes=3))

    finding = of(health.doctor(second), "match")
    assert finding.is_grave
    assert "share 1/2" in finding.text
    assert "1 events wait for it, the first for 3 minutes" in finding.text
    assert "GONIEC_MATCH_SHARD=1/2" in finding.remedy
    shown = second.metrics.render({}, backlogs.missing_shards(second)).decode()
    assert 'goniec_shard_missing_seconds{shard="1/2"} 180.0' in shown
    assert 'goniec_shard_events_held{shard="1/2"} 1.0' in shown


def test_a_mail_server_that_does_not_answer_is_found(open_runtime: OpenRuntime) -> None:
    rt = open_runtime(mail="smtp", smtp_url="smtp://user:word@127.0.0.1:1")
    finding = of(health.doctor(rt), "mail")
    assert "GONIEC_SMTP_URL" in finding.remedy
    assert "word" not in finding.text


def test_something_that_is_no_mail_server_is_found(open_runtime: OpenRuntime) -> None:
    with WebDouble() as web:
        web.answer("*", Answer(raw=b"HTTP/1.0 400 no\r\n\r\n"))
        rt = open_runtime(mail="smtp", smtp_url=f"smtp://127.0.0.1:{web.port}")
        assert not of(health.doctor(rt), "mail").is_ok


def test_a_refused_sendgrid_key_is_found(open_runtime: OpenRuntime) -> None:
    with WebDouble() as web:
        web.answer("/v3/scopes", Answer(status=401))
        rt = open_runtime(mail="sendgrid", sendgrid_api_key="SG.wrong", sendgrid_host=web.url(""))
        finding = of(health.doctor(rt), "mail")
    assert "GONIEC_SENDGRID_API_KEY" in finding.remedy


def test_links_that_nobody_can_open_are_found(open_runtime: OpenRuntime) -> None:
    rt = open_runtime(mail="smtp", smtp_url="smtp://127.0.0.1:1", base_url="http://localhost:8000")
    assert not of(health.doctor(rt), "base_url").is_ok


def test_a_secret_key_that_others_can_read_is_found(rt: Runtime) -> None:
    rt.settings.data_dir.mkdir(exist_ok=True)
    path = rt.settings.data_dir / "secret.key"
    path.write_text("x" * 20)
    path.chmod(0o644)
    assert "chmod 600" in of(health.doctor(rt), "secret_key").remedy


def test_what_failed_can_be_sent_again_and_what_is_uncertain_settled(rt: Runtime, clock: FrozenClock) -> None:
    factories.reader(rt)
    factories.publish(rt)
    factories.carry(rt)
    since = clock.now() - timedelta(days=1)
    assert requeue.requeue(rt, state="failed", since=since) == {}
    factories.rows(rt, "UPDATE deliveries SET state = 'failed' RETURNING id")
    assert requeue.requeue(rt, state="failed", since=since, channel="webhook") == {}
    assert requeue.requeue(rt, state="failed", since=since) == {"email": 1}
    assert factories.only(rt, "SELECT state FROM deliveries")["state"] == "pending"
    factories.rows(rt, "UPDATE deliveries SET state = 'uncertain' RETURNING id")
    assert requeue.settle(rt, since=since) == {"email": 1}
    assert factories.only(rt, "SELECT state FROM deliveries")["state"] == "sent"
