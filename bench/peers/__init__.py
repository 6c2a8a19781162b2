"""Programs that the tracker is compared with, each in the peers' own environment; nothing of ours is imported there."""
