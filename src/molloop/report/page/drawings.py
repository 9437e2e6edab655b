"""Molecules, drawn."""

from functools import lru_cache

from markupsafe import Markup

from molloop.texts import html_text

WIDTH, HEIGHT = 220, 150
MAX_ATOMS = 200  # more are a blot
MAX_CHARACTERS = 500  # of the SMILES: more take long


@lru_cache(maxsize=256)
def drawing(smiles: str) -> Markup:
    """Return a molecule as an element of the page; empty where it cannot be drawn."""
    if len(smiles) > MAX_CHARACTERS:
        return Markup("")
    from rdkit.Chem.Draw import rdMolDraw2D

    from molloop.smiles import NoMoleculeError, read_molecule

    try:
        molecule = read_molecule(smiles, may_have_dummies=True)
    except NoMoleculeError:
        return Markup("")
    if molecule.GetNumAtoms() > MAX_ATOMS:
        return Markup("")
    canvas = rdMolDraw2D.MolDraw2DSVG(WIDTH, HEIGHT)
    canvas.drawOptions().clearBackground = False  # type: ignore[assignment]  # its stub is wrong
    rdMolDraw2D.PrepareAndDrawMolecule(canvas, molecule)
    canvas.FinishDrawing()
    text = canvas.GetDrawingText()
    opening = f'<svg role="img" aria-label="Structure of {html_text(smiles)}" class="molecule" '
    body = text[text.index(">", text.index("<svg")) + 1 :]
    # drawn from numbers and element symbols: nothing of the string itself is in it
    return Markup(f'{opening}viewBox="0 0 {WIDTH} {HEIGHT}">{body}')
