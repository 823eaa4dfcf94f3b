"""A killed training resumes to the same models; `make test_training` kills twenty."""

import random

from training.kills import killed, results


def test_a_repeatedly_killed_training_ends_with_the_same_models(trained, training):
    seed = random.SystemRandom().randrange(10_000)
    moments = random.Random(seed)
    again = training()
    for lines in sorted(moments.sample(range(4, len(trained.ended.lines)), 3)):
        delay = moments.uniform(0, 0.3)
        print(f"seed {seed}: killed", killed(again, lines, delay))
    again.succeeds("--reveal-holdout")
    assert results(again) == results(trained)
    assert again.leftovers() == []
