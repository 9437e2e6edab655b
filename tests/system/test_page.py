"""The page of a run in a real browser: it follows the run, and gives nothing away."""

import os
import shutil
from urllib.parse import urlsplit

import pytest
from helpers import finish, has_values, slow, wait_for
from playwright.sync_api import expect, sync_playwright

CHROMIUM = "chromium"
WAIT_MS = 20_000


@pytest.fixture(scope="module")
def browser(lacking):
    path = shutil.which(CHROMIUM, path="/usr/bin")
    if path is None:
        lacking("no chromium: install Debian's package of that name")
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
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
    expect(page.get_by_role("img", name="Values of")).to_be_visible(timeout=WAIT_MS)
    finish(run)
    expect(page.get_by_role("status")).to_have_text("The run has ended", timeout=WAIT_MS)
    expect(progress).to_have_attribute("aria-valuenow", "22")
    expect(page.get_by_text("Done: 22 values are there")).to_be_visible()
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


def test_a_frozen_page_opens_from_a_file(browser, start, watched, tmp_path):
    finish(watched[0])
    finish(start("report", "run", "run", "--out", "page.html"))
    context = browser.new_context(offline=True, java_script_enabled=False)
    page = context.new_page()
    troubles = []
    page.on("console", lambda one: troubles.append(one.text))
    page.goto((tmp_path / "page.html").as_uri())
    expect(page.get_by_role("heading", name="Side by side")).to_be_visible()
    assert page.get_by_role("img", name="Values of 22 molecules").count() == 2
    assert page.get_by_role("img", name="Structure of").count() == 20
    assert troubles == []
    context.close()
