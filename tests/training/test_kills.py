"""A killed training goes on to the same models; `make test_training` kills twenty."""

import random

from training.kills import killed, outcome


def test_a_training_that_is_killed_again_and_again_ends_as_one_that_was_not(trained, training):
    seed = random.SystemRandom().randrange(10_000)
    moments = random.Random(seed)
    again = training()
    for lines in sorted(moments.sample(range(4, len(trained.ended.lines)), 3)):
        pause = moments.uniform(0, 0.3)
        print(f"seed {seed}: killed", killed(again, lines, pause))
    again.succeeds()
    assert outcome(again) == outcome(trained)
    assert again.leftovers() == []
