"""Policies: which deadlines an appeal or a visit has, on whose word, and whom to tell when they draw near."""
