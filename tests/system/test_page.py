"""The page of a run in a real browser: it follows the run, and gives nothing away."""

import os
import shutil
from contextlib import closing
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from helpers import finish, has_values, slow, wait_for
from playwright.sync_api import expect, sync_playwright
from small_run import item, new_store

from molloop.campaign.events import Began, Finished, Source, Submitted
from molloop.simulate.outcome import Failure

CHROMIUM = "chromium"
WAIT_MS = 20_000
OTHER_HOST = "other.example"
HOSTILE = (
    "</code></script><script>document.title = 'taken'</script>"
    "<img src=x onerror=\"document.title = 'taken'\"><a href=javascript:alert(1)>C</a>"
)


@pytest.fixture(scope="module")
def browser(lacking):
    path = shutil.which(CHROMIUM, path="/usr/bin")
    if path is None:
        lacking("no chromium: install Debian's package of that name")
    # what another site does that has its name lead here
    options = [f"--host-resolver-rules=MAP {OTHER_HOST} 127.0.0.1"]
    options += ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


@pytest.fixture
def watched(start, small_smi, tmp_path):
    """Start a run of some seconds, and the page on it; return the run and the link."""
    own = slow(tmp_path, 1)
    words = ("--library", small_smi, "--max-training-count", 22, "--run-dir", "run", "--workers", 2)
    run = start("run", *words, *own)
    wait_for(has_values(tmp_path / "run", 2), 60, "two values")
    watch = start("watch", "run")
    return run, watch.stdout.readline().strip()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_follows_its_run(browser, watched, scheme):
    run, link = watched
    context = browser.new_context(color_scheme=scheme, viewport={"width": 390, "height": 844})
    page = context.new_page()
    troubles, requests = [], []
    page.on("console", lambda one: troubles.append(one.text))
    page.on("pageerror", lambda one: troubles.append(str(one)))
    page.on("request", lambda one: requests.append(one.url))
    page.goto(link)
    assert page.url == link.partition("?")[0]
    progress = page.get_by_role("progressbar", name="Values")
    first = int(progress.get_attribute("aria-valuenow"))
    assert first < 22
    expect(progress).not_to_have_attribute("aria-valuenow", str(first), timeout=WAIT_MS)
    figure = page.get_by_role("img", name="molecules over time")
    expect(figure).to_be_visible(timeout=WAIT_MS)
    assert "Values of 22 " not in figure.get_attribute("aria-label")
    expect(page.get_by_text("Figures as of")).to_be_visible()
    finish(run)
    expect(page.get_by_role("status")).to_have_text("The run has ended", timeout=WAIT_MS)
    expect(progress).to_have_attribute("aria-valuenow", "22")
    expect(page.get_by_text("Done: 22 values are there")).to_be_visible()
    expect(page.get_by_role("img", name="Values of 22 molecules over time")).to_be_visible()
    # what is wide scrolls in its own place
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    # by keyboard: the first stop leads to the content, details open
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the content"
    page.get_by_text("Configuration").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("max_training_count = 22")).to_be_visible()
    assert troubles == []
    assert {urlsplit(url).netloc for url in requests} == {urlsplit(link).netloc}
    context.close()


def test_without_the_token_there_is_nothing(browser, watched):
    _, link = watched
    context = browser.new_context()
    page = context.new_page()
    answer = page.goto(link.partition("?")[0])
    assert answer.status == 403
    assert page.inner_text("body").strip() == "Open the link that `molloop watch` has printed."
    context.close()


def test_under_another_name_there_is_nothing(browser, watched):
    _, link = watched
    context = browser.new_context()
    page = context.new_page()
    answer = page.goto(link.replace("127.0.0.1", OTHER_HOST))
    assert answer.status == 421
    assert page.inner_text("body").strip() == "This is not the host of the link."
    assert context.cookies() == []
    context.close()


def _hostile_steps():
    """Return what a run stores whose molecules, workers and errors say what a page must not do."""
    bad = replace(item(1, 3.0, None), smiles=HOSTILE, worker=HOSTILE)
    bad = replace(bad, outcome=Failure(HOSTILE, HOSTILE))
    good = [replace(item(n, 4.0 + n, 15.0 + n, HOSTILE), worker=HOSTILE) for n in (0, 2)]
    ids = tuple(one.molecule_id for one in (good[0], bad, good[1]))
    begin = [Began(10, 0), Submitted(ids, Source.INITIAL, 0)]
    first = [Finished(good[0].molecule_id), Finished(bad.molecule_id, HOSTILE)]
    return (3.0, [*begin, *first], [good[0], bad]), (9.0, [Finished(good[1].molecule_id)], good[1:])


def _is_inert(page):
    assert page.title() != "taken"
    assert page.locator("main script, main img, main a[href^=javascript]").count() == 0


def test_what_a_molecule_says_is_text_in_a_browser_too(browser, start, tmp_path):
    folder = tmp_path / "<img src=x onerror=alert(1)>"
    folder.mkdir()
    before, after = _hostile_steps()
    context = browser.new_context()
    page = context.new_page()
    dialogs = []
    page.on("dialog", lambda one: (dialogs.append(one.message), one.dismiss()))
    with closing(new_store(folder)) as store:
        store.append(*before)
        watch = start("watch", folder.name)
        page.goto(watch.stdout.readline().strip())
        recent = page.get_by_role("table").first
        expect(recent.get_by_text("document.title").first).to_be_visible()
        _is_inert(page)
        store.append(*after)  # comes by another way than the page did
        expect(page.get_by_text("17.000 eV").first).to_be_visible(timeout=WAIT_MS)
        page.wait_for_timeout(1000)
        _is_inert(page)
    finish(start("report", folder.name, "--out", "page.html"))
    page.goto((tmp_path / "page.html").as_uri())
    expect(page.get_by_text("17.000 eV").first).to_be_visible()
    _is_inert(page)
    assert dialogs == []
    context.close()


def test_a_frozen_page_opens_from_a_file(browser, start, watched, tmp_path):
    finish(watched[0])
    finish(start("report", "run", "run", "--out", "page.html"))
    context = browser.new_context(offline=True, java_script_enabled=False)
    page = context.new_page()
    troubles = []
    page.on("console", lambda one: troubles.append(one.text))
    page.goto((tmp_path / "page.html").as_uri())
    expect(page.get_by_role("heading", name="Side by side")).to_be_visible()
    assert page.get_by_role("img", name="Values of 22 molecules over time").count() == 2
    assert page.get_by_role("img", name="Structure of").count() == 20
    assert troubles == []
    context.close()
