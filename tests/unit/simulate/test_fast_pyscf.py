"""What replaces steps of PySCF gives what PySCF itself gives."""

import numpy as np
import pytest
from pyscf import df, dft, gto, lib
from pyscf.dft import numint

from molloop.simulate.fast_pyscf import Fitted, Integration, turn_of

OZONE = "O 0 0 0; O 0 1.1 0.66; O 0 -1.1 0.66"
AUXILIARY = "def2-universal-jkfit"


@pytest.fixture(scope="module")
def ozone():
    return gto.M(atom=OZONE, basis="def2-svp", verbose=0)


@pytest.fixture(scope="module")
def solved(ozone):
    solver = dft.UKS(ozone, xc="b3lypg").density_fit(auxbasis=AUXILIARY)
    solver.grids.level, solver.max_cycle = 0, 5
    solver.kernel()
    return solver


def both(molecule, density, omega=None):
    """Return Coulomb and exchange matrices by molloop and by PySCF."""
    ours, theirs = Fitted(molecule, AUXILIARY), df.DF(molecule, AUXILIARY)
    plain = np.asarray(density).view(np.ndarray)
    return ours.get_jk(density, omega=omega), theirs.get_jk(plain, omega=omega)


@pytest.mark.filterwarnings(
    "ignore:An ill-conditioned matrix:scipy.linalg.LinAlgWarning"
)  # PySCF's
@pytest.mark.parametrize("omega", [None, 0.3])
@pytest.mark.parametrize("is_of_orbitals", [True, False])
def test_coulomb_and_exchange_of_a_solution_s_density(ozone, solved, is_of_orbitals, omega):
    density = solved.make_rdm1()
    if not is_of_orbitals:
        density = np.array(density)
    ours, theirs = both(ozone, density, omega)
    # integrals of long range are fitted by near-singular equations
    tolerance = 1e-8 if omega else 1e-10
    np.testing.assert_allclose(ours[0], theirs[0], atol=tolerance)
    np.testing.assert_allclose(ours[1], theirs[1], atol=tolerance)


@pytest.mark.parametrize("n_spins", [1, 2])
def test_exchange_of_a_turn(ozone, solved, n_spins):
    generator = np.random.default_rng(1)
    filled = [solved.mo_coeff[0][:, :12], solved.mo_coeff[1][:, :11]][:n_spins]
    mixed = [generator.normal(size=one.shape) for one in filled]
    halves = [new @ old.T for new, old in zip(mixed, filled, strict=True)]
    changes = np.array([one + one.T for one in halves])
    if n_spins == 1:
        changes = changes[0]
    ours, theirs = both(ozone, turn_of(changes, mixed, filled))
    assert ours[1].shape == changes.shape
    np.testing.assert_allclose(ours[1], theirs[1], atol=1e-9)


def test_exchange_alone_and_coulomb_alone(ozone, solved):
    density, fitted = solved.make_rdm1(), Fitted(ozone, AUXILIARY)
    coulomb, exchange = fitted.get_jk(density)
    no_coulomb, same_exchange = fitted.get_jk(density, with_j=False)
    same_coulomb, no_exchange = fitted.get_jk(density, with_k=False)
    assert no_coulomb is None
    assert no_exchange is None
    np.testing.assert_allclose(same_exchange, exchange, atol=1e-12)
    np.testing.assert_allclose(same_coulomb, coulomb, atol=1e-12)


@pytest.mark.parametrize(("max_memory_mb", "n_evaluations"), [(2000, 1), (4, 2)])
def test_values_on_a_grid_are_kept_where_they_fit(
    ozone, solved, monkeypatch, max_memory_mb, n_evaluations
):
    ours, theirs, density = Integration(3e6), numint.NumInt(), solved.make_rdm1()
    evaluated, evaluate = [], ours.eval_ao

    def counted(molecule, points, **more):
        evaluated.append(len(points))
        return evaluate(molecule, points, **more)

    monkeypatch.setattr(ours, "eval_ao", counted)
    for _ in range(2):
        found = ours.nr_uks(ozone, solved.grids, "b3lypg", density, max_memory=max_memory_mb)
    expected = theirs.nr_uks(ozone, solved.grids, "b3lypg", density)
    assert sum(evaluated) == n_evaluations * len(solved.grids.weights)
    np.testing.assert_allclose(found[0], expected[0], atol=1e-9)
    np.testing.assert_allclose(found[2], expected[2], atol=1e-10)


def test_two_grids_are_kept_apart(ozone, solved):
    finer = dft.Grids(ozone)
    finer.level = 1
    integration, density = Integration(3e6), solved.make_rdm1()
    for grid in (solved.grids, finer, solved.grids):
        found = integration.nr_uks(ozone, grid, "b3lypg", density)
        expected = numint.NumInt().nr_uks(ozone, grid, "b3lypg", density)
        np.testing.assert_allclose(found[2], expected[2], atol=1e-10)


def test_matrices_are_multiplied_as_pyscf_does():
    a, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0], [7.0, 8.0]])
    product = np.array([[19.0, 22.0], [43.0, 50.0]])  # by hand
    np.testing.assert_array_equal(lib.ddot(a, b), product)
    np.testing.assert_array_equal(lib.dot(a, b, 2), 2 * product)
    c = np.ones((2, 2))
    assert lib.dot(a, b, 1, c, 0) is c
    np.testing.assert_array_equal(c, product)
    assert lib.numpy_helper.ddot(a, b, 0.5, c, 2) is c
    np.testing.assert_array_equal(c, 2.5 * product)
