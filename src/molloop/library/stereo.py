"""How much of a molecule's stereo its file leaves open."""

from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

# between carbons or nitrogens, not in a ring, with something beside a hydrogen at both ends
_DOUBLE_BOND = Chem.MolFromSmarts("[#6X3H0,#6X3H1,#7X2]=;!@[#6X3H0,#6X3H1,#7X2]")


def n_unspecified(molecule: Chem.Mol) -> int:
    """Return how many centres and double bonds have a stereo that is not given."""
    n_centres = int(rdMolDescriptors.CalcNumUnspecifiedAtomStereoCenters(molecule))
    if not molecule.HasSubstructMatch(_DOUBLE_BOND):
        return n_centres
    open_bonds = [
        one
        for one in Chem.FindPotentialStereo(molecule)
        if one.type == Chem.StereoType.Bond_Double
        and one.specified == Chem.StereoSpecified.Unspecified
    ]
    return n_centres + len(open_bonds)
