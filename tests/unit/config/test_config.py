import tomllib
from keyword import iskeyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from molloop.config.load import differences, load, parse, revise
from molloop.config.settings import SECTIONS, Settings
from molloop.errors import InputError


def test_the_defaults_are_the_published_parameters():
    campaign = load().campaign
    assert (campaign.initial_training_count, campaign.max_training_count) == (8, 24)
    assert (campaign.batch_size, campaign.seed) == (4, 42)


@given(
    source=st.text(min_size=1),
    counts=st.tuples(st.integers(1, 50), st.integers(51, 10**9)),
    training_data=st.none() | st.text(min_size=1),
    timeout_s=st.floats(0.001, 1e6),
)
def test_what_is_written_reads_back(source, counts, training_data, timeout_s):
    settings = Settings.model_validate(
        {
            "library": {"source": source},
            "campaign": {
                "initial_training_count": counts[0],
                "max_training_count": counts[1],
                "training_data": training_data,
            },
            "site": {"worker_start_timeout_s": timeout_s},
        }
    )
    assert Settings.model_validate(tomllib.loads(settings.to_toml())) == settings


def test_every_setting_is_explained():
    lines = load().to_toml().splitlines()
    for section in SECTIONS.values():
        for name in section.model_fields:
            places = [
                k for k, line in enumerate(lines) if line.removeprefix("# ").startswith(f"{name} =")
            ]
            assert places
            assert all(lines[place - 1].startswith("# ") for place in places)


def test_a_time_limit_takes_the_place_of_a_count():
    limited = load(None, ["stopping.time_limit_s=60"])
    assert limited.campaign.max_training_count is None
    assert parse(limited.to_toml()) == limited
    assert revise(limited, ["campaign.seed=1"]).campaign.max_training_count is None
    both = load(None, ["stopping.time_limit_s=60", "campaign.max_training_count=30"])
    assert both.campaign.max_training_count == 30
    # a run that has a count keeps it where it goes on with a time limit
    going_on = revise(parse(load().to_toml()), ["stopping.time_limit_s=60"])
    assert going_on.campaign.max_training_count == 24


def test_a_run_without_an_end_is_refused():
    with pytest.raises(InputError, match=r"stopping: .*time_limit_s, as campaign\.max_training"):
        load(campaign={"max_training_count": None})


def test_a_file_then_what_is_given(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text("[campaign]\nbatch_size = 5\nseed = 5\nmax_training_count = 50\n")
    settings = load(
        path,
        ["campaign.batch_size=6"],
        {"campaign.seed": 7, "site.workers": None},
    )
    assert settings.campaign.max_training_count == 50
    assert settings.campaign.batch_size == 6
    assert settings.campaign.seed == 7
    assert settings.site.workers is None


@pytest.mark.parametrize(
    ("assignments", "overrides", "sections"),
    [
        (["campaign.seed=6", "campaign.seed = 7"], {}, {}),
        (["campaign.seed=6"], {"campaign.seed": 7}, {}),
        (["campaign.seed=7"], {}, {"campaign": {"seed": 6}}),
        ([], {"campaign.seed": 7}, {"campaign": {"seed": 6}}),
    ],
)
def test_what_is_given_twice_is_refused(assignments, overrides, sections):
    for settings_of in (
        lambda: load(None, assignments, overrides, **sections),
        lambda: revise(load(), assignments, sections, overrides),
    ):
        with pytest.raises(InputError, match=r"campaign\.seed: got '6 and 7', expected one value"):
            settings_of()


def test_a_bare_word_is_a_string():
    assert load(None, ["search.policy=published"]).search.policy == "published"


def test_paths_are_absolute(tmp_path, monkeypatch):
    (tmp_path / "qm9").mkdir()
    path = tmp_path / "config.toml"
    path.write_text('[library]\nsource = "mine.smi"\n[campaign]\ntraining_data = "../known.csv"\n')
    settings = load(path)
    assert settings.library.source == str(tmp_path / "mine.smi")
    assert settings.campaign.training_data == str(tmp_path.parent / "known.csv")
    path.write_text('[library]\nsource = "qm9"\n')
    assert load(path).library.source == "qm9"
    monkeypatch.chdir(tmp_path)
    overridden = load(path, ["library.source=x.smi"], {"campaign.training_data": "y.csv"})
    assert overridden.library.source == str(tmp_path / "x.smi")
    assert overridden.campaign.training_data == str(tmp_path / "y.csv")


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("campaign.batch_siz=3", ["campaign.batch_siz", "no such setting", "batch_size"]),
        ("campain.batch_size=3", ["campain", "no such setting", "campaign"]),
        ("campaign.batch_size=0", ["campaign.batch_size", "got 0", "greater than or equal to 1"]),
        ("campaign.max_training_count=0", ["campaign.max_training_count", "got 0"]),
        ("conditions.charge=[0, 'x']", ["conditions.charge: got [0, 'x'], expected whole numbers"]),
        (
            "conditions.charge=1.5",
            ["conditions.charge: got 1.5, expected whole numbers: write 0, or [0, 1]"],
        ),
        ("property.flagged='maybe'", ["property.flagged", "expected 'keep' or 'exclude'"]),
        ("campaign.initial_training_count=-3", ["initial_training_count", "got -3"]),
        ("campaign.batch_size=2.5", ["campaign.batch_size", "got 2.5", "integer"]),
        ("campaign.batch_size=true", ["campaign.batch_size", "got True", "integer"]),
        ("campaign.seed=many", ["campaign.seed", "'many'", "integer"]),
        ("campaign.initial_training_count=24", ["below max_training_count (24)"]),
        ("search.policy=best", ["search.policy", "'best'", "one of gp, ridge"]),
        ("simulation.level=dft", ["simulation.level", "'dft'", "gfn2"]),
        ("property.unit=kcal/mol", ["property", "kcal/mol", "unit eV"]),
        ("property.direction=up", ["property.direction", "'up'", "'maximise' or 'minimise'"]),
        ("campaign.schedule=x", ["campaign.schedule", "'x'", "batch"]),
        ("site.name=x", ["site.name", "'x'", "local"]),
        ("site.workers=0", ["site.workers", "got 0"]),
        ("campaign", ["--set", "'campaign'", "section.key=value"]),
        ("a.b.c=1", ["--set", "'a.b.c'", "section.key=value"]),
        ("campaign=1", ["--set", "'campaign'", "section.key=value"]),
        ("campaign.seed=1\nbatch_size=5", ["--set", "batch_size=5", "one setting"]),
        ("simulation.options=1", ["simulation.options", "got 1", "dict"]),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_remedy(assignment, words):
    with pytest.raises(InputError) as caught:
        load(None, [assignment])
    for word in [*words, "meant" if "no such setting" in words else "molloop config"]:
        assert word in str(caught.value)


@pytest.mark.parametrize("content", ["[campaign", "x = ", b"\xff\xfe", "campaign = 3"])
def test_a_file_that_is_no_configuration(tmp_path, content):
    path = tmp_path / "config.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError):
        load(path, ["campaign.seed=1"])


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        load(tmp_path / "none.toml")


def test_a_configuration_reads_back_and_is_revised():
    settings = load(None, ["campaign.seed=7", "property.threshold=15.5", "site.workers=3"])
    assert parse(settings.to_toml()) == settings
    revised = revise(settings, ["campaign.seed=8", "site.workers=4"])
    assert differences(settings, revised) == {
        "campaign.seed": (7, 8),
        "site.workers": (3, 4),
    }
    assert differences(settings, settings) == {}
    with pytest.raises(InputError, match=r"campaign\.sede"):
        revise(settings, ["campaign.sede=8"])


@pytest.mark.parametrize(
    ("name", "unit"), [("level", ""), ("Time", "s"), ("λ", ""), ("Molecule", "id"), ("-", "%")]
)
def test_a_property_has_a_column_of_its_own(name, unit):
    own = ["property.simulator=mine:one", f"property.name={name!r}", f"property.unit={unit!r}"]
    with pytest.raises(InputError, match="which is empty or another column"):
        load(None, own)


def test_a_text_is_a_configuration():
    assert Settings.from_toml("[campaign]\nseed = 7") == load(campaign={"seed": 7})
    with pytest.raises(InputError, match=r"^configuration: .*expected TOML.* Correct that line"):
        Settings.from_toml("[campaign")
    with pytest.raises(InputError, match=r"^campaign\.sede: .*Is campaign\.seed meant"):
        Settings.from_toml("[campaign]\nsede = 7")
    with pytest.raises(InputError, match=r"^stored configuration: .*Begin another run"):
        parse("[campaign")


OWN = ("property.simulator=mine:one", "property.name=gap")
plain = (
    st.text(max_size=20)
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
)


@given(
    options=st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True).filter(
            lambda name: not iskeyword(name)
        ),
        plain | st.lists(plain, max_size=4),
        max_size=4,
    )
)
def test_options_of_ones_own_read_back_with_their_types(options):
    settings = load(None, OWN, simulation={"options": options})
    read = parse(settings.to_toml())
    assert repr(read.simulation.options) == repr({name: options[name] for name in sorted(options)})
    assert differences(read, settings) == {}
    assert read.protocol().options == options


def test_options_are_a_table_or_set_one_by_one(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(
        '[property]\nname = "gap"\nsimulator = "mine:one"\n'
        '[simulation]\ntimeout_s = 9.0\n[simulation.options]\nbasis = "small"\nn = 3\n'
    )
    settings = load(path, ["simulation.options.basis=large", "simulation.options.tags=['a', 'b']"])
    assert settings.simulation.timeout_s == 9.0
    options = {"basis": "large", "n": 3, "tags": ["a", "b"]}
    assert settings.simulation.options == options
    given = {"basis": "large"}
    load(path, ["simulation.options.n=4"], simulation={"options": given})
    assert given == {"basis": "large"}  # it is the caller's
    with pytest.raises(InputError, match="expected one value"):
        load(path, ["simulation.options.n=4", "simulation.options.n=5"])
    changed = differences(settings, revise(settings, ["simulation.options.n=true"]))
    assert changed == {"simulation.options": (options, {**options, "n": True})}
    # True is equal to 1, and another option
    one, true = (revise(settings, [f"simulation.options.n={n}"]) for n in ("1", "true"))
    assert list(differences(one, true)) == ["simulation.options"]


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("x=1979-05-27", "a list of those for x, not datetime.date(1979, 5, 27)"),
        ("x=inf", "a list of those for x, not inf"),
        ("x={a = 1}", "a list of those for x, not {'a': 1}"),
        ("x=[1, [2]]", "a list of those for x, not [1, [2]]"),
        ("class=1", "not 'class'"),
        ("a.b=1", "not 'a.b'"),
        (f"x='{'a' * 1000}'", "at most 1000 characters"),
    ],
)
def test_options_are_plain_values_by_name(option, words):
    with pytest.raises(InputError) as caught:
        load(None, [*OWN, f"simulation.options.{option}"])
    assert words in str(caught.value)
    assert caught.value.what == "simulation.options"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("level", "gfn2"),
        ("fidelity", "relaxed"),
        ("start_geometry", "embedded"),
        ("n_conformers", 1),
        ("max_atoms", 200),
    ],
)
def test_an_option_of_ionization_is_no_other_simulator_s(name, value):
    for where in (
        {"assignments": [*OWN, f"simulation.{name}={value}"]},
        {"assignments": OWN, "overrides": {f"simulation.{name}": value}},
        {"assignments": OWN, "simulation": {name: value}},
    ):
        with pytest.raises(InputError) as caught:
            load(**where)
        assert (caught.value.what, caught.value.value) == (f"simulation.{name}", value)
        for words in ("an option of the simulator ionization", "this one is mine:one"):
            assert words in str(caught.value)
    own = load(None, OWN)
    with pytest.raises(InputError, match="expected it left out"):
        revise(own, [f"simulation.{name}={value}"])
    assert f"# {name} =" in own.to_toml().splitlines()


def test_a_force_field_s_geometry_does_not_start_from_a_file_s():
    with pytest.raises(InputError, match=r"simulation: .* expected start_geometry = embedded with"):
        load(None, ["simulation.start_geometry=input", "simulation.fidelity=mmff-geometry"])
    found = load(None, ["simulation.start_geometry=input", "simulation.fidelity=input-geometry"])
    assert found.protocol().stage == "gfn2 input-geometry"


def test_ionization_has_no_options_but_its_own():
    with pytest.raises(
        InputError, match=r"simulation\.options: got {'n': 1}, expected it left out"
    ):
        load(None, ["simulation.options.n=1"])
    assert load(None, simulation={"options": {}}) == load()


def test_what_a_run_of_molloop_0_1_wrote_is_read():
    before = load(None, OWN).to_toml().replace("# level =\n", 'level = "gfn2"\n')
    assert 'level = "gfn2"' in before
    assert parse(before) == load(None, OWN)


@pytest.mark.parametrize("name", ["slurm", "mine:site"])
def test_another_site_where_none_was_set(name):
    assert revise(load(), [f"site.name={name}"]).site == load(site={"name": name}).site


@pytest.mark.parametrize("name", ["foo bar", "my module:f", "mine:", ":f", "mine:f:g", "", "a/b"])
def test_a_simulator_has_the_form_of_a_name(name):
    with pytest.raises(InputError, match=r"^property\.simulator: got .*package\.module:function"):
        load(property={"simulator": name})
    text = load(property={"simulator": "mine:f"}).to_toml()
    stored = text.replace('simulator = "mine:f"', f'simulator = "{name}"')
    assert parse(stored).property.simulator == name  # a run of 0.1.0 is read


def test_another_simulator_leaves_no_options():
    ipea1 = load(None, ["simulation.level=ipea1", "simulation.timeout_s=9.0"])
    own = revise(ipea1, OWN)
    assert (own.simulation.options, own.simulation.timeout_s) == ({}, 9.0)
    options = revise(own, ["simulation.options.n=1"])
    back = revise(options, ["property.simulator=ionization", "property.name=IE"])
    assert back == load(None, ["simulation.timeout_s=9.0"])
