"""Which things that ExtendedAMIs have launched or half made have no owner any more."""

import pytest
from tests.unit.capacity.test_orphans import WHERE, listing, looked, shape
from tests.unit.capacity.values import NOW

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.capacity.orphans import GRACE_SECONDS, Known, Sort, survey, things

MAKER = ObjectKey("ExtendedAMI", "ns", "env")
OF_IMAGES = {"kind": "ExtendedAMI", "purpose": None, "role": "builder"}


@pytest.mark.parametrize(
    ("known", "owned"),
    [
        (Known(uids=()), set()),
        (Known(uids={"dead-1"}, keys={MAKER}), {*Sort}),
        # One that was made anew takes over images, and so do snapshots wait for it.
        (Known(uids={"live-1"}, keys={MAKER}), {Sort.IMAGE, Sort.SNAPSHOT}),
        # One that looks for nothing any more leaves what came to light later.
        (Known(uids={"dead-1"}, keys={MAKER}, idle={MAKER}), {Sort.IMAGE}),
    ],
)
def test_what_an_image_is_made_of_goes_when_no_object_cares_for_it(known, owned):
    made = (Sort.INSTANCE, Sort.VOLUME, Sort.IMAGE, Sort.SNAPSHOT)
    shapes = [(sort, shape(sort, sort.value, **OF_IMAGES)) for sort in made]
    found = things(WHERE, listing(shapes), cluster_id="c1")
    since = {each.which: 0.0 for each in found}
    seen = survey(found, known, since, asked={WHERE}, now=NOW, monotonic=GRACE_SECONDS)
    assert {each.which.sort for each in seen.due} == {*made} - owned
    assert {each.owner for each in seen.due} <= {MAKER}


def test_an_instance_of_images_without_a_role_is_none_of_these():
    """Whoever launches an image of ours has its tags."""
    shapes = [(Sort.INSTANCE, shape(Sort.INSTANCE, "i-1", **OF_IMAGES | {"role": None}))]
    assert looked(shapes).ours == 0
