"""Molecules as chemists have them: names, salts, sameness, kept columns, geometries."""

import csv
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem import AllChem

from molloop.errors import InputError
from molloop.geometries import geometry_of
from molloop.library import assemble, parts
from molloop.library.choices import SAME_AS
from molloop.library.columns import positions_at
from molloop.library.featurize import featurize
from molloop.library.identity import identity_of
from molloop.library.ingest import build
from molloop.library.manifest import DUPLICATES, REJECTS, BuildSpec, Counts, SourceFile
from molloop.library.shard import Shard
from molloop.library.shards import Library
from molloop.library.sources import Block
from molloop.library.stereo import n_unspecified
from molloop.simulate.structure import molecule_with_hydrogens
from molloop.smiles import read_molecule


@dataclass
class Given:
    """A source whose blocks are given."""

    given: list[Block]
    name: str = "given"
    keeps_smiles: bool = True
    read_as: tuple = ()
    options: dict = field(default_factory=dict)

    @property
    def files(self):
        return tuple(
            SourceFile(name, "0") for name in dict.fromkeys(one.file for one in self.given)
        )

    def blocks(self):
        return iter(self.given)


def block(texts, names=None, file="a.smi", kind="smiles", **more):
    lines = list(range(1, len(texts) + 1))
    return Block(file, lines, texts, names or [""] * len(texts), 1.0, kind=kind, **more)


def built(tmp_path, *blocks, **options):
    return build(Given(list(blocks)), tmp_path / "library", BuildSpec(**options))


def smiles(library):
    return [library.smiles(key) for key in range(library.n_molecules)]


def rows(library, name):
    with (library.folder / name).open(newline="") as file:
        return [tuple(row.values()) for row in csv.DictReader(file)]


def test_what_was_left_out_keeps_its_name_and_is_no_formula(tmp_path):
    names = ["ethanol", "=bad()", "-ring", "again", ""]
    library = built(tmp_path, block(["CCO", "=1+1", "C1CC", "OCC", "N"], names))
    assert rows(library, REJECTS) == [
        ("a.smi", "2", "'=bad()", "'=1+1", "syntax error around position 1"),
        ("a.smi", "3", "'-ring", "C1CC", "unclosed ring"),
    ]
    assert rows(library, DUPLICATES) == [("0", "ethanol", "a.smi", "4", "again", "OCC")]
    assert library.manifest.counts == Counts(read=5, invalid=2, duplicates=1)


def test_merged_molecules_are_told_in_the_order_of_their_lines(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "BLOCKS_PER_PART", 2)
    monkeypatch.setattr(assemble, "MIN_SHARD_SIZE", 2)
    blocks = [
        block(["CO", "C", "OC"], ["methanol", "methane", "b3"], "b.smi"),
        block(["N", "C", "CN"], ["ammonia", "a2", "amine"], "a.smi"),
        block(["NC", "OC", "O"], ["c1", "c2", "water"], "c.smi"),
    ]
    library = built(tmp_path, *blocks)
    assert smiles(library) == ["CO", "C", "N", "CN", "O"]
    assert rows(library, DUPLICATES) == [
        ("0", "methanol", "b.smi", "3", "b3", "OC"),
        ("1", "methane", "a.smi", "2", "a2", "C"),
        ("3", "amine", "c.smi", "1", "c1", "NC"),
        ("0", "methanol", "c.smi", "2", "c2", "OC"),
    ]


def test_products_that_are_the_same_are_counted_alone(tmp_path):
    source = Given([block(["CO", "OC"])], keeps_smiles=False)
    library = build(source, tmp_path / "library", BuildSpec())
    assert library.manifest.counts == Counts(read=2, duplicates=1)
    assert rows(library, DUPLICATES) == []


def test_a_radical_of_an_extension_is_the_radical(tmp_path):
    library = built(tmp_path, block(["CCO |^1:0|", "CCO", "[CH2]CO"], ["radical", "ethanol", "x"]))
    assert smiles(library) == ["CCO |^1:0|", "CCO"]
    hashes = Shard(library.shards[0]).identity_hashes.tolist()
    assert hashes == [identity_of(read_molecule(one), "smiles") for one in ("[CH2]CO", "CCO")]
    radicals = [
        atom.GetNumRadicalElectrons()
        for atom in molecule_with_hydrogens(library.smiles(0)).GetAtoms()
    ]
    assert sum(radicals) == 1


CATION = "[CH2+]c1ccccc1"
SALTS = ["CC[NH3+].[Cl-]", "CC(=O)[O-]", "C[N+](C)(C)C.[Br-]", "C[N+](=O)[O-]", "CCN", "N", CATION]


@pytest.mark.parametrize(
    ("fragments", "kept", "n_altered"),
    [
        ("refuse", SALTS, 0),
        (
            "largest",
            ["CC[NH3+]", "CC(=O)[O-]", "C[N+](C)(C)C", "C[N+](=O)[O-]", "CCN", "N", CATION],
            2,
        ),
        # the fifth is the first; toluene would be another molecule than its cation
        ("neutralise", ["CCN", "CC(=O)O", "C[N+](C)(C)C", "C[N+](=O)[O-]", "N", CATION], 3),
    ],
)
def test_salts(tmp_path, fragments, kept, n_altered):
    library = built(tmp_path, block(SALTS), fragments=fragments)
    assert smiles(library) == kept
    assert library.manifest.counts.altered == n_altered
    told = library.summary()
    assert ("in several pieces" in told) is (fragments == "refuse")
    assert ("  altered" in told) is (n_altered > 0)
    assert Library(library.folder).manifest.spec.fragments == fragments


# which of these are the same as the first of their row
ALIKE = [
    ("C[C@H](O)F", "C[C@@H](O)F", {"no-stereo"}),
    ("F/C=C/F", "FC=CF", {"no-stereo"}),
    ("O=c1cccc[nH]1", "Oc1ccccn1", {"inchikey", "tautomer"}),
    ("CC(C)=O", "C=C(C)O", {"tautomer"}),
    ("NCC(=O)O", "[NH3+]CC(=O)[O-]", {"inchikey"}),
    ("C[N+](=O)[O-]", "O=[N+]([O-])C", {"smiles", "no-stereo", "inchikey", "tautomer"}),
    ("C", "[13CH4]", set()),
    ("C", "[2H]C", set()),
    ("CC(=O)O", "CC(=O)[O-]", set()),
    ("CCO", "CCO |^1:0|", set()),
]


@pytest.mark.parametrize("same_as", SAME_AS)
@pytest.mark.parametrize(("one", "other", "ways"), ALIKE)
def test_which_molecules_are_the_same(same_as, one, other, ways):
    first, second = (identity_of(read_molecule(text), same_as) for text in (one, other))
    assert (first == second) is (same_as in ways)


def test_the_first_of_the_same_stays_as_it_was_given(tmp_path):
    library = built(tmp_path, block(["CC", "F/C=C/F", "FC=CF"]), same_as="no-stereo")
    assert smiles(library) == ["CC", "F/C=C/F"]
    assert library.find([identity_of(read_molecule("F/C=C\\F"), "no-stereo")]).popitem()[1] == 1
    assert library.summary()["the same"].startswith("no-stereo: ")


def test_molecules_that_inchi_does_not_know_are_not_all_the_same():
    long, longer = read_molecule("C" * 1100), read_molecule("C" * 1101)  # of 1024 atoms at most
    assert identity_of(long, "inchikey") != identity_of(longer, "inchikey")
    assert identity_of(long, "inchikey") == identity_of(read_molecule("C" * 1100), "inchikey")


@pytest.mark.parametrize("name", ["fragments", "same_as"])
def test_a_choice_that_is_none_is_named(tmp_path, name):
    with pytest.raises(InputError, match=f"{name}: got 'all', expected one of"):
        built(tmp_path, block(["C"]), **{name: "all"})


def test_columns_are_kept(tmp_path):
    one = block(
        ["CCO", "C1CC", "OCC", "N"],
        kept={"mw": ["46", "x", "y", "17"], "logP": ["a", "b", "c", "\ud800"]},
    )
    library = built(tmp_path, one, block(["O"], file="b.smi"))
    assert library.manifest.kept == ("mw", "logP")
    assert [library.kept(key) for key in range(3)] == [
        {"mw": "46", "logP": "a"},
        {"mw": "17", "logP": r"\ud800"},
        {"mw": "", "logP": ""},
    ]


def test_nothing_is_kept_where_nothing_is_asked_for(small_library):
    assert small_library.kept(0) == {}
    assert small_library.molecule(0).geometry is None


def in_space(text, seed=1):
    molecule = Chem.AddHs(Chem.MolFromSmiles(text))
    assert AllChem.EmbedMolecule(molecule, randomSeed=seed) == 0
    return molecule


def shuffled(molecule, rng):
    return Chem.RenumberAtoms(molecule, rng.permutation(molecule.GetNumAtoms()).tolist())


GEOMETRIES = [
    *("CCO", "[2H]C", "[H][H]", "[NH3+]CC(=O)[O-]", "C[CH]C", "c1cc[nH]c1", "[He]", "C[Si](C)(C)O"),
    *(
        "C[C@H](F)/C=C/Cl",
        "[O-][N+](=O)c1ccccc1",
        "N[C@@H](CO)C(=O)O",
        "B(O)(O)c1ccncc1",
        "[H]O[2H]",
    ),
]


@given(st.sampled_from(GEOMETRIES), st.booleans(), st.integers(0, 2**32 - 1))
def test_geometries_stand_in_the_order_of_the_smiles(text, is_v3000, seed):
    molecule = shuffled(in_space(text), np.random.default_rng(seed))
    sdf = Chem.MolToMolBlock(molecule, forceV3000=is_v3000)
    columns = featurize(block([sdf], kind="molblock"), BuildSpec()).molecules
    stored = columns.column("smiles")[0].as_py()
    check_geometry(geometry_of(stored, positions_at(columns, 0)), stored, sdf)


def check_geometry(geometry, smiles, sdf):
    again = molecule_with_hydrogens(smiles)
    assert geometry.numbers.tolist() == [atom.GetAtomicNum() for atom in again.GetAtoms()]
    # every atom is where an atom of its kind was, and bonds are as long as they were
    written = Chem.MolFromMolBlock(sdf, removeHs=False, sanitize=False)
    where = {
        tuple(place): atom.GetAtomicNum()
        for place, atom in zip(
            written.GetConformer().GetPositions().tolist(), written.GetAtoms(), strict=True
        )
    }
    places = geometry.positions_angstrom
    assert [where.pop(tuple(place)) for place in places.tolist()] == geometry.numbers.tolist()
    assert where == {}

    def lengths(one, positions):
        pairs = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in one.GetBonds()]
        return sorted(np.linalg.norm(positions[a] - positions[b]) for a, b in pairs)

    assert lengths(again, places) == pytest.approx(
        lengths(written, written.GetConformer().GetPositions())
    )


@pytest.mark.parametrize("in_one_block", [True, False])
@pytest.mark.parametrize("text", [one for one in GEOMETRIES if one != "[H][H]"])
def test_the_first_geometry_among_merged_lines_is_kept(tmp_path, text, in_one_block):
    molecule = Chem.MolFromSmiles(text)
    flat = Chem.Mol(molecule)
    AllChem.Compute2DCoords(flat)
    rng = np.random.default_rng(5)
    first, second = (Chem.MolToMolBlock(shuffled(in_space(text, k), rng)) for k in (2, 3))
    of_flat, of_other = Chem.MolToMolBlock(flat), Chem.MolToMolBlock(in_space("CCCC"))
    in_space_too = [[of_other, first, second]]
    split = [[of_flat], *in_space_too]
    blocks = [[of_flat, *in_space_too[0]]] if in_one_block else split
    library = built(tmp_path / "flat", *(block(one, kind="molblock") for one in blocks))
    assert smiles(library) == [Chem.MolToSmiles(molecule), "CCCC"]
    check_geometry(library.molecule(0).geometry, library.smiles(0), first)
    check_geometry(library.molecule(1).geometry, "CCCC", of_other)
    assert library.manifest.counts.lost_geometries == 0
    # also where the SMILES that stays has its atoms in another order
    for seed in range(3):
        other = Chem.MolToRandomSmilesVect(molecule, 1, randomSeed=seed)[0]
        mixed = [block(["N", other]), *(block(one, kind="molblock") for one in in_space_too)]
        library = built(tmp_path / f"mixed-{seed}", *mixed)
        assert smiles(library) == ["N", other, "CCCC"]
        check_geometry(library.molecule(1).geometry, other, first)
        assert library.molecule(0).geometry is None


def test_the_geometry_of_a_tautomer_is_another_one(tmp_path):
    texts = [Chem.MolToMolBlock(in_space(one)) for one in ("C=C(C)O", "CC(C)=O")]
    blocks = block(["CC(C)=O"]), block(texts, kind="molblock")
    library = built(tmp_path, *blocks, same_as="tautomer")
    [kept] = smiles(library)
    check_geometry(library.molecule(0).geometry, kept, texts[1])


def test_charge_and_radicals_of_a_file_are_kept(tmp_path):
    texts = [Chem.MolToMolBlock(in_space(one)) for one in ("C[NH3+]", "[CH2]CO", "CC(=O)[O-]")]
    library = built(tmp_path, block(texts, kind="molblock"))
    assert smiles(library) == ["C[NH3+]", "[CH2]CO", "CC(=O)[O-]"]
    assert library.summary()["charges"] == "-1 in 1, 0 in 1, +1 in 1"
    assert library.summary()["descriptors"] == "36 of RDKit, 53 of molloop's own"


def test_geometries_that_lack_something_are_counted(tmp_path):
    bare = Chem.RemoveHs(in_space("CCN"))
    salt = in_space("CC.O")
    flat = Chem.MolFromSmiles("CCF")
    AllChem.Compute2DCoords(flat)
    texts = [Chem.MolToMolBlock(one) for one in (bare, salt, flat, in_space("CO"))]
    library = built(
        tmp_path,
        block(["C"]),
        block([*texts, "x"], kind="molblock", file="a.sdf"),
        fragments="largest",
    )
    assert [library.molecule(key).geometry is not None for key in range(5)] == [
        *(False, False, False, False, True)
    ]
    assert smiles(library) == ["C", "CCN", "CC", "CCF", "CO"]
    assert library.manifest.counts == Counts(read=6, invalid=1, altered=1, lost_geometries=2)
    assert rows(library, REJECTS) == [("a.sdf", "5", "", "", "no molblock")]
    told = library.summary()
    assert told["with a geometry"] == "1"
    assert told["  geometry lost"].startswith("2: not all hydrogens")


def test_molblocks_that_are_the_same_are_told_by_their_smiles(tmp_path):
    texts = [Chem.MolToMolBlock(in_space("OCC", seed)) for seed in (1, 2)]
    library = built(tmp_path, block(texts, ["a", "b"], "a.sdf", "molblock"))
    assert rows(library, DUPLICATES) == [("0", "a", "a.sdf", "2", "b", "CCO")]


def test_an_inchi_becomes_a_smiles(tmp_path):
    library = built(tmp_path, block(["InChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3", "xx"], kind="inchi"))
    assert smiles(library) == ["CCO"]
    reason = "no InChI: it does not begin with InChI="
    assert rows(library, REJECTS) == [("a.smi", "2", "", "xx", reason)]


@pytest.mark.parametrize(
    ("text", "n"),
    [
        *(("FC=CF", 1), ("F/C=C/F", 0), ("C=CF", 0), ("CC(C)=CC", 0), ("CC=NO", 1)),
        *(("CC(F)O", 1), ("C[C@H](F)O", 0), ("CC=CC(F)O", 2), ("C1=CCCCC1", 0), ("C", 0)),
    ],
)
def test_stereo_that_is_not_given(text, n):
    assert n_unspecified(read_molecule(text)) == n


def test_a_summary_says_what_a_chemist_asks(tmp_path):
    texts = [
        "CCO",
        "[NH4+]",
        "FC=CF",
        "C[Fr]",
        "CC.O",
        "c1ccccc1",
        "C1CC",
        "CCCC1C",
        "Cc1cccc1",
        "OCC",
        "CN(C)(C)C",
        "CCN(C)(C)C",
    ]
    names = ["ethanol", *[""] * 8, "again", "", ""]
    library = built(tmp_path, block(texts, names))
    told = library.summary(last_element=86)
    assert told["examples"] == "CCO (ethanol); [NH4+]; FC=CF"
    assert told["heavy atoms"] == "1 to 6, median 3"
    assert told["elements"] == "C in 5, O in 2, N in 1, F in 1, Fr in 1"
    assert told["charges"] == "0 in 5, +1 in 1"
    assert "charge = 0" in told["mixed charges"]
    assert told["in several pieces"].startswith("1: simulations refuse them")
    assert told["unknown to simulations"] == "Fr in 1: refused by every level"
    assert told["stereo not given"].startswith("1: ")
    assert told["  reason 1"] == "2: unclosed ring (a.smi, line 7: C1CC; a.smi, line 8: CCCC1C)"
    assert told["  reason 2"] == (
        "2: Explicit valence for atom # 1 N, 4, is greater than permitted, or with other numbers "
        "(a.smi, line 11: CN(C)(C)C; a.smi, line 12: CCN(C)(C)C)"
    )
    assert told["  reason 3"] == (
        "1: Can't kekulize mol. Unkekulized atoms (a.smi, line 9: Cc1cccc1)"
    )
    assert told["rejected lines"] == str(library.folder / REJECTS)
    assert told["repeated lines"] == str(library.folder / DUPLICATES)
    assert "unknown to simulations" not in library.summary()
    assert "CCO (ethanol)" in library._repr_html_()


def test_a_summary_of_a_library_without_doubts(small_library):
    told = small_library.summary(last_element=86)
    assert told["charges"] == "0 in 24"
    assert not {"mixed charges", "in several pieces", "stereo not given", "  reason 1"} & set(told)
