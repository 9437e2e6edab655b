import re
from itertools import pairwise, product

import pytest
from rdkit import Chem

from molloop.errors import InputError
from molloop.library import sources
from molloop.library.enumeration import Enumeration, _spreading_stride
from molloop.library.ingest import build
from molloop.library.manifest import BuildSpec


def enumeration(tmp_path, scaffolds, substituents, max_molecules=None):
    (tmp_path / "scaffolds.smi").write_text("\n".join(scaffolds) + "\n")
    (tmp_path / "substituents.smi").write_text("\n".join(substituents) + "\n")
    return Enumeration.of(
        str(tmp_path / "scaffolds.smi"),
        str(tmp_path / "substituents.smi"),
        max_molecules=max_molecules,
    )


def library_of(tmp_path, *arguments):
    return build(enumeration(tmp_path, *arguments), tmp_path / "library", BuildSpec())


def molecules(library):
    return {library.smiles(key) for key in range(library.n_molecules)}


def canonical(*smiles):
    return {Chem.CanonSmiles(text) for text in smiles}


def test_by_hand(tmp_path):
    library = library_of(tmp_path, ["c1ccc([*:1])cc1", "C(*)*"], ["*F", "*[H]", "*C#N"])
    benzenes = ("c1ccccc1F", "c1ccccc1", "c1ccccc1C#N")
    methanes = ("FCF", "CF", "C", "FCC#N", "CC#N", "N#CCC#N")
    assert molecules(library) == canonical(*benzenes, *methanes)
    assert library.n_molecules == 9
    counts = library.manifest.counts
    assert (counts.read, counts.invalid, counts.duplicates) == (3 + 9, 0, 3)


def test_extensions_count(tmp_path):
    scaffolds = ["*CO |^1:1|", "*c1ccccc1 |$_R1;;;;;;$|", "CC=C* |c:1|", "CO* |(0,0,;1,0,;2,1,)|"]
    library = library_of(tmp_path, scaffolds, ["*F", "*C |$_AP1;$,^1:1| methylene"])
    expected = (
        "F[CH]O",
        "[CH2][CH]O",
        "Fc1ccccc1",
        "[CH2]c1ccccc1",
        "C/C=C\\F",
        "C/C=C\\[CH2]",
        "COF",
        "[CH2]OC",
    )
    assert molecules(library) == canonical(*expected)


@pytest.mark.parametrize(
    ("smiles", "lost"),
    [
        ("*[C@H](N)O |&1:1|", "&1:1"),
        ("*CC |$Ph;;$|", "$Ph;;$"),
        ("*CC |^1:1,SgD:2:k:v::::|", "SgD:2:k:v::::"),
        ("*CC |rb:1:*|", "rb:1:*"),
    ],
)
def test_what_an_extension_says_and_no_product_can_is_told(tmp_path, smiles, lost):
    for lists in ([smiles], ["*F"]), (["C*"], [smiles]):
        with pytest.raises(InputError, match=re.escape(f"{lost!r} would be lost")):
            enumeration(tmp_path, *lists)


def test_scaffolds_are_smiles(tmp_path):
    (tmp_path / "a.inchi").write_text("InChI=1S/CH4/h1H4\n")
    with pytest.raises(InputError, match=r"a\.inchi', expected SMILES with attachment points"):
        Enumeration.of(str(tmp_path / "a.inchi"), str(tmp_path / "a.inchi"))


def test_rings_of_scaffold_and_substituent_stay_apart(tmp_path):
    library = library_of(tmp_path, ["c1ccc2c(c1)cc(*)n2*"], ["*c1ccc2c(c1)CCC2", "*N1CC1"])
    expected = canonical(
        "c1ccc2c(c1)cc(c1ccc3c(c1)CCC3)n2c1ccc3c(c1)CCC3",
        "c1ccc2c(c1)cc(N1CC1)n2c1ccc3c(c1)CCC3",
        "c1ccc2c(c1)cc(c1ccc3c(c1)CCC3)n2N1CC1",
        "c1ccc2c(c1)cc(N1CC1)n2N1CC1",
    )
    assert molecules(library) == expected


def test_stereochemistry_and_bonds_are_kept(tmp_path):
    library = library_of(tmp_path, ["C[C@@H](*)O", "C(*)C"], ["*[C@H](F)Cl", "*=O", "*/C=C/F"])
    expected = canonical(
        "C[C@@H]([C@H](F)Cl)O", "C[C@@H](/C=C/F)O", "C([C@H](F)Cl)C", "CC=O", "CC/C=C/F"
    )
    assert molecules(library) == expected
    # =O on the chiral carbon has five bonds
    assert library.manifest.counts.invalid == 1


def replaced(scaffold, substituents):
    """Join with RDKit's own tool: bonds between atoms of the same map number."""
    core = Chem.MolFromSmiles(scaffold)
    sites = [atom for atom in core.GetAtoms() if atom.GetAtomicNum() == 0]
    for number, site in enumerate(sites, start=1):
        site.SetAtomMapNum(number)
    for number, text in enumerate(substituents, start=1):
        group = Chem.MolFromSmiles(text)
        [site] = [atom for atom in group.GetAtoms() if atom.GetAtomicNum() == 0]
        site.SetAtomMapNum(number)
        core = Chem.CombineMols(core, group)
    return Chem.CanonSmiles(Chem.MolToSmiles(Chem.molzip(core)))


def test_products_are_those_of_rdkit(tmp_path):
    scaffolds = ["c1c(*)nc(*)s1", "O=C(*)N(*)C", "C1CC(*)(*)C1", "*n1cc[nH]c1=O", "*C(*)(C)C=C"]
    substituents = ["*c1ccccc1", "*C(F)(F)F", "*[N+](=O)[O-]", "*N1CCOCC1", "*[Si](C)(C)C"]
    expected = {
        replaced(scaffold, groups)
        for scaffold in scaffolds
        for groups in product(substituents, repeat=scaffold.count("*"))
    }
    assert molecules(library_of(tmp_path, scaffolds, substituents)) == expected
    assert len(expected) > 50


@pytest.mark.parametrize("n", [1, 2, 5, 12, 100, 9973])
def test_a_stride_visits_every_place_once(n):
    stride = _spreading_stride(n)
    assert sorted(place * stride % n for place in range(n)) == list(range(n))


def test_a_part_of_the_products_is_spread_over_all(tmp_path):
    source = enumeration(tmp_path, ["C(*)(*)*", "N(*)*"], ["*F", "*C", "*O", "*N"], 20)
    [block] = source.blocks()
    assert len(block.lines) == len(set(block.lines)) == 20
    assert min(block.lines) >= 1
    # spread: of the 20, a fifth has the second scaffold, and no gap is large
    assert sum(line > 64 for line in block.lines) == 4
    edges = [0, *sorted(block.lines), 81]
    assert max(b - a for a, b in pairwise(edges)) <= 8


def test_blocks_are_the_same_each_time(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "BLOCK_SIZE", 7)
    source = enumeration(tmp_path, ["C(*)(*)*"], ["*F", "*C", "*O"])
    first, second = list(source.blocks()), list(source.blocks())
    assert first == second
    assert [len(block.texts) for block in first] == [7, 7, 7, 6]
    assert first[-1].fraction == 1


@pytest.mark.parametrize(
    ("scaffolds", "substituents", "words"),
    [
        (["C(*)C", "CC"], ["*F"], ["scaffolds.smi, line 2", "'CC'", "attachment point"]),
        (["C=*"], ["*F"], ["line 1", "single bond"]),
        (["C*C"], ["*F"], ["line 1", "single bond"]),
        (["**"], ["*F"], ["line 1"]),
        (["C1(*)"], ["*F"], ["scaffolds.smi", "line 1", "'C1(*)'"]),
        (["C*"], ["F"], ["substituents.smi, line 1", "'F'"]),
        (["C*"], ["*C*"], ["'*C*'"]),
        (["C*"], ["C*C"], ["'C*C'"]),
        ([""], ["*F"], ["scaffolds.smi", "at least one molecule"]),
        (["CCO.*c1ccccc1"], ["*F"], ["one fragment"]),
        (["C*"], ["*C.[Na+]"], ["substituents.smi, line 1", "one fragment"]),
        (["c1ccc([*+])cc1"], ["*F"], ["line 1", "attachment point"]),
        (["c1ccc([*H])cc1"], ["*F"], ["line 1", "attachment point"]),
        (["C*"], ["[*-]C"], ["'[*-]C'"]),
    ],
)
def test_what_cannot_be_joined_is_named(tmp_path, scaffolds, substituents, words):
    with pytest.raises(InputError) as caught:
        enumeration(tmp_path, scaffolds, substituents)
    for word in words:
        assert word in str(caught.value)


def test_double_bonds_on_both_sides_keep_their_stereochemistry(tmp_path):
    scaffolds = ["F/C=C/[*:1]", "F/C=C\\[*:1]", "F/C=C(/[*:1])Cl", "Cl/C=C([*:1])/F"]
    substituents = ["[*:1]/C=C/F", "[*:1]/C=C\\F", "[*:1]/N=N/C", "[*:1]/C(Cl)=C/F"]
    expected = {replaced(scaffold, [group]) for scaffold in scaffolds for group in substituents}
    library = library_of(tmp_path, scaffolds, substituents)
    assert molecules(library) == expected
    assert library.manifest.counts.invalid == 0


def test_a_centre_with_two_unnumbered_sites_keeps_its_chirality(tmp_path):
    library = library_of(tmp_path, ["C[C@](*)(*)F"], ["*O", "*Cl"])
    assert canonical("C[C@](O)(Cl)F", "C[C@](Cl)(O)F") < molecules(library)


def test_another_column_is_another_library(tmp_path):
    (tmp_path / "s.csv").write_text("a,b\nC*,N*\n")
    (tmp_path / "r.csv").write_text("a,b\n*F,*Cl\n")
    names = (str(tmp_path / "s.csv"), str(tmp_path / "r.csv"))
    build(Enumeration.of(*names, "a"), tmp_path / "library", BuildSpec())
    with pytest.raises(InputError, match="other files, options"):
        build(Enumeration.of(*names, "b"), tmp_path / "library", BuildSpec())


def test_a_row_that_is_none_is_named_and_not_left_out(tmp_path):
    (tmp_path / "s.csv").write_text("smiles,n\nC*,1\nN*\n")
    (tmp_path / "r.smi").write_text("*F\n")
    with pytest.raises(InputError, match=r"s\.csv, line 3: .*cells: 1, in the header: 2"):
        Enumeration.of(str(tmp_path / "s.csv"), str(tmp_path / "r.smi"), "smiles")
