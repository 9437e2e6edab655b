import json
import os
import re
import subprocess
import sys
import tomllib
from contextlib import closing
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from odd_texts import is_seen
from rdkit import Chem
from small_run import STEPS, item, new_store
from typer.main import get_command
from typer.testing import CliRunner

from molloop.campaign.events import Began, End, Finished, Source, Stopped, Submitted
from molloop.cli import app, main, report, signals
from molloop.config.load import load
from molloop.config.settings import Settings
from molloop.errors import InputError, RunError
from molloop.sandbox import worker
from molloop.store.run_dir import STORE


@pytest.fixture
def molloop(monkeypatch, capfd):
    """Run the command in this process: it has an interpreter of its own where that matters."""
    monkeypatch.setattr(signals, "_handle", lambda _handler: None)  # signals are pytest's here

    def run(*arguments, cwd=None, env=None):
        capfd.readouterr()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["molloop", *map(str, arguments)])
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            if cwd is not None:
                patch.chdir(cwd)
            try:
                code = main() or 0
            except SystemExit as error:
                code = error.code
        return subprocess.CompletedProcess(arguments, code, *capfd.readouterr())

    return run


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("simulate", "O", "--quiet"), "18.29"),
        (("library", "build", "a.smi", "--out", "lib", "--processes", "2"), "molecules"),
    ],
    ids=("simulate", "library"),
)
def test_an_interpreter_that_knows_ascii_alone_warns_of_nothing(tmp_path, words, shown):
    (tmp_path / "a.smi").write_text("C\nN\n")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "molloop", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"PYTHONIOENCODING": "ascii", "COLUMNS": "120"},
    )
    assert done.returncode == 0, done.stderr
    assert shown in done.stdout
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr


def test_config_prints_what_config_reads(molloop, tmp_path):
    done = molloop("config")
    assert done.returncode == 0
    assert Settings.model_validate(tomllib.loads(done.stdout)) == load()
    (tmp_path / "a.toml").write_text(done.stdout)
    again = molloop("config", tmp_path / "a.toml", "--set", "campaign.seed=7")
    assert again.stdout == done.stdout.replace("seed = 42", "seed = 7")


def test_simulate_prints_a_table_with_units(molloop):
    done = molloop("simulate", "O", "xx", "--quiet", env={"COLUMNS": "120"})
    assert done.returncode == 1
    assert "IE (eV)" in done.stdout
    assert "18.29" in done.stdout
    assert "invalid_smiles" in done.stdout
    assert "GFN2-xTB ΔSCF, uncorrected" in done.stdout
    assert done.stderr == ""


def test_simulate_prints_one_object_a_line(molloop):
    done = molloop("simulate", "--json", "OC", "xx", "O")
    methanol, failure, water = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 1
    assert methanol["smiles"] == "OC"
    assert methanol["ie_ev"] == pytest.approx(15.459, abs=0.01)
    assert methanol["level"] == "gfn2"
    assert water["ie_ev"] == pytest.approx(18.293, abs=0.01)
    assert failure["failure"]["kind"] == "invalid_smiles"
    assert "ie_ev" not in failure
    assert molloop("simulate", "--json", "O").returncode == 0


def test_a_file_that_is_not_there_is_no_smiles(molloop, tmp_path):
    done = molloop("simulate", "O", "missing.csv.gz", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "missing.csv.gz" in done.stderr
    long = "C/C=C/" + "C" * 300 + ".O"
    done = molloop("simulate", long, "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["failure"]["kind"] == "fragments"


def test_simulate_takes_files_with_names(molloop, tmp_path):
    (tmp_path / "a.smi").write_text("O water of a well\nxx nothing\n\n")
    (tmp_path / "b.csv").write_text("id,smi\n1,N\n2,C,3\n")
    words = ("a.smi", "OO", "b.csv", "--column", "smi", "--save", "a.sdf", "--json")
    done = molloop("simulate", *words, cwd=tmp_path)
    assert done.returncode == 1
    found = [json.loads(line) for line in done.stdout.splitlines()]
    said = [(one["smiles"], one["name"], one.get("failure", {}).get("kind")) for one in found]
    assert said == [
        ("O", "water of a well", None),
        ("xx", "nothing", "invalid_smiles"),
        ("OO", "", None),
        ("N", "1", None),
        ("", "", "invalid_line"),
    ]
    assert found[-1]["failure"]["message"].startswith("b.csv, line 3: ")
    assert found[1]["failure"]["message"].startswith("a.smi, line 2: ")
    assert done.stderr.splitlines()[:2] == [
        "a.smi: SMILES in column 1, by what it holds; names in column 2; parted by blanks, without "
        "a header",
        "b.csv: SMILES in 'smi', as asked; names in 'id'; parted by commas, with a header",
    ]
    titles = [one.GetProp("_Name") for one in Chem.SDMolSupplier(str(tmp_path / "a.sdf"))]
    assert titles == ["water of a well", "OO", "1"]
    again = molloop("simulate", "a.sdf", "--json", cwd=tmp_path)
    values = [{key: one[key] for key in ("name", "ie_ev")} for one in found if "ie_ev" in one]
    named = [values[0], values[1] | {"name": "OO"}, values[2]]
    for line, before in zip(again.stdout.splitlines(), named, strict=True):
        one = json.loads(line)
        assert (one["name"], one["ie_ev"]) == (before["name"], pytest.approx(before["ie_ev"]))
    at_these = molloop("simulate", "a.sdf", "--json", "--fidelity", "input-geometry", cwd=tmp_path)
    for line, before in zip(at_these.stdout.splitlines(), named, strict=True):
        # four digits of coordinates
        assert json.loads(line)["ie_ev"] == pytest.approx(before["ie_ev"], abs=0.01)
    table = molloop("simulate", "a.smi", cwd=tmp_path, env={"COLUMNS": "120"})
    assert "name" in table.stdout
    assert "water of a well" in table.stdout


def test_simulate_keeps_columns_and_takes_the_multiplicity_of_one(molloop, tmp_path):
    (tmp_path / "a.csv").write_text("smiles,id,multiplicity,shelf\nO=O,triplet,3,b 2\nO,water,,\n")
    words = ("--keep-columns", "multiplicity,shelf", "--save", "a.sdf", "--json")
    done = molloop("simulate", "a.csv", *words, cwd=tmp_path)
    oxygen, water = map(json.loads, done.stdout.splitlines())
    assert oxygen["calculations"]["molecule"]["n_unpaired"] == 2
    assert oxygen["kept"] == {"multiplicity": "3", "shelf": "b 2"}
    assert water["calculations"]["molecule"]["n_unpaired"] == 0
    first, _ = Chem.SDMolSupplier(str(tmp_path / "a.sdf"))
    assert (first.GetProp("_Name"), first.GetProp("shelf")) == ("triplet", "b 2")


def test_simulate_takes_inchi(molloop):
    done = molloop("simulate", "InChI=1S/H2O/h1H2", "InChI=1S/X", "--json")
    water, nothing = map(json.loads, done.stdout.splitlines())
    assert (water["smiles"], water["ie_ev"]) == ("O", pytest.approx(18.293, abs=0.01))
    assert nothing["failure"]["kind"] == "invalid_line"


def test_simulate_refuses_what_is_said_of_no_file(molloop, tmp_path):
    molecule = Chem.MolToMolBlock(Chem.MolFromSmiles("O"))
    (tmp_path / "a.sdf").write_text(f"{molecule}$$$$\n")
    (tmp_path / "b.csv").write_text("id,smi\n1,N\n")
    done = molloop("simulate", "a.sdf", "--column", "smi", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "column: got 'smi', expected nothing of the kind for a.sdf" in done.stderr
    assert molloop("simulate", "O", "--no-header").returncode == 2
    done = molloop("simulate", "a.sdf", "b.csv", "--column", "smi", "--json", cwd=tmp_path)
    assert [json.loads(line)["smiles"] for line in done.stdout.splitlines()] == ["O", "N"]


def test_a_smiles_is_no_file_though_one_is_called_so(molloop, tmp_path):
    (tmp_path / "O").write_text("N\n")
    for word in ("O", "[OH2]"):
        done = molloop("simulate", word, "--json", cwd=tmp_path)
        assert json.loads(done.stdout)["ie_ev"] == pytest.approx(18.293, abs=0.01)
    done = molloop("simulate", "./O", "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["smiles"] == "N"


def test_other_values_take_no_place_of_an_object(molloop, tmp_path, monkeypatch):
    # a child that an earlier test began does not have that path
    monkeypatch.setattr(worker, "_GUARDS", worker._Guards())
    (tmp_path / "named.py").write_text(
        "def simulate(smiles):\n"
        "    from molloop import Success\n"
        "    values = {'gap': 1.5, 'smiles': 2, 'level': 3, 'seconds': 4, 'gap_ev': 5, 'homo': 6}\n"
        "    return Success(values)\n"
    )
    facts = {"simulator": "named:simulate", "name": "gap", "unit": "eV"}
    options = [one for key, value in facts.items() for one in ("--set", f"property.{key}={value}")]
    done = molloop("simulate", "C", "--json", *options, env={"PYTHONPATH": str(tmp_path)})
    found = json.loads(done.stdout)
    assert 0 < found.pop("seconds") < 4
    assert found.pop("versions").keys() == {"molloop", "rdkit", "tblite"}
    assert found == {
        "smiles": "C",
        "name": "",
        "gap_ev": 1.5,
        "values": {"smiles": 2, "level": 3, "seconds": 4, "gap_ev": 5, "homo": 6},
        "calculations": {},
        "flags": [],
        "level": "named:simulate",
        "fidelity": "own",
    }


def test_version_and_help(molloop):
    assert molloop("--version").stdout.startswith("molloop ")
    done = molloop("--help")
    for command in ("config", "simulate", "run"):
        assert command in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        *(["simulate"], ["run"], ["resume"], ["replay"], ["compare"], ["tune"], ["report"]),
        *(
            ["export"],
            ["predict"],
            ["library", "build"],
            ["library", "enumerate"],
            ["library", "verify"],
        ),
    ],
    ids=" ".join,
)
def test_what_shows_progress_can_be_quiet(words):
    command = get_command(app)
    for word in words:
        command = command.commands[word]
    [option] = [one for one in command.params if one.name == "is_quiet"]
    assert option.opts == ["--quiet", "-q"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["config"], 0),
        (["simulate", "O", "--json"], 0),
        (["simulate", "O", "xx", "--json"], 1),
        (["run", "--policy", "best"], 2),
        (["run", "--no-such-option"], 2),
        (["no-such-command"], 2),
        (["resume", "nowhere"], 2),
        (["export", "nowhere", "--format", "csv", "--out", "a"], 2),
    ],
    ids=str,
)
def test_exit_codes(molloop, tmp_path, arguments, code):
    done = molloop(*arguments, cwd=tmp_path)
    assert done.returncode == code
    assert "Traceback" not in done.stderr


def test_nohup_is_heeded():
    program = (
        "import os, signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); "
        "from molloop.cli import signals; signals.end_in_one_line(); "
        "os.kill(os.getpid(), signal.SIGHUP); print('goes on')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "goes on\n"


@pytest.mark.parametrize(("name", "code"), [("SIGHUP", 129), ("SIGINT", 130), ("SIGTERM", 143)])
@pytest.mark.usefixtures("terminal")
def test_a_signal_ends_with_a_line_and_its_code(name, code):
    program = (
        "import os, signal, time; from molloop.cli import signals; signals.end_in_one_line(); "
        f"os.kill(os.getpid(), signal.{name}); time.sleep(60)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (code, f"molloop: ended by {name}.\n")


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("config.toml", "Nothing was begun: give the same command again."),
        (STORE, "`molloop resume"),
    ],
)
def test_a_run_that_is_not_heard_says_how_to_go_on(tmp_path, file, words):
    (tmp_path / file).touch()
    program = (
        "import os, signal; from pathlib import Path; from molloop.cli import campaign, signals\n"
        f"told = lambda: campaign._how_to_go_on(Path({str(tmp_path)!r}))\n"
        "with signals.interrupting(30.0, told): os.kill(os.getpid(), signal.SIGINT)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 130
    assert done.stderr.startswith(f"molloop: ended by SIGINT. {words}")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("where", ["run", "libraries.how_read"])
def test_a_run_that_is_ended_early_says_that_nothing_was_begun(tmp_path, where):
    (tmp_path / "m.smi").write_text("C\nCC\n")
    program = (
        "import os, signal, sys; from molloop import api, cli; from molloop.api import libraries\n"
        f"api.{where} = lambda *_, **__: os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.argv = ['molloop', 'run', '--library', 'm.smi', '--run-dir', 'run']\n"
        "cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 130
    told = "molloop: ended by SIGINT. Nothing was begun: give the same command again."
    assert done.stderr.splitlines()[-1] == told
    assert not (tmp_path / "run").exists()


def test_exit_codes_are_documented(molloop):
    documented = (
        "0 done; 1 the run, a molecule of `simulate` or a check failed; 2 bad input; "
        "129, 130 and 143 ended by SIGHUP (a closed terminal), SIGINT (Ctrl-C) and SIGTERM."
    )
    assert documented in " ".join(molloop("--help").stdout.split())
    page = (Path(__file__).parents[2] / "docs/reference/exit-codes.md").read_text(encoding="utf-8")
    codes = re.findall(r"^\| ([\d, ]+) \|", page, re.MULTILINE)
    assert codes == ["0", "1", "2", "129, 130, 143"]


BAD_INPUT = [
    (["--set", "campaign.batch=3"], ["campaign.batch", "no such setting", "batch_size"]),
    (
        ["--initial-training-count", "24"],
        ["initial_training_count (24)", "max_training_count (24)"],
    ),
    (["--batch-size", "0"], ["campaign.batch_size", "got 0"]),
    (["--max-training-count", "-1"], ["campaign.max_training_count", "got -1"]),
    (["--workers", "0"], ["site.workers", "got 0"]),
    (["--library", "none.smi"], ["library", "none.smi", "Check the path"]),
    (["--library", "empty.smi"], ["empty.smi", "at least one molecule"]),
    (["--policy", "best"], ["search.policy", "'best'", "published"]),
    (["--schedule", "x"], ["campaign.schedule", "'x'", "batch"]),
    (["--site", "moon"], ["site.name", "'moon'", "local"]),
    (["--training-data", "none.csv"], ["none.csv", "No such file"]),
    (["--training-data", "bad.csv"], ["bad.csv, line 2, smiles", "'xx'"]),
    (["--training-data", "unsaid.csv"], ["unsaid.csv, line 2, level: is missing", "level = gfn2"]),
    (["none.toml"], ["none.toml", "No such file"]),
    (["--run-dir", "taken"], ["taken", "molloop resume taken", "choose another folder"]),
    (["--run-dir", "a b"], ["a b", "--run-dir"]),
    (["--library", "small.smi", "--library", "small.smi"], ["--library: got '2 values'"]),
    (
        ["--library", "small.smi", "--set", "library.source=other.smi"],
        ["library.source: got 'other.smi and small.smi'", "--set or an option"],
    ),
    (["--set", "campaign.seed=1", "--set", "campaign.seed=2"], ["campaign.seed: got '1 and 2'"]),
]


def commands(command, words=()):
    """Return every command of the command line, each by its words."""
    if not hasattr(command, "commands"):
        return {words: command}
    return {
        key: leaf
        for name, one in command.commands.items()
        for key, leaf in commands(one, (*words, name)).items()
    }


OPTIONS = [
    (words, option)
    for words, command in commands(get_command(app)).items()
    for option in command.params
    if option.param_type_name == "option" and not option.is_flag
]


@pytest.mark.parametrize(
    ("words", "option"), OPTIONS, ids=lambda item: getattr(item, "name", None) or " ".join(item)
)
def test_an_option_of_one_value_refuses_a_second(words, option):
    name = max(option.opts, key=len)
    command = commands(get_command(app))[words]
    arguments = [
        word for one in command.params for word in ["x"] if one.param_type_name == "argument"
    ]
    given = [f"{name}=1", name, "2"]
    context = command.context_class(command, info_name="molloop")
    if option.multiple:
        assert "repeated" in option.help
    else:
        with pytest.raises(InputError, match=f"{name}: got '2 values', expected one"):
            command.parse_args(context, [*arguments, *given])


def test_help_shows_the_defaults_of_the_configuration_and_repeats_none():
    text = CliRunner().invoke(app, ["run", "--help"], env={"COLUMNS": "200"}).output
    shown = dict(re.findall(r"--([a-z-]+).*\[default: \(([^)]*)\)\]", text))
    assert (shown["max-training-count"], shown["batch-size"]) == ("24", "4")
    assert (shown["level"], shown["site"], shown["policy"]) == ("gfn2", "local", "gp")
    for words, option in OPTIONS:
        assert not re.search(r"\([^)]*\)\.?$", option.help or ""), (words, option.name)


def test_the_reference_of_commands_shows_the_same_defaults():
    sys.path.append(str(Path(__file__).parents[2] / "docs" / "_ext"))
    from command_line import lines

    text = "\n".join(lines(get_command(app), "molloop"))
    assert "Default: gfn2." in text
    assert "Default: 24." in text
    assert not re.search(r"Default: [a-z]+\.[a-z_]+\.", text)


def test_a_flag_may_be_given_twice(molloop, tmp_path):
    (tmp_path / "a.smi").write_text("C\n")
    words = ("library", "build", "a.smi", "--out", "lib", "--quiet", "-q", "--processes", "1")
    assert molloop(*words, cwd=tmp_path).returncode == 0


def test_policies_are_compared_by_one_option(molloop, tmp_path):
    words = ("compare", "none.csv", "--out", "a", "--policy", "gp", "--set", "search.policy=ridge")
    done = molloop(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert "search.policy: got 'ridge', expected no --policy beside it" in done.stderr


@pytest.mark.parametrize(("arguments", "words"), BAD_INPUT, ids=lambda item: " ".join(item[:2]))
def test_bad_input_is_one_clear_line_and_exit_code_2(molloop, tmp_path, arguments, words):
    (tmp_path / "empty.smi").write_text("\n")
    (tmp_path / "small.smi").write_text("C\nN\n")
    (tmp_path / "bad.csv").write_text("smiles,ie_ev,level,fidelity\nxx,15,gfn2,relaxed\n")
    (tmp_path / "unsaid.csv").write_text("smiles,ie_ev\nC,15\n")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "campaign.sqlite").touch()
    if "--library" not in arguments:
        arguments = [*arguments, "--library", "small.smi"]
    cache = {"XDG_CACHE_HOME": str(tmp_path)}
    done = molloop("run", "--quiet", *arguments, cwd=tmp_path, env=cache)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("name", ["a.pdb", "none/a.sdf"])
def test_a_file_that_cannot_be_saved_is_named_before_anything_is_simulated(molloop, tmp_path, name):
    done = molloop("simulate", "O", "--save", tmp_path / name)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "--save" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_how_a_file_is_read_is_said_before_and_kept(molloop, tmp_path):
    (tmp_path / "a.csv").write_text("mol;n\nCCO;x\nFC=CF;y\nC\n")
    how = (
        "SMILES in 'mol', as asked; names behind them, if any; parted by semicolons, with a header"
    )
    asked = molloop("library", "info", "a.csv", cwd=tmp_path)
    assert (asked.returncode, "`--column 1`" in asked.stderr) == (2, True)
    done = molloop("library", "info", "a.csv", "--column", "MOL", cwd=tmp_path)
    assert (done.returncode, done.stderr.splitlines()[0]) == (0, f"a.csv: {how}")
    shown = " ".join(done.stdout.split())
    assert f"read as {how}" in shown
    assert "stereo not given 1:" in shown
    run = molloop("run", "--library", "a.csv", "--run-dir", "r", cwd=tmp_path)
    assert (run.returncode, "`--set library.column=1`" in run.stderr) == (2, True)


def test_a_library_is_built_described_and_verified(molloop, tmp_path):
    (tmp_path / "a.csv").write_text("name,smi\nx,CCO\ny,OCC\nz,bad\nw,C\nv,CCBr\n")
    arguments = ("a.csv", "--out", "lib", "--column", "smi", "--elements", "C,O", "--bits", "512")
    done = molloop("library", "build", *arguments, "--quiet", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for text in ("molecules", "no valid molecule", "512 bits", "C, O", "rejects.csv"):
        assert text in done.stdout
    rejects = (tmp_path / "lib" / "rejects.csv").read_text().splitlines()
    assert [row.split(",")[3:] for row in rejects[1:]] == [
        ["bad", "syntax error around position 2"],
        ["CCBr", "element Br"],
    ]
    assert molloop("library", "info", "lib", cwd=tmp_path).stdout == done.stdout
    assert molloop("library", "build", *arguments, cwd=tmp_path).stdout == done.stdout
    verified = molloop("library", "verify", "lib", cwd=tmp_path)
    assert verified.stdout == f"The shard of {tmp_path / 'lib'} is whole.\n"
    shard = tmp_path / "lib" / "shard-00000.arrow"
    shard.write_bytes(shard.read_bytes()[:-1])
    damaged = molloop("library", "verify", "lib", cwd=tmp_path)
    assert damaged.returncode == 1
    assert f"{shard} is damaged" in damaged.stderr
    refused = molloop("run", "--library", "lib", "--run-dir", "run", cwd=tmp_path)
    assert refused.returncode == 1
    assert f"{shard} is damaged" in refused.stderr
    assert not (tmp_path / "run").exists()


def test_how_a_file_is_read_is_said_in_a_line_or_asked_for(molloop, tmp_path):
    (tmp_path / "a.csv").write_text("structure;id;mw\nCCO;x;46,1\nC;y;16,0\n")
    words = ("library", "build", "a.csv", "--out", "lib", "--processes", "1")
    asked = molloop(*words, cwd=tmp_path)
    assert asked.returncode == 2
    [line] = asked.stderr.splitlines()
    assert "'structure', 'id', 'mw'; the second line has 'CCO', 'x', '46,1'; " in line
    assert "If it is column 1, name it by `--column 1`" in line
    done = molloop(*words, "--column", "Structure", "--keep-columns", "mw", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr.splitlines()[0] == (
        "a.csv: SMILES in 'structure', as asked; names in 'id'; kept: 'mw'; parted by semicolons, "
        "with a header"
    )
    assert "CCO (x); C (y)" in done.stdout


def test_a_library_is_enumerated(molloop, tmp_path):
    (tmp_path / "s.smi").write_text("C(*)*\n")
    (tmp_path / "r.smi").write_text("*F\n*[H]\n*Cl\n")
    done = molloop("library", "enumerate", "s.smi", "r.smi", "--out", "lib", cwd=tmp_path)
    assert done.returncode == 0
    assert "s.smi x r.smi" in done.stdout
    assert (tmp_path / "lib" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("build", "none.smi", "--out", "lib"), "none.smi"),
        (("build", "a.smi", "--out", "lib", "--exclude", "["), "excluded_smarts"),
        (("build", "a.smi", "--out", "lib", "--elements", "C,Qq"), "'Qq'"),
        (("build", "a.smi", "--out", "lib", "--bits", "100"), "a multiple of 64"),
        (("build", "a.smi", "--out", "lib", "--radius", "5000000000"), "0 to 16 bonds"),
        (("build", "a.smi", "--out", "a.smi"), "Choose another"),
        (("info", "none"), "none"),
        (("verify", "."), "a folder without a library"),
        (("verify", "a.smi"), "a library's folder, or qm9"),
        (("info", "qm9", "--column", "smiles"), "leave them out"),
        (("enumerate", "a.smi", "a.smi", "--out", "lib"), "a scaffold with"),
    ],
)
def test_bad_input_about_libraries_is_named(molloop, tmp_path, arguments, words):
    (tmp_path / "a.smi").write_text("C\n")
    done = molloop("library", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "lib" / "manifest.json").exists()


def test_two_signals_at_once_are_one_wish():
    code = (
        "import os, signal, time; from molloop.cli.signals import interrupting\n"
        "with interrupting(30.0) as interruption:\n"
        "    interruption.is_heard = True\n"
        "    os.kill(os.getpid(), signal.SIGTERM); time.sleep(0.05)\n"
        "    os.kill(os.getpid(), signal.SIGHUP)\n"
        "    print(interruption.reason, flush=True)\n"
        "    time.sleep(1.2); os.kill(os.getpid(), signal.SIGTERM)\n"
        "    print('goes on')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (143, "SIGTERM\n")
    assert "ended at once" in done.stderr


@pytest.mark.parametrize(("first", "grace_s"), [("SIGTERM", 3.0), ("SIGINT", 30.0)])
def test_the_scheduler_s_signal_cuts_the_grace_of_a_job(first, grace_s):
    code = (
        "import os, signal, time; from molloop.cli.signals import interrupting\n"
        "with interrupting(30.0) as interruption:\n"
        "    interruption.is_heard = True\n"
        f"    os.kill(os.getpid(), signal.{first}); time.sleep(1.2)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"  # of a second qdel
        "    print(interruption.reason, interruption.grace_s)"
    )
    job = os.environ | {"PBS_NODEFILE": "nodes"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=job
    )
    assert (done.returncode, done.stdout) == (0, f"{first} 3.0\n")
    [told] = done.stderr.splitlines()
    assert f"{first}: nothing more is begun; what is being simulated has {grace_s:g} s." in told


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", ("127.0.0.1", True)),
        ("127.0.0.2", ("127.0.0.2", True)),
        ("LOCALHOST", ("localhost", True)),
        ("0::1", ("::1", True)),
        ("0.0.0.0", ("0.0.0.0", False)),
        ("Node7", ("node7", False)),
    ],
)
def test_an_address_is_as_browsers_write_it(host, expected):
    assert report._address(host) == expected


@pytest.mark.parametrize("host", ["", "ü..b", "no such host"])
def test_a_host_that_is_none_is_told(tmp_path, host):
    with closing(new_store(tmp_path)) as store:
        store.append(*STEPS[0])
    with pytest.raises(InputError, match="--host"):
        report.watch(tmp_path, host)


# that shells, markup, formats, figures, terminals and URIs know signs of
FOLDERS = ("$x_{$", "%d{0}", "a:b=c", "-x", "a\nb", "\x1b[31mred\x9b", "a'b\"c", "[red] :smile:")
FOLDERS += ("font-family: a", "#010203", "<b>&", "\u202e?#", "\udcff")


def test_any_name_of_a_folder_is_shown_and_changes_nothing(molloop, tmp_path):
    folders = [tmp_path / name for name in FOLDERS]
    out = tmp_path / "a\x1b'.csv"
    for folder in folders:
        folder.mkdir()
        with closing(new_store(folder)) as store:
            store.append(0.0, [Began(10, 0)])
            store.append(1.0, [], [replace(item(0, 1.0, 15.0), worker="")])  # little is drawn
        done = molloop("export", folder, "--format", "csv", "--out", out, "--quiet")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"1 molecule: $'{tmp_path}/a\\x1b\\'.csv'\n"
    done = molloop("report", *folders, "--out", tmp_path / "$x$ [b].html", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"'{tmp_path}/$x$ [b].html': ")
    words = Words((tmp_path / "$x$ [b].html").read_text(encoding="utf-8")).found
    for shown in (*FOLDERS[:4], *FOLDERS[6:11], r"\x1b[31mred\u009b", r"\u202e?#"):
        assert any(word in (shown, f"1 {shown}") for word in words), shown
    assert not [word for word in words if not is_seen(word.replace("\n", ""))]


class Words(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = set()
        self.feed(text)

    def handle_data(self, data):
        self.found.add(data)


def test_status_shows_what_a_run_says(molloop, tmp_path):
    odd = "\x1b[2J\n[/b]\u202e"
    with closing(new_store(tmp_path)) as store:
        store.append(0.0, [Began(10, 0), Submitted((100, 101), Source.INITIAL, 0)])
        store.append(1.0, [Finished(100)], [item(0, 1.0, 15.0, f"C {odd}")])
        store.append(2.0, [Stopped(odd, End.FAILED)])
    done = molloop("status", tmp_path, env={"COLUMNS": "120"})
    assert (done.returncode, done.stderr) == (0, "")
    assert r"failed: \x1b[2J\x0a[/b]\u202e" in done.stdout
    assert r"15.000 (ie_ev) C \x1b[2J\x0a[/b]\u202e" in done.stdout
    done = molloop("status", tmp_path, "--json")
    assert is_seen(done.stdout.rstrip("\n"))
    assert json.loads(done.stdout)["reason"] == odd


def test_an_error_shows_the_lines_of_a_log_and_no_other(molloop, tmp_path, monkeypatch):
    def fail(error):
        def export_run(*_, **__):
            raise error

        monkeypatch.setattr("molloop.api.export_run", export_run)
        words = ("export", tmp_path, "--format", "csv", "--out", tmp_path / "a.csv", "-q")
        done = molloop(*words)
        assert done.returncode == error.exit_code
        return done.stderr

    told = fail(RunError("The log ends with:\n\x1b[31mred\rhidden\n", "Mend it."))
    assert told == "molloop: The log ends with:\n\\x1b[31mred\\x0dhidden\nMend it.\n"
    noted = RunError("The workers are lost.", "Look.")
    noted.add_note("Tables cannot be written\n(\x1b[31mfull).")
    told = fail(noted)
    assert told == (
        "molloop: The workers are lost. Look.\nTables cannot be written\n(\\x1b[31mfull).\n"
    )
    told = fail(InputError("a\nmolloop: all is well", "b", "c\x9b", "d"))
    assert told == "molloop: a\\x0amolloop: all is well: got 'b', expected c\\u009b. d\n"


def test_a_configuration_is_shown_and_reads_back(molloop, tmp_path):
    odd = "module load a\n\x1b[2J\x9b\u202e\u2028 'b' \\"
    (tmp_path / "a.toml").write_text(f"[site]\nworker_init = {json.dumps(odd)}\n")
    done = molloop("config", tmp_path / "a.toml")
    assert is_seen(done.stdout.replace("\n", ""))
    assert tomllib.loads(done.stdout)["site"]["worker_init"] == odd


def test_what_to_try_next_is_a_table(molloop, tmp_path):
    (tmp_path / "some.smi").write_text("C\nN\nO\nCO\nCN\n")
    (tmp_path / "values.csv").write_text("smiles,ie_ev\nC,16.9\nN,16.4\nCCO,15.1\nO,\n")
    env = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    words = ("suggest", "some.smi", "--training-data", "values.csv")
    done = molloop(*words, cwd=tmp_path, env=env)
    assert done.returncode == 0
    assert done.stderr.endswith(
        "3 values of ie_ev · 1 of molecules that the library does not hold · "
        "1 molecule without a value · 2 of 20 asked for: no other molecule is left\n"
    )
    header, *rows = done.stdout.splitlines()
    assert header == "molecule_id,smiles,name,predicted_ie_ev,predicted_ie_ev_std"
    assert {row.split(",")[1] for row in rows} == {"CO", "CN"}
    (tmp_path / "first.csv").write_text(f"{header}\n{rows[0]}\n")
    again = molloop(*words, "--pending", "first.csv", "--out", "a.csv", "-q", cwd=tmp_path, env=env)
    assert (again.returncode, again.stdout, again.stderr) == (0, "1 molecule: a.csv\n", "")
    written = (tmp_path / "a.csv").read_text().splitlines()
    assert [line.split(",")[1] for line in written] == ["smiles", rows[1].split(",")[1]]
    wrong = molloop(*words, "--out", tmp_path, cwd=tmp_path, env=env)
    assert wrong.returncode == 2
    assert "file to write" in wrong.stderr
    (tmp_path / "values.csv").write_text("smiles,ie_ev\nC,16.9\nN,high\n")
    wrong = molloop(*words, "--column", "ie_ev", cwd=tmp_path, env=env)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == (
        "molloop: values.csv, line 3, ie_ev: got 'high', expected a finite number, 1e+100 at most. "
        "Correct the number, or remove the line.\n"
    )


def test_conditions_at_build_time_and_later(molloop, tmp_path):
    (tmp_path / "a.smi").write_text("C\nCC\nCCO\nC[NH3+]\nc1ccccc1\n")
    (tmp_path / "mine.toml").write_text("[conditions]\ncharge = 0\n")
    build = ("library", "build", "a.smi", "--processes", "1")
    done = molloop(*build, "--out", "whole", "--conditions", "mine.toml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rejected = (tmp_path / "whole" / "rejects.csv").read_text().splitlines()[1:]
    assert rejected == ["a.smi,4,,C[NH3+],charge 1"]
    told = molloop(
        *("library", "info", "whole", "--set", "conditions.min_heavy_atoms=2"),
        *("--set", "conditions.excluded_smarts=[OX2H]"),
        cwd=tmp_path,
        env={"COLUMNS": "200"},
    )
    assert "conditions" in told.stdout
    assert "charge = 0" in told.stdout
    assert told.stdout.splitlines()[-1] == (
        "2 of 4 molecules meet the conditions (left out by min_heavy_atoms = 2: 1; "
        "excluded_smarts = [OX2H]: 1)"
    )
    none = molloop("library", "info", "whole", "--set", "conditions.min_rings=4", cwd=tmp_path)
    assert none.returncode == 2
    assert "got 'min_rings = 4'" in none.stderr
    (tmp_path / "values.csv").write_text("smiles,x\nC,1\nCC,2\n")
    suggest = ("suggest", "whole", "--training-data", "values.csv")
    done = molloop(
        *suggest, "--conditions", "mine.toml", "--set", "conditions.max_rings=0", cwd=tmp_path
    )
    assert [line.split(",")[1] for line in done.stdout.splitlines()] == ["smiles", "CCO"]
    assert "3 of 4 molecules meet the conditions" in done.stderr


def test_a_replay_says_what_conditions_leave(molloop, tmp_path):
    rows = "".join(f"{'C' * n},{n}\n" for n in range(1, 9))
    (tmp_path / "chains.csv").write_text(f"smiles,x\n{rows}")
    play = ("replay", "chains.csv", "--column", "x", "--set", "campaign.initial_training_count=2")
    some = ("--max-training-count", "3", "--set", "conditions.max_heavy_atoms=6")
    done = molloop(*play, *some, cwd=tmp_path, env={"COLUMNS": "200"})
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == (
        "6 of 8 molecules meet the conditions (left out by max_heavy_atoms = 6: 2)"
    )
    assert "the best value 6 of 6" in done.stdout
    assert "meet the conditions" not in molloop(*play, *some, "--quiet", cwd=tmp_path).stdout


@pytest.mark.parametrize(
    "words", [("library", "info", "x"), ("suggest", "x", "--training-data", "y")]
)
def test_where_conditions_are_set_nothing_else_is(molloop, words):
    done = molloop(*words, "--set", "campaign.seed=1")
    assert done.returncode == 2
    assert "--set: got 'campaign.seed', expected conditions.KEY=VALUE" in done.stderr


def test_quantities_are_listed_with_what_each_is_worth(molloop):
    lines = molloop("quantities").stdout.splitlines()
    names = [line.partition(" ")[0] for line in lines if not line.startswith(" ")]
    assert names[:5] == ["ie", "ea", "ie_adiabatic", "ea_adiabatic", "fundamental_gap"]
    assert len(names) == 13
    assert len(lines) == 4 * len(names)
    assert lines[1] == "  calculations: molecule; cation at the molecule's geometry"


def test_a_quantity_of_a_molecule_with_its_calculations(molloop):
    done = molloop("simulate", "O", "--name", "EA", "--level", "ipea1", "--details", "--quiet")
    assert "Vertical electron affinity, IPEA1-xTB" in done.stdout
    assert (
        "  anion: IPEA1-xTB, charge -1, multiplicity 2, geometry molecule, 0 steps" in done.stdout
    )
    told = json.loads(molloop("simulate", "O", "--solvent", "h2o", "--json", "--quiet").stdout)
    assert told["ie_ev"] == pytest.approx(14.14, abs=0.01)
    assert told["level"] == "gfn2, in water"
    assert set(told["versions"]) == {"molloop", "rdkit", "tblite"}
    refused = molloop("simulate", "O", "--solvent", "water", "--level", "ipea1")
    assert (refused.returncode, "no parameters of ALPB" in refused.stderr) == (2, True)
