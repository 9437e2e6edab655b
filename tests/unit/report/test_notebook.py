"""What a notebook shows of a run."""

from contextlib import closing
from html.parser import HTMLParser

import pytest
from small_run import STEPS, item, new_store

import molloop
from molloop.campaign.events import Began

HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">'


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.names, self.attributes, self.open = set(), set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def results(tmp_path):
    with closing(new_store(tmp_path)) as store:
        for time_s, *rest in STEPS:
            store.append(time_s, *rest)
    return molloop.read_results(str(tmp_path))


def test_results_are_summed_up_and_drawn(results):
    text = results._repr_html_()
    assert "Vertical ionization energy: 4 values of 1,000 molecules, 1 failed" in text
    assert "GFN2-xTB ΔSCF, uncorrected" in text
    assert "Ended: 5 values are there." in text
    assert "above 15.5 eV: 1 of 4 values" in text
    assert text.count("<svg") == 4
    assert text.index("16.500 eV") < text.index("15.100 eV") < text.index("14.000 eV")
    assert Tags(text).open == []


def test_results_have_a_short_line(results):
    assert repr(results) == "Results(IE: 4 values, 1 failed, best 16.500 eV CC)"


def test_a_run_without_anything_is_shown(tmp_path):
    with closing(new_store(tmp_path)) as store:
        store.append(0.0, [Began(10, 0)])
    results = molloop.read_results(tmp_path)
    assert repr(results) == "Results(IE: 0 values, 0 failed)"
    assert "0 values of 10 molecules" in results._repr_html_()


def test_what_a_molecule_says_is_text(tmp_path):
    with closing(new_store(tmp_path)) as store:
        store.append(0.0, [Began(10, 0)])
        store.append(1.0, [], [item(0, 1.0, 15.0, HOSTILE), item(1, 1.0, 16.0, "C<b>")])
    text = molloop.read_results(tmp_path)._repr_html_()
    assert "&lt;script&gt;" in text
    tags = Tags(text)
    assert not tags.names & {"script", "img", "b"}
    assert "onerror" not in tags.attributes
