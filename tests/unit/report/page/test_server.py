"""Who may read a page, and what each answer forbids."""

import json
import socket
from contextlib import closing

import pytest
from small_run import STEPS, item, new_store
from starlette.testclient import TestClient

from molloop.campaign.events import Finished, Resumed
from molloop.report.page import sections, server
from molloop.report.page.feed import Feed
from molloop.report.page.server import application
from molloop.store.records import Session
from molloop.store.writer import Store

TOKEN = "a-token"
COOKIES = {"molloop-4321": TOKEN}
BASE = "http://127.0.0.1:4321"


def app_on(folder, n_rounds=1):
    """Return a page whose readers are let go after some looks."""
    rounds = iter([False] * n_rounds)
    return application(
        Feed(folder), TOKEN, ["127.0.0.1:4321"], "molloop-4321", lambda: next(rounds, True)
    )


@pytest.fixture
def folder(tmp_path):
    with closing(new_store(tmp_path)) as store:
        for time_s, *rest in STEPS:
            store.append(time_s, *rest)
    return tmp_path


@pytest.fixture
def client(folder):
    with TestClient(app_on(folder), base_url=BASE, follow_redirects=False) as client:
        yield client


def read_events(text):
    """Return what a stream of events says, in its order."""
    return [
        (block.split("\n")[0].removeprefix("event: "), json.loads(block.split("\ndata: ")[1]))
        for block in text.strip().split("\n\n")
    ]


def test_the_link_s_token_becomes_a_cookie(client):
    answer = client.get(f"/?token={TOKEN}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=lax", f"molloop-4321={TOKEN}"))
    page = client.get("/")
    assert page.status_code == 200
    assert "16.500 eV" in page.text
    assert TOKEN not in page.text


@pytest.mark.parametrize(
    "path", ["/", "/events", "/page.js", "/page.css", "/none", "/?token=other"]
)
def test_without_it_nothing_is_given_away(client, path):
    answer = client.get(path)
    assert answer.status_code == 403
    assert answer.text == "Open the link that `molloop watch` has printed.\n"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:4322", ""])
def test_a_wrong_host_is_refused_with_the_token_too(client, host):
    client.cookies.set("molloop-4321", TOKEN)
    answer = client.get(f"/?token={TOKEN}", headers={"host": host})
    assert answer.status_code == 421
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/", f"/?token={TOKEN}", "/page.js", "/events"])
def test_every_answer_forbids_what_the_page_does_not_need(client, path):
    for _ in range(2):
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        client.cookies.set("molloop-4321", TOKEN)


def test_sections_are_sent_and_the_end_is_told(folder):
    with TestClient(app_on(folder, 8), base_url=BASE, cookies=COOKIES) as client:
        answer = client.get("/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = read_events(answer.text)
    states = [told for kind, told in events if kind == "state"]
    shown = {}
    for kind, told in events:
        if kind == "sections":
            shown |= told
    assert states[-1] == "The run has ended"
    assert events[-1] == ("closed", {})
    assert "16.500 eV" in shown["best"]
    assert "<svg" in shown["found"]
    assert shown["drawn"] == "Figures as of 8.0 s"


def test_a_run_that_has_ended_is_followed_when_it_goes_on(folder, monkeypatch):
    monkeypatch.setattr(sections, "LOOK_PERIOD_S", 0.05)
    monkeypatch.setattr(sections, "MIN_FIGURE_PERIOD_S", 0.0)
    feed = Feed(folder)
    n_looks = 0

    def is_ending():
        nonlocal n_looks
        n_looks += 1
        if n_looks == 40:  # figures have been drawn
            with closing(Store.open(folder / "campaign.sqlite")) as store:
                store.add_session(Session("later", feed.run.sessions[-1].config, {}))
                store.append(9.0, [Resumed()])
                store.append(12.0, [Finished(105)], [item(5, 12.0, 18.75, "N")])
        return n_looks > 90

    app = application(feed, TOKEN, ["127.0.0.1:4321"], "molloop-4321", is_ending)
    with TestClient(app, base_url=BASE, cookies=COOKIES) as client:
        events = read_events(client.get("/events").text)
    best = [told["best"] for kind, told in events if kind == "sections" and "best" in told]
    assert "18.750" not in best[0]
    assert "18.750" in best[-1]
    drawn = [told["drawn"] for kind, told in events if kind == "sections" and "drawn" in told]
    assert (drawn[0], drawn[-1]) == ("Figures as of 8.0 s", "Figures as of 12.0 s")


def test_a_database_that_cannot_be_read_any_more_is_told(folder):
    app = app_on(folder)
    (folder / "campaign.sqlite").write_bytes(b"no database" * 100)
    with TestClient(app, base_url=BASE, cookies=COOKIES) as client:
        page = client.get("/")
    assert page.status_code == 200
    assert "campaign.sqlite" in page.text
    assert 'role="alert"' in page.text


def test_figures_that_cannot_be_drawn_are_told(folder, monkeypatch):
    def fail(_):
        raise ValueError("no <ink>")

    monkeypatch.setattr(sections.render, "figures", fail)
    with TestClient(app_on(folder, 4), base_url=BASE, cookies=COOKIES) as client:
        events = read_events(client.get("/events").text)
    drawn = [told["drawn"] for kind, told in events if kind == "sections" and "drawn" in told]
    assert drawn == ["The figures cannot be drawn: no &lt;ink&gt;"]


def test_a_run_that_has_hardly_begun_has_a_page(tmp_path):
    with closing(new_store(tmp_path)) as store:
        store.append(*STEPS[0])
    with TestClient(app_on(tmp_path), base_url=BASE, cookies=COOKIES) as client:
        assert "none so far" in client.get("/").text


def test_nothing_can_be_changed(client):
    client.cookies.set("molloop-4321", TOKEN)
    assert client.post("/").status_code == 405


def test_a_reader_has_signs_of_life(folder, monkeypatch):
    monkeypatch.setattr(sections, "LOOK_PERIOD_S", 0.01)
    monkeypatch.setattr(sections, "SIGN_OF_LIFE_S", 0.05)
    with TestClient(app_on(folder, 60), base_url=BASE, cookies=COOKIES) as client:
        events = read_events(client.get("/events").text)
    assert [kind for kind, _ in events].count("state") >= 5


@pytest.mark.parametrize(
    ("host", "link", "opened"),
    [
        ("127.0.0.1", "127.0.0.1", ["127.0.0.1", "localhost", "LOCALHOST"]),
        ("localhost", "localhost", ["127.0.0.1", "localhost"]),
        ("::1", "[::1]", ["[::1]", "127.0.0.1"]),
        ("0.0.0.0", socket.gethostname().lower(), [socket.gethostname(), "127.0.0.1"]),
    ],
)
def test_the_link_s_host_and_its_other_names_are_answered(folder, monkeypatch, host, link, opened):
    told = []
    made = []

    def run(self, sockets):
        made.append((self.config.app, sockets[0].getsockname()[1]))

    monkeypatch.setattr(server.uvicorn.Server, "run", run)
    with server.listen(host, 0) as listener:
        server.serve(Feed(folder), host, listener, told.append)
    [(app, port)] = made
    with TestClient(app, base_url=BASE):  # starts it
        pass
    assert told[0].startswith(f"http://{link}:{port}/?token=")
    token = told[0].partition("token=")[2]
    for name in opened:
        with TestClient(app, base_url=f"http://{name}:{port}", follow_redirects=False) as client:
            assert client.get(f"/?token={token}").status_code == 303
    with TestClient(app, base_url=f"http://evil.example:{port}") as client:
        assert client.get(f"/?token={token}").status_code == 421
