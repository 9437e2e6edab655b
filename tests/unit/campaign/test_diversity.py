"""Runs whose batches are asked to be diverse."""

from dataclasses import replace

import pytest
from instant import Campaign
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

import molloop
from molloop.campaign.events import Ranked, Submitted
from molloop.campaign.ledger import Ledger
from molloop.search.policy import policy_named

GOAL = molloop.load(objectives=[{"quantity": "ie"}, {"quantity": "ea"}])
LEAST = 0.8


def nearest(library, ids, others):
    """The least distance of some molecules to others, by RDKit."""
    made = rdFingerprintGenerator.GetMorganGenerator(radius=4, fpSize=256)
    of = {
        key: made.GetFingerprint(Chem.MolFromSmiles(library.smiles(key))) for key in {*ids, *others}
    }
    pairs = [(of[a], of[b]) for a in ids for b in others if a != b]
    return min((1 - DataStructs.TanimotoSimilarity(*pair) for pair in pairs), default=1.0)


@pytest.mark.parametrize("settings", [None, GOAL])
@pytest.mark.parametrize("retrain_after", [None, 2])
@pytest.mark.parametrize("name", ["gp", "published", "random"])
def test_all_rankings_are_diverse_and_the_run_gets_its_values(
    tmp_path, small_library, name, retrain_after, settings
):
    if settings is GOAL and name == "published":
        name = "ridge-ucb"
    counts = (6, 20, 5)
    policy = replace(policy_named(name), diversity=LEAST)
    options = {"policy": policy, "retrain_after": retrain_after, "settings": settings}
    campaign = Campaign(tmp_path / "run", small_library, counts=counts, **options)
    campaign.driver.run()
    assert campaign.driver.state.n_values == 20
    ranked = [event.molecule_ids for _, event, _ in campaign.events if isinstance(event, Ranked)]
    assert any(len(ids) > 1 for ids in ranked)
    assert all(nearest(small_library, ids, ids) >= LEAST for ids in ranked)


def test_what_is_chosen_is_far_from_what_is_being_simulated(tmp_path, small_library):
    policy = replace(policy_named("gp"), diversity=LEAST)
    campaign = Campaign(
        tmp_path / "run", small_library, counts=(6, 20, 5), policy=policy, retrain_after=2
    )
    campaign.driver.run()
    ledger, pending, n_beside = Ledger([], ()), [], 0
    for _, event, _ in campaign.events:
        match event:
            case Ranked(molecule_ids=ids):
                assert nearest(small_library, ids, pending) >= LEAST
                n_beside += bool(pending and ids)
        ledger.apply(event)
        if type(event).__name__ == "RankingBegan":
            pending = list(ledger.pending(campaign.driver.protocol.stage))
    assert n_beside


def test_without_it_batches_have_molecules_that_are_alike(tmp_path, small_library):
    campaign = Campaign(tmp_path / "run", small_library, counts=(6, 20, 5), policy="gp")
    campaign.driver.run()
    batches = [
        event.molecule_ids
        for _, event, _ in campaign.events
        if isinstance(event, Submitted) and event.batch
    ]
    assert any(nearest(small_library, ids, ids) < LEAST for ids in batches)


def test_the_last_molecules_are_tried_however_alike_they_are(tmp_path, small_library):
    policy = replace(policy_named("ridge"), diversity=1.0)
    n = small_library.n_molecules
    for name, retrain_after in (("batch", None), ("interleaved", 2)):
        campaign = Campaign(
            tmp_path / name,
            small_library,
            counts=(4, n + 1, 3),
            policy=policy,
            retrain_after=retrain_after,
        )
        campaign.driver.run()
        assert campaign.driver.state.n_values == n
        assert campaign.driver.state.stopped.reason.startswith("every molecule")
