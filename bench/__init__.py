"""The benchmark: every promise of speed beside the limit of the same machine, measured in the same run."""
