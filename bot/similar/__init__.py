"""Likely duplicates: which issues a typed query means, and which ones a ticket may be another case of. Pure.

`typed` ranks the few issues that an agent may attach to while the first letters are typed. `terms` and `scoring` belong
to the index of all issues that the trackers have: what a text is found by, and how much each thing counts. The index
itself is `bot/store/index.py`.
"""

from __future__ import annotations

from bot.similar.typed import MOST as MOST, Candidate as Candidate, rank as rank
