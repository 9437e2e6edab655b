"""Who may read a page, and what each answer forbids."""

from contextlib import closing

import pytest
from small_run import STEPS, new_store
from starlette.testclient import TestClient

from molloop.report.page.feed import Feed
from molloop.report.page.server import application

TOKEN = "a-token"
BASE = "http://127.0.0.1:4321"


@pytest.fixture
def client(tmp_path):
    with closing(new_store(tmp_path)) as store:
        for time_s, *rest in STEPS:
            store.append(time_s, *rest)
    app = application(Feed(tmp_path), TOKEN, ["127.0.0.1:4321"], "molloop-4321")
    with TestClient(app, base_url=BASE, follow_redirects=False) as client:
        yield client


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


def test_sections_are_sent_and_the_end_is_told(client):
    client.cookies.set("molloop-4321", TOKEN)
    answer = client.get("/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "event: sections" in answer.text
    assert answer.text.endswith("event: ended\ndata: {}\n\n")


def test_a_run_that_has_hardly_begun_has_a_page(tmp_path):
    with closing(new_store(tmp_path)) as store:
        store.append(*STEPS[0])
    app = application(Feed(tmp_path), TOKEN, ["127.0.0.1:4321"], "molloop-4321")
    with TestClient(app, base_url=BASE, cookies={"molloop-4321": TOKEN}) as client:
        assert "none so far" in client.get("/").text


def test_nothing_can_be_changed(client):
    client.cookies.set("molloop-4321", TOKEN)
    assert client.post("/").status_code == 405
