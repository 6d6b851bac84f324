"""The paper's first claim on doom:health_gathering."""

from experiments.catalogue.common import halfway

EXPERIMENT = halfway.one_teacher(
    "health_gathering",
    100_000,
    """\
Of the five seeds three are there from scratch and kickstarted, two of the others. The
students with a teacher whose advice fades end far **above** it: 2100, 1710 and 2006 in
the 30 episodes that each plays at the end, where the teacher has 1316 ± 75 and 2100 is
the most that an episode can give; from scratch 1571, 1958 and 1852. Advice that stays
(1491, 1701) and advice alone (1544, 1733) end lower in the mean of two. **Above from
scratch is not shown by three seeds**: one of them is below it. A fourth pair, seed 1
once more as a demo of 100,000 frames at 81409ac, ended at 1298 with a teacher and at
1981 without ([measurements.md](measurements.md)): it had fallen back, so that "far
above" is not certain either.

Sooner: the mean of the episodes within a tenth of the frames
(`mean_capped_score` of the records) is first at the teacher's return after 36,000,
46,000 and 41,000 frames, from scratch after 83,000, 95,000 and 79,000, **2.0 times as
many**. The scores in the table and the picture are of the newest 100 episodes, which
here look back over the whole run.""",
)
